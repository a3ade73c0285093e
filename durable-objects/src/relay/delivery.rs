//! Which bytes go to whom.
use protocol::ids::StreamId;
use protocol::recording::event;
use protocol::relay_contract::Dialect;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::frame::Frame;
use protocol::terminal::published::ToClient;
use protocol::terminal::sessions_v1;

use super::RelayState;
use super::action::Socket;
use super::published::Published;
use super::session::Session;

/// How much of the agent's log is asked for at once. A round trip's worth for one reader, small enough that live output is
/// not held up behind it for long.
pub(super) const FETCH_BYTES: u64 = 256 * 1024;

impl RelayState {
    /// Output arrived: live, or a part of the log that somebody asked for.
    pub(super) fn output(&mut self, now: u64, frame: Frame) {
        let stream = frame.stream;
        self.record_output(now, &frame);
        let Some(session) = self.sessions.get_mut(stream) else {
            return;
        };
        let live = session.receive(&frame);
        if live {
            session.wrote(now);
        }
        // A part of the log is in no cache, and goes to those alone who wait for it.
        let served = match live {
            true => self.served_at_once(stream),
            false => self.viewers.attached_to(stream),
        };
        for socket in served {
            self.deliver(now, socket, &frame);
            self.pump(now, socket);
        }
        if live {
            self.credit_waiting_published(now, stream);
            self.tell_if_recording_holds(stream);
        }
    }

    /// Gives a frame to a viewer that is waiting for exactly this part and has room for it.
    fn deliver(&mut self, now: u64, socket: Socket, frame: &Frame) {
        if let Some(viewer) = self.viewers.get_mut(socket)
            && let Some(part) = viewer.accept(frame)
        {
            self.send_output(now, socket, &part);
        }
    }

    /// Gives a viewer everything there is for it and it has room for, or sets out to get it.
    pub(super) fn pump(&mut self, now: u64, socket: Socket) {
        loop {
            let Some(viewer) = self.viewers.get_mut(socket).filter(|viewer| viewer.is_live()) else {
                return;
            };
            let Some(session) = viewer.stream().and_then(|stream| self.sessions.get(stream)) else {
                return;
            };
            let Some(end) = session.end() else { return };
            if viewer.next() >= end {
                return self.finish(now, socket);
            }
            if viewer.room() == 0 {
                return;
            }
            if let Some(frame) = session.cached(viewer.next()) {
                self.deliver(now, socket, &frame);
                continue;
            }
            if self.agent.is_online() && !viewer.is_fetching() {
                let (stream, next) = (session.stream(), viewer.next());
                self.fetch(stream, socket, next, end);
            }
            return;
        }
    }

    /// Has a viewer wait for the part of the log from `next` on. What is on its way to another comes to everybody, so that a hundred
    /// watchers who are behind are not read to one by one.
    fn fetch(&mut self, stream: StreamId, socket: Socket, next: u64, end: u64) {
        let comes = self.viewers.of(stream).find_map(|other| other.fetches(next));
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        match comes {
            Some(to) => viewer.awaits(to),
            None => {
                let (from, to) = viewer.fetch(end, FETCH_BYTES);
                self.tell_agent(&ToAgent::Read { stream, from, to });
            }
        }
    }

    pub(super) fn send_output(&mut self, now: u64, socket: Socket, frame: &Frame) {
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        match (viewer.dialect(), viewer.published_mut()) {
            (Dialect::Published, Some(published)) => {
                let output = published.decode(frame.payload());
                if !output.is_empty() {
                    self.out.say(socket, &ToClient::Output { output });
                }
            }
            (Dialect::SessionsV1, Some(published)) => {
                let data = published.decode(frame.payload());
                if !data.is_empty() {
                    self.out.say(socket, &sessions_v1::ToClient::Output { data });
                }
            }
            (Dialect::Ssh, Some(published)) => {
                let output = published.decode(frame.payload());
                self.send_ssh(socket, &output);
            }
            (Dialect::Cast, Some(published)) => {
                let output = published.decode(frame.payload());
                let at = now.saturating_sub(viewer.since());
                if !output.is_empty() {
                    self.out.text(socket, event(at, "o", &output));
                }
            }
            (Dialect::Raw, Some(published)) => {
                let payload = frame.bytes().slice(frame.bytes().len() - frame.payload().len()..);
                let output = published.raw(&payload);
                if !output.is_empty() {
                    self.out.bytes(socket, output);
                }
            }
            _ => self.out.frame(socket, frame),
        }
    }

    /// Nothing follows for a published client: what was held back of its output goes out.
    pub(super) fn send_rest(&mut self, now: u64, socket: Socket) {
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        let (dialect, at) = (viewer.dialect(), now.saturating_sub(viewer.since()));
        let Some(rest) = viewer
            .published_mut()
            .map(Published::rest)
            .filter(|rest| !rest.is_empty())
        else {
            return;
        };
        if dialect == Dialect::Raw {
            return self.out.bytes(socket, rest.into());
        }
        let output = String::from_utf8_lossy(&rest).into_owned();
        if dialect == Dialect::Ssh {
            return self.send_ssh(socket, &output);
        }
        if dialect == Dialect::SessionsV1 {
            return self.out.say(socket, &sessions_v1::ToClient::Output { data: output });
        }
        if dialect == Dialect::Cast {
            return self.out.text(socket, event(at, "o", &output));
        }
        self.out.say(socket, &ToClient::Output { output });
    }

    /// A viewer consumed everything before `offset`.
    pub(super) fn acknowledged(&mut self, now: u64, socket: Socket, offset: u64) {
        let Some(viewer) = self.viewers.get_mut(socket).filter(|viewer| viewer.awaits_ack(offset)) else {
            return;
        };
        let stream = viewer.stream();
        let session = stream.and_then(|stream| self.sessions.get(stream));
        let end = session.and_then(Session::end);
        if offset > viewer.next() && end.is_some_and(|end| offset > end) {
            return self.refuse(now, socket, "bad_ack", "that was not sent yet");
        }
        viewer.acknowledge(offset);
        if viewer.has_come_far() {
            self.out.remember(socket);
        }
        self.pump(now, socket);
        if let Some(stream) = stream {
            self.pace(stream);
        }
    }
}
