//! Which bytes go to whom.
use protocol::limits::{LIVE_WINDOW, WATCHER_WINDOW};
use protocol::relay_contract::Dialect;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::frame::Frame;
use protocol::terminal::published::ToClient;

use super::RelayState;
use super::action::Socket;
use super::session::Stage;

/// How much of the agent's log is asked for at once. A round trip's worth for one reader, small enough that live output is
/// not held up behind it for long.
const FETCH_BYTES: u64 = 256 * 1024;

impl RelayState {
    /// Output arrived: live, or a part of the log that somebody asked for.
    pub(super) fn output(&mut self, now: u64, frame: Frame) {
        let Some(session) = self.sessions.get_mut(&frame.stream) else {
            return;
        };
        let stream = frame.stream;
        // After a loss of memory nothing is known to be live until the agent has reported: it could be an old request's answer.
        let live = session.end.is_some_and(|end| frame.offset >= end);
        if live {
            session.end = Some(frame.end());
            session.tail.push(frame.clone());
        }
        for socket in self.attached_to(stream) {
            self.deliver(socket, &frame);
            self.pump(now, socket);
        }
        if live {
            self.credit_waiting_published(now, stream);
        }
    }

    /// Gives a frame to a viewer that is waiting for exactly this part and has room for it.
    fn deliver(&mut self, socket: Socket, frame: &Frame) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        if viewer.stage != Stage::Live || frame.end() <= viewer.next {
            return;
        }
        let Some(part) = frame.starting_at(viewer.next) else {
            return;
        };
        if viewer.next - viewer.acked >= window_of(viewer.context.can_type) {
            viewer.fetching = None;
            return;
        }
        viewer.next = part.end();
        viewer.fetching = viewer.fetching.filter(|to| viewer.next < *to);
        self.send_output(socket, &part);
    }

    /// Gives a viewer everything there is for it and it has room for, or sets out to get it.
    pub(super) fn pump(&mut self, now: u64, socket: Socket) {
        loop {
            let Some(viewer) = self.viewers.get(&socket) else {
                return;
            };
            let Some(stream) = viewer.stream.filter(|_| viewer.stage == Stage::Live) else {
                return;
            };
            let Some(session) = self.sessions.get(&stream) else {
                return;
            };
            let Some(end) = session.end else { return };
            if viewer.next >= end {
                return self.finish(now, socket);
            }
            let room = window_of(viewer.context.can_type).saturating_sub(viewer.next - viewer.acked);
            if room == 0 {
                return;
            }
            if let Some(frame) = session.tail.at(viewer.next) {
                self.deliver(socket, &frame);
                continue;
            }
            if viewer.fetching.is_some() || !self.agent.is_online() {
                return;
            }
            let (from, to) = (viewer.next, end.min(viewer.next + FETCH_BYTES.min(room)));
            if let Some(viewer) = self.viewers.get_mut(&socket) {
                viewer.fetching = Some(to);
            }
            return self.tell_agent(&ToAgent::Read { stream, from, to });
        }
    }

    pub(super) fn send_output(&mut self, socket: Socket, frame: &Frame) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        match (viewer.context.dialect, viewer.published.as_mut()) {
            (Dialect::Published, Some(published)) => {
                let output = published.text.push(frame.payload());
                if !output.is_empty() {
                    self.out.say(socket, &ToClient::Output { output });
                }
            }
            (Dialect::Raw, _) => {
                let bytes = frame.bytes().slice(frame.bytes().len() - frame.payload().len()..);
                self.out.bytes(socket, bytes);
            }
            _ => self.out.frame(socket, frame),
        }
    }

    /// A viewer consumed everything before `offset`.
    pub(super) fn acknowledged(&mut self, now: u64, socket: Socket, offset: u64) {
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        if viewer.stage != Stage::Live || offset <= viewer.acked {
            return;
        }
        let end = viewer
            .stream
            .and_then(|stream| self.sessions.get(&stream))
            .and_then(|session| session.end);
        if offset > viewer.next && end.is_some_and(|end| offset > end) {
            return self.refuse(socket, "bad_ack", "that was not sent yet");
        }
        viewer.acked = offset;
        // More than was sent: it was sent before this object lost its memory.
        viewer.next = viewer.next.max(offset);
        viewer.fetching = viewer.fetching.filter(|to| viewer.next < *to);
        let stream = viewer.stream;
        if viewer.acked == viewer.next {
            self.out.remember(socket);
        }
        self.pump(now, socket);
        if let Some(stream) = stream {
            self.pace(stream);
        }
    }
}

fn window_of(can_type: bool) -> u64 {
    if can_type { LIVE_WINDOW } else { WATCHER_WINDOW }
}
