//! This end of `vsay.stream.v1` without I/O: what was received, shown, typed and applied, over any number of connections.
use std::borrow::Cow;

use bytes::Bytes;
use protocol::ids::{StreamId, ViewerId};
use protocol::limits::{INPUT_WINDOW, MAX_PAYLOAD};
use protocol::stream::{InputWriter, OutputReader, Questions};
use protocol::terminal::close::Close;
use protocol::terminal::frame::{Frame, HEADER_LEN, Kind};
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{ExitStatus, PROTOCOL, Size, accepts_protocol};
use thiserror::Error;

/// What a frame from the relay means for the local terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Bytes to show, and the offset after them, to be told to [`Viewer::shown`].
    Output(Bytes, u64),
    /// The screen is drawn anew: clear it first.
    Redraw,
    /// A piece of the new screen. It is no output: nobody waits for it to be acknowledged.
    Snapshot(Bytes),
    /// The shell is there.
    Attached {
        /// Whether input is accepted.
        can_type: bool,
    },
    /// The machine's agent came or went.
    Agent {
        /// Whether it is connected.
        online: bool,
    },
    /// So many bytes are past the end of the machine's log.
    Gap(u64),
    /// The relay refused something, in its own words.
    Refused(String),
    /// The shell ended.
    Exit(ExitStatus),
    /// The relay is about to close.
    Disconnect {
        /// In its own words.
        reason: String,
        /// Whether coming back is of no use.
        lasting: bool,
    },
}

/// A relay that does not keep to the protocol. The connection is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the server broke the protocol: {0}")]
pub struct Broken(String);

fn broken(error: impl ToString) -> Broken {
    Broken(error.to_string())
}

/// One viewer of one session.
#[derive(Debug)]
pub struct Viewer {
    id: ViewerId,
    size: Size,
    /// Where output and input travel, once attached for the first time.
    streams: Option<Streams>,
    /// Whether the connection of now is attached.
    attached: bool,
    output: OutputReader,
    /// Output before this offset has been shown.
    shown: u64,
    /// Whether the terminal shows what was written before `shown`: a snapshot that was cut off is drawn anew.
    whole: bool,
    /// What programs ask is kept from the local terminal: the agent answers.
    questions: Questions,
    input: InputWriter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Streams {
    output: StreamId,
    input: StreamId,
}

impl Viewer {
    /// A viewer that has seen nothing yet.
    pub fn new(id: ViewerId, size: Size) -> Self {
        let (output, input) = (OutputReader::default(), InputWriter::default());
        Self {
            id,
            size,
            streams: None,
            attached: false,
            output,
            shown: 0,
            whole: false,
            questions: Questions::default(),
            input,
        }
    }

    /// The first frame of a new connection.
    pub fn hello(&mut self) -> FromViewer {
        self.attached = false;
        let received = self.streams.map(|_| self.output.received()).filter(|_| self.whole);
        FromViewer::Hello {
            protocol: PROTOCOL,
            viewer: self.id.clone(),
            received,
            size: self.size,
            commands: false,
            presence: false,
        }
    }

    /// The local terminal has another size; the frame that says so, if anybody listens.
    pub fn resize(&mut self, size: Size) -> Option<FromViewer> {
        let changed = std::mem::replace(&mut self.size, size) != size;
        (changed && self.attached).then_some(FromViewer::Resize { size })
    }

    /// Takes a control message.
    pub fn control(&mut self, text: &str) -> Result<Option<Event>, Broken> {
        Ok(match serde_json::from_str(text).map_err(broken)? {
            ToViewer::Attached {
                protocol,
                stream,
                input,
                applied,
                offset,
                can_type,
                ..
            } => {
                if !accepts_protocol(protocol) {
                    return Err(broken(format!(
                        "protocol {protocol}; this program is too old or too new for it"
                    )));
                }
                self.attach(Streams { output: stream, input }, applied, offset);
                Some(Event::Attached { can_type })
            }
            ToViewer::Agent { online } => Some(Event::Agent { online }),
            ToViewer::ResumeInput { applied } => {
                self.input.resume(applied);
                None
            }
            // The local terminal keeps the size its owner gave it, and the relay has heard of that.
            ToViewer::Snapshot { offset, .. } => {
                self.read_from(offset);
                Some(Event::Redraw)
            }
            ToViewer::Gap { from, to } => Some(Event::Gap(to.saturating_sub(from))),
            // The local terminal keeps the size its owner gave it.
            ToViewer::Resized { .. } | ToViewer::Pong => None,
            // Not asked for: it has nowhere to show them but among the shell's bytes.
            ToViewer::CommandRunning { .. } | ToViewer::CommandEnded { .. } | ToViewer::Presence { .. } => None,
            ToViewer::Exit { status } => Some(Event::Exit(status)),
            ToViewer::Error { error, .. } => Some(Event::Refused(error)),
            ToViewer::Disconnect { reason, code } => {
                let passing = [Close::AgentOffline, Close::InternalError];
                Some(Event::Disconnect {
                    reason,
                    lasting: passing.iter().all(|close| close.name() != code),
                })
            }
        })
    }

