//! What viewers say.
use protocol::ids::{StreamId, ViewerId};
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::published::{FromClient, ToClient};
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{PROTOCOL, Size, accepts_protocol};

use super::RelayState;
use super::action::Socket;
use super::published::{MAX_PENDING_INPUT, Published};
use super::record::{Awaits, ViewerMemory};
use super::session::{Stage, Viewer};

impl RelayState {
    /// A viewer's socket was accepted. `viewer` identifies a published client, which has no identity of its own.
    pub fn viewer_connected(&mut self, now: u64, socket: Socket, context: ViewerContext, viewer: ViewerId) {
        self.machine.learn(&context.machine, &context.agent_id, &mut self.out);
        let (dialect, size) = (context.dialect, context.size);
        self.viewers.insert(socket, Viewer::new(context, now));
        self.out.remember(socket);
        if dialect != Dialect::Stream {
            self.attach(now, socket, viewer, None, size);
        }
    }

    pub(super) fn restore_viewer(&mut self, socket: Socket, memory: ViewerMemory, now: u64) {
        let mut viewer = Viewer::new(memory.context, memory.since);
        if let Some(published) = viewer.published.as_mut() {
            *published = Published::new(memory.typed, now);
            published.ready = !matches!(memory.awaits, Awaits::Shell { .. });
        }
        if let Some(reader) = memory.input.and_then(|input| self.readers.get_mut(&input)) {
            reader.socket = Some(socket);
            viewer.input = Some(reader.record.input);
            viewer.stream = Some(reader.record.stream);
            viewer.stage = match memory.awaits {
                Awaits::Shell { received } => Stage::Waiting { received },
                Awaits::Snapshot { gap_from } => Stage::Snapshot { gap_from, begun: None },
                Awaits::Nothing { acked } => {
                    viewer.next = acked;
                    viewer.acked = acked;
                    if let Some(published) = viewer.published.as_mut() {
                        published.remembered = acked;
                    }
                    Stage::Live
                }
            };
        }
        self.viewers.insert(socket, viewer);
    }

    /// After a loss of memory: viewers whose sockets died unheard were cut, and the agent is asked what it has.
    pub(super) fn settle_restored(&mut self, now: u64) {
        let mut empty: Vec<StreamId> = self.sessions.keys().copied().collect();
        for viewer in self.viewers.values() {
            empty.retain(|stream| viewer.stream != Some(*stream));
        }
        for stream in empty {
            if let Some(session) = self.sessions.get_mut(&stream) {
                session.record.empty_since.get_or_insert(now);
            }
        }
        if !self.sessions.is_empty() {
            self.tell_agent(&ToAgent::Report);
        }
    }

    pub(super) fn speaks_published(&self, socket: Socket) -> bool {
        self.viewers
            .get(&socket)
            .is_some_and(|viewer| viewer.published.is_some())
    }

    pub(super) fn viewer_text(&mut self, now: u64, socket: Socket, text: &str) {
        if self.speaks_published(socket) {
            return self.published_text(socket, text);
        }
        let message = match serde_json::from_str::<FromViewer>(text) {
            Ok(message) => message,
            Err(error) => return self.refuse(socket, "bad_message", &error.to_string()),
        };
        let Some(viewer) = self.viewers.get(&socket) else {
            return;
        };
        match message {
            FromViewer::Hello { .. } if viewer.stage != Stage::Greeting => {
                self.refuse(socket, "bad_message", "hello was said before");
            }
            FromViewer::Hello { protocol, .. } if !accepts_protocol(protocol) => {
                let reason = format!("This relay speaks protocol {PROTOCOL}; please update");
                self.dismiss(now, socket, Close::ProtocolError, &reason);
            }
            FromViewer::Hello {
                viewer, received, size, ..
            } => self.attach(now, socket, viewer, received, size),
            FromViewer::Resize { size } => self.resize(socket, size),
            FromViewer::Ping => self.out.say(socket, &ToViewer::Pong),
        }
    }

