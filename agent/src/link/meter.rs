//! When the machine is measured, and what is said of it: a sample a minute is kept and said once an hour; while somebody watches, each is
//! said as it comes, and what was kept every few minutes; and at once if a threshold is crossed.
use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use protocol::api::health::{Health, Thresholds};
use protocol::api::machines::Metrics;
use protocol::api::series::{MAX_SAMPLES, Sample, Series};
use protocol::terminal::agent::FromAgent;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::metrics::Sampler;
use crate::timer::reach;

/// How often a sample is kept.
const KEPT_EVERY: Duration = Duration::from_secs(60);

/// How many samples are said at once while somebody watches.
const WATCHED_SAMPLES: usize = 5;

/// Bounds of how often the machine is measured and for how long, in seconds; the relay chooses.
const SECONDS: std::ops::RangeInclusive<u32> = 1..=3600;

/// How long after a history the next one may be said, unless there is much to say: the relay keeps no more than that.
const HISTORIES_APART: Duration = Duration::from_secs(60);

/// How many frequencies are remembered at once. The relay has two.
const WATCHES: usize = 4;

/// Measures the machine over all links of one run.
pub struct Meter {
    sampler: Option<Sampler>,
    sampling: Option<JoinHandle<(Sampler, Metrics)>>,
    /// Samples that were not said, the oldest first.
    kept: VecDeque<(Instant, Metrics)>,
    /// When the next sample is kept.
    keep_at: Instant,
    /// When the next one is said, if somebody watches.
    say_at: Option<Instant>,
    watches: Vec<Watch>,
    /// What the sample that is being taken is for.
    keeps: bool,
    says: bool,
    /// Whether the relay takes what was kept, and what is kept is said with the next sample.
    takes_history: bool,
    flushes: bool,
    /// When history was last said.
    said_at: Option<Instant>,
    thresholds: Thresholds,
    health: Health,
}

/// A frequency.
struct Watch {
    every: Duration,
    /// Nothing for a relay that does not say when to measure.
    until: Option<Instant>,
}

/// What there is to do.
pub enum Step {
    /// A sample is due.
    Due,
    /// One was taken; nothing if the sampler broke.
    Sampled(Option<Box<(Sampler, Metrics)>>),
}

impl Meter {
    /// Takes the first sample, for the rates of the next.
    pub fn new() -> Self {
        Self {
            sampler: Some(Sampler::new()),
            sampling: None,
            kept: VecDeque::new(),
            keep_at: Instant::now(),
            say_at: None,
            watches: Vec::new(),
            keeps: false,
            says: false,
            takes_history: false,
            flushes: false,
            said_at: None,
            thresholds: Thresholds::default(),
            health: Health::default(),
        }
    }

    /// A relay has taken the link: it is told at once how the machine does. Then it says when to measure, or wants to know every so many
    /// seconds.
    pub fn welcome(&mut self, pulls: bool, heartbeat_seconds: u32, thresholds: Thresholds) {
        self.watches.clear();
        self.takes_history = pulls;
        self.flushes = false;
        self.thresholds = thresholds;
        self.health = Health::default();
        self.say_at = Some(Instant::now());
        if !pulls {
            self.watches.push(Watch {
                every: seconds(heartbeat_seconds),
                until: None,
            });
        }
    }

    /// Somebody watches.
    pub fn watch(&mut self, every_seconds: u32, for_seconds: u32) {
        let (now, every) = (Instant::now(), seconds(every_seconds));
        let was_watched = self.is_watched(now);
        self.watches.retain(|watch| watch.every != every);
        self.watches.truncate(WATCHES - 1);
        self.watches.push(Watch {
            every,
            until: Some(now + seconds(for_seconds)),
        });
        let next = if was_watched { now + every } else { now };
        let is_early = self.said_at.is_some_and(|at| now < at + HISTORIES_APART);
        self.flushes |= !was_watched && !is_early && !self.kept.is_empty();
        self.say_at = Some(self.say_at.map_or(next, |at| at.min(next)));
    }

    /// The thresholds have changed. What that comes to is found at once.
    pub fn judge_by(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
        self.say_at = Some(Instant::now());
    }

    /// Waits until there is something to do.
    pub async fn next(&mut self) -> Step {
        // One sample at a time, however long it takes.
        let due = match self.sampling {
            Some(_) => None,
            None => Some(self.say_at.map_or(self.keep_at, |at| at.min(self.keep_at))),
        };
        tokio::select! {
            sampled = join(&mut self.sampling) => Step::Sampled(sampled),
            () = reach(due) => Step::Due,
        }
    }

    /// Does it, and answers what is to be said.
    pub fn step(&mut self, step: Step) -> Option<FromAgent> {
        match step {
            Step::Due => {
                self.start();
                None
            }
            Step::Sampled(None) => None,
            Step::Sampled(Some(sampled)) => {
                let (sampler, metrics) = *sampled;
                self.sampler = Some(sampler);
                self.sampled(metrics)
            }
        }
    }

    fn start(&mut self) {
        let now = Instant::now();
        if now >= self.keep_at {
            self.keeps = true;
            self.keep_at = now + KEPT_EVERY;
        }
        if self.say_at.is_some_and(|at| now >= at) {
            self.says = true;
            let holds = self.is_watched(now);
            let every = self.watches.iter().map(|watch| watch.every).min().filter(|_| holds);
            self.say_at = every.map(|every| now + every);
        }
        let mut sampler = self.sampler.take().unwrap_or_default();
        self.sampling = Some(spawn_blocking(move || {
            let metrics = sampler.sample();
            (sampler, metrics)
        }));
    }

