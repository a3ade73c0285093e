//! Whose window sets a terminal's size: that of the one who typed last. A phone that looks in changes nothing for the one who
//! works, and when that one leaves, the one who typed before has its own size again.
use protocol::ids::StreamId;
use protocol::recording::event;
use protocol::terminal::Size;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::Socket;
use super::viewer::Viewer;

impl RelayState {
    /// A viewer's window has a new size. It matters while that window sets the terminal's.
    pub(super) fn resize(&mut self, now: u64, socket: Socket, size: Size) {
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        viewer.resize(size);
        viewer.note_good();
        if let Some(stream) = viewer.stream() {
            self.out.remember(socket);
            self.settle_size(now, stream);
        }
    }

    /// A viewer types: from now on its window sets the size. On the path of each key; the rest is for whoever just began.
    pub(super) fn typed(&mut self, now: u64, socket: Socket) {
        let Some(stream) = self.viewers.get(socket).and_then(Viewer::stream) else {
            return;
        };
        if self
            .sessions
            .get(stream)
            .is_none_or(|session| session.sizer() == Some(socket))
        {
            return;
        }
        // Later than whoever typed before, also within the same millisecond.
        let latest = self.viewers.of(stream).map(Viewer::typed_at).max().unwrap_or(0);
        if let Some(viewer) = self.viewers.get_mut(socket) {
            viewer.note_typed(now.max(latest + 1));
        }
        self.out.remember(socket);
        self.settle_size(now, stream);
    }

    /// Somebody came, left, typed or has a new window, or the agent has said what size the terminal has: makes it the right one.
    pub(super) fn settle_size(&mut self, now: u64, stream: StreamId) {
        let Some(socket) = self.sizer(stream) else { return };
        let Some(context) = self.viewers.get(socket).map(Viewer::context) else {
            return;
        };
        let (size, by) = (context.size, Some(context.username.clone()));
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        let (another_size, another_sizer) = (session.resize(size), session.sized_by(socket));
        if another_size {
            self.tell_agent(&ToAgent::Resize { stream, size });
            self.record_size(now, stream);
        }
        if another_size {
            self.tell_players_size(now, stream, size);
        }
        // Whose window it is knows the size it has just said, and who waits for the shell will be told with it.
        let drawn = |viewer: &Viewer| viewer.stream() == Some(stream) && !viewer.is_waiting() && !viewer.is_published();
        for other in self.viewers.sockets_where(drawn) {
            if another_sizer || another_size && other != socket {
                self.out.say(other, &ToViewer::Resized { size, by: by.clone() });
            }
        }
    }

    /// Players draw the terminal at the size that it has.
    fn tell_players_size(&mut self, now: u64, stream: StreamId, size: Size) {
        let draws = |viewer: &Viewer| viewer.stream() == Some(stream) && viewer.plays() && !viewer.is_waiting();
        for player in self.viewers.sockets_where(draws) {
            let since = self.viewers.get(player).map_or(now, Viewer::since);
            let text = event(now.saturating_sub(since), "r", &format!("{}x{}", size.cols, size.rows));
            self.out.text(player, text);
        }
    }

    /// After a loss of memory, whoever set the size still does.
    pub(super) fn resume_size(&mut self, stream: StreamId) {
        if let Some(socket) = self.sizer(stream)
            && let Some(session) = self.sessions.get_mut(stream)
        {
            session.sized_by(socket);
        }
    }

    /// By which name the one is known who sets the size.
    pub(super) fn sizer_name(&self, stream: StreamId) -> Option<String> {
        let viewer = self.viewers.get(self.sizer(stream)?)?;
        Some(viewer.context().username.clone())
    }

    /// Who typed last of those who are here; of those who never typed, who came first.
    fn sizer(&self, stream: StreamId) -> Option<Socket> {
        let typists = self
            .viewers
            .iter()
            .filter(|(_, viewer)| viewer.stream() == Some(stream) && viewer.can_type());
        typists
            .max_by_key(|(socket, viewer)| (viewer.typed_at(), std::cmp::Reverse((viewer.since(), *socket))))
            .map(|(socket, _)| socket)
    }
}
