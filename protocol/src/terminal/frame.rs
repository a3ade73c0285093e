//! The binary frame: a 16-byte header and a payload. See `docs/streams.md`.
use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use crate::ids::StreamId;
use crate::limits::MAX_PAYLOAD;

/// Bytes before the payload.
pub const HEADER_LEN: usize = 16;

/// The largest frame there is.
pub const MAX_FRAME: usize = HEADER_LEN + MAX_PAYLOAD;

/// What a binary frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Terminal output; the offset is that of the first payload byte.
    Output = 1,
    /// Keystrokes; the offset is that of the first payload byte.
    Input = 2,
    /// Everything before the offset is consumed. No payload.
    Ack = 3,
    /// Leave to write; see [`Frame::credit`].
    Credit = 4,
    /// A piece of a screen snapshot at the offset.
    Snapshot = 5,
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Fewer bytes than a header.
    #[error("a binary frame has at least 16 bytes")]
    Short,
    /// More than [`MAX_FRAME`].
    #[error("a binary frame carries at most 65536 bytes")]
    TooLarge,
    /// An unknown kind.
    #[error("kind {0} is not known")]
    Kind(u8),
    /// A payload where there is none, none where there must be one, or one of the wrong size.
    #[error("the payload does not fit the kind")]
    Payload,
    /// An offset so large that the payload would pass the end of the number range.
    #[error("the offset is out of range")]
    Offset,
}

/// A decoded frame that keeps the bytes it came in, so that it can be forwarded without a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it carries.
    pub kind: Kind,
    /// Of which stream.
    pub stream: StreamId,
    /// Where in the stream.
    pub offset: u64,
    bytes: Bytes,
}

impl Frame {
    /// Builds a frame. `payload` must fit the kind and [`MAX_PAYLOAD`]; use [`Frame::split`] for more.
    pub fn new(kind: Kind, stream: StreamId, offset: u64, payload: &[u8]) -> Self {
        let mut bytes = BytesMut::with_capacity(HEADER_LEN + payload.len());
        bytes.put_u8(kind as u8);
        bytes.put_bytes(0, 3);
        bytes.put_u32(stream.0);
        bytes.put_u64(offset);
        bytes.put_slice(payload);
        Self {
            kind,
            stream,
            offset,
            bytes: bytes.freeze(),
        }
    }

    /// As many frames as `payload` needs, each within [`MAX_PAYLOAD`].
    pub fn split(kind: Kind, stream: StreamId, offset: u64, payload: &[u8]) -> impl Iterator<Item = Self> {
        payload.chunks(MAX_PAYLOAD).scan(offset, move |at, chunk| {
            let frame = Self::new(kind, stream, *at, chunk);
            *at += chunk.len() as u64;
            Some(frame)
        })
    }

    /// "Everything before `offset` is consumed."
    pub fn ack(stream: StreamId, offset: u64) -> Self {
        Self::new(Kind::Ack, stream, offset, &[])
    }

    /// "Required readers have acknowledged up to `acked`; the stream may grow to `acked + window`." `None` is no limit.
    pub fn credit(stream: StreamId, acked: u64, window: Option<u64>) -> Self {
        Self::new(Kind::Credit, stream, acked, &window.unwrap_or(u64::MAX).to_be_bytes())
    }

    /// Decodes and checks everything a frame promises.
    pub fn decode(bytes: Bytes) -> Result<Self, FrameError> {
        if bytes.len() > MAX_FRAME {
            return Err(FrameError::TooLarge);
        }
        let header = bytes.first_chunk::<HEADER_LEN>().ok_or(FrameError::Short)?;
        let [kind, _, _, _, s0, s1, s2, s3, o0, o1, o2, o3, o4, o5, o6, o7] = *header;
        let kind = match kind {
            1 => Kind::Output,
            2 => Kind::Input,
            3 => Kind::Ack,
            4 => Kind::Credit,
            5 => Kind::Snapshot,
            other => return Err(FrameError::Kind(other)),
        };
        let len = bytes.len() - HEADER_LEN;
        let fits = match kind {
            Kind::Output | Kind::Input => len > 0,
            Kind::Ack => len == 0,
            Kind::Credit => len == 8,
            Kind::Snapshot => true,
        };
        if !fits {
            return Err(FrameError::Payload);
        }
        let offset = u64::from_be_bytes([o0, o1, o2, o3, o4, o5, o6, o7]);
        offset.checked_add(len as u64).ok_or(FrameError::Offset)?;
        Ok(Self {
            kind,
            stream: StreamId(u32::from_be_bytes([s0, s1, s2, s3])),
            offset,
            bytes,
        })
    }

