//! What the relay asked for and has not got yet: parts of the log and screen snapshots.
use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use protocol::ids::StreamId;
use protocol::limits::MAX_PAYLOAD;
use protocol::terminal::agent::FromAgent;
use protocol::terminal::frame::{Frame, Kind};

use super::screen::{Screen, Snapshot};
use super::stream::Outgoing;
use crate::stream_log::StreamLog;

/// Requests that may wait; four for each of a hundred viewers. One more is a defect of the relay's, and is dropped.
pub const REQUESTS: usize = 400;

/// Requests in the order they came.
#[derive(Debug, Default)]
pub struct Requests {
    queue: VecDeque<Request>,
}

#[derive(Debug)]
enum Request {
    /// A part of the log, of which the beginning may have been sent already, and never all.
    Part(Range<u64>),
    Snapshot,
    /// The rest of a snapshot that is being sent.
    SnapshotRest {
        offset: u64,
        rest: Bytes,
        begun: bool,
    },
}

impl Requests {
    /// Asks for a part of the log. One without bytes needs no answer.
    pub fn part(&mut self, part: Range<u64>) {
        if !part.is_empty() {
            self.push(Request::Part(part));
        }
    }

    /// Asks for a screen snapshot.
    pub fn snapshot(&mut self) {
        self.push(Request::Snapshot);
    }

    fn push(&mut self, request: Request) {
        if self.queue.len() < REQUESTS {
            self.queue.push_back(request);
        } else {
            tracing::warn!("the relay asks for more than is ever needed; dropped");
        }
    }

    /// Nobody waits for answers any more.
    pub fn clear(&mut self) {
        self.queue.clear();
    }

    /// Whether everything was answered.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether a snapshot is wanted next. It can be drawn when all output was sent and interpreted, and no output comes
    /// between that and its first frame.
    pub fn want_snapshot(&self) -> bool {
        matches!(
            self.queue.front(),
            Some(Request::Snapshot | Request::SnapshotRest { begun: false, .. })
        )
    }

    /// The next answer. When a snapshot is wanted next, `screen` must show the end of `log`.
    pub fn next_answer(&mut self, stream: StreamId, log: &mut StreamLog, screen: &mut Screen) -> Option<Outgoing> {
        loop {
            match self.queue.pop_front()? {
                Request::Part(part) if part.start < log.start() => {
                    return Some(
                        FromAgent::Missing {
                            stream,
                            from: part.start,
                            start: log.start(),
                        }
                        .into(),
                    );
                }
                Request::Part(part) => {
                    let frame = output_frame(stream, log, part.clone());
                    let at = frame.end();
                    if at < part.end {
                        self.queue.push_front(Request::Part(at..part.end));
                    }
                    // A log that has just lost its file has nothing to show here; it begins later now.
                    if at > part.start {
                        return Some(Outgoing::Frame(frame));
                    }
                }
                Request::Snapshot => {
                    let Snapshot { bytes, size } = screen.snapshot();
                    let rest = Bytes::from(bytes);
                    self.queue.push_front(Request::SnapshotRest {
                        offset: log.end(),
                        rest,
                        begun: false,
                    });
                    return Some(FromAgent::Snapshot { stream, size }.into());
                }
                Request::SnapshotRest { offset, mut rest, .. } => {
                    let piece = rest.split_to(rest.len().min(MAX_PAYLOAD));
                    // The piece that is shorter than a full one is the last, even if it is empty.
                    if piece.len() == MAX_PAYLOAD {
                        let begun = true;
                        self.queue.push_front(Request::SnapshotRest { offset, rest, begun });
                    }
                    return Some(Outgoing::Frame(Frame::new(Kind::Snapshot, stream, offset, &piece)));
                }
            }
        }
    }
}

/// As much of a part of the log as one frame holds.
pub fn output_frame(stream: StreamId, log: &mut StreamLog, part: Range<u64>) -> Frame {
    let len = (part.end - part.start).min(MAX_PAYLOAD as u64) as usize;
    let mut payload = vec![0; len];
    let count = log.read(part.start, &mut payload);
    Frame::new(Kind::Output, stream, part.start, &payload[..count])
}
