//! Bounds that more than one part must know. A bound that only one part knows lives in that part.

/// Largest payload of one binary frame, and largest text frame of a viewer (`docs/streams.md`).
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// Largest text frame on the agent link. A report of [`MAX_STREAMS`] streams is about 50 KiB; four times that leaves
/// room for several typists on each.
pub const MAX_AGENT_TEXT: usize = 256 * 1024;

/// What an agent tells of a screen for a recording, in bytes as JSON writes it: a terminal of 200 columns and 50 lines in many colours,
/// and less than half of [`MAX_AGENT_TEXT`]. A larger one is left out, and one cannot begin to play there.
pub const MAX_SCREEN: usize = 96 * 1024;

/// Shells open on one machine at once. Each may hold [`LOG_CAPACITY`] on the machine's disk, so this bounds that at 16 GiB
/// in the worst case and at a few MiB in the usual one.
pub const MAX_STREAMS: usize = 256;

/// Commands without a terminal that run on one machine at once, or have ended and wait for their client. Each holds two
/// times [`MAX_COMMAND_OUTPUT`] of the agent's memory at most.
pub const MAX_COMMANDS: usize = 16;

/// What is kept of each of a command's two outputs, in bytes as JSON writes them: both then fit [`MAX_AGENT_TEXT`]. Longer
/// output belongs into a terminal, which loses none.
pub const MAX_COMMAND_OUTPUT: usize = 96 * 1024;

/// What one part has at most of each of a command's two outputs, in bytes as JSON writes them, while the command runs: as a key's echo
/// may be behind two of them on a link, that is a few milliseconds of a slow one.
pub const MAX_COMMAND_PART: usize = 16 * 1024;

/// Longest text of a command, in bytes. Linux takes half as much again as one argument, and a record of it fits any storage.
pub const MAX_COMMAND: usize = 64 * 1024;

/// Commands that wait at the edge for one machine. Their texts are 4 MiB at most.
pub const MAX_WAITING_COMMANDS: usize = 64;

/// How many seconds a command may run (contract of the published API).
pub const COMMAND_SECONDS: std::ops::RangeInclusive<u32> = 1..=300;

/// How many seconds the script of a new machine may run: as long as it takes to install what a machine is for.
pub const SCRIPT_SECONDS: u32 = 3600;

/// How far a stream may run ahead of the slowest connected typist. It bounds what the relay and the platform's socket
/// buffers hold for one typist, and allows 10 MB/s at a round trip of 100 ms.
pub const LIVE_WINDOW: u64 = 1024 * 1024;

/// How much output a read-only watcher may have unacknowledged before it stops receiving live bytes. A hundred stalled
/// watchers then hold 25 MiB of the relay's memory, which is 128 MB in all on the platform.
pub const WATCHER_WINDOW: u64 = 256 * 1024;

/// What the agent's log of one stream holds, and so how far a stream may run ahead of a typist whose connection was cut.
pub const LOG_CAPACITY: u64 = 64 * 1024 * 1024;

/// How far a stream may run ahead of its recorder: three quarters of the log. A bucket that is slow or fails delays nobody
/// before that; the last quarter is for what is in flight, so that nothing leaves the log unrecorded.
pub const RECORDER_WINDOW: u64 = LOG_CAPACITY / 4 * 3;

/// How much input a viewer may have sent and not seen acknowledged. A paste larger than this waits at the viewer.
pub const INPUT_WINDOW: u64 = 256 * 1024;

/// A reader acknowledges at the latest after this many consumed bytes…
pub const ACK_BYTES: u64 = 64 * 1024;

/// …or this long after it consumed the first unacknowledged one.
pub const ACK_DELAY_MS: u64 = 50;

/// Bounds of a terminal's width and height, both inclusive (contract of the published terminal socket).
pub const TERMINAL_SIZE: std::ops::RangeInclusive<u16> = 1..=1000;

/// The size of a terminal whose client did not say.
pub const DEFAULT_SIZE: (u16, u16) = (80, 24);

/// Length of an opaque object id in hex characters: the first 96 bits of a UUIDv7.
pub const OBJECT_ID_LEN: usize = 24;

/// Longest session id a client may choose.
pub const MAX_SESSION_ID: usize = 128;
