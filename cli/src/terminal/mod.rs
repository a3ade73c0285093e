//! A terminal on a machine, as long as its shell lives and whatever the connection does meanwhile.
mod backoff;
mod end_of_input;
mod escape;
mod exit;
mod keyboard;
mod line;
mod link;
mod restore;
mod run;
mod screen;
mod tty;
mod viewer;

pub use exit::status as exit_status;
pub use run::run;
pub use tty::{asked_to_end, size};

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::ids::{SessionId, ViewerId};

use crate::error::Error;

/// A name for a new session. The time makes it readable, the random part unique.
pub fn new_session_id() -> Result<SessionId, Error> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let id = format!("cli-{now}-{}", random_hex::<3>()?);
    id.parse()
        .map_err(|error| Error::Terminal(format!("cannot name a session: {error}")))
}

/// Who this run is, kept over reconnects.
fn new_viewer_id() -> Result<ViewerId, Error> {
    random_hex::<16>()?
        .parse()
        .map_err(|error| Error::Terminal(format!("cannot name this viewer: {error}")))
}

/// A random number from 0 to 255; without randomness any will do.
fn jitter() -> u8 {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    byte
}

fn random_hex<const N: usize>() -> Result<String, Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Terminal(format!("no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_differ_and_are_well_formed() {
        let (one, two) = (new_session_id().unwrap(), new_session_id().unwrap());
        assert!(one.as_str().starts_with("cli-"));
        assert_ne!(one, two);
        assert_ne!(new_viewer_id().unwrap(), new_viewer_id().unwrap());
    }
}
