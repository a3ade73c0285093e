//! When output leaves: at once after idle, in larger pieces while there is a lot.
use std::time::{Duration, Instant};

use protocol::limits::MAX_PAYLOAD;

/// How long output may wait for more. Below what a person sees, and long enough to turn a chatty program's writes into
/// few frames.
const DELAY: Duration = Duration::from_millis(5);

/// Output that waits for no more: a full frame, because each costs the relay about as much as its bytes do.
pub const ENOUGH: usize = MAX_PAYLOAD;

/// Decides when pending output is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coalescer {
    sent: Option<Instant>,
}

impl Coalescer {
    /// When `pending` bytes are to be sent, which may be in the past. Nothing if there are none.
    pub fn due(&self, pending: usize, now: Instant) -> Option<Instant> {
        match (pending, self.sent) {
            (0, _) => None,
            (ENOUGH.., _) | (_, None) => Some(now),
            (_, Some(sent)) => Some(sent + DELAY),
        }
    }

    /// Output was sent.
    pub fn sent(&mut self, now: Instant) {
        self.sent = Some(now);
    }

    /// Somebody typed: what comes next is probably the echo, and they are waiting for it.
    pub fn typed(&mut self) {
        self.sent = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_after_idle_leave_at_once_and_the_next_wait_for_more() {
        let start = Instant::now();
        let mut coalescer = Coalescer::default();
        assert_eq!(coalescer.due(1, start), Some(start));
        coalescer.sent(start);
        let soon = start + Duration::from_millis(1);
        assert_eq!(coalescer.due(1, soon), Some(start + DELAY));
        let later = start + Duration::from_secs(1);
        assert!(coalescer.due(1, later).unwrap() <= later);
    }

    #[test]
    fn a_lot_never_waits_and_nothing_is_never_due() {
        let now = Instant::now();
        let mut coalescer = Coalescer::default();
        coalescer.sent(now);
        assert_eq!(coalescer.due(ENOUGH, now), Some(now));
        assert_eq!(coalescer.due(0, now), None);
    }

    #[test]
    fn an_echo_does_not_wait() {
        let now = Instant::now();
        let mut coalescer = Coalescer::default();
        coalescer.sent(now);
        coalescer.typed();
        assert_eq!(coalescer.due(1, now), Some(now));
    }
}
