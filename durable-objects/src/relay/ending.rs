//! How sessions end and sockets part: who is told what, and what is forgotten.
use protocol::ids::StreamId;
use protocol::relay_contract::Dialect;
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::published::ToClient;
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::Socket;
use super::record::{Key, Phase, Position};
use super::session::Stage;

const AGENT_RESTARTED: &str =
    "The agent on this machine was restarted and the shell ended with it; output it had not sent is gone";

impl RelayState {
    /// A viewer has been sent everything of a session that ended: tells it how, and lets it go once it has consumed it.
    pub(super) fn finish(&mut self, now: u64, socket: Socket) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        let Some(session) = viewer.stream.and_then(|stream| self.sessions.get(&stream)) else {
            return;
        };
        let Phase::Ended { status, .. } = &session.record.phase else {
            return;
        };
        if viewer.published.is_none() && !viewer.told_exit {
            viewer.told_exit = true;
            let message = ToViewer::Exit { status: status.clone() };
            self.out.say(socket, &message);
        }
        if self
            .viewers
            .get(&socket)
            .is_some_and(|viewer| viewer.acked == viewer.next)
        {
            self.dismiss(now, socket, Close::SessionEnded, Close::SessionEnded.reason());
        }
    }

    /// Forgets a session that is over and that nobody still has to read.
    pub(super) fn forget_if_read(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(&stream) else {
            return;
        };
        let over = matches!(session.record.phase, Phase::Ended { .. } | Phase::Lost);
        if over && self.readers_of(stream).is_empty() && self.attached_to(stream).is_empty() {
            self.end_commands(stream);
            self.tell_agent(&ToAgent::Forget { stream });
            self.sessions.remove(&stream);
            self.out.erase(Key::Session(stream));
        }
    }

    /// Ends a session whatever its state: its viewers are told, its shell is hung up, it is forgotten.
    pub(super) fn end_session(&mut self, now: u64, stream: StreamId, close: Close, text: &str, reason: &str) {
        let Some(session) = self.sessions.get(&stream) else {
            return;
        };
        let session_id = session.record.session_id.clone();
        self.end_commands(stream);
        self.tell_agent(&ToAgent::Close { stream });
        self.tell_agent(&ToAgent::Forget { stream });
        for socket in self.attached_to(stream) {
            self.dismiss(now, socket, close, text);
        }
        for input in self.readers_of(stream) {
            self.give_up_position(input);
        }
        self.sessions.remove(&stream);
        self.out.erase(Key::Session(stream));
        self.out.session_closed(now, session_id, reason);
    }

    /// A viewer's socket is gone.
    pub(super) fn viewer_gone(&mut self, now: u64, socket: Socket, on_purpose: bool) {
        let Some(viewer) = self.viewers.remove(&socket) else {
            return;
        };
        let Some((stream, input)) = viewer.stream.zip(viewer.input) else {
            return;
        };
        if on_purpose || viewer.published.is_some() {
            self.give_up_position(input);
        } else if let Some(reader) = self.readers.get_mut(&input) {
            reader.socket = None;
            reader.record.position = match viewer.stage {
                Stage::Live => Position::Cut { acked: viewer.acked },
                Stage::Waiting { received: Some(acked) } => Position::Cut { acked },
                _ => Position::Adrift,
            };
            self.save_reader(input);
        }
        self.left(now, stream);
    }

    /// Somebody left a session: perhaps nobody is there, perhaps somebody else sets the pace now.
    fn left(&mut self, now: u64, stream: StreamId) {
        if self.attached_to(stream).is_empty()
            && let Some(session) = self.sessions.get_mut(&stream)
        {
            if session.record.phase == Phase::Opening && session.record.commands.is_empty() {
                // Nobody has seen this shell: there is nothing to come back to.
                return self.end_session(now, stream, Close::SessionTerminated, "", "abandoned");
            }
            session.record.empty_since = Some(now);
            self.save_session(stream);
        }
        self.pace(stream);
        self.forget_if_read(stream);
    }

    fn give_up_position(&mut self, input: StreamId) {
        if self.readers.remove(&input).is_some() {
            self.tell_agent(&ToAgent::CloseInput { input });
            self.out.erase(Key::Reader(input));
        }
    }

    /// Tells a viewer why, closes its socket, and keeps its position only if it is to come back.
    pub(super) fn dismiss(&mut self, now: u64, socket: Socket, close: Close, reason: &str) {
        let Some(viewer) = self.viewers.get(&socket) else {
            return;
        };
        let reason = reason.to_owned();
        match viewer.context.dialect {
            Dialect::Stream => {
                let code = close.name().to_owned();
                self.out.say(socket, &ToViewer::Disconnect { reason, code });
            }
            Dialect::Published => {
                let exit_code = self.exit_of(socket).and_then(|status| status.code);
                self.out.say(socket, &ToClient::Disconnect { reason, exit_code });
            }
            Dialect::Raw => {}
        }
        self.drop_viewer(now, socket, close);
    }

    /// Closes a viewer's socket. One whose agent is only away was cut; every other has left.
    pub(super) fn drop_viewer(&mut self, now: u64, socket: Socket, close: Close) {
        if self.viewers.contains_key(&socket) {
            self.out.close(socket, close);
            self.viewer_gone(now, socket, close != Close::AgentOffline);
        }
    }

    fn exit_of(&self, socket: Socket) -> Option<&ExitStatus> {
        let stream = self.viewers.get(&socket)?.stream?;
        match &self.sessions.get(&stream)?.record.phase {
            Phase::Ended { status, .. } => Some(status),
            _ => None,
        }
    }

    pub(super) fn tell_lost(&mut self, now: u64, socket: Socket) {
        self.dismiss(now, socket, Close::SessionEnded, AGENT_RESTARTED);
    }

    pub(super) fn tell_offline(&mut self, socket: Socket) {
        match self.viewers.get(&socket).map(|viewer| viewer.context.dialect) {
            Some(Dialect::Stream) => self.out.say(socket, &ToViewer::Agent { online: false }),
            Some(Dialect::Published) => self.refuse(socket, "AGENT_OFFLINE", "agent not connected"),
            Some(Dialect::Raw) | None => {}
        }
    }
}
