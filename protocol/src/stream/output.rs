//! Output, each byte once.
use thiserror::Error;

use crate::limits::{ACK_BYTES, ACK_DELAY_MS};

/// A frame that starts after what was received: something in between is missing, which the relay never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("output at {got} arrived while {expected} was expected")]
pub struct Ahead {
    /// Where the reader stood.
    pub expected: u64,
    /// Where the frame began.
    pub got: u64,
}

/// The reading side: drops what it has, and says when to acknowledge.
///
/// `received` is what was taken from the wire, `consumed` what has been shown; only the latter is acknowledged.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutputReader {
    received: u64,
    consumed: u64,
    acked: u64,
    /// When the first byte was consumed that is not yet acknowledged, in the caller's milliseconds.
    waiting_since: Option<u64>,
}

impl OutputReader {
    /// A reader that has everything before `offset`.
    pub fn starting_at(offset: u64) -> Self {
        Self {
            received: offset,
            consumed: offset,
            acked: offset,
            waiting_since: None,
        }
    }

    /// Everything before this offset was taken from the wire.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The part of a frame that is new.
    pub fn receive<'a>(&mut self, offset: u64, payload: &'a [u8]) -> Result<&'a [u8], Ahead> {
        let skip = self.received.checked_sub(offset).ok_or(Ahead {
            expected: self.received,
            got: offset,
        })?;
        let new = usize::try_from(skip)
            .ok()
            .and_then(|skip| payload.get(skip..))
            .unwrap_or_default();
        self.received += new.len() as u64;
        Ok(new)
    }

    /// `count` more bytes have been shown, at `now_ms`.
    pub fn consume(&mut self, count: u64, now_ms: u64) {
        self.consumed = (self.consumed + count).min(self.received);
        if self.consumed > self.acked {
            self.waiting_since.get_or_insert(now_ms);
        }
    }

    /// The offset to acknowledge now, if one is due. It counts as sent.
    pub fn due_ack(&mut self, now_ms: u64) -> Option<u64> {
        let enough = self.consumed - self.acked >= ACK_BYTES;
        let late = self
            .waiting_since
            .is_some_and(|since| now_ms.saturating_sub(since) >= ACK_DELAY_MS);
        (enough || late).then(|| {
            self.acked = self.consumed;
            self.waiting_since = None;
            self.consumed
        })
    }

    /// When [`Self::due_ack`] will have something to say at the latest, in the caller's milliseconds.
    pub fn ack_deadline(&self) -> Option<u64> {
        self.waiting_since.map(|since| since + ACK_DELAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_part_is_dropped_and_a_hole_is_an_error() {
        let mut reader = OutputReader::starting_at(10);
        assert_eq!(reader.receive(8, b"abcd"), Ok(&b"cd"[..]));
        assert_eq!(reader.receive(0, b"ab"), Ok(&b""[..]));
        assert_eq!(reader.receive(13, b"x"), Err(Ahead { expected: 12, got: 13 }));
        assert_eq!(reader.received(), 12);
    }

    #[test]
    fn an_acknowledgement_is_due_after_enough_bytes_or_enough_time_and_only_for_what_was_shown() {
        let mut reader = OutputReader::default();
        reader.receive(0, &vec![0; 200_000]).unwrap();
        assert_eq!(reader.due_ack(1_000), None);
        reader.consume(10, 0);
        assert_eq!(reader.due_ack(ACK_DELAY_MS - 1), None);
        assert_eq!(reader.ack_deadline(), Some(ACK_DELAY_MS));
        assert_eq!(reader.due_ack(ACK_DELAY_MS), Some(10));
        assert_eq!(reader.due_ack(ACK_DELAY_MS), None);
        reader.consume(ACK_BYTES, 60);
        assert_eq!(reader.due_ack(60), Some(10 + ACK_BYTES));
    }
}
