//! The relay's own half of a published client, which neither acknowledges output nor numbers its input: the relay does
//! both for it.
use std::borrow::Cow;

use bytes::Bytes;
use protocol::ids::StreamId;
use protocol::stream::{InputWriter, Questions};
use protocol::terminal::frame::Frame;
use protocol::terminal::published::Utf8Stream;

/// Output per second that a client is trusted to take where the platform does not say how much of what was sent is still in its
/// buffers (workerd does since 1.20261117.1), so that only time can bound them. 8 MiB a second is more than a terminal can show.
const RATE: u64 = 8 * 1024 * 1024;

/// Output after which a client that never said a word is trusted less: it may have stopped reading.
const TRUST: u64 = 32 * 1024 * 1024;

/// Output per second for such a client: half a MiB, so that one that stopped reading for ten minutes costs the platform's
/// buffers 300 MiB less than it would, while one that only watches still gets everything.
const SLOW_RATE: u64 = 512 * 1024;

/// Input that the relay keeps for a client while the agent does not take it. More is refused with an error frame.
const MAX_PENDING_INPUT: usize = 1024 * 1024;

/// What the relay keeps for one published client.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// What programs ask is kept from it: the agent answers, and its terminal would answer once more.
    questions: Questions,
    /// Characters that are split over two frames.
    text: Utf8Stream,
    /// What was typed and not yet applied.
    input: InputWriter,
    /// Whether the client was told that the shell is there.
    ready: bool,
    /// What it had consumed when that was last remembered. Not at each frame, which would be at each keystroke.
    remembered: u64,
    /// Until when time was counted.
    clock: u64,
    /// Output since the client last sent anything.
    unheard: u64,
    /// Whether the platform says how much waits to leave: then time counts for nothing.
    measured: bool,
}

/// The client typed more than is kept for it.
#[derive(Debug)]
pub struct InputOverflow;

impl std::fmt::Display for InputOverflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the machine does not take input; this frame was not kept")
    }
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

    /// A client whose socket outlived the object's memory.
    pub fn restored(typed: u64, ready: bool, remembered: u64, now: u64) -> Self {
        Self {
            ready,
            remembered,
            ..Self::new(typed, now)
        }
    }

    /// The characters that are complete with these bytes of output.
    pub fn decode(&mut self, output: &[u8]) -> String {
        self.text.push(&self.questions.filter(output))
    }

    /// These bytes of output for a client that takes them as they are.
    pub fn raw(&mut self, output: &Bytes) -> Bytes {
        match self.questions.filter(output) {
            Cow::Borrowed(bytes) => output.slice_ref(bytes),
            Cow::Owned(bytes) => bytes.into(),
        }
    }

    /// What was held back in case it became a question, now that nothing follows.
    pub fn rest(&mut self) -> Vec<u8> {
        self.questions.finish()
    }

    // ---- what it is told of the shell ----

    /// Whether it was told that the shell is there.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// It is to be told that the shell is there. Answers whether it was not.
    pub fn announce(&mut self) -> bool {
        !std::mem::replace(&mut self.ready, true)
    }

    /// The agent's link is gone; the client will be told when the shell is there again.
    pub fn link_lost(&mut self) {
        self.ready = false;
    }

    // ---- input ----

    /// Keeps what the client typed until it is applied.
    pub fn typed(&mut self, bytes: &[u8]) -> Result<(), InputOverflow> {
        if self.input.pending() + bytes.len() > MAX_PENDING_INPUT {
            return Err(InputOverflow);
        }
        self.input.push(bytes);
        Ok(())
    }

    /// The next part of it to send, as far as the window allows.
    pub fn next_frame(&mut self, input: StreamId) -> Option<Frame> {
        self.input.next_frame(input)
    }

    /// Input has reached the terminal up to `offset`: what the agent says first on a link is where to go on. Answers whether
    /// nothing is left to apply.
    pub fn input_applied(&mut self, offset: u64, first: bool) -> bool {
        if first {
            self.input.resume(offset);
        } else {
            self.input.acknowledge(offset);
        }
        self.input.pending() == 0
    }

    /// Up to where its input is known to have reached the terminal.
    pub fn applied_input(&self) -> u64 {
        self.input.acked()
    }

    // ---- consumption ----

    /// Whether `acked` is remembered as what it has consumed.
    pub fn is_remembered(&self, acked: u64) -> bool {
        self.remembered == acked
    }

    pub fn remember(&mut self, acked: u64) {
        self.remembered = acked;
    }

    /// The client sent something.
    pub fn heard(&mut self) {
        self.unheard = 0;
    }

    /// How many of `outstanding` bytes count as consumed now: all but what waits to leave, if the platform says how much that is.
    /// It counts the frames around the text, too, so that never too much counts as consumed.
    pub fn consumed(&mut self, outstanding: u64, now: u64, buffered: Option<u64>) -> u64 {
        if let Some(buffered) = buffered {
            self.measured = true;
            return outstanding.saturating_sub(buffered);
        }
        if self.measured {
            return 0;
        }
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
        assert_eq!(client.consumed(u64::MAX, 1_000, None), 0);
        assert_eq!(client.consumed(u64::MAX, 1_500, None), RATE / 2);
        assert_eq!(client.consumed(10, 9_000, None), 10);
    }

    #[test]
    fn what_has_left_counts_as_consumed_where_the_platform_says_so() {
        let mut client = Published::new(0, 0);
        assert_eq!(client.consumed(1_000, 1, Some(1_000)), 0, "it has stopped reading");
        assert_eq!(client.consumed(1_000, 60_000, None), 0, "and time changes nothing");
        assert_eq!(client.consumed(1_000, 60_001, Some(400)), 600);
        assert_eq!(client.consumed(400, 60_002, Some(0)), 400);
    }

    #[test]
    fn a_client_that_says_nothing_for_long_is_trusted_less_until_it_speaks() {
        let mut client = Published::new(0, 0);
        assert_eq!(client.consumed(TRUST, 60_000, None), TRUST);
        assert_eq!(client.consumed(u64::MAX, 61_000, None), SLOW_RATE);
        client.heard();
        assert_eq!(client.consumed(u64::MAX, 62_000, None), RATE);
    }

    #[test]
    fn a_client_gets_all_output_but_the_questions_however_it_is_cut() {
        let output = "a\x1b[6nb\x1b[31mc\x05d\x1b]11;?\x07é\x1b".as_bytes();
        let drawn = "ab\x1b[31mcdé\x1b";
        for step in 1..output.len() {
            let (mut text, mut raw) = (Published::new(0, 0), Published::new(0, 0));
            let mut decoded: String = output.chunks(step).map(|bytes| text.decode(bytes)).collect();
            decoded += &String::from_utf8(text.rest()).unwrap();
            let pieces = output.chunks(step).map(|bytes| raw.raw(&Bytes::copy_from_slice(bytes)));
            let mut bytes = pieces.collect::<Vec<_>>().concat();
            bytes.extend(raw.rest());
            assert_eq!((decoded.as_str(), bytes.as_slice()), (drawn, drawn.as_bytes()));
        }
    }
}
