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

/// Sockets of guests at one terminal. A class fits in; each holds what a watcher may, so that all of them are 25 MiB at most.
pub(super) const MAX_GUESTS: usize = 100;

/// Positions that are kept for one guest who was cut: as many windows as somebody has on one terminal.
const KEPT_FOR_GUEST: usize = 4;

const SESSION_ENDED: &str = "This session has ended";
const NOT_YOURS: &str = "This session belongs to somebody else";

impl RelayState {
    /// A viewer said who it is and may come in: finds or starts its session, and its position in it.
    pub(super) fn attach(&mut self, now: u64, socket: Socket, viewer_id: ViewerId, received: Option<u64>) {
        let Some(viewer) = self.viewers.get(socket) else {
            return;
        };
        let (context, guest) = (viewer.context().clone(), viewer.is_guest());
        let stream = match self.sessions.find(&context.session) {
            Some(stream) => stream,
            None if received.is_some() || guest => {
                return self.dismiss(now, socket, Close::SessionEnded, SESSION_ENDED);
            }
            None => match self.start_session(now, &context) {
                Some(stream) => stream,
                None => {
                    let reason = format!("This machine has {MAX_STREAMS} open sessions; end one first");
                    return self.dismiss(now, socket, Close::SessionLimit, &reason);
                }
            },
        };
        let come_in = match guest {
            true => self.come_as_guest(now, socket, stream, &context),
            false => self.come_as_owner(now, socket, stream, &context),
        };
        if !come_in {
            return;
        }
        let Some(input) = self.take_position(socket, stream, viewer_id, &context) else {
            return;
        };
        if let Some(viewer) = self.viewers.get_mut(socket) {
            viewer.join(stream, input, received);
        }
        // Once somebody else is there: the session is not left meanwhile.
        if !matches!(context.dialect, Dialect::Stream | Dialect::Cast) {
            self.replace_published(now, stream, socket, &context);
        }
        self.out.remember(socket);
        match self.sessions.get(stream).map(Session::phase) {
            Some(Phase::Opening) if !guest => self.open(now, stream),
            Some(Phase::Lost) => return self.tell_lost(now, socket),
            Some(_) => self.tell_agent(&ToAgent::OpenInput { stream, input }),
            None => {}
        }
        if !self.agent.is_online() {
            self.tell_offline(now, socket);
        }
        // Those who are there; the newcomer hears it once it is attached.
        self.tell_presence(stream);
        self.try_attach(now, socket);
        self.settle_size(now, stream);
    }

    /// Whether somebody may come to a session as its owner. It stays for longer then.
    fn come_as_owner(&mut self, now: u64, socket: Socket, stream: StreamId, context: &ViewerContext) -> bool {
        let Some(session) = self.sessions.get_mut(stream) else {
            return false;
        };
        // The row said so, too; the relay does not hand out a shell on trust alone.
        if *session.owner() != context.user {
            self.dismiss(now, socket, Close::AccessRevoked, NOT_YOURS);
            return false;
        }
        let keep_ms = match context.dialect {
            Dialect::Stream => self.settings.stream_keep,
            Dialect::Ssh => super::ssh::KEPT,
            Dialect::Published | Dialect::Raw | Dialect::SessionsV1 | Dialect::Cast => self.settings.published_keep,
        };
        session.joined(keep_ms, context.opening, &mut self.out);
        true
    }

    /// Whether there is room for somebody who was invited. A session ends no later for its guests, and what is kept of them is bounded.
    fn come_as_guest(&mut self, now: u64, socket: Socket, stream: StreamId, context: &ViewerContext) -> bool {
        let guests = self.viewers.of(stream).filter(|viewer| viewer.context().guest).count();
        if context.guest && guests >= MAX_GUESTS {
            let reason = format!("{MAX_GUESTS} guests are at this terminal; one of them has to leave first");
            self.dismiss(now, socket, Close::SessionLimit, &reason);
            return false;
        }
        let left = |reader: &&Reader| reader.guest() == Some(&context.user) && reader.socket().is_none();
        let left: Vec<StreamId> = self.sessions.readers(stream).filter(left).map(Reader::input).collect();
        let spare = left.len().saturating_sub(KEPT_FOR_GUEST);
        for input in left.into_iter().take(spare) {
            self.give_up_position(input);
        }
        true
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
            limits: context.limits,
            ssh: context.ssh.clone(),
            connected: None,
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
        context: &ViewerContext,
    ) -> Option<StreamId> {
        let guest = (context.guest || context.dialect == Dialect::Cast).then(|| context.user.clone());
        let can_type = context.can_type;
        let Some(input) = self.sessions.find_input(stream, &viewer, guest.as_ref()) else {
            let input = self.machine.mint_stream(&mut self.out)?;
            let reader = Reader::new(input, stream, viewer, guest, can_type, socket);
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

    /// A published client has no identity but its account: when that attaches to the session again, it takes its place. Somebody else
    /// never does.
    fn replace_published(&mut self, now: u64, stream: StreamId, socket: Socket, context: &ViewerContext) {
        let replaced = |viewer: &Viewer| {
            let same = viewer.context().user == context.user && viewer.context().guest == context.guest;
            viewer.stream() == Some(stream) && viewer.is_published() && !viewer.plays() && same
        };
        for old in self.viewers.sockets_where(replaced) {
            if old != socket {
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
            self.tell_presence_to(socket);
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
        if dialect == Dialect::Ssh {
            return self.announce_ssh(socket);
        }
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
