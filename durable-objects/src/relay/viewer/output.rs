//! A viewer's way through the output: what is sent to it, what it has consumed, and where a snapshot takes it.
use protocol::limits::{LIVE_WINDOW, WATCHER_WINDOW};
use protocol::terminal::frame::Frame;

use super::{Stage, Viewer};
use crate::relay::credit::Hold;
use crate::relay::published::Published;
use crate::relay::session::Piece;

/// How much one of our own viewers may be sent again after the object lost its memory. Far below what the agent's log has in
/// memory, and many keys' echoes, each of which would cost as much as its relaying if it were remembered.
const REPEATED_BYTES: u64 = 16 * 1024;

impl Viewer {
    /// The next output offset to send.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What was sent to it that it has not consumed.
    pub fn in_flight(&self) -> u64 {
        self.next - self.acked
    }

    /// Whether it has consumed all that was sent to it.
    pub fn has_caught_up(&self) -> bool {
        self.acked == self.next
    }

    /// Whether it has so much of its output before it that it should get nothing else that can be spared.
    pub fn is_behind(&self) -> bool {
        self.in_flight() >= WATCHER_WINDOW
    }

    /// How much may be sent to it now.
    pub fn room(&self) -> u64 {
        let window = match self.can_type() && !self.is_guest() {
            true => LIVE_WINDOW,
            false => WATCHER_WINDOW,
        };
        window.saturating_sub(self.in_flight())
    }

    /// The part of a frame that is to be sent to it: what it waits for, if it has room.
    pub fn accept(&mut self, frame: &Frame) -> Option<Frame> {
        if !self.is_live() || frame.end() <= self.next {
            return None;
        }
        let part = frame.starting_at(self.next)?;
        if self.room() == 0 {
            self.fetching = None;
            return None;
        }
        self.sent_until(part.end());
        Some(part)
    }

    /// Whether a part of the log is on its way to it.
    pub fn is_fetching(&self) -> bool {
        self.fetching.is_some()
    }

    /// Up to where a part of the log is on its way to it that has the byte at `offset`, and is not past it.
    pub fn fetches(&self, offset: u64) -> Option<u64> {
        self.fetching.filter(|to| (self.next..*to).contains(&offset))
    }

    /// A part of the log up to `to` is on its way to another, and will be to this one.
    pub fn awaits(&mut self, to: u64) {
        self.fetching = Some(to);
    }

    /// The part of the log to ask for on its behalf, at most `most` bytes of it. It is on its way then.
    pub fn fetch(&mut self, end: u64, most: u64) -> (u64, u64) {
        let to = end.min(self.next + most.min(self.room()));
        self.fetching = Some(to);
        (self.next, to)
    }

    /// Whether it would be news that it consumed everything before `offset`.
    pub fn awaits_ack(&self, offset: u64) -> bool {
        self.is_live() && offset > self.acked
    }

    /// It consumed everything before `offset`. If that is more than was sent, it was sent before this object lost its memory.
    pub fn acknowledge(&mut self, offset: u64) {
        self.acked = offset;
        self.sent_until(self.next.max(offset));
    }

    /// Whether its position is to be remembered: it has caught up, and would otherwise be sent too much again after the object
    /// lost its memory. A key's echo is not worth it; whoever gets one twice drops the second.
    pub fn has_come_far(&mut self) -> bool {
        let far = self.has_caught_up() && self.acked.saturating_sub(self.remembered) >= REPEATED_BYTES;
        if far {
            self.remembered = self.acked;
        }
        far
    }

    fn sent_until(&mut self, next: u64) {
        self.next = next;
        self.fetching = self.fetching.filter(|to| next < *to);
    }

    // ---- snapshots ----

    /// The log begins at `start`, and what was asked for `from` on is not in it. One that waited for that gets a snapshot.
    pub fn missed(&mut self, from: u64, start: u64) {
        if self.is_live() && self.fetching.is_some() && (from..start).contains(&self.next) {
            self.fetching = None;
            self.stage = Stage::Snapshot {
                gap_from: Some(self.next),
                begun: None,
            };
        }
    }

    /// Whether it waits for a snapshot that has not begun to arrive.
    pub fn awaits_snapshot(&self) -> bool {
        matches!(self.stage, Stage::Snapshot { begun: None, .. })
    }

    /// While it waits for a snapshot, the first byte it will not get.
    pub fn gap_from(&self) -> Option<u64> {
        match self.stage {
            Stage::Snapshot { gap_from, .. } => gap_from,
            _ => None,
        }
    }

    /// A piece of the snapshot at `offset` is there. Answers whether it is to be sent to this viewer.
    pub fn take_snapshot(&mut self, offset: u64, piece: Piece) -> bool {
        let Stage::Snapshot { gap_from, begun } = self.stage else {
            return false;
        };
        if !piece.first && begun != Some(offset) {
            return false;
        }
        self.stage = if piece.last {
            self.next = offset;
            self.acked = offset;
            self.remembered = offset;
            Stage::Live
        } else {
            let begun = Some(offset);
            Stage::Snapshot { gap_from, begun }
        };
        true
    }

    // ---- what it leaves of the credit ----

    /// How it holds the agent back. One without a position will start wherever the stream is by then.
    pub fn hold(&self) -> Option<Hold> {
        match self.stage {
            Stage::Live => Some(Hold::live(self.acked)),
            Stage::Waiting { received } => received.map(Hold::away),
            Stage::Snapshot { .. } | Stage::Greeting | Stage::Knocking { .. } => None,
        }
    }

    /// Counts as consumed what has left for a published client, or what it may have taken in the time that passed. Answers
    /// whether that made room.
    pub fn time_passed(&mut self, now: u64, buffered: Option<u64>) -> bool {
        let in_flight = self.in_flight();
        let Some(published) = self.published.as_mut().filter(|_| in_flight > 0) else {
            return false;
        };
        let consumed = published.consumed(in_flight, now, buffered);
        self.acked += consumed;
        consumed > 0
    }

    /// Whether it is a published client for whom time has to pass, or whose position is not remembered as it is.
    pub fn wants_tick(&self) -> bool {
        let unlike = |published: &Published| self.in_flight() > 0 || !published.is_remembered(self.acked);
        self.is_live() && self.published.as_ref().is_some_and(unlike)
    }

    /// If it is a published client that has caught up, that is to be remembered now.
    pub fn note_caught_up(&mut self) -> bool {
        let caught_up = self.has_caught_up();
        let Some(published) = self.published.as_mut().filter(|_| caught_up) else {
            return false;
        };
        published.remember(self.acked);
        true
    }
}
