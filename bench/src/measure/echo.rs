//! How long a key takes until its echo is there, and what it costs.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, timeout, timeout_at};

use super::Clock;
use crate::stats::Latency;
use crate::terminal::Terminal;

/// How many keys are typed, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Typing {
    /// Keys that count.
    keys: usize,
    /// Keys before them that do not: everything is slow the first time.
    warm_up: usize,
    /// Time between keys.
    pause: Duration,
}

impl Typing {
    /// How many keys count.
    pub fn counted(&self) -> usize {
        self.keys
    }
}

/// Enough keys for processor time that the kernel counts in ticks. Nobody types so fast, but everything that follows an echo,
/// such as its acknowledgement, is over.
pub const FAST: Typing = Typing {
    keys: 1000,
    warm_up: 50,
    pause: Duration::from_millis(2),
};

/// As a person types.
pub const BY_HAND: Typing = Typing {
    keys: 150,
    warm_up: 10,
    pause: Duration::from_millis(100),
};

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
    typed(terminal, FAST, workerd, agent).await
}

/// The same at another speed.
pub async fn typed(terminal: &mut impl Terminal, typing: Typing, workerd: Clock<'_>, agent: Clock<'_>) -> Result<Keys> {
    let Typing { keys, warm_up, pause } = typing;
    let mut samples = Vec::with_capacity(keys);
    let clocks = [workerd, agent];
    let mut before = [None; 2];
    for number in 0..warm_up + keys {
        if number == warm_up {
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
        if number >= warm_up {
            samples.push(took);
        }
        let rest = timeout_at(Instant::now() + pause, terminal.output()).await;
        ensure!(rest.is_err(), "a key has two echoes");
    }
    let after = read(clocks)?;
    let per_key = |clock: usize| Some((after[clock]? - before[clock]?).as_secs_f64() * 1e6 / keys as f64);
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