    fn attach(&mut self, streams: Streams, applied: u64, offset: u64) {
        let same = self.streams.is_some_and(|known| known.output == streams.output);
        if !same || offset != self.output.received() {
            self.read_from(offset);
        }
        match self.streams {
            // What was typed into a shell that is gone is not typed into the next one.
            Some(known) if known.input != streams.input => self.input = InputWriter::starting_at(applied),
            _ => self.input.resume(applied),
        }
        self.streams = Some(streams);
        self.attached = true;
    }

    fn read_from(&mut self, offset: u64) {
        self.output = OutputReader::starting_at(offset);
        self.shown = offset;
        self.whole = false;
        self.questions = Questions::default();
    }

    /// What of new output is to be shown.
    fn presentable(&mut self, new: Bytes) -> Bytes {
        self.whole = true;
        match self.questions.filter(&new) {
            Cow::Borrowed(shown) => new.slice_ref(shown),
            Cow::Owned(shown) => shown.into(),
        }
    }

    /// Takes a binary frame.
    pub fn binary(&mut self, bytes: Bytes) -> Result<Option<Event>, Broken> {
        let frame = Frame::decode(bytes).map_err(broken)?;
        let Some(streams) = self.streams else {
            return Err(broken("bytes before the shell is there"));
        };
        match frame.kind {
            Kind::Output if frame.stream == streams.output => {
                let new = self
                    .output
                    .receive(frame.offset, frame.payload())
                    .map_err(broken)?
                    .len();
                let (new, end) = (frame.bytes().slice(frame.bytes().len() - new..), self.output.received());
                Ok((!new.is_empty()).then(|| Event::Output(self.presentable(new), end)))
            }
            Kind::Snapshot if frame.stream == streams.output => {
                self.whole |= frame.payload().len() < MAX_PAYLOAD;
                Ok(Some(Event::Snapshot(frame.bytes().slice(HEADER_LEN..))))
            }
            Kind::Ack if frame.stream == streams.input => {
                self.input.acknowledge(frame.offset);
                Ok(None)
            }
            kind => Err(broken(format!("a frame of kind {kind:?} for stream {}", frame.stream))),
        }
    }

    /// Output before `offset` has been shown. An offset from before the last redraw says nothing.
    pub fn shown(&mut self, offset: u64, now_ms: u64) {
        if let Some(count) = offset.checked_sub(self.shown) {
            self.shown = offset;
            self.output.consume(count, now_ms);
        }
    }

    /// How much output was handed over to be shown and is not yet.
    pub fn unshown(&self) -> u64 {
        self.output.received() - self.shown
    }

    /// Takes what was typed.
    pub fn typed(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    /// Whether more may be typed now. Beyond the window it only waits here, where it needs memory.
    pub fn takes_input(&self) -> bool {
        (self.input.pending() as u64) < INPUT_WINDOW
    }

    /// Whether everything that was typed has reached the terminal.
    pub fn input_is_applied(&self) -> bool {
        self.input.pending() == 0
    }

    /// The next frame to send, if any. Call until it answers nothing.
    pub fn next_frame(&mut self, now_ms: u64) -> Option<Frame> {
        let streams = self.streams.filter(|_| self.attached)?;
        if let Some(offset) = self.output.due_ack(now_ms) {
            return Some(Frame::ack(streams.output, offset));
        }
        self.input.next_frame(streams.input)
    }

    /// When [`Self::next_frame`] will have something to say without anything else happening.
    pub fn wakes_at_ms(&self) -> Option<u64> {
        self.output.ack_deadline().filter(|_| self.attached)
    }
}

#[cfg(test)]
mod tests;
