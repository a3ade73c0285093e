//! How sessions end and sockets part: who is told what, and what is forgotten.
use protocol::ids::StreamId;
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::published::ToClient;
use protocol::terminal::sessions_v1;
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::Socket;
use super::session::Session;
use super::ssh;
use super::viewer::Viewer;

const AGENT_RESTARTED: &str =
    "The agent on this machine was restarted and the shell ended with it; output it had not sent is gone";

const IDLE: &str = "This session has ended: nobody typed for longer than the organization lets a terminal be idle";

impl RelayState {
    /// A viewer has been sent everything of a session that ended: tells it how, and lets it go once it has consumed it.
    pub(super) fn finish(&mut self, now: u64, socket: Socket) {
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        let session = viewer.stream().and_then(|stream| self.sessions.get(stream));
        let Some(status) = session.and_then(Session::exit_status) else {
            return;
        };
        let (idle, lost) = (status.is_idle(), status.is_lost());
        if viewer.tell_exit() {
            let status = status.clone();
            self.out.say(socket, &ToViewer::Exit { status });
        }
        if viewer.has_caught_up() {
            self.send_rest(now, socket);
            let (close, text) = match (idle, self.speaks(socket, Dialect::Ssh)) {
                (true, _) => (Close::IdleTimeout, IDLE.to_owned()),
                (false, true) => (Close::SessionEnded, ssh::ended(lost)),
                (false, false) => (Close::SessionEnded, Close::SessionEnded.reason().to_owned()),
            };
            self.dismiss(now, socket, close, &text);
        }
    }

    /// Forgets a session that is over and that nobody still has to read.
    pub(super) fn forget_if_read(&mut self, now: u64, stream: StreamId) {
        let over = self.sessions.get(stream).is_some_and(Session::is_over);
        let awaited = self.sessions.readers(stream).next().is_some() || self.viewers.of(stream).next().is_some();
        if over && !awaited {
            self.end_commands(now, stream);
            self.forget_stream(stream);
            self.sessions.forget(stream, &mut self.out);
        }
    }

    /// Ends a session whatever its state: its viewers are told, its shell is hung up, it is forgotten.
    pub(super) fn end_session(&mut self, now: u64, stream: StreamId, close: Close, text: &str, reason: &str) {
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        let (session_id, opening) = (session.id().clone(), session.opening());
        session.ends();
        self.end_commands(now, stream);
        self.tell_agent(&ToAgent::Close { stream });
        self.forget_unopened(stream);
        self.forget_stream(stream);
        for socket in self.viewers.attached_to(stream) {
            self.dismiss(now, socket, close, text);
        }
        for input in self.sessions.inputs(stream) {
            self.give_up_position(input);
        }
        self.sessions.forget(stream, &mut self.out);
        self.out.session_closed(now, session_id, opening, reason);
    }

    /// A viewer's socket is gone.
    pub(super) fn viewer_gone(&mut self, now: u64, socket: Socket, on_purpose: bool) {
        let Some(viewer) = self.viewers.remove(socket) else {
            return;
        };
        let Some((stream, input)) = viewer.streams() else {
            return self.never_came_in(now, viewer.context());
        };
        if on_purpose || viewer.is_published() {
            self.give_up_position(input);
        } else if let Some(reader) = self.sessions.reader_mut(input) {
            reader.cut(viewer.position(), &mut self.out);
        }
        self.left(now, stream);
    }

    /// A viewer that was on its way to a session is gone: if nobody else is, and there is no such session, what its upgrade
    /// listed is over. A guest's listed nothing, and neither did one that was refused.
    pub(super) fn never_came_in(&mut self, now: u64, context: &ViewerContext) {
        if context.guest || context.refusal.is_some() || context.dialect == Dialect::Cast {
            return;
        }
        let another = |viewer: &Viewer| viewer.context().session == context.session;
        if self.sessions.find(&context.session).is_none() && self.viewers.find(another).is_none() {
            let session_id = context.session.clone();
            self.out
                .session_closed(now, session_id, context.opening, "never_started");
        }
    }

    /// Somebody left a session: perhaps nobody is there, perhaps somebody else sets the pace now.
    fn left(&mut self, now: u64, stream: StreamId) {
        let empty = self.viewers.of(stream).all(Viewer::is_guest);
        if let Some(session) = self.sessions.get_mut(stream).filter(|_| empty) {
            if session.is_untouched() && self.commands.of_session(stream).is_empty() {
                return self.end_session(now, stream, Close::SessionTerminated, "", "abandoned");
            }
            session.emptied(now, &mut self.out);
        }
        self.settle_size(now, stream);
        self.pace(stream);
        self.tell_presence(stream);
        self.forget_if_read(now, stream);
    }

    pub(super) fn give_up_position(&mut self, input: StreamId) {
        if self.sessions.reader(input).is_some() {
            self.tell_agent(&ToAgent::CloseInput { input });
            self.sessions.forget_reader(input, &mut self.out);
        }
    }

    /// Tells a viewer why, closes its socket, and keeps its position only if it is to come back.
    pub(super) fn dismiss(&mut self, now: u64, socket: Socket, close: Close, reason: &str) {
        let Some(viewer) = self.viewers.get(socket) else {
            return;
        };
        let reason = reason.to_owned();
        match viewer.dialect() {
            Dialect::Stream => {
                let code = close.name().to_owned();
                self.out.say(socket, &ToViewer::Disconnect { reason, code });
            }
            dialect @ (Dialect::Published | Dialect::SessionsV1) => {
                let session = viewer.stream().and_then(|stream| self.sessions.get(stream));
                let exit_code = session.and_then(Session::exit_status).and_then(|status| status.code);
                match dialect {
                    Dialect::SessionsV1 => self
                        .out
                        .say(socket, &sessions_v1::ToClient::Disconnect { reason, exit_code }),
                    _ => self.out.say(socket, &ToClient::Disconnect { reason, exit_code }),
                }
            }
            Dialect::Ssh => return self.dismiss_ssh(now, socket, close, reason),
            Dialect::Raw | Dialect::Cast => {}
        }
        self.drop_viewer(now, socket, close);
    }

    /// Closes a viewer's socket. One whose agent is only away was cut; every other has left.
    pub(super) fn drop_viewer(&mut self, now: u64, socket: Socket, close: Close) {
        if self.viewers.get(socket).is_some() {
            self.out.close(socket, close);
            self.viewer_gone(now, socket, close != Close::AgentOffline);
        }
    }

    pub(super) fn tell_lost(&mut self, now: u64, socket: Socket) {
        self.dismiss(now, socket, Close::SessionEnded, AGENT_RESTARTED);
    }

    pub(super) fn tell_offline(&mut self, now: u64, socket: Socket) {
        match self.viewers.get(socket).map(Viewer::dialect) {
            Some(Dialect::Stream) => self.out.say(socket, &ToViewer::Agent { online: false }),
            Some(Dialect::Published | Dialect::SessionsV1) => {
                self.say_error(socket, "AGENT_OFFLINE", "agent not connected")
            }
            Some(Dialect::Ssh) => self.dismiss(now, socket, Close::RunnerOffline, ssh::RUNNER_OFFLINE),
            Some(Dialect::Raw | Dialect::Cast) | None => {}
        }
    }
}
