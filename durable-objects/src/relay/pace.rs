//! How far the agent may write: as far as the slowest of those who may type allows, and the recorder.
use protocol::ids::StreamId;

use super::RelayState;
use super::action::Socket;
use super::credit::Credit;
use super::recorder::Recorder;
use super::viewer::Viewer;

impl RelayState {
    /// Counts time as consumption for published clients of a session, and paces it if that made room.
    pub(super) fn credit_waiting_published(&mut self, now: u64, stream: StreamId) {
        let mut moved = false;
        for viewer in self.viewers.of_mut(stream) {
            moved |= viewer.time_passed(now, None);
        }
        if moved {
            self.pace(stream);
        }
    }

    /// Whether some published client's output waits for time to pass, or to be remembered; if so call [`Self::tick`] within
    /// 50 ms or so.
    pub fn wants_tick(&self) -> bool {
        self.viewers.iter().any(|(_, viewer)| viewer.wants_tick())
    }

    /// Time has passed. `buffered` says how much of what was sent to a socket still waits to leave, where the platform knows.
    pub fn tick(&mut self, now: u64, buffered: impl Fn(Socket) -> Option<u64>) {
        let waiting: Vec<(Socket, StreamId)> = self
            .viewers
            .iter()
            .filter(|(_, viewer)| viewer.wants_tick())
            .filter_map(|(socket, viewer)| Some((socket, viewer.stream()?)))
            .collect();
        for (socket, stream) in waiting {
            let waits = buffered(socket);
            let viewer = self.viewers.get_mut(socket);
            if viewer.is_some_and(|viewer| viewer.time_passed(now, waits)) {
                self.pace(stream);
            }
            self.pump(now, socket);
            if self.viewers.get_mut(socket).is_some_and(Viewer::note_caught_up) {
                self.out.remember(socket);
            }
        }
    }

    /// Tells the agent how far it may write, if that changed enough to matter.
    pub(super) fn pace(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(stream).filter(|session| session.is_running()) else {
            return;
        };
        if !self.agent.is_online() {
            return;
        }
        let log_start = session.log_start();
        let holds = self.sessions.readers(stream).filter_map(|reader| {
            if !reader.sets_pace() {
                return None;
            }
            match reader.socket().and_then(|socket| self.viewers.get(socket)) {
                Some(viewer) => viewer.hold(),
                None => reader.hold(log_start),
            }
        });
        let recorder = self.recorders.get(stream).and_then(Recorder::hold);
        let credit = Credit::under(holds.chain(recorder), session.end().unwrap_or(0));
        if let Some(session) = self.sessions.get_mut(stream)
            && session.grant(credit)
        {
            self.agent.send(&credit.frame(stream), &mut self.out);
        }
        self.tell_if_recording_holds(stream);
    }
}
