//! Viewers: what they type, draw and acknowledge.
use protocol::ids::{StreamId, ViewerId};
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::stream::{InputWriter, OutputReader};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{ExitStatus, Size};

use super::super::watcher::invited;
use super::agent::SNAPSHOT_SIZE;
use super::{RelaySim, Wire, output_at, typed_at, viewer_context};
use crate::relay::Socket;

/// One of our own viewers.
#[derive(Debug)]
pub struct ViewerModel {
    pub id: ViewerId,
    /// Whether it was invited to a session of somebody else's, and may not type.
    pub watches: bool,
    pub socket: Option<Socket>,
    pub reader: Option<OutputReader>,
    pub writer: InputWriter,
    pub attached: Option<(StreamId, StreamId)>,
    pub typed: u64,
    pub acked: u64,
    pub exit: Option<ExitStatus>,
    pub gaps: usize,
    pub said: Vec<ToViewer>,
}

/// A socket of somebody else than the models.
pub fn connect(sim: &mut RelaySim, dialect: Dialect, change: impl FnOnce(&mut ViewerContext)) -> Socket {
    let socket = sim.open_socket();
    let mut context = viewer_context(dialect);
    change(&mut context);
    let viewer = format!("{:032x}", 0xabc0 + socket.0).parse().unwrap();
    sim.relay.viewer_connected(sim.now, socket, context, viewer);
    sim.perform();
    sim.answer_all();
    socket
}

impl RelaySim {
    pub fn viewer_connects(&mut self, i: usize) {
        if let Some(old) = self.viewers[i].socket {
            self.cut(old);
        }
        let socket = self.open_socket();
        let viewer = &mut self.viewers[i];
        viewer.socket = Some(socket);
        let hello = FromViewer::Hello {
            protocol: 1,
            viewer: viewer.id.clone(),
            received: viewer.reader.map(|reader| reader.received()),
            size: Size::default(),
            commands: true,
            presence: false,
        };
        let id = viewer.id.clone();
        let mut context = ViewerContext {
            recording: self.records.then(|| format!("{:024x}", socket.0).parse().unwrap()),
            ..viewer_context(Dialect::Stream)
        };
        if viewer.watches {
            invited(&mut context, 100 + i as u8, false);
        }
        self.relay.viewer_connected(self.now, socket, context, id);
        self.perform();
        self.say_up(socket, &hello);
    }

    pub fn viewer_types(&mut self, i: usize, count: u64) {
        let viewer = &mut self.viewers[i];
        let bytes: Vec<u8> = (viewer.typed..viewer.typed + count)
            .map(|offset| typed_at(i, offset))
            .collect();
        viewer.typed += count;
        viewer.writer.push(&bytes);
        self.viewer_flushes(i);
    }

    pub(super) fn viewer_flushes(&mut self, i: usize) {
        let viewer = &mut self.viewers[i];
        let (Some(socket), Some((_, input))) = (viewer.socket, viewer.attached) else {
            return;
        };
        let frames: Vec<_> = std::iter::from_fn(|| viewer.writer.next_frame(input)).collect();
        for frame in frames {
            self.send_up(socket, Wire::Binary(frame.bytes().clone()));
        }
    }

    /// The viewer consumes what it has and acknowledges it.
    pub fn viewer_acks(&mut self, i: usize) -> bool {
        let viewer = &mut self.viewers[i];
        let (Some(socket), Some((stream, _)), Some(reader)) = (viewer.socket, viewer.attached, viewer.reader) else {
            return false;
        };
        if reader.received() <= viewer.acked {
            return false;
        }
        viewer.acked = reader.received();
        let ack = Frame::ack(stream, viewer.acked);
        self.send_up(socket, Wire::Binary(ack.bytes().clone()));
        true
    }

    pub(super) fn viewer_hears(&mut self, i: usize, _socket: Socket, wire: Wire) {
        let viewer = &mut self.viewers[i];
        match wire {
            Wire::Binary(bytes) => {
                let frame = Frame::decode(bytes).unwrap();
                match frame.kind {
                    Kind::Output => {
                        let reader = viewer.reader.as_mut().expect("output before attached");
                        let new = reader
                            .receive(frame.offset, frame.payload())
                            .expect("a hole in the output");
                        let first = reader.received() - new.len() as u64;
                        assert!(new == output_at(first, new.len()), "wrong bytes at {first}");
                    }
                    Kind::Ack => {
                        viewer.writer.acknowledge(frame.offset);
                        self.viewer_flushes(i);
                    }
                    Kind::Snapshot => assert_eq!(viewer.reader.unwrap().received(), frame.offset),
                    kind => panic!("the relay sent a {kind:?} frame to a viewer"),
                }
            }
            Wire::Text(text) => {
                let message: ToViewer = serde_json::from_str(&text).unwrap();
                viewer.said.push(message.clone());
                match message {
                    ToViewer::Attached {
                        stream,
                        input,
                        applied,
                        offset,
                        resumed,
                        ..
                    } => {
                        assert_eq!(
                            resumed,
                            viewer.reader.is_some(),
                            "a viewer was resumed that was new, or the reverse"
                        );
                        viewer.attached = Some((stream, input));
                        viewer.reader.get_or_insert(OutputReader::starting_at(offset));
                        viewer.writer.resume(applied);
                        self.viewer_flushes(i);
                    }
                    ToViewer::ResumeInput { applied } => {
                        viewer.writer.resume(applied);
                        self.viewer_flushes(i);
                    }
                    ToViewer::Snapshot { offset, size } => {
                        assert_eq!(size, SNAPSHOT_SIZE, "the size is the agent's");
                        viewer.reader = Some(OutputReader::starting_at(offset));
                        viewer.acked = viewer.acked.max(offset);
                    }
                    ToViewer::Gap { .. } => viewer.gaps += 1,
                    ToViewer::Exit { status } => viewer.exit = Some(status),
                    ToViewer::Error { code, .. } if code == "recording_behind" => {}
                    ToViewer::Error { error, .. } => panic!("the relay refused a frame: {error}"),
                    _ => {}
                }
            }
            Wire::Close(_) => {}
        }
    }
}
