//! Leave to read the terminal.
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY};

/// How far a stream may grow: to what its required readers have acknowledged plus a window. The relay sets both; while the
/// link is cut, the window is what the log can hold, so that nothing unacknowledged is lost.
#[derive(Debug, Clone, Copy)]
pub struct Credit {
    acked: u64,
    /// Nothing is no limit.
    window: Option<u64>,
}

impl Default for Credit {
    /// What a new stream has before the relay says anything.
    fn default() -> Self {
        Self {
            acked: 0,
            window: Some(LIVE_WINDOW),
        }
    }
}

impl Credit {
    /// The relay's word, exact.
    pub fn set(&mut self, acked: u64, window: Option<u64>) {
        *self = Self { acked, window };
    }

    /// The link is gone: the log is the only reader until the relay speaks again.
    pub fn cut(&mut self) {
        if self.window.is_some() {
            self.window = Some(LOG_CAPACITY);
        }
    }

    /// What must stay in the log of a stream that ends at `end`: from here on somebody who is waited for has not read it.
    pub fn unread(&self, end: u64) -> u64 {
        match self.window {
            Some(_) => self.acked.min(end),
            None => end,
        }
    }

    /// How many bytes may be read when the stream ends at `end` and its log holds `capacity`. A limited window is never
    /// larger than the log: what is unacknowledged must still be there.
    pub fn room(&self, end: u64, capacity: u64) -> u64 {
        match self.window {
            Some(window) => self.acked.saturating_add(window.min(capacity)).saturating_sub(end),
            None => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_stream_may_write_one_window() {
        assert_eq!(Credit::default().room(0, LOG_CAPACITY), LIVE_WINDOW);
        assert_eq!(Credit::default().room(LIVE_WINDOW + 5, LOG_CAPACITY), 0);
    }

    #[test]
    fn a_cut_opens_the_log_and_the_next_word_is_exact_again() {
        let mut credit = Credit::default();
        credit.set(1000, Some(50));
        assert_eq!(credit.room(1040, LOG_CAPACITY), 10);
        credit.cut();
        assert_eq!(credit.room(1040, LOG_CAPACITY), LOG_CAPACITY - 40);
        credit.set(1000, Some(50));
        assert_eq!(credit.room(1040, LOG_CAPACITY), 10);
    }

    #[test]
    fn a_log_that_has_shrunk_shrinks_the_window() {
        let mut credit = Credit::default();
        credit.set(1000, Some(LOG_CAPACITY));
        assert_eq!(credit.room(1000, 500), 500);
        credit.set(1000, Some(50));
        assert_eq!(credit.room(1000, 500), 50);
    }

    #[test]
    fn no_limit_outlives_a_cut() {
        let mut credit = Credit::default();
        credit.set(0, None);
        credit.cut();
        assert_eq!(credit.room(u64::MAX, LOG_CAPACITY), u64::MAX);
    }

    #[test]
    fn an_absurd_acknowledgement_does_not_overflow() {
        let mut credit = Credit::default();
        credit.set(u64::MAX, Some(u64::MAX - 1));
        assert_eq!(credit.room(5, LOG_CAPACITY), u64::MAX - 5);
    }
}
