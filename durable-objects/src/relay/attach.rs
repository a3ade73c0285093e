//! How a viewer comes to a session: its position in it, and where its output begins.
use protocol::ids::{StreamId, ViewerId};
use protocol::limits::MAX_STREAMS;
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::terminal::agent::ToAgent;
use protocol::terminal::close::Close;
use protocol::terminal::published::ToClient;
use protocol::terminal::viewer::ToViewer;
use protocol::terminal::{PROTOCOL, Size};

use super::RelayState;
use super::action::Socket;
use super::record::{Phase, Position, SessionRecord};
use super::session::{Session, Stage, new_reader};

/// A newcomer to a session that has written no more than this gets all of it, scrollback included; a longer one is drawn
/// as a screen snapshot.
const REPLAY_BYTES: u64 = 256 * 1024;

const SESSION_ENDED: &str = "This session has ended";

impl RelayState {
    /// A viewer said who it is: finds or starts its session, and its position in it.
    pub(super) fn attach(&mut self, now: u64, socket: Socket, viewer_id: ViewerId, received: Option<u64>, size: Size) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        viewer.context.size = size;
        let context = viewer.context.clone();
        let stream = match self.find_session(&context.session) {
            Some(stream) => stream,
            None if received.is_some() => {
                self.out.session_closed(now, context.session, "not_found");
                return self.dismiss(now, socket, Close::SessionEnded, SESSION_ENDED);
            }
            None => match self.start_session(&context) {
                Some(stream) => stream,
                None => {
                    let reason = format!("This machine has {MAX_STREAMS} open sessions; end one first");
                    return self.dismiss(now, socket, Close::InternalError, &reason);
                }
            },
        };
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        // The Worker has checked this against the session's row; the relay does not hand out a shell on trust alone.
        if session.record.owner != context.user {
            return self.dismiss(
                now,
                socket,
                Close::AccessRevoked,
                "This session belongs to somebody else",
            );
        }
        session.record.keep_ms = match context.dialect {
            Dialect::Stream => self.settings.stream_keep,
            Dialect::Published | Dialect::Raw => self.settings.published_keep,
        };
        session.record.empty_since = None;
        self.save_session(stream);
        let Some(input) = self.take_position(socket, stream, viewer_id, context.can_type) else {
            return;
        };
        if let Some(viewer) = self.viewers.get_mut(&socket) {
            viewer.stream = Some(stream);
            viewer.input = Some(input);
            viewer.stage = Stage::Waiting { received };
        }
        // Once somebody else is there: the session is not left meanwhile.
        if context.dialect != Dialect::Stream {
            self.replace_published(now, stream, socket);
        }
        self.out.remember(socket);
        match self.sessions.get(&stream).map(|session| &session.record.phase) {
            Some(Phase::Opening) => self.open(stream),
            Some(Phase::Lost) => return self.tell_lost(now, socket),
            Some(_) => self.tell_agent(&ToAgent::OpenInput { stream, input }),
            None => {}
        }
        if !self.agent.is_online() {
            self.tell_offline(socket);
        }
        self.try_attach(now, socket);
        self.resize_on_attach(socket, stream, size);
    }

    /// The one who just came and may type sets the size, as if it had resized its window.
    fn resize_on_attach(&mut self, socket: Socket, stream: StreamId, size: Size) {
        if self
            .sessions
            .get(&stream)
            .is_some_and(|session| session.record.size != size)
        {
            self.resize(socket, size);
        }
    }

    fn start_session(&mut self, context: &ViewerContext) -> Option<StreamId> {
        if self.sessions.len() >= MAX_STREAMS {
            return None;
        }
        let stream = self.machine.mint_stream(&mut self.out)?;
        let record = SessionRecord {
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
        };
        self.sessions.insert(stream, Session::new(record));
        Some(stream)
    }

    /// The viewer's position in the session: the one it had, or a new one.
    fn take_position(
        &mut self,
        socket: Socket,
        stream: StreamId,
        viewer: ViewerId,
        can_type: bool,
    ) -> Option<StreamId> {
        let known = self
            .readers
            .values()
            .find(|r| r.record.stream == stream && r.record.viewer == viewer);
        let Some(input) = known.map(|reader| reader.record.input) else {
            let input = self.machine.mint_stream(&mut self.out)?;
            self.readers
                .insert(input, new_reader(input, stream, viewer, can_type, socket));
            self.save_reader(input);
            return Some(input);
        };
        // A socket that the other side has given up but that has not timed out here.
        if let Some(old) = self
            .readers
            .get(&input)
            .and_then(|reader| reader.socket)
            .filter(|old| *old != socket)
        {
            self.viewers.remove(&old);
            self.out.close(old, Close::Replaced);
        }
        let reader = self.readers.get_mut(&input)?;
        reader.socket = Some(socket);
        reader.record.can_type = can_type;
        reader.record.position = Position::Connected;
        self.save_reader(input);
        Some(input)
    }

    /// A published client has no identity: whoever attaches to its session again takes its place.
    fn replace_published(&mut self, now: u64, stream: StreamId, socket: Socket) {
        for old in self.attached_to(stream) {
            if old != socket && self.speaks_published(old) {
                self.dismiss(now, old, Close::Replaced, "replaced");
            }
        }
    }

    /// Attaches a waiting viewer if everything it waits for is there.
    pub(super) fn try_attach(&mut self, now: u64, socket: Socket) {
        let Some(viewer) = self.viewers.get(&socket) else {
            return;
        };
        let Stage::Waiting { received } = viewer.stage else {
            return;
        };
        let Some((stream, input)) = viewer.stream.zip(viewer.input) else {
            return;
        };
        let Some(session) = self.sessions.get(&stream) else {
            return;
        };
        let ended = matches!(session.record.phase, Phase::Ended { .. });
        if !ended && !session.running() {
            return;
        }
        let applied = match self.readers.get(&input).and_then(|reader| reader.applied) {
            Some(applied) => applied,
            None if ended => 0,
            None => return,
        };
        // What was received can only be judged when the agent has said how much there is.
        let Some(end) = session.end else { return };
        let received = received.filter(|received| *received <= end);
        let size = session.record.size;
        let start = match received {
            Some(received) => Some(received),
            None if end <= REPLAY_BYTES && session.log_start == 0 => Some(0),
            None => None,
        };
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        viewer.next = start.unwrap_or(0);
        viewer.acked = viewer.next;
        viewer.stage = match start {
            Some(_) => Stage::Live,
            None => Stage::Snapshot {
                gap_from: None,
                begun: None,
            },
        };
        if viewer.published.is_none() {
            let attached = ToViewer::Attached {
                protocol: PROTOCOL,
                session_id: viewer.context.session.clone(),
                stream,
                input,
                applied,
                offset: viewer.next,
                end,
                size,
                can_type: viewer.context.can_type,
                resumed: received.is_some(),
            };
            self.out.say(socket, &attached);
        } else {
            self.announce(socket);
            self.flush_typed(socket);
        }
        self.out.remember(socket);
        self.ask_snapshot_if_awaited(stream);
        self.pace(stream);
        self.pump(now, socket);
    }

    /// Tells a published client that the shell is there, once per time it is.
    pub(super) fn announce(&mut self, socket: Socket) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        let session = viewer.stream.and_then(|stream| self.sessions.get(&stream));
        let session = session.map(|session| (session.record.stream, session.record.size));
        let Some((published, (stream, size))) = viewer.published.as_mut().zip(session) else {
            return;
        };
        if std::mem::replace(&mut published.ready, true) || viewer.context.dialect == Dialect::Raw {
            return;
        }
        let (session_id, agent_id) = (viewer.context.session.clone(), viewer.context.agent_id.clone());
        self.out.say(
            socket,
            &ToClient::SessionReady {
                session_id,
                agent_id,
                size,
            },
        );
        self.collect(stream);
    }
}
