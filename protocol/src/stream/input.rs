//! Input, exactly once.
use std::collections::VecDeque;

use crate::ids::StreamId;
use crate::limits::{INPUT_WINDOW, MAX_PAYLOAD};
use crate::terminal::frame::{Frame, Kind};

/// The typing side: keeps every byte until the other end has acknowledged it.
#[derive(Debug, Clone, Default)]
pub struct InputWriter {
    /// The offset of the first byte in `kept`.
    acked: u64,
    /// The offset of the next byte to send.
    sent: u64,
    kept: VecDeque<u8>,
    /// Whether the other end has said where this writer's input begins.
    based: bool,
}

impl InputWriter {
    /// A writer whose first byte has the offset `acked`.
    pub fn starting_at(acked: u64) -> Self {
        Self {
            acked,
            sent: acked,
            kept: VecDeque::new(),
            based: true,
        }
    }

    /// Takes what was typed.
    pub fn push(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
    }

    /// How many bytes are not yet acknowledged, sent or not.
    pub fn pending(&self) -> usize {
        self.kept.len()
    }

    /// Everything before this offset was acknowledged.
    pub fn acked(&self) -> u64 {
        self.acked
    }

    /// The next frame to send, if there is something to send and the window allows it. Call until it answers nothing.
    pub fn next_frame(&mut self, stream: StreamId) -> Option<Frame> {
        let in_flight = self.sent - self.acked;
        let unsent = self.kept.len() as u64 - in_flight;
        let len = unsent
            .min(INPUT_WINDOW.saturating_sub(in_flight))
            .min(MAX_PAYLOAD as u64);
        if len == 0 {
            return None;
        }
        let payload: Vec<u8> = self
            .kept
            .iter()
            .skip(in_flight as usize)
            .take(len as usize)
            .copied()
            .collect();
        let frame = Frame::new(Kind::Input, stream, self.sent, &payload);
        self.sent += len;
        Some(frame)
    }

    /// The other end has everything before `offset`. One that was never sent is ignored.
    pub fn acknowledge(&mut self, offset: u64) {
        let Some(count) = offset
            .checked_sub(self.acked)
            .filter(|count| *count <= self.kept.len() as u64)
        else {
            return;
        };
        self.kept.drain(..count as usize);
        self.acked = offset;
        self.sent = self.sent.max(offset);
    }

    /// The connection was made anew and the other end has everything before `applied`: what follows is sent again. The
    /// first time, that is where this writer begins: the place may have been typed in before, by an earlier page.
    pub fn resume(&mut self, applied: u64) {
        if std::mem::replace(&mut self.based, true) {
            self.acknowledge(applied);
        } else {
            self.acked = applied;
        }
        self.sent = self.acked;
    }
}

/// What came of an input frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied<'a> {
    /// These bytes are new: write them.
    New(&'a [u8]),
    /// All of it was applied before.
    Repeat,
    /// Bytes before it are missing. The sender must be told where to go on.
    Ahead,
}

/// The applying side: takes each byte once, in order.
#[derive(Debug, Clone, Copy, Default)]
pub struct InputApplier {
    applied: u64,
}

impl InputApplier {
    /// Everything before this offset was taken.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Takes the new part of `payload`, which starts at `offset`.
    pub fn accept<'a>(&mut self, offset: u64, payload: &'a [u8]) -> Applied<'a> {
        let Some(skip) = self.applied.checked_sub(offset) else {
            return Applied::Ahead;
        };
        match usize::try_from(skip)
            .ok()
            .and_then(|skip| payload.get(skip..))
            .filter(|rest| !rest.is_empty())
        {
            Some(rest) => {
                self.applied += rest.len() as u64;
                Applied::New(rest)
            }
            None => Applied::Repeat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INPUT: StreamId = StreamId(9);

    #[test]
    fn a_writer_never_has_more_than_the_window_in_flight() {
        let mut writer = InputWriter::starting_at(0);
        writer.push(&vec![7; 2 * INPUT_WINDOW as usize]);
        let sent: usize = std::iter::from_fn(|| writer.next_frame(INPUT))
            .map(|frame| frame.payload().len())
            .sum();
        assert_eq!(sent as u64, INPUT_WINDOW);
        writer.acknowledge(10);
        assert_eq!(writer.next_frame(INPUT).unwrap().payload().len(), 10);
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_typed_is_ignored() {
        let mut writer = InputWriter::starting_at(0);
        writer.push(b"abc");
        writer.acknowledge(99);
        assert_eq!(writer.pending(), 3);
    }

    #[test]
    fn a_page_that_was_loaded_anew_types_on_where_the_earlier_one_stopped() {
        let mut writer = InputWriter::default();
        writer.push(b"abc");
        writer.resume(2);
        let frame = writer.next_frame(INPUT).unwrap();
        assert_eq!((frame.offset, frame.payload()), (2, &b"abc"[..]));
    }

    /// What can happen between a typist and a terminal.
    #[derive(Debug, Clone)]
    enum Step {
        Type(Vec<u8>),
        Send,
        Deliver,
        Acknowledge,
        Cut,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..40).prop_map(Step::Type),
            Just(Step::Send),
            Just(Step::Deliver),
            Just(Step::Acknowledge),
            Just(Step::Cut),
        ]
    }

    proptest! {
        #[test]
        fn what_is_typed_is_applied_once_and_in_order_whatever_is_cut(steps in proptest::collection::vec(step(), 0..200)) {
            let (mut writer, mut applier) = (InputWriter::starting_at(0), InputApplier::default());
            let (mut typed, mut applied) = (Vec::new(), Vec::new());
            let mut wire: VecDeque<Frame> = VecDeque::new();
            let deliver = |frame: Frame, applier: &mut InputApplier, applied: &mut Vec<u8>| {
                if let Applied::New(bytes) = applier.accept(frame.offset, frame.payload()) {
                    applied.extend_from_slice(bytes);
                }
            };
            for step in steps {
                match step {
                    Step::Type(bytes) => {
                        typed.extend_from_slice(&bytes);
                        writer.push(&bytes);
                    }
                    Step::Send => wire.extend(writer.next_frame(INPUT)),
                    Step::Deliver => {
                        if let Some(frame) = wire.pop_front() {
                            deliver(frame, &mut applier, &mut applied);
                        }
                    }
                    Step::Acknowledge => writer.acknowledge(applier.applied()),
                    Step::Cut => {
                        wire.clear();
                        writer.resume(applier.applied());
                    }
                }
                prop_assert!(typed.starts_with(&applied));
            }
            writer.resume(applier.applied());
            while let Some(frame) = writer.next_frame(INPUT) {
                deliver(frame, &mut applier, &mut applied);
                writer.acknowledge(applier.applied());
            }
            prop_assert_eq!(applied, typed);
            prop_assert_eq!(writer.pending(), 0);
        }
    }
}
