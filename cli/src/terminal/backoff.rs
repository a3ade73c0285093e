//! When to try again.
use std::time::Duration;

/// The wait after the second failure in a row; the first is tried again at once, so that a short cut goes unnoticed.
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait: short enough that somebody who watches does not press a key out of impatience.
const LONGEST: Duration = Duration::from_secs(10);

/// A connection that stood so long was healthy: after it, waiting starts anew.
pub const HEALTHY: Duration = Duration::from_secs(10);

/// Waits that grow from nothing to [`LONGEST`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait before the next attempt. `jitter` from 0 to 255 shortens it by up to a quarter, so that many
    /// clients of a server that restarts do not come back in step.
    pub fn next(&mut self, jitter: u8) -> Duration {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        match failures {
            0 => Duration::ZERO,
            n => {
                let wait = FIRST.saturating_mul(1 << (n - 1).min(16)).min(LONGEST);
                wait - wait * u32::from(jitter) / 1024
            }
        }
    }

    /// A connection stood for `time`.
    pub fn stood(&mut self, time: Duration) {
        if time >= HEALTHY {
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_at_nothing_double_and_are_capped() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9).map(|_| backoff.next(0).as_millis()).collect();
        assert_eq!(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        let shortest = backoff.next(255);
        assert!(shortest > LONGEST * 3 / 4 && shortest < LONGEST);
    }

    #[test]
    fn a_healthy_connection_starts_anew_and_a_short_one_does_not() {
        let mut backoff = Backoff::default();
        backoff.next(0);
        backoff.stood(HEALTHY / 2);
        assert_eq!(backoff.next(0), FIRST);
        backoff.stood(HEALTHY);
        assert_eq!(backoff.next(0), Duration::ZERO);
    }

    #[test]
    fn any_number_of_failures_is_fine() {
        let mut backoff = Backoff { failures: u32::MAX };
        assert_eq!(backoff.next(0), LONGEST);
    }
}
