//! Credit: how far the agent may write, and what each reader that may type leaves of it.
use protocol::ids::StreamId;
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY, RECORDER_WINDOW};
use protocol::terminal::frame::Frame;

/// The agent hears of new credit when it grew by this much. A typist's keystrokes then cost no credit frames at all, and
/// a fast stream one in 128 KiB.
pub const CREDIT_STEP: u64 = LIVE_WINDOW / 8;

/// How one who may type, or the recorder, holds the agent back.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    acked: u64,
    window: u64,
}

impl Hold {
    /// It reads.
    pub fn live(acked: u64) -> Self {
        let window = LIVE_WINDOW;
        Self { acked, window }
    }

    /// It will come back, or is coming, and will want everything after `acked`.
    pub fn away(acked: u64) -> Self {
        let window = LOG_CAPACITY;
        Self { acked, window }
    }

    /// It records, and everything before `stored` is in the bucket.
    pub fn recorder(stored: u64) -> Self {
        let (acked, window) = (stored, RECORDER_WINDOW);
        Self { acked, window }
    }
}

/// How far the agent may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// What every required reader has acknowledged.
    acked: u64,
    /// How far past that the stream may grow; nothing is no limit.
    window: Option<u64>,
}

impl Credit {
    /// What is left by those who hold a stream back that has come to `end`.
    pub fn under(holds: impl Iterator<Item = Hold>, end: u64) -> Self {
        let (mut acked, mut limit) = (u64::MAX, u64::MAX);
        for hold in holds {
            acked = acked.min(hold.acked);
            limit = limit.min(hold.acked.saturating_add(hold.window));
        }
        match limit {
            u64::MAX => Self {
                acked: end,
                window: None,
            },
            limit => Self {
                acked,
                window: Some(limit - acked),
            },
        }
    }

    /// What tells the agent of it.
    pub fn frame(&self, stream: StreamId) -> Frame {
        Frame::credit(stream, self.acked, self.window)
    }

    /// The offset the stream may grow to.
    fn limit(&self) -> u64 {
        self.window.map_or(u64::MAX, |window| self.acked.saturating_add(window))
    }

    /// Whether it differs enough from what was given before to matter to the agent of a stream that has come to `end`.
    pub fn is_news_after(&self, old: Self, end: Option<u64>) -> bool {
        let unlimited = old.window.is_none() && self.window.is_none();
        // With a recorder, what is acknowledged stays for long while the limit moves: the window differs with each key.
        let matters = old.window.is_none() != self.window.is_none()
            || self.limit().abs_diff(old.limit()) >= CREDIT_STEP
            || self.acked.abs_diff(old.acked) >= CREDIT_STEP
            || end.is_some_and(|end| end >= old.limit());
        !unlimited && matters && *self != old
    }
}
