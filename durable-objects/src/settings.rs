//! The relay's settings from the Worker's vars.
use std::str::FromStr;

use worker::Env;

use crate::log;
use crate::relay::Settings;

/// Reads `HEARTBEAT_SECONDS`, `OFFLINE_AFTER_SECONDS`, `STREAM_KEEP_SECONDS`, `PUBLISHED_KEEP_SECONDS` and
/// `AGENT_GRACE_SECONDS`. One that is absent or no positive whole number has its default; the latter is logged.
pub fn read(env: &Env) -> Settings {
    let default = Settings::default();
    let ms = |name, default_ms| seconds::<u64>(env, name).map_or(default_ms, |seconds| seconds.saturating_mul(1000));
    Settings {
        heartbeat_seconds: seconds(env, "HEARTBEAT_SECONDS").unwrap_or(default.heartbeat_seconds),
        offline_after: ms("OFFLINE_AFTER_SECONDS", default.offline_after),
        stream_keep: ms("STREAM_KEEP_SECONDS", default.stream_keep),
        published_keep: ms("PUBLISHED_KEEP_SECONDS", default.published_keep),
        agent_grace: ms("AGENT_GRACE_SECONDS", default.agent_grace),
    }
}

fn seconds<T: FromStr + PartialOrd + From<u8>>(env: &Env, name: &str) -> Option<T> {
    let text = env.var(name).ok()?.to_string();
    let value = text.parse().ok().filter(|value| *value >= T::from(1));
    if value.is_none() && !text.is_empty() {
        log::error(&format!(
            "{name} must be a positive whole number of seconds, not {text:?}; using the default"
        ));
    }
    value
}
