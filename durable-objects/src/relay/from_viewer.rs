//! What viewers say.
use protocol::ids::ViewerId;
use protocol::json;
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::terminal::close::Close;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::published::{FromClient, ToClient};
use protocol::terminal::sessions_v1;
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{PROTOCOL, accepts_protocol};

use super::RelayState;
use super::action::Socket;
use super::reader::Reader;
use super::viewer::Viewer;

/// Frames in a row that may be refused. A program that is wrong is told so often; one that means harm is not answered for ever.
const MAX_REFUSED: u32 = 100;

const TOO_MANY_REFUSED: &str = "Too many frames in a row made no sense";

impl RelayState {
    /// A viewer's socket was accepted. `viewer` identifies a published client, which has no identity of its own.
    pub fn viewer_connected(&mut self, now: u64, socket: Socket, context: ViewerContext, viewer: ViewerId) {
        self.machine.learn(&context.machine, &context.agent_id, &mut self.out);
        self.recheck_soon(now);
        let (dialect, size) = (context.dialect, context.size);
        self.viewers.add(socket, Viewer::new(context, now));
        self.out.remember(socket);
        if dialect != Dialect::Stream {
            self.knock(now, socket, viewer, None, size);
        }
    }

    pub(super) fn speaks_published(&self, socket: Socket) -> bool {
        self.viewers.get(socket).is_some_and(Viewer::is_published)
    }

    pub(super) fn speaks(&self, socket: Socket, dialect: Dialect) -> bool {
        self.viewers
            .get(socket)
            .is_some_and(|viewer| viewer.dialect() == dialect)
    }

    pub(super) fn viewer_text(&mut self, now: u64, socket: Socket, text: &str) {
        if self.speaks_published(socket) {
            return self.published_text(now, socket, text);
        }
        let message = match json::from_str::<FromViewer>(text) {
            Ok(message) => message,
            Err(error) => return self.refuse(now, socket, "bad_message", &error.to_string()),
        };
        let Some(viewer) = self.viewers.get(socket) else {
            return;
        };
        match message {
            FromViewer::Hello { .. } if !viewer.is_greeting() => {
                self.refuse(now, socket, "bad_message", "hello was said before");
            }
            FromViewer::Hello { protocol, .. } if !accepts_protocol(protocol) => {
                let reason = format!("This relay speaks protocol {PROTOCOL}; please update");
                self.dismiss(now, socket, Close::ProtocolError, &reason);
            }
            FromViewer::Hello {
                viewer,
                received,
                size,
                commands,
                presence,
                ..
            } => {
                if let Some(greeting) = self.viewers.get_mut(socket) {
                    greeting.wants(commands, presence);
                }
                self.knock(now, socket, viewer, received, size);
            }
            FromViewer::Resize { size } => self.resize(now, socket, size),
            FromViewer::Ping => self.out.say(socket, &ToViewer::Pong),
        }
    }

    fn published_text(&mut self, now: u64, socket: Socket, text: &str) {
        if let Some(published) = self.viewers.get_mut(socket).and_then(Viewer::published_mut) {
            published.heard();
        }
        // A player has nothing to say.
        if self.viewers.get(socket).is_some_and(Viewer::plays) {
            return;
        }
        if self.speaks(socket, Dialect::SessionsV1) {
            return self.sessions_text(now, socket, text);
        }
        if self.speaks(socket, Dialect::Ssh) {
            return self.ssh_text(now, socket, text);
        }
        let decoded = FromClient::decode(text);
        if decoded.is_ok()
            && let Some(viewer) = self.viewers.get_mut(socket)
        {
            viewer.note_good();
        }
        match decoded {
            Ok(FromClient::Input(bytes)) => self.type_for(now, socket, &bytes),
            Ok(FromClient::Resize(size)) => self.resize(now, socket, size),
            Ok(FromClient::Ping) => self.out.say(socket, &ToClient::Pong),
            Ok(FromClient::Command {
                command,
                timeout_seconds,
            }) => self.run(now, socket, command, timeout_seconds),
            Ok(FromClient::Unsupported(kind)) => {
                self.refuse(
                    now,
                    socket,
                    "UNSUPPORTED",
                    &format!("{kind} is not served on this socket"),
                );
            }
            Err(error) => self.refuse(now, socket, "VALIDATION_ERROR", &error),
        }
    }

