//! The end of a stream, in memory, so that a viewer that is nearly there need not ask the agent. A cache: losing it
//! loses nothing.
use std::collections::VecDeque;

use protocol::terminal::frame::Frame;

/// Bytes kept per stream: what a watcher may have in flight, so that one that acknowledges in time is served from here.
pub const TAIL_BYTES: u64 = protocol::limits::WATCHER_WINDOW;

/// Adjoining output frames, the newest last.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    frames: VecDeque<Frame>,
    bytes: u64,
}

impl Tail {
    /// Takes the newest frame. One that does not adjoin starts the cache anew.
    pub fn push(&mut self, frame: Frame) {
        if self.frames.back().is_some_and(|last| last.end() != frame.offset) {
            self.frames.clear();
            self.bytes = 0;
        }
        self.bytes += frame.end() - frame.offset;
        self.frames.push_back(frame);
        while self.bytes > TAIL_BYTES && self.frames.len() > 1 {
            if let Some(old) = self.frames.pop_front() {
                self.bytes -= old.end() - old.offset;
            }
        }
    }

    /// A frame that starts at `offset`, if the cache has that byte.
    pub fn at(&self, offset: u64) -> Option<Frame> {
        let after = self.frames.partition_point(|frame| frame.offset <= offset);
        self.frames.get(after.checked_sub(1)?)?.starting_at(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ids::StreamId;
    use protocol::terminal::frame::Kind;

    fn output(offset: u64, len: usize) -> Frame {
        Frame::new(Kind::Output, StreamId(1), offset, &vec![b'x'; len])
    }

    #[test]
    fn a_tail_serves_any_byte_it_holds_and_no_other() {
        let mut tail = Tail::default();
        tail.push(output(10, 5));
        tail.push(output(15, 5));
        assert_eq!(tail.at(9), None);
        assert_eq!(tail.at(12).map(|frame| (frame.offset, frame.end())), Some((12, 15)));
        assert_eq!(tail.at(15).map(|frame| frame.end()), Some(20));
        assert_eq!(tail.at(20), None);
    }

    #[test]
    fn a_tail_forgets_what_does_not_adjoin() {
        let mut tail = Tail::default();
        tail.push(output(0, 5));
        tail.push(output(100, 5));
        assert_eq!(tail.at(0), None);
        assert!(tail.at(100).is_some());
    }

    #[test]
    fn a_tail_is_bounded() {
        let mut tail = Tail::default();
        for i in 0..100 {
            tail.push(output(i * 60_000, 60_000));
        }
        assert!(tail.bytes <= TAIL_BYTES);
        assert_eq!(tail.at(0), None);
        assert!(tail.at(99 * 60_000).is_some());
    }
}