    fn published_text(&mut self, socket: Socket, text: &str) {
        if let Some(published) = self
            .viewers
            .get_mut(&socket)
            .and_then(|viewer| viewer.published.as_mut())
        {
            published.heard();
        }
        match FromClient::decode(text) {
            Ok(FromClient::Input(bytes)) => self.type_for(socket, &bytes),
            Ok(FromClient::Resize(size)) => self.resize(socket, size),
            Ok(FromClient::Ping) => self.out.say(socket, &ToClient::Pong),
            Ok(FromClient::Command {
                command,
                timeout_seconds,
            }) => self.run(socket, command, timeout_seconds),
            Ok(FromClient::Unsupported(kind)) => {
                self.refuse(socket, "UNSUPPORTED", &format!("{kind} is not served on this socket"));
            }
            Err(error) => self.refuse(socket, "VALIDATION_ERROR", &error),
        }
    }

    pub(super) fn viewer_frame(&mut self, now: u64, socket: Socket, frame: Frame) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        if matches!(viewer.stage, Stage::Greeting | Stage::Waiting { .. }) {
            return self.refuse(socket, "not_attached", "wait for the attached message");
        }
        match frame.kind {
            Kind::Ack if Some(frame.stream) == viewer.stream => self.acknowledged(now, socket, frame.offset),
            Kind::Input if Some(frame.stream) == viewer.input => {
                if !viewer.context.can_type {
                    return self.refuse(socket, "read_only", "you are watching this terminal and cannot type");
                }
                // While the agent is away the bytes are not kept: the viewer has them and is told where to resume.
                self.agent.send(&frame, &mut self.out);
            }
            Kind::Ack | Kind::Input => self.refuse(socket, "bad_frame", "that is not a stream of this viewer"),
            _ => self.refuse(socket, "bad_frame", "a viewer sends input and ack frames"),
        }
    }

    /// Keystrokes of a published client, which the relay numbers for it.
    pub(super) fn type_for(&mut self, socket: Socket, bytes: &[u8]) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        let can_type = viewer.context.can_type;
        let Some(published) = viewer.published.as_mut() else {
            return;
        };
        published.heard();
        if !can_type {
            return self.refuse(socket, "READ_ONLY", "you are watching this terminal and cannot type");
        }
        if published.input.pending() + bytes.len() > MAX_PENDING_INPUT {
            return self.refuse(
                socket,
                "INPUT_OVERFLOW",
                "the machine does not take input; this frame was not kept",
            );
        }
        published.input.push(bytes);
        self.flush_typed(socket);
    }

    /// Sends what a published client typed, as far as the agent is there and its window allows.
    pub(super) fn flush_typed(&mut self, socket: Socket) {
        if !self.agent.is_online() {
            return;
        }
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        let Some(input) = viewer.input else { return };
        if self.readers.get(&input).is_none_or(|reader| reader.applied.is_none()) {
            return;
        }
        let Some(published) = viewer.published.as_mut() else {
            return;
        };
        while let Some(frame) = published.input.next_frame(input) {
            self.agent.send(&frame, &mut self.out);
        }
    }

    pub(super) fn resize(&mut self, socket: Socket, size: Size) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        viewer.context.size = size;
        let Some(stream) = viewer.stream.filter(|_| viewer.context.can_type) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        if session.record.size == size {
            return;
        }
        session.record.size = size;
        self.tell_agent(&ToAgent::Resize { stream, size });
        for other in self.attached_to(stream) {
            if other != socket && !self.speaks_published(other) {
                self.out.say(other, &ToViewer::Resized { size });
            }
        }
    }

    /// Refuses a frame; the connection lives.
    pub(super) fn refuse(&mut self, socket: Socket, code: &str, error: &str) {
        let (error, code) = (error.to_owned(), code.to_owned());
        match self.viewers.get(&socket).map(|viewer| viewer.context.dialect) {
            Some(Dialect::Stream) => self.out.say(socket, &ToViewer::Error { error, code }),
            Some(Dialect::Published) => self.out.say(socket, &ToClient::Error { error, code }),
            // A raw client gets output and nothing else.
            Some(Dialect::Raw) | None => {}
        }
    }
}
