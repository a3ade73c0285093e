//! When a session ends because nobody types: the agent sees every key and holds the shell, so it keeps the time, and neither relay nor
//! database wakes for it. As of `sshd` and Teleport, a session is idle while nobody types, whoever looks at it and whatever its programs
//! write.
use std::time::{Duration, Instant};

/// How long before the end those who look are warned.
const WARNED_BEFORE: Duration = Duration::from_secs(60);

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The session ends in so many seconds unless somebody types.
    Warning(u64),
    /// It ends.
    End,
}

/// How long nobody has typed.
#[derive(Debug)]
pub struct Idle {
    /// After how long the session ends; nothing if it never does.
    after: Option<Duration>,
    typed: Instant,
    warned: bool,
    over: bool,
}

impl Idle {
    /// A session that was just opened, and ends after so long without a key; no time is never.
    pub fn new(after: Duration, now: Instant) -> Self {
        Self {
            after: (!after.is_zero()).then_some(after),
            typed: now,
            warned: false,
            over: false,
        }
    }

    /// Somebody typed.
    pub fn typed(&mut self, now: Instant) {
        self.typed = now;
        self.warned = false;
    }

    /// When to look again.
    pub fn due(&self) -> Option<Instant> {
        let after = self.after.filter(|_| !self.over)?;
        Some(match self.warned {
            true => self.typed + after,
            false => self.typed + (after - warned_before(after)),
        })
    }

    /// What is due now, once.
    pub fn take(&mut self, now: Instant) -> Option<Due> {
        let after = self.after?;
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        if self.warned {
            self.over = true;
            return Some(Due::End);
        }
        self.warned = true;
        // Somebody who comes late to it has the rest of the time all the same: the end is no earlier for it.
        let left = (self.typed + after).saturating_duration_since(now);
        Some(Due::Warning(left.as_secs()))
    }

    /// After how long a session ends.
    pub fn after(&self) -> Duration {
        self.after.unwrap_or_default()
    }
}

/// A minute, or half the time where that is shorter: nobody is warned as soon as they have typed.
fn warned_before(after: Duration) -> Duration {
    WARNED_BEFORE.min(after / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_session_is_warned_a_minute_before_it_ends_and_ends_once() {
        let begun = Instant::now();
        let mut idle = Idle::new(seconds(300), begun);
        assert_eq!(idle.due(), Some(begun + seconds(240)));
        assert_eq!(idle.take(begun + seconds(239)), None);
        assert_eq!(idle.take(begun + seconds(240)), Some(Due::Warning(60)));
        assert_eq!(idle.take(begun + seconds(299)), None);
        assert_eq!(idle.take(begun + seconds(300)), Some(Due::End));
        assert_eq!((idle.due(), idle.take(begun + seconds(900))), (None, None));
    }

    #[test]
    fn a_key_begins_the_time_anew_and_the_warning_too() {
        let begun = Instant::now();
        let mut idle = Idle::new(seconds(60), begun);
        assert_eq!(idle.take(begun + seconds(30)), Some(Due::Warning(30)));
        idle.typed(begun + seconds(50));
        assert_eq!(idle.take(begun + seconds(70)), None);
        assert_eq!(idle.take(begun + seconds(80)), Some(Due::Warning(30)));
        assert_eq!(idle.take(begun + seconds(110)), Some(Due::End));
    }

    #[test]
    fn without_a_limit_nothing_is_ever_due() {
        let begun = Instant::now();
        let mut idle = Idle::new(Duration::ZERO, begun);
        assert_eq!((idle.due(), idle.take(begun + seconds(1_000_000))), (None, None));
    }

    proptest! {
        #[test]
        fn nothing_ends_that_somebody_typed_in_within_its_time(minutes in 1u64..=240, steps in prop::collection::vec((0u64..20_000, any::<bool>()), 1..60)) {
            let begun = Instant::now();
            let mut idle = Idle::new(seconds(minutes * 60), begun);
            let (mut now, mut typed, mut warned) = (begun, begun, false);
            for (passes, types) in steps {
                now += seconds(passes);
                match idle.take(now) {
                    Some(Due::Warning(left)) => {
                        prop_assert!(!warned && left <= 60);
                        warned = true;
                    }
                    Some(Due::End) => {
                        prop_assert!(warned && now >= typed + seconds(minutes * 60));
                        return Ok(());
                    }
                    None => {}
                }
                if types {
                    idle.typed(now);
                    (typed, warned) = (now, false);
                }
            }
        }
    }
}
