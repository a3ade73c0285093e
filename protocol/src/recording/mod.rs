//! Recordings of terminals: asciicast v2 in pieces, and what joins them again.
//!
//! A recording is a row of **chunks**, each an object of the bucket with whole lines of asciicast v2, so that all of them one
//! behind the other are the file. A chunk is named by the offset of its first byte in the session's output, and carries in its
//! metadata where it ends and when ([`Span`]): the bucket's own listing is the index.
//!
//! The relay writes them ([`Encoder`]); whoever reads gets events back ([`events`]), or the very bytes of the terminal
//! ([`output_between`]), or the lines of asciicast v3 ([`V3`]), or what players load to begin in the middle ([`Segment`]).
mod encode;
mod events;
mod header;
mod line;
mod playback;
mod span;
#[cfg(test)]
mod tests;
mod v3;

pub use encode::{Encoder, Part, event};
pub use events::{BadLine, Event, Events, Output, events, output_between};
pub use header::Header;
pub use playback::{LONGEST_PAUSE, Position, Segment};
pub use span::{Span, chain, key, prefix};
pub use v3::V3;

/// The binding of the bucket in `wrangler.toml`.
pub const BINDING: &str = "RECORDINGS";

/// Output in one chunk. A player loads one at a time; the agent of a machine whose disk is full waits for one.
pub const CHUNK_BYTES: u64 = 512 * 1024;

/// The subprotocol of a player that looks at a recording in the making.
pub const LIVE_SUBPROTOCOL: &str = "v2.asciicast";

/// The media type of the file.
pub const MEDIA_TYPE: &str = "application/x-asciicast";
