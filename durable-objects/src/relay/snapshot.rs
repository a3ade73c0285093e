//! Screen snapshots, for newcomers to a long session and for readers the log has left behind.
use protocol::ids::StreamId;
use protocol::limits::MAX_PAYLOAD;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::frame::Frame;
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::Socket;
use super::session::Stage;

impl RelayState {
    /// What somebody asked for is no longer in the agent's log.
    pub(super) fn missing(&mut self, stream: StreamId, from: u64, start: u64) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        session.log_start = session.log_start.max(start);
        for viewer in self.viewers.values_mut().filter(|viewer| viewer.stream == Some(stream)) {
            if viewer.stage == Stage::Live && viewer.fetching.is_some() && viewer.next >= from && viewer.next < start {
                viewer.fetching = None;
                viewer.stage = Stage::Snapshot {
                    gap_from: Some(viewer.next),
                    begun: None,
                };
            }
        }
        self.ask_snapshot_if_awaited(stream);
    }

    pub(super) fn ask_snapshot_if_awaited(&mut self, stream: StreamId) {
        let awaited = self
            .viewers
            .values()
            .any(|viewer| viewer.stream == Some(stream) && matches!(viewer.stage, Stage::Snapshot { begun: None, .. }));
        let agent = self.agent.is_online();
        if let Some(session) = self.sessions.get_mut(&stream)
            && awaited
            && agent
            && !session.snapshot_asked
        {
            session.snapshot_asked = true;
            self.tell_agent(&ToAgent::Snapshot { stream });
        }
    }

    /// A piece of a screen snapshot arrived.
    pub(super) fn snapshot(&mut self, now: u64, frame: Frame) {
        let stream = frame.stream;
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        let first = session.snapshot != Some(frame.offset);
        let last = frame.payload().len() < MAX_PAYLOAD;
        session.snapshot = (!last).then_some(frame.offset);
        if first {
            session.snapshot_asked = false;
        }
        if session.end.is_none_or(|end| end < frame.offset) {
            session.end = Some(frame.offset);
        }
        for socket in self.attached_to(stream) {
            self.snapshot_for(socket, &frame, first, last);
            self.pump(now, socket);
        }
        if last {
            self.pace(stream);
            self.ask_snapshot_if_awaited(stream);
        }
    }

    fn snapshot_for(&mut self, socket: Socket, frame: &Frame, first: bool, last: bool) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        let Stage::Snapshot { gap_from, begun } = viewer.stage else {
            return;
        };
        if !first && begun != Some(frame.offset) {
            return;
        }
        viewer.stage = if last {
            viewer.next = frame.offset;
            viewer.acked = frame.offset;
            Stage::Live
        } else {
            Stage::Snapshot {
                gap_from,
                begun: Some(frame.offset),
            }
        };
        let ours = viewer.published.is_none();
        if first && ours {
            if let Some(from) = gap_from {
                self.out.say(socket, &ToViewer::Gap { from, to: frame.offset });
            }
            self.out.say(socket, &ToViewer::Snapshot { offset: frame.offset });
        }
        if ours || !frame.payload().is_empty() {
            self.send_output(socket, frame);
        }
        if last {
            self.out.remember(socket);
        }
    }
}
