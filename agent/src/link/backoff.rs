//! When to try again.
use std::time::Duration;

/// Upper bound of the first pause.
const FIRST: Duration = Duration::from_millis(500);

/// No pause is longer as long as this run of the agent has had no link: the edge may be down for hours, or its address
/// wrong.
const LONGEST: Duration = Duration::from_secs(60);

/// No pause is longer after a link: address, key and network were good, and somebody may be waiting in front of a terminal.
const LONGEST_AFTER_LINK: Duration = Duration::from_secs(5);

/// A link that stood this long was healthy: trouble before it counts no more.
const HEALTHY: Duration = Duration::from_secs(10);

/// A link that stood this long was lost rather than dropped, and is tried again at once whatever went before.
const LOST: Duration = Duration::from_secs(1);

/// So many links that were dropped before that are tried again at once, too, as when an edge is deployed in several steps.
/// After that an edge that drops every link is asked less.
const PATIENCE: u32 = 8;

/// Pauses that grow with each failure up to a cap, each random between nothing and its bound: after an outage the
/// machines do not all come back in the same moment.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    drops: u32,
    had_link: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// No link came about.
    Failed,
    /// The edge knows the machine and refuses it, or does not know it: not a matter of seconds.
    Refused,
    /// A link stood for this long.
    Stood(Duration),
}

impl Backoff {
    /// How long to wait now. `random` gives a number from 0 up to but not including 1.
    pub fn pause(&mut self, ended: Ended, random: impl FnOnce() -> f64) -> Duration {
        self.had_link |= matches!(ended, Ended::Stood(_));
        let doublings = match ended {
            // In the upper half, so that it never happens to be soon.
            Ended::Refused => return LONGEST.mul_f64(0.5 + random() / 2.0),
            Ended::Stood(time) if time >= HEALTHY => {
                (self.failures, self.drops) = (0, 0);
                0
            }
            Ended::Stood(time) if time >= LOST => 0,
            Ended::Stood(_) => next(&mut self.drops).saturating_sub(PATIENCE),
            Ended::Failed => next(&mut self.failures),
        };
        let longest = if self.had_link { LONGEST_AFTER_LINK } else { LONGEST };
        FIRST
            .saturating_mul(1 << doublings.min(16))
            .min(longest)
            .mul_f64(random())
    }
}

fn next(count: &mut u32) -> u32 {
    let now = *count;
    *count = count.saturating_add(1);
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALMOST_ONE: f64 = 0.999_999;

    fn bounds(backoff: &mut Backoff, ended: Ended, count: usize) -> Vec<u64> {
        (0..count)
            .map(|_| backoff.pause(ended, || ALMOST_ONE).as_millis().div_ceil(500) as u64)
            .collect()
    }

    #[test]
    fn pauses_double_from_half_a_second_to_a_minute() {
        let mut backoff = Backoff::default();
        assert_eq!(
            bounds(&mut backoff, Ended::Failed, 9),
            [1, 2, 4, 8, 16, 32, 64, 120, 120]
        );
        assert_eq!(Backoff::default().pause(Ended::Failed, || 0.0), Duration::ZERO);
    }

    #[test]
    fn a_machine_that_had_a_link_never_waits_longer_than_five_seconds() {
        for stood in [Duration::ZERO, LOST, HEALTHY] {
            let mut backoff = Backoff::default();
            bounds(&mut backoff, Ended::Failed, 20);
            bounds(&mut backoff, Ended::Stood(stood), 1);
            assert_eq!(
                bounds(&mut backoff, Ended::Failed, 20).into_iter().max(),
                Some(10),
                "{stood:?}"
            );
            assert_eq!(
                bounds(&mut backoff, Ended::Stood(Duration::ZERO), 99).into_iter().max(),
                Some(10)
            );
        }
    }

    #[test]
    fn a_healthy_link_forgets_the_failures_before_it() {
        let mut backoff = Backoff::default();
        bounds(&mut backoff, Ended::Failed, 3);
        assert_eq!(bounds(&mut backoff, Ended::Stood(LOST), 1), [1]);
        assert_eq!(bounds(&mut backoff, Ended::Failed, 1), [8]);
        assert_eq!(bounds(&mut backoff, Ended::Stood(HEALTHY), 1), [1]);
        assert_eq!(bounds(&mut backoff, Ended::Failed, 1), [1]);
    }

    #[test]
    fn a_lost_link_is_tried_again_at_once_and_one_that_is_always_dropped_less() {
        let mut backoff = Backoff::default();
        assert_eq!(bounds(&mut backoff, Ended::Stood(LOST), 20), [1; 20]);
        assert_eq!(
            bounds(&mut backoff, Ended::Stood(Duration::ZERO), 14),
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 8, 10, 10]
        );
    }

    #[test]
    fn a_refused_machine_asks_about_once_a_minute_whatever_went_before() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.pause(Ended::Refused, || 0.0), LONGEST / 2);
        bounds(&mut backoff, Ended::Stood(HEALTHY), 1);
        assert!(backoff.pause(Ended::Refused, || ALMOST_ONE) > LONGEST.mul_f64(0.99));
    }
}
