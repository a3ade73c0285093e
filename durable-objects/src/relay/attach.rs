//! How a viewer comes to a session: its position in it, and where its output begins.
use protocol::ids::{StreamId, ViewerId};
use protocol::limits::MAX_STREAMS;
use protocol::recording::Header;
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::terminal::PROTOCOL;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::published::ToClient;
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::Socket;
use super::published::Published;
use super::reader::Reader;
use super::record::{Phase, SessionRecord};
use super::session::Session;
use super::viewer::Viewer;

const SESSION_ENDED: &str = "This session has ended";
const NOT_YOURS: &str = "This session belongs to somebody else";

impl RelayState {
    /// A viewer said who it is and may come in: finds or starts its session, and its position in it.
    pub(super) fn attach(&mut self, now: u64, socket: Socket, viewer_id: ViewerId, received: Option<u64>) {
        let Some(viewer) = self.viewers.get(socket) else {
            return;
        };
        let context = viewer.context().clone();
        if context.dialect == Dialect::Cast {
            return self.watch(now, socket, viewer_id, &context);
        }
        let stream = match self.sessions.find(&context.session) {
            Some(stream) => stream,
            None if received.is_some() => {
                return self.dismiss(now, socket, Close::SessionEnded, SESSION_ENDED);
            }
            None => match self.start_session(now, &context) {
                Some(stream) => stream,
                None => {
                    let reason = format!("This machine has {MAX_STREAMS} open sessions; end one first");
                    return self.dismiss(now, socket, Close::InternalError, &reason);
                }
            },
        };
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        // The row said so, too; the relay does not hand out a shell on trust alone.
        if *session.owner() != context.user {
            return self.dismiss(now, socket, Close::AccessRevoked, NOT_YOURS);
        }
        let keep_ms = match context.dialect {
            Dialect::Stream => self.settings.stream_keep,
            Dialect::Published | Dialect::Raw | Dialect::SessionsV1 | Dialect::Cast => self.settings.published_keep,
        };
        session.joined(keep_ms, context.opening, &mut self.out);
        let Some(input) = self.take_position(socket, stream, viewer_id, context.can_type) else {
            return;
        };
        if let Some(viewer) = self.viewers.get_mut(socket) {
            viewer.join(stream, input, received);
        }
        // Once somebody else is there: the session is not left meanwhile.
        if context.dialect != Dialect::Stream {
            self.replace_published(now, stream, socket);
        }
        self.out.remember(socket);
        match self.sessions.get(stream).map(Session::phase) {
            Some(Phase::Opening) => self.open(stream),
            Some(Phase::Lost) => return self.tell_lost(now, socket),
            Some(_) => self.tell_agent(&ToAgent::OpenInput { stream, input }),
            None => {}
        }
        if !self.agent.is_online() {
            self.tell_offline(socket);
        }
        self.try_attach(now, socket);
        self.settle_size(now, stream);
    }

    /// A player looks at a session as it is recorded. It starts none, and one that nobody else is at ends no later for it.
    fn watch(&mut self, now: u64, socket: Socket, viewer_id: ViewerId, context: &ViewerContext) {
        let Some(stream) = self.sessions.find(&context.session) else {
            return self.dismiss(now, socket, Close::SessionEnded, SESSION_ENDED);
        };
        let Some(input) = self.take_position(socket, stream, viewer_id, false) else {
            return;
        };
        if let Some(viewer) = self.viewers.get_mut(socket) {
            viewer.join(stream, input, None);
        }
        self.out.remember(socket);
        self.tell_agent(&ToAgent::OpenInput { stream, input });
        self.try_attach(now, socket);
    }

    fn start_session(&mut self, now: u64, context: &ViewerContext) -> Option<StreamId> {
        if self.sessions.count() >= MAX_STREAMS {
            return None;
        }
        let stream = self.machine.mint_stream(&mut self.out)?;
        self.sessions.start(SessionRecord {
            stream,
            session_id: context.session.clone(),
            owner: context.user.clone(),
            username: context.username.clone(),
            size: context.size,
            allow_sudo: context.allow_sudo,
            keep_ms: self.settings.stream_keep,
            empty_since: None,
            phase: Phase::Opening,
            commands: Vec::new(),
            opening: context.opening,
        });
        self.start_recording(now, stream, context);
        Some(stream)
    }