    /// A frame of the Sessions API, whose client is known by now.
    fn sessions_text(&mut self, now: u64, socket: Socket, text: &str) {
        let decoded = sessions_v1::FromClient::decode(text);
        if decoded.is_ok()
            && let Some(viewer) = self.viewers.get_mut(socket)
        {
            viewer.note_good();
        }
        match decoded {
            Ok(sessions_v1::FromClient::Input { data }) => self.type_for(now, socket, data.as_bytes()),
            Ok(sessions_v1::FromClient::Resize { size }) => self.resize(now, socket, size),
            Ok(sessions_v1::FromClient::Ping) => self.out.say(socket, &sessions_v1::ToClient::Pong),
            Ok(sessions_v1::FromClient::Auth { .. }) => {
                self.refuse(now, socket, "VALIDATION_ERROR", "auth was said before")
            }
            Err(error) => self.refuse(now, socket, "VALIDATION_ERROR", &error),
        }
    }

    pub(super) fn viewer_frame(&mut self, now: u64, socket: Socket, frame: Frame) {
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        if viewer.streams().is_none() || viewer.is_waiting() {
            return self.refuse(now, socket, "not_attached", "wait for the attached message");
        }
        let ours = match frame.kind {
            Kind::Ack => viewer.stream(),
            Kind::Input => viewer.input(),
            _ => None,
        };
        if ours == Some(frame.stream) {
            viewer.note_good();
        }
        match frame.kind {
            Kind::Ack if Some(frame.stream) == viewer.stream() => self.acknowledged(now, socket, frame.offset),
            Kind::Input if Some(frame.stream) == viewer.input() => {
                if !viewer.can_type() {
                    return self.say_error(socket, "read_only", "you are watching this terminal and cannot type");
                }
                self.typed(now, socket);
                // While the agent is away the bytes are not kept: the viewer has them and is told where to resume.
                self.agent.send(&frame, &mut self.out);
            }
            Kind::Ack | Kind::Input => self.refuse(now, socket, "bad_frame", "that is not a stream of this viewer"),
            _ => self.refuse(now, socket, "bad_frame", "a viewer sends input and ack frames"),
        }
    }

    /// Keystrokes of a published client, which the relay numbers for it.
    pub(super) fn type_for(&mut self, now: u64, socket: Socket, bytes: &[u8]) {
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        let can_type = viewer.can_type();
        let Some(published) = viewer.published_mut() else {
            return;
        };
        published.heard();
        if !can_type {
            return self.say_error(socket, "READ_ONLY", "you are watching this terminal and cannot type");
        }
        match published.typed(bytes) {
            Ok(()) => {
                self.typed(now, socket);
                self.flush_typed(socket);
            }
            Err(overflow) => self.say_error(socket, "INPUT_OVERFLOW", &overflow.to_string()),
        }
    }

    /// Sends what a published client typed, as far as the client is attached, the agent is there and its window allows.
    pub(super) fn flush_typed(&mut self, socket: Socket) {
        if !self.agent.is_online() {
            return;
        }
        let Some(viewer) = self.viewers.get_mut(socket).filter(|viewer| !viewer.is_waiting()) else {
            return;
        };
        let Some(input) = viewer.input() else { return };
        if self.sessions.reader(input).and_then(Reader::applied).is_none() {
            return;
        }
        let Some(published) = viewer.published_mut() else {
            return;
        };
        while let Some(frame) = published.next_frame(input) {
            self.agent.send(&frame, &mut self.out);
        }
    }

    /// Refuses a frame; the connection lives, unless nothing that comes on it is any good.
    pub(super) fn refuse(&mut self, now: u64, socket: Socket, code: &str, error: &str) {
        let refused = self.viewers.get_mut(socket).map_or(0, Viewer::note_refused);
        if refused > MAX_REFUSED {
            return self.dismiss(now, socket, Close::ProtocolError, TOO_MANY_REFUSED);
        }
        self.say_error(socket, code, error);
    }

    /// Tells a viewer that something did not work.
    pub(super) fn say_error(&mut self, socket: Socket, code: &str, error: &str) {
        let (error, code) = (error.to_owned(), code.to_owned());
        match self.viewers.get(socket).map(Viewer::dialect) {
            Some(Dialect::Stream) => self.out.say(socket, &ToViewer::Error { error, code }),
            Some(Dialect::Published) => self.out.say(socket, &ToClient::Error { error, code }),
            Some(Dialect::SessionsV1) => self.out.say(socket, &sessions_v1::ToClient::error(&code, &error)),
            // These get output and nothing else; one by SSH takes an error for the end.
            Some(Dialect::Raw | Dialect::Cast | Dialect::Ssh) | None => {}
        }
    }
}
