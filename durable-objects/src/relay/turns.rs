//! Many who only watch get live output in turns of their own, a few at a time. What an event sends leaves the object when the event is
//! over, so that a typist would otherwise wait for each of a hundred watchers to be sent a key's echo.
use std::collections::BTreeSet;

use protocol::ids::StreamId;

use super::RelayState;
use super::action::Socket;
use super::viewer::Viewer;

/// How many watchers are sent to in one turn. To send takes some 30 µs of the platform, which a key that comes in the meantime waits for.
pub(super) const WATCHERS_AT_ONCE: usize = 8;

/// The watchers whose turn is to come. Each gets then whatever it has not: where it is in the output, it knows itself.
#[derive(Debug, Default)]
pub struct Turns(BTreeSet<Socket>);

impl RelayState {
    /// Who gets live output of a stream with the event that brought it: those who may type, and the watchers if they are few. The turn
    /// of the others is to come.
    pub(super) fn served_at_once(&mut self, stream: StreamId) -> Vec<Socket> {
        let attached = self.viewers.attached_to(stream);
        let watches = |socket: &Socket| !self.viewers.get(*socket).is_some_and(Viewer::can_type);
        let (watchers, mut served): (Vec<_>, Vec<_>) = attached.into_iter().partition(watches);
        if watchers.len() > WATCHERS_AT_ONCE {
            self.turns.0.extend(watchers);
        } else {
            served.extend(watchers);
        }
        served
    }

    /// Whether some wait for their turn; if so call [`Self::turn`] soon, and after whatever was sent has left.
    pub fn wants_turn(&self) -> bool {
        !self.turns.0.is_empty()
    }

    /// It is the turn of some.
    pub fn turn(&mut self, now: u64) {
        for _ in 0..WATCHERS_AT_ONCE {
            let Some(socket) = self.turns.0.pop_first() else { return };
            self.pump(now, socket);
        }
    }
}