    fn sampled(&mut self, metrics: Metrics) -> Option<FromAgent> {
        let now = Instant::now();
        let (keeps, says) = (std::mem::take(&mut self.keeps), std::mem::take(&mut self.says));
        if keeps {
            if self.kept.len() == MAX_SAMPLES {
                self.kept.pop_front();
            }
            self.kept.push_back((now, metrics.clone()));
        }
        let health = self.thresholds.judge(&metrics, self.health);
        let crossed = std::mem::replace(&mut self.health, health) != health;
        let enough = if self.is_watched(now) {
            WATCHED_SAMPLES
        } else {
            MAX_SAMPLES
        };
        if self.takes_history && (self.flushes || keeps && self.kept.len() >= enough) {
            self.flushes = false;
            self.said_at = Some(now);
            let series = self.take_kept(now);
            return Some(FromAgent::History { metrics, series });
        }
        (says || crossed).then_some(FromAgent::Heartbeat { metrics })
    }

    fn take_kept(&mut self, now: Instant) -> Series {
        let age = |at: Instant| u32::try_from(now.duration_since(at).as_secs()).unwrap_or(u32::MAX);
        let series = Series::new(self.kept.iter().map(|(at, metrics)| Sample::new(age(*at), metrics)));
        self.kept.clear();
        series
    }

    /// Forgets who watched until now.
    fn is_watched(&mut self, now: Instant) -> bool {
        self.watches.retain(|watch| watch.until.is_none_or(|until| now < until));
        !self.watches.is_empty()
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.clamp(*SECONDS.start(), *SECONDS.end()).into())
}

/// Nothing if the sampler broke; the next sample makes a new one.
async fn join(sampling: &mut Option<JoinHandle<(Sampler, Metrics)>>) -> Option<Box<(Sampler, Metrics)>> {
    let Some(running) = sampling else {
        return pending().await;
    };
    let sampled = running.await.ok();
    *sampling = None;
    sampled.map(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(percent: f64) -> Metrics {
        Metrics {
            memory_percent: percent,
            ..Metrics::default()
        }
    }

    /// A sample was taken, for what is due.
    fn sample(meter: &mut Meter, percent: f64) -> Option<FromAgent> {
        let now = Instant::now();
        meter.keeps = now >= meter.keep_at;
        if meter.keeps {
            meter.keep_at = now + KEPT_EVERY;
        }
        meter.says = meter.say_at.take().is_some_and(|at| now >= at);
        meter.sampled(memory(percent))
    }

    async fn minutes(meter: &mut Meter, number: usize, percent: f64) -> Vec<FromAgent> {
        let mut said = Vec::new();
        for _ in 0..number {
            tokio::time::advance(KEPT_EVERY).await;
            said.extend(sample(meter, percent));
        }
        said
    }

    fn lengths(said: &[FromAgent]) -> Vec<usize> {
        let length = |message: &FromAgent| match message {
            FromAgent::History { series, .. } => series.samples().len(),
            _ => 0,
        };
        said.iter().map(length).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_watches_and_an_hour_is_one_message() {
        let mut meter = Meter::new();
        meter.welcome(true, 30, Thresholds::default());
        assert_eq!(
            sample(&mut meter, 10.0),
            Some(FromAgent::Heartbeat { metrics: memory(10.0) })
        );
        let said = minutes(&mut meter, 120, 10.0).await;
        assert_eq!(lengths(&said), [60, 60]);
        let FromAgent::History { series, .. } = &said[0] else {
            panic!()
        };
        assert_eq!((series.samples()[0].age, series.samples()[59].age), (59 * 60, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_begins_to_watch_gets_what_was_kept_and_then_some_minutes_at_a_time() {
        let mut meter = Meter::new();
        meter.welcome(true, 30, Thresholds::default());
        sample(&mut meter, 10.0);
        assert!(minutes(&mut meter, 19, 10.0).await.is_empty());
        meter.watch(30, 900);
        assert_eq!(lengths(&sample(&mut meter, 10.0).into_iter().collect::<Vec<_>>()), [20]);
        assert_eq!(lengths(&minutes(&mut meter, 14, 10.0).await), [5, 5]);
        assert!(
            minutes(&mut meter, 50, 10.0).await.is_empty(),
            "nobody watches any more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_threshold_that_is_crossed_is_said_at_once_and_once() {
        let mut meter = Meter::new();
        meter.welcome(true, 30, Thresholds::default());
        sample(&mut meter, 10.0);
        let said = minutes(&mut meter, 3, 96.0).await;
        assert_eq!(said, [FromAgent::Heartbeat { metrics: memory(96.0) }]);
        assert_eq!(minutes(&mut meter, 3, 10.0).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_relay_of_before_gets_no_history() {
        let mut meter = Meter::new();
        meter.welcome(false, 30, Thresholds::default());
        let said = minutes(&mut meter, 200, 10.0).await;
        assert!(said.iter().all(|said| matches!(said, FromAgent::Heartbeat { .. })));
        assert_eq!(meter.kept.len(), MAX_SAMPLES);
    }
}
