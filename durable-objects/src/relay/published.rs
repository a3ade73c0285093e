//! The relay's own half of a published client, which neither acknowledges output nor numbers its input: the relay does
//! both for it.
use protocol::stream::InputWriter;
use protocol::terminal::published::Utf8Stream;

/// Output per second that a client is trusted to take. The platform tells nobody how much of what was sent is still in
/// its buffers, so only time can bound them. 8 MiB a second is more than a terminal can show.
const RATE: u64 = 8 * 1024 * 1024;

/// Output after which a client that never said a word is trusted less: it may have stopped reading.
const TRUST: u64 = 32 * 1024 * 1024;

/// Output per second for such a client: half a MiB, so that one that stopped reading for ten minutes costs the platform's
/// buffers 300 MiB less than it would, while one that only watches still gets everything.
const SLOW_RATE: u64 = 512 * 1024;

/// Input that the relay keeps for a client while the agent does not take it. More is refused with an error frame.
pub const MAX_PENDING_INPUT: usize = 1024 * 1024;

/// What the relay keeps for one published client.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// Characters that are split over two frames.
    pub text: Utf8Stream,
    /// What was typed and not yet applied.
    pub input: InputWriter,
    /// Whether the client was told that the shell is there.
    pub ready: bool,
    /// What it had consumed when that was last remembered. Not at each frame, which would be at each keystroke.
    pub remembered: u64,
    /// Until when time was counted.
    clock: u64,
    /// Output since the client last sent anything.
    unheard: u64,
}

impl Published {
    /// A client whose next input byte has the offset `typed`.
    pub fn new(typed: u64, now: u64) -> Self {
        Self {
            input: InputWriter::starting_at(typed),
            clock: now,
            ..Self::default()
        }
    }

    /// The client sent something.
    pub fn heard(&mut self) {
        self.unheard = 0;
    }

    /// How many of `outstanding` bytes count as consumed now.
    pub fn consumed(&mut self, outstanding: u64, now: u64) -> u64 {
        let rate = if self.unheard < TRUST { RATE } else { SLOW_RATE };
        let earned = now.saturating_sub(self.clock).saturating_mul(rate) / 1000;
        let consumed = outstanding.min(earned);
        self.clock = now;
        self.unheard = self.unheard.saturating_add(consumed);
        consumed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_counts_as_consumed_at_a_bounded_rate() {
        let mut client = Published::new(0, 1_000);
        assert_eq!(client.consumed(u64::MAX, 1_000), 0);
        assert_eq!(client.consumed(u64::MAX, 1_500), RATE / 2);
        assert_eq!(client.consumed(10, 9_000), 10);
    }

    #[test]
    fn a_client_that_says_nothing_for_long_is_trusted_less_until_it_speaks() {
        let mut client = Published::new(0, 0);
        assert_eq!(client.consumed(TRUST, 60_000), TRUST);
        assert_eq!(client.consumed(u64::MAX, 61_000), SLOW_RATE);
        client.heard();
        assert_eq!(client.consumed(u64::MAX, 62_000), RATE);
    }
}
