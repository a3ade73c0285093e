//! How long a key takes until its echo is there.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, timeout, timeout_at};

use crate::stats::Latency;
use crate::terminal::Terminal;

/// Keys per run.
const KEYS: usize = 400;

/// Keys before them that are not counted: everything is slow the first time.
const WARM_UP: usize = 50;

/// Time between keys. Nobody types so fast, but everything that follows an echo, such as its acknowledgement, is over.
const PAUSE: Duration = Duration::from_millis(2);

/// How long an echo may take at all.
const ECHO_WITHIN: Duration = Duration::from_secs(10);

/// Types at a terminal that echoes.
pub async fn measure(terminal: &mut impl Terminal) -> Result<Latency> {
    let mut samples = Vec::with_capacity(KEYS);
    for number in 0..WARM_UP + KEYS {
        let key = [b'a' + (number % 26) as u8];
        let typed = Instant::now();
        terminal.send(&key).await?;
        let echo = timeout(ECHO_WITHIN, terminal.output())
            .await
            .context("a key has no echo")??;
        let took = typed.elapsed();
        ensure!(echo[..] == key, "the echo of {key:?} is {echo:?}");
        if number >= WARM_UP {
            samples.push(took);
        }
        let rest = timeout_at(Instant::now() + PAUSE, terminal.output()).await;
        ensure!(rest.is_err(), "a key has two echoes");
    }
    Latency::of(samples).context("no key was typed")
}
