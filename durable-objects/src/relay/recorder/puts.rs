//! Chunks on their way to the bucket: some at a time, and again what was refused or not heard of.
use std::collections::VecDeque;

use protocol::terminal::Size;

use crate::relay::action::Chunk;
use crate::relay::outbox::Outbox;

/// Chunks of one recorder that are on their way at once. At 200 ms each that is 20 MB/s.
const AT_ONCE: usize = 8;

/// How long a chunk may be on its way until it is put again, in milliseconds. Longer than whoever puts it waits.
const TIMEOUT: u64 = 30_000;

/// How long after a failure a chunk is put again, in milliseconds; doubled each time…
const RETRY_FIRST: u64 = 1_000;

/// …up to this.
const RETRY_MOST: u64 = 60_000;

/// Chunks that are not stored, in order.
#[derive(Debug, Default)]
pub struct Puts {
    puts: VecDeque<Put>,
    /// Failures since a chunk was stored.
    failures: u32,
}

#[derive(Debug)]
pub struct Put {
    pub chunk: Chunk,
    /// The terminal's size at its end.
    pub size: Size,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Not sent yet.
    Waits,
    /// On its way since then.
    Sent(u64),
    /// Refused; to be sent again then.
    Failed(u64),
    /// The bucket has it, and does not have one before.
    Stored,
}

impl Put {
    fn due(&self) -> Option<u64> {
        match self.state {
            State::Waits => Some(0),
            State::Sent(since) => Some(since + TIMEOUT),
            State::Failed(at) => Some(at),
            State::Stored => None,
        }
    }
}

impl Puts {
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty()
    }

    /// What they take in memory.
    pub fn bytes(&self) -> usize {
        self.puts.iter().map(|put| put.chunk.body.len()).sum()
    }

    pub fn push(&mut self, chunk: Chunk, size: Size) {
        let state = State::Waits;
        self.puts.push_back(Put { chunk, size, state });
    }

    /// Sends what may be sent now.
    pub fn send(&mut self, now: u64, out: &mut Outbox) {
        let wanted = self.puts.iter_mut().filter(|put| put.state != State::Stored);
        for put in wanted.take(AT_ONCE) {
            if put.due().is_some_and(|due| now >= due) {
                put.state = State::Sent(now);
                out.put(put.chunk.clone());
            }
        }
    }

    /// When [`Self::send`] has something to send again.
    pub fn due(&self) -> Option<u64> {
        let wanted = self.puts.iter().filter(|put| put.state != State::Stored);
        wanted.take(AT_ONCE).filter_map(Put::due).min()
    }

    /// Sends all that was not sent; nobody will hear what became of it.
    pub fn send_rest(&self, out: &mut Outbox) {
        for put in self.puts.iter().filter(|put| put.state == State::Waits) {
            out.put(put.chunk.clone());
        }
    }

    /// The bucket has the chunk that begins at `start`, or refused it. Answers the chunks before which nothing is missing any more.
    pub fn answered(&mut self, now: u64, start: u64, stored: bool) -> Vec<Put> {
        let Some(put) = self.puts.iter_mut().find(|put| put.chunk.span.start == start) else {
            return Vec::new();
        };
        if stored {
            put.state = State::Stored;
            self.failures = 0;
        } else if put.state != State::Stored {
            put.state = State::Failed(now + (RETRY_FIRST << self.failures.min(6)).min(RETRY_MOST));
            self.failures = self.failures.saturating_add(1);
        }
        let next = || self.puts.pop_front_if(|put| put.state == State::Stored);
        std::iter::from_fn(next).collect()
    }
}
