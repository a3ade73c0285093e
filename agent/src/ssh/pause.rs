//! Pauses after logins that failed. An `sshd` refuses an address from which too many come, and with it everybody who works through this
//! runner: so after the second failure in a row a host is left alone for a while, whoever asks, and for twice as long after each further one.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures that cost nothing: somebody tries a user that is not there, and then the right one.
const FREE: u32 = 1;

/// The first pause. OpenSSH 9.8 and later count 5 s against an address for each login that fails, and refuse it from 15 s on.
const FIRST: Duration = Duration::from_secs(10);

/// The longest: what such an `sshd` refuses an address for at most.
const LONGEST: Duration = Duration::from_secs(600);

/// Hosts of which failures are remembered. More than somebody mistypes; of more, the one that failed longest ago is forgotten.
const MAX_HOSTS: usize = 1000;

/// The hosts that are left alone.
#[derive(Debug, Default)]
pub struct Pauses(Mutex<HashMap<String, Failed>>);

#[derive(Debug)]
struct Failed {
    times: u32,
    at: Instant,
}

impl Failed {
    /// When the next attempt may be made.
    fn until(&self) -> Instant {
        let doublings = self.times.checked_sub(FREE + 1);
        let pause = doublings.map_or(Duration::ZERO, |times| FIRST.saturating_mul(1 << times.min(16)));
        self.at + pause.min(LONGEST)
    }

    /// Whether it is so long ago that it says nothing any more.
    fn is_over(&self, now: Instant) -> bool {
        self.until() + LONGEST < now
    }
}

impl Pauses {
    /// For how long a host is still to be left alone.
    pub fn left(&self, host: &str, now: Instant) -> Option<Duration> {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = failed.get(host).filter(|failed| !failed.is_over(now))?.until();
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// A login has failed there.
    pub fn failed(&self, host: &str, now: Instant) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|_, failed| !failed.is_over(now));
        if failed.len() >= MAX_HOSTS && !failed.contains_key(host) {
            let oldest = failed
                .iter()
                .min_by_key(|(_, failed)| failed.at)
                .map(|(host, _)| host.clone());
            oldest.and_then(|oldest| failed.remove(&oldest));
        }
        let known = failed.entry(host.to_owned()).or_insert(Failed { times: 0, at: now });
        known.times = known.times.saturating_add(1);
        known.at = now;
    }

    /// A login was let in there.
    pub fn succeeded(&self, host: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_left_alone_for_twice_as_long_each_time() {
        let (pauses, mut now) = (Pauses::default(), Instant::now());
        pauses.failed("web", now);
        assert_eq!(pauses.left("web", now), None);
        let mut expected = FIRST;
        for _ in 0..10 {
            pauses.failed("web", now);
            assert_eq!(pauses.left("web", now), Some(expected));
            assert_eq!(pauses.left("db", now), None);
            now += expected;
            assert_eq!(pauses.left("web", now), None);
            expected = (expected * 2).min(LONGEST);
        }
        assert_eq!(expected, LONGEST);
        pauses.succeeded("web");
        pauses.failed("web", now);
        assert_eq!(pauses.left("web", now), None);
    }

    #[test]
    fn what_is_long_ago_and_what_is_too_much_is_forgotten() {
        let (pauses, now) = (Pauses::default(), Instant::now());
        pauses.failed("web", now);
        pauses.failed("web", now);
        let later = now + FIRST + LONGEST * 2;
        pauses.failed("web", later);
        assert_eq!(pauses.left("web", later), None);
        for n in 0..MAX_HOSTS * 2 {
            pauses.failed(&format!("h{n}"), later + Duration::from_millis(n as u64));
        }
        assert_eq!(pauses.0.lock().unwrap().len(), MAX_HOSTS);
    }
}