    /// The frame as it travels.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What follows the header.
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }

    /// The offset after the last payload byte.
    pub fn end(&self) -> u64 {
        self.offset + self.payload().len() as u64
    }

    /// The window of a credit frame, `None` for no limit; meaningless for other kinds.
    pub fn window(&self) -> Option<u64> {
        let window = self
            .payload()
            .first_chunk::<8>()
            .map(|bytes| u64::from_be_bytes(*bytes))?;
        (window != u64::MAX).then_some(window)
    }

    /// The part of a data frame at and after `from`: itself if it starts there, a copy of the rest if it starts before,
    /// nothing if all of it lies before `from` or it starts after.
    pub fn starting_at(&self, from: u64) -> Option<Self> {
        if self.offset == from {
            return Some(self.clone());
        }
        let skip = usize::try_from(from.checked_sub(self.offset)?).ok()?;
        let rest = self.payload().get(skip..).filter(|rest| !rest.is_empty())?;
        Some(Self::new(self.kind, self.stream, from, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_is_laid_out_as_documented() {
        let frame = Frame::new(Kind::Output, StreamId(0x0102_0304), 0x05, b"hi");
        assert_eq!(
            &frame.bytes()[..],
            &[1, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 5, b'h', b'i']
        );
        assert_eq!(frame.end(), 7);
    }

    #[test]
    fn a_credit_says_no_limit_with_all_ones() {
        let frame = Frame::decode(Frame::credit(StreamId(1), 9, None).bytes().clone()).unwrap();
        assert_eq!((frame.offset, frame.window()), (9, None));
        let frame = Frame::decode(Frame::credit(StreamId(1), 9, Some(3)).bytes().clone()).unwrap();
        assert_eq!(frame.window(), Some(3));
    }

    #[test]
    fn malformed_frames_are_refused_with_the_reason() {
        let decode = |bytes: &[u8]| Frame::decode(Bytes::copy_from_slice(bytes)).unwrap_err();
        assert_eq!(decode(&[]), FrameError::Short);
        assert_eq!(decode(&[1; 15]), FrameError::Short);
        assert_eq!(decode(&[9; 16]), FrameError::Kind(9));
        assert_eq!(
            decode(Frame::new(Kind::Output, StreamId(1), 0, &[]).bytes()),
            FrameError::Payload
        );
        assert_eq!(
            decode(Frame::new(Kind::Ack, StreamId(1), 0, b"x").bytes()),
            FrameError::Payload
        );
        assert_eq!(
            decode(Frame::new(Kind::Output, StreamId(1), u64::MAX, b"x").bytes()),
            FrameError::Offset
        );
        assert_eq!(decode(&vec![1; MAX_FRAME + 1]), FrameError::TooLarge);
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_a_frame_that_encodes_to_the_same_bytes_or_fail(data: Vec<u8>) {
            if let Ok(frame) = Frame::decode(Bytes::from(data.clone())) {
                prop_assert_eq!(&frame.bytes()[..], &data[..]);
                prop_assert_eq!(frame.end() - frame.offset, frame.payload().len() as u64);
            }
        }

        #[test]
        fn splitting_and_joining_gives_the_payload_back(len in 0usize..200_000) {
            let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut joined = Vec::new();
            for frame in Frame::split(Kind::Output, StreamId(1), 10, &payload) {
                prop_assert_eq!(frame.offset, 10 + joined.len() as u64);
                joined.extend_from_slice(frame.payload());
            }
            prop_assert_eq!(joined, payload);
        }

        #[test]
        fn a_part_of_a_frame_keeps_the_bytes_at_their_offsets(offset in 0u64..100, len in 1usize..50, from in 0u64..200) {
            let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let frame = Frame::new(Kind::Output, StreamId(1), offset, &payload);
            match frame.starting_at(from) {
                Some(part) => {
                    prop_assert_eq!(part.offset, from);
                    prop_assert_eq!(part.payload(), &payload[(from - offset) as usize..]);
                }
                None => prop_assert!(from < offset || from >= frame.end()),
            }
        }
    }
}
