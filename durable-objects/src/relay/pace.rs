//! How far the agent may write: as far as the slowest of those who may type allows.
use protocol::ids::StreamId;
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY};
use protocol::terminal::frame::Frame;

use super::RelayState;
use super::action::Socket;
use super::record::Position;
use super::session::{Credit, Stage, Viewer};

/// The agent hears of new credit when it grew by this much. A typist's keystrokes then cost no credit frames at all, and
/// a fast stream one in 128 KiB.
const CREDIT_STEP: u64 = LIVE_WINDOW / 8;

impl RelayState {
    /// Counts time as consumption for published clients of a session, and paces it if that made room.
    pub(super) fn credit_waiting_published(&mut self, now: u64, stream: StreamId) {
        let mut moved = false;
        for viewer in self.viewers.values_mut().filter(|viewer| viewer.stream == Some(stream)) {
            let outstanding = viewer.next - viewer.acked;
            if let Some(published) = viewer.published.as_mut().filter(|_| outstanding > 0) {
                let consumed = published.consumed(outstanding, now);
                viewer.acked += consumed;
                moved |= consumed > 0;
            }
        }
        if moved {
            self.pace(stream);
        }
    }

    /// Whether some published client's output waits for time to pass, or to be remembered; if so call [`Self::tick`] within
    /// 50 ms or so.
    pub fn wants_tick(&self) -> bool {
        self.viewers.values().any(Viewer::wants_tick)
    }

    /// Time has passed.
    pub fn tick(&mut self, now: u64) {
        let waiting: Vec<(Socket, StreamId)> = self
            .viewers
            .iter()
            .filter(|(_, viewer)| viewer.wants_tick())
            .filter_map(|(socket, viewer)| Some((*socket, viewer.stream?)))
            .collect();
        for (socket, stream) in waiting {
            self.credit_waiting_published(now, stream);
            self.pump(now, socket);
            let caught_up = self
                .viewers
                .get_mut(&socket)
                .filter(|viewer| viewer.acked == viewer.next);
            if let Some((acked, published)) =
                caught_up.and_then(|viewer| Some((viewer.acked, viewer.published.as_mut()?)))
            {
                published.remembered = acked;
                self.out.remember(socket);
            }
        }
    }

    /// Tells the agent how far it may write, if that changed enough to matter.
    pub(super) fn pace(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(&stream) else {
            return;
        };
        if !session.running() || !self.agent.is_online() {
            return;
        }
        let log_start = session.log_start;
        let required = self
            .readers
            .values()
            .filter(|reader| reader.record.stream == stream && reader.record.can_type);
        let (mut acked, mut limit) = (u64::MAX, u64::MAX);
        for reader in required {
            let live = reader.socket.and_then(|socket| self.viewers.get(&socket));
            let (at, window) = match live.map(|viewer| (viewer.stage, viewer.acked)) {
                Some((Stage::Live, acked)) => (acked, LIVE_WINDOW),
                // It will start wherever the stream is by then.
                Some((Stage::Snapshot { .. } | Stage::Greeting | Stage::Waiting { received: None }, _)) => continue,
                Some((
                    Stage::Waiting {
                        received: Some(received),
                    },
                    _,
                )) => (received, LOG_CAPACITY),
                None => match reader.record.position {
                    Position::Cut { acked } => (acked, LOG_CAPACITY),
                    // Cut unheard: nothing the log still has may go.
                    Position::Connected => (log_start, LOG_CAPACITY),
                    Position::Adrift => continue,
                },
            };
            acked = acked.min(at);
            limit = limit.min(at.saturating_add(window));
        }
        let credit = match limit {
            u64::MAX => Credit {
                acked: session.end.unwrap_or(0),
                window: None,
            },
            limit => Credit {
                acked,
                window: Some(limit - acked),
            },
        };
        let enough = match session.granted {
            None => true,
            Some(old) if old.window.is_none() && credit.window.is_none() => false,
            Some(old) => {
                old.window != credit.window
                    || credit.limit().abs_diff(old.limit()) >= CREDIT_STEP
                    || session.end.is_some_and(|end| end >= old.limit())
            }
        };
        if !enough || session.granted == Some(credit) {
            return;
        }
        if let Some(session) = self.sessions.get_mut(&stream) {
            session.granted = Some(credit);
        }
        let frame = Frame::credit(stream, credit.acked, credit.window);
        self.agent.send(&frame, &mut self.out);
    }

    pub(super) fn readers_of(&self, stream: StreamId) -> Vec<StreamId> {
        self.readers
            .values()
            .filter(|r| r.record.stream == stream)
            .map(|r| r.record.input)
            .collect()
    }
}
