//! The edge's time, on a machine whose clock is wrong: one without a battery, or one whose network lets no NTP through. The
//! edge takes a token for a minute or two around its own time only, so such a machine dates its tokens by the edge's clock.
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{DATE, HeaderMap};
use serde::Deserialize;

/// What the clocks may differ by before it matters. The edge forgives 60 s; half of that is left for an answer that took
/// its time.
const TOLERANCE: TimeDelta = TimeDelta::seconds(30);

/// The fact that a machine's page shows.
const FACT: &str = "clock_offset_seconds";

/// How this machine's clock compares to the edge's.
#[derive(Debug, Default)]
pub struct Clock {
    /// How far ours is ahead. Nothing as long as that is within [`TOLERANCE`].
    ahead: TimeDelta,
}

impl Clock {
    /// What the edge's clock shows when ours shows `here`.
    pub fn edge_time(&self, here: DateTime<Utc>) -> DateTime<Utc> {
        here.checked_sub_signed(self.ahead).unwrap_or(here)
    }

    /// Takes note of what both clocks showed in one moment. Whether tokens are dated otherwise from now on.
    pub fn compare(&mut self, here: DateTime<Utc>, edge: DateTime<Utc>) -> bool {
        let ahead = Some(here - edge)
            .filter(|ahead| ahead.abs() > TOLERANCE)
            .unwrap_or_default();
        if (ahead - self.ahead).abs() <= TOLERANCE {
            return false;
        }
        self.ahead = ahead;
        match self.fact() {
            Some((_, seconds)) => tracing::warn!(
                "this machine's clock is wrong by {seconds} s; the agent goes by the edge's. Programs here do not: set the clock"
            ),
            None => tracing::info!("this machine's clock is right again"),
        }
        true
    }

    /// By how many seconds this machine's clock is fast (or slow, if negative), for its page; nothing if it is right.
    pub fn fact(&self) -> Option<(String, String)> {
        (!self.ahead.is_zero()).then(|| (FACT.to_owned(), self.ahead.num_seconds().to_string()))
    }
}

/// The edge's time as an answer tells it: `now` of a refusal's body, which is the edge's own, or the header that every
/// server sends.
pub fn time_of(headers: &HeaderMap, body: &[u8]) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct Told {
        now: DateTime<Utc>,
    }
    if let Ok(Told { now }) = serde_json::from_slice(body) {
        return Some(now);
    }
    let date = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_clock_that_is_wrong_is_corrected_by_what_it_is_wrong_by() {
        for ahead in [-31_536_000, -300, -40, 40, 300, 31_536_000] {
            let mut clock = Clock::default();
            assert!(clock.compare(at(ahead), at(0)), "{ahead}");
            assert_eq!(clock.edge_time(at(ahead + 5)), at(5), "{ahead}");
            assert_eq!(clock.fact(), Some((FACT.to_owned(), ahead.to_string())));
            // The next answer says the same, give or take the time it took: nothing new.
            assert!(!clock.compare(at(ahead + 7), at(5)), "{ahead}");
        }
    }

    #[test]
    fn a_clock_that_is_right_or_was_set_is_left_alone() {
        let mut clock = Clock::default();
        for ahead in [-30, -2, 0, 30] {
            assert!(!clock.compare(at(ahead), at(0)), "{ahead}");
            assert_eq!((clock.edge_time(at(ahead)), clock.fact()), (at(ahead), None));
        }
        assert!(clock.compare(at(300), at(0)));
        assert!(clock.compare(at(20), at(20)), "somebody has set it");
        assert_eq!((clock.edge_time(at(20)), clock.fact()), (at(20), None));
    }

    #[test]
    fn no_time_that_an_answer_may_tell_is_too_far_off() {
        let mut clock = Clock::default();
        assert!(clock.compare(at(0), DateTime::<Utc>::MAX_UTC));
        assert!(clock.edge_time(at(0)) > at(0));
        clock.compare(DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC);
        clock.edge_time(DateTime::<Utc>::MIN_UTC);
    }

    #[test]
    fn the_time_is_read_from_the_body_or_else_from_the_header() {
        let date = |text: &'static str| HeaderMap::from_iter([(DATE, HeaderValue::from_static(text))]);
        let header = date("Fri, 15 Jan 2027 08:00:00 GMT");
        assert_eq!(time_of(&header, b""), Some(at(0)));
        assert_eq!(time_of(&header, br#"{"error":"no"}"#), Some(at(0)));
        let body = br#"{"error":"no","code":"clock_skew","now":"2027-01-15T08:00:07Z"}"#;
        assert_eq!(time_of(&header, body), Some(at(7)));
        for nonsense in ["", "yesterday", "Fri, 45 Jan 2027 08:00:00 GMT"] {
            assert_eq!(time_of(&date(nonsense), br#"{"now":12}"#), None, "{nonsense}");
        }
        assert_eq!(time_of(&HeaderMap::new(), b""), None);
    }
}
