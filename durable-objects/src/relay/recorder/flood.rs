//! Stepping aside: while a program floods, the recorder leaves the relay's thread to those who watch.
//!
//! Nothing is lost by that: what the recorder has not taken in is in the agent's log, and the agent waits for it only when it is
//! far behind. A flood gets this once; from a program that goes on, the recorder takes in what comes, as it must in the end.
use protocol::limits::RECORDER_WINDOW;

/// So much output…
const FLOOD_BYTES: u64 = 256 * 1024;

/// …within so many milliseconds is a flood. What a person causes who types and pages is less, and is recorded at once.
const FLOOD_WITHIN: u64 = 100;

/// A flood without output for so many milliseconds is over. Longer than most networks take to bring the next window.
const QUIET: u64 = 100;

/// How long one flood is left alone, in milliseconds: most are over by then, and who opens the recording waits no longer.
const ASIDE_MOST: u64 = 1_500;

/// How far the recorder gets behind by that: the rest of its window is for catching up before the agent waits.
const BEHIND_MOST: u64 = RECORDER_WINDOW / 4 * 3;

/// What the output of one session is like.
#[derive(Debug, Default)]
pub struct Flood {
    state: State,
    /// When the time began in which output is counted…
    since: u64,
    /// …and how much came in it.
    bytes: u64,
    /// When the last output came.
    last: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing unusual.
    #[default]
    Calm,
    /// It floods since then, and is left alone.
    Aside(u64),
    /// It floods and was left alone for as long as it may be.
    Recorded,
}

impl Flood {
    /// So many bytes of output are new.
    pub fn came(&mut self, now: u64, bytes: u64) {
        self.end_if_quiet(now);
        if now >= self.since + FLOOD_WITHIN {
            (self.since, self.bytes) = (now, 0);
        }
        self.bytes += bytes;
        self.last = now;
        if self.state == State::Calm && self.bytes >= FLOOD_BYTES {
            self.state = State::Aside(now);
        }
    }

    /// Time has passed for a recorder that is so many bytes behind.
    pub fn passed(&mut self, now: u64, behind: u64) {
        self.end_if_quiet(now);
        if let State::Aside(since) = self.state
            && (now >= since + ASIDE_MOST || behind >= BEHIND_MOST)
        {
            self.state = State::Recorded;
        }
    }

    fn end_if_quiet(&mut self, now: u64) {
        if self.state != State::Calm && now >= self.last + QUIET {
            self.state = State::Calm;
        }
    }

    /// Whether to step aside for it.
    pub fn is_left_alone(&self) -> bool {
        matches!(self.state, State::Aside(_))
    }

    /// When [`Self::passed`] may end that.
    pub fn due(&self) -> Option<u64> {
        match self.state {
            State::Aside(since) => Some((since + ASIDE_MOST).min(self.last + QUIET)),
            State::Calm | State::Recorded => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of so many bytes each 10 ms, for so many milliseconds.
    fn output(flood: &mut Flood, from: u64, milliseconds: u64, bytes: u64) {
        for now in (from..from + milliseconds).step_by(10) {
            flood.passed(now, 0);
            flood.came(now, bytes);
        }
    }

    #[test]
    fn what_a_typist_causes_is_no_flood() {
        let mut flood = Flood::default();
        output(&mut flood, 0, 60_000, FLOOD_BYTES / 20);
        flood.came(60_100, FLOOD_BYTES - 1);
        assert!(!flood.is_left_alone());
        assert_eq!(flood.due(), None);
    }

    #[test]
    fn a_flood_is_left_alone_until_it_is_quiet() {
        let mut flood = Flood::default();
        output(&mut flood, 1_000, 500, 100_000);
        assert!(flood.is_left_alone());
        assert_eq!(flood.due(), Some(1_490 + QUIET));
        flood.passed(1_490 + QUIET - 1, 0);
        assert!(flood.is_left_alone());
        flood.passed(1_490 + QUIET, 0);
        assert!(!flood.is_left_alone());
        output(&mut flood, 2_000, 500, 100_000);
        assert!(flood.is_left_alone(), "so is the next");
    }

    #[test]
    fn one_that_lasts_is_left_alone_once_and_for_no_longer_than_it_may_be() {
        let mut flood = Flood::default();
        output(&mut flood, 0, ASIDE_MOST, 100_000);
        assert!(flood.is_left_alone());
        output(&mut flood, ASIDE_MOST, 60_000, 100_000);
        assert!(!flood.is_left_alone());
        assert_eq!(flood.due(), None);
        output(&mut flood, ASIDE_MOST + 60_000 + QUIET, 100, 100_000);
        assert!(flood.is_left_alone(), "the next one is, too");
    }

    #[test]
    fn a_recorder_that_is_far_behind_stays_aside_no_longer() {
        let mut flood = Flood::default();
        output(&mut flood, 0, 100, 100_000);
        flood.passed(100, BEHIND_MOST - 1);
        assert!(flood.is_left_alone());
        flood.passed(100, BEHIND_MOST);
        assert!(!flood.is_left_alone());
        output(&mut flood, 110, 100, 100_000);
        assert!(!flood.is_left_alone());
    }
}
