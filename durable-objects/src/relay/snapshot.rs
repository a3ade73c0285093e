//! Snapshots, for newcomers and for readers the log has left behind.
use protocol::ids::StreamId;
use protocol::terminal::Size;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::frame::Frame;
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::Socket;
use super::session::Piece;
use super::viewer::Viewer;

impl RelayState {
    /// What somebody asked for is no longer in the agent's log.
    pub(super) fn missing(&mut self, now: u64, stream: StreamId, from: u64, start: u64) {
        self.record_missing(now, stream, from, start);
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        session.log_starts_at(start);
        for viewer in self.viewers.of_mut(stream) {
            viewer.missed(from, start);
        }
        self.ask_snapshot_if_awaited(stream);
    }

    pub(super) fn ask_snapshot_if_awaited(&mut self, stream: StreamId) {
        let awaited = self.viewers.of(stream).any(Viewer::awaits_snapshot);
        if let Some(session) = self.sessions.get_mut(stream)
            && awaited
            && self.agent.is_online()
            && session.ask_snapshot()
        {
            self.tell_agent(&ToAgent::Snapshot { stream });
        }
    }

    /// A piece of a screen snapshot arrived.
    pub(super) fn snapshot(&mut self, now: u64, frame: Frame) {
        let stream = frame.stream;
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        let piece = session.snapshot_piece(&frame);
        let size = session.snapshot_size();
        for socket in self.viewers.attached_to(stream) {
            self.snapshot_for(now, socket, &frame, piece, size);
            self.pump(now, socket);
        }
        if piece.last {
            self.pace(stream);
            self.ask_snapshot_if_awaited(stream);
        }
    }

    fn snapshot_for(&mut self, now: u64, socket: Socket, frame: &Frame, piece: Piece, size: Size) {
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        let gap_from = viewer.gap_from();
        if !viewer.take_snapshot(frame.offset, piece) {
            return;
        }
        let ours = !viewer.is_published();
        if piece.first && ours {
            if let Some(from) = gap_from {
                let to = frame.offset;
                self.out.say(socket, &ToViewer::Gap { from, to });
            }
            let offset = frame.offset;
            self.out.say(socket, &ToViewer::Snapshot { offset, size });
        }
        if ours || !frame.payload().is_empty() {
            self.send_output(now, socket, frame);
        }
        if piece.last {
            self.out.remember(socket);
        }
    }
}