    /// The viewer's position in the session: the one it had, or a new one. Answers its input stream.
    fn take_position(
        &mut self,
        socket: Socket,
        stream: StreamId,
        viewer: ViewerId,
        can_type: bool,
    ) -> Option<StreamId> {
        let Some(input) = self.sessions.find_input(stream, &viewer) else {
            let input = self.machine.mint_stream(&mut self.out)?;
            let reader = Reader::new(input, stream, viewer, can_type, socket);
            self.sessions.add_reader(reader, &mut self.out);
            return Some(input);
        };
        let reader = self.sessions.reader_mut(input)?;
        // A socket that the other side has given up but that has not timed out here.
        if let Some(old) = reader.socket().filter(|old| *old != socket) {
            self.viewers.remove(old);
            self.out.close(old, Close::Replaced);
        }
        reader.connected(socket, can_type, &mut self.out);
        Some(input)
    }

    /// A published client has no identity: whoever attaches to a session of their own again takes its place. Somebody else never does.
    fn replace_published(&mut self, now: u64, stream: StreamId, socket: Socket) {
        let user = self.viewers.get(socket).map(|viewer| viewer.context().user.clone());
        for old in self.viewers.attached_to(stream) {
            let viewer = self.viewers.get(old);
            let plays = viewer.is_some_and(Viewer::plays);
            let same = viewer.map(|viewer| &viewer.context().user) == user.as_ref();
            if old != socket && self.speaks_published(old) && !plays && same {
                self.dismiss(now, old, Close::Replaced, "replaced");
            }
        }
    }

    /// Attaches a waiting viewer if everything it waits for is there.
    pub(super) fn try_attach(&mut self, now: u64, socket: Socket) {
        let waiting = self.viewers.get(socket).filter(|viewer| viewer.is_waiting());
        let Some((stream, input)) = waiting.and_then(Viewer::streams) else {
            return;
        };
        let sized_by = self.sizer_name(stream);
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        let Some(session) = self.sessions.get(stream) else {
            return;
        };
        let ended = session.exit_status().is_some();
        if !ended && !session.is_running() {
            return;
        }
        let applied = match self.sessions.reader(input).and_then(Reader::applied) {
            Some(applied) => applied,
            None if ended => 0,
            None => return,
        };
        // What was received can only be judged when the agent has said how much there is.
        let Some(end) = session.end() else { return };
        let received = viewer.received().filter(|received| *received <= end);
        let start = match received {
            Some(received) => Some(received),
            // Nothing was written: an empty terminal is the picture of it.
            None if end == 0 => Some(0),
            // What was written at other sizes, and what programs asked somebody else, says nothing to a newcomer's terminal.
            None => None,
        };
        viewer.attach(start);
        let published = viewer.is_published();
        if published {
            self.announce(socket);
        } else {
            let attached = ToViewer::Attached {
                protocol: PROTOCOL,
                session_id: session.id().clone(),
                stream,
                input,
                applied,
                offset: viewer.next(),
                end,
                size: session.size(),
                sized_by,
                can_type: viewer.can_type(),
                resumed: received.is_some(),
            };
            self.out.say(socket, &attached);
        }
        self.out.remember(socket);
        self.ask_snapshot_if_awaited(stream);
        // After the picture is asked for: what is typed now is answered by output of its own, as the program wrote it.
        if published {
            self.flush_typed(socket);
        }
        self.pace(stream);
        self.pump(now, socket);
    }

    /// Tells a published client that the shell is there, once per time it is.
    pub(super) fn announce(&mut self, socket: Socket) {
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        let Some(session) = viewer.stream().and_then(|stream| self.sessions.get(stream)) else {
            return;
        };
        let dialect = viewer.dialect();
        let news = viewer.published_mut().is_some_and(Published::announce);
        // The others are told by the first output.
        if !news || matches!(dialect, Dialect::Raw | Dialect::SessionsV1) {
            return;
        }
        if dialect == Dialect::Cast {
            let header = Header {
                size: session.size(),
                timestamp: viewer.since() / 1000,
                title: Header::title(session.id(), ""),
            };
            return self.out.text(socket, header.v2());
        }
        let ready = ToClient::SessionReady {
            session_id: session.id().clone(),
            agent_id: viewer.context().agent_id.clone(),
            size: session.size(),
        };
        let stream = session.stream();
        self.out.say(socket, &ready);
        self.collect(stream);
    }
}
