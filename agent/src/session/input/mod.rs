//! What typists send and programs are answered, on its way to the terminal.
mod hold;

pub use hold::{Terminal, Told};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use protocol::ids::StreamId;
use protocol::limits::INPUT_WINDOW;
use protocol::stream::{Applied, InputApplier};
use protocol::terminal::agent::InputReport;
use protocol::terminal::frame::Frame;

use super::line::Line;
use hold::Hold;

/// An acknowledgement waits this long for the echo, so that the echo, which a person is waiting for, travels first.
const ACK_DELAY: Duration = Duration::from_millis(5);

/// Answers that may wait for a program to read them. A program that asks without reading, as one that was stopped or a
/// file of questions that is printed, gets no more; the kernel holds as little of what is typed.
const ANSWERS: usize = 4096;

/// The input streams of one terminal, and the queue of bytes that the terminal has not yet taken.
#[derive(Debug, Default)]
pub struct Inputs {
    typists: BTreeMap<StreamId, Typist>,
    /// In the order of arrival, and by whom: nobody typed what answers a program. Neighbours of the same typist are joined, so
    /// that many small frames take no more room than their bytes.
    queue: VecDeque<(Option<StreamId>, BytesMut)>,
    /// Bytes of answers in the queue.
    answers: usize,
    unacknowledged: BTreeSet<StreamId>,
    ack_due: Option<Instant>,
    line: Line,
    hold: Hold,
}

#[derive(Debug, Default)]
struct Typist {
    /// Takes each byte once into the queue.
    accepted: InputApplier,
    /// Everything before this offset was written to the terminal.
    written: u64,
}

impl Inputs {
    /// Expects input on `input`, or goes on where it stopped. An acknowledgement follows at once.
    pub fn open(&mut self, input: StreamId, now: Instant) {
        self.typists.entry(input).or_default();
        self.acknowledge(input, now);
    }

    /// Forgets a typist. What was accepted is still written.
    pub fn close(&mut self, input: StreamId) {
        self.typists.remove(&input);
        self.unacknowledged.remove(&input);
    }

    /// Queues the new part of an input frame. A frame that leaves a gap, or that overruns the window, is not taken: the
    /// typist hears where to go on.
    pub fn receive(&mut self, frame: &Frame, now: Instant) {
        let Some(typist) = self.typists.get_mut(&frame.stream) else {
            return;
        };
        if frame.end() > typist.written.saturating_add(INPUT_WINDOW) {
            tracing::warn!(input = %frame.stream, "input beyond its window refused");
            return self.acknowledge(frame.stream, now);
        }
        match typist.accepted.accept(frame.offset, frame.payload()) {
            Applied::New(bytes) => self.push(Some(frame.stream), bytes),
            Applied::Repeat | Applied::Ahead => self.acknowledge(frame.stream, now),
        }
    }

    /// Queues the answer to what a program asked.
    pub fn answer(&mut self, answer: &[u8]) {
        if answer.is_empty() {
            return;
        }
        if self.answers + answer.len() > ANSWERS {
            return tracing::debug!("a program asks and does not read the answers");
        }
        self.answers += answer.len();
        self.push(None, answer);
    }

    fn push(&mut self, input: Option<StreamId>, bytes: &[u8]) {
        match self.queue.back_mut() {
            Some((last, queued)) if *last == input => queued.extend_from_slice(bytes),
            _ => self.queue.push_back((input, BytesMut::from(bytes))),
        }
    }

    /// The next bytes for the terminal.
    pub fn next(&self) -> Option<&[u8]> {
        self.queue.front().map(|(_, bytes)| &bytes[..])
    }

    /// The terminal took `count` of the bytes that [`Self::next`] showed.
    pub fn written(&mut self, count: usize, now: Instant) {
        let Some((input, bytes)) = self.queue.front_mut() else {
            return;
        };
        let input = *input;
        bytes.advance(count);
        if bytes.is_empty() {
            self.queue.pop_front();
        }
        let Some(input) = input else {
            self.answers = self.answers.saturating_sub(count);
            return;
        };
        if let Some(typist) = self.typists.get_mut(&input) {
            typist.written += count as u64;
            self.unacknowledged.insert(input);
            self.ack_due.get_or_insert(now + ACK_DELAY);
        }
    }

    /// The terminal is gone: nothing will be written any more.
    pub fn discard(&mut self) {
        self.queue.clear();
        self.answers = 0;
        self.hold = Hold::default();
    }

    /// When an acknowledgement is to be sent, if there is one.
    pub fn ack_due(&self) -> Option<Instant> {
        self.ack_due
    }

    /// The next acknowledgement, due or not.
    pub fn take_ack(&mut self) -> Option<Frame> {
        let input = self.unacknowledged.pop_first();
        if self.unacknowledged.is_empty() {
            self.ack_due = None;
        }
        let input = input?;
        self.typists.get(&input).map(|typist| Frame::ack(input, typist.written))
    }

    /// How far each typist's input has come.
    pub fn report(&self) -> Vec<InputReport> {
        self.typists
            .iter()
            .map(|(input, typist)| InputReport {
                input: *input,
                applied: typist.written,
            })
            .collect()
    }

    fn acknowledge(&mut self, input: StreamId, now: Instant) {
        self.unacknowledged.insert(input);
        self.ack_due = Some(now);
    }
}

#[cfg(test)]
mod tests;
