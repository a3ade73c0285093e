//! How long a key takes until its echo is there, and what it costs.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, timeout, timeout_at};

use super::Clock;
use crate::stats::Latency;
use crate::terminal::Terminal;

/// Keys per run: enough for processor time that the kernel counts in ticks.
const KEYS: usize = 1000;

/// Keys before them that are not counted: everything is slow the first time.
const WARM_UP: usize = 50;

/// Time between keys. Nobody types so fast, but everything that follows an echo, such as its acknowledgement, is over.
const PAUSE: Duration = Duration::from_millis(2);

/// How long an echo may take at all.
const ECHO_WITHIN: Duration = Duration::from_secs(10);

/// What one run gave.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// From before a key is sent until its echo is there.
    pub latency: Latency,
    /// Microseconds of workerd's processor time for each key, its acknowledgements included, where there is one.
    pub workerd: Option<f64>,
    /// Microseconds of the agent's, where there is one.
    pub agent: Option<f64>,
}

/// Types at a terminal that echoes.
pub async fn measure(terminal: &mut impl Terminal, workerd: Clock<'_>, agent: Clock<'_>) -> Result<Keys> {
    let mut samples = Vec::with_capacity(KEYS);
    let clocks = [workerd, agent];
    let mut before = [None; 2];
    for number in 0..WARM_UP + KEYS {
        if number == WARM_UP {
            before = read(clocks)?;
        }
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
    let after = read(clocks)?;
    let per_key = |clock: usize| Some((after[clock]? - before[clock]?).as_secs_f64() * 1e6 / KEYS as f64);
    Ok(Keys {
        latency: Latency::of(samples).context("no key was typed")?,
        workerd: per_key(0),
        agent: per_key(1),
    })
}

fn read(clocks: [Clock<'_>; 2]) -> Result<[Option<Duration>; 2]> {
    let [workerd, agent] = clocks.map(|clock| clock.map(|now| now()).transpose());
    Ok([workerd?, agent?])
}
