//! The frames of a terminal: our binary codec and control messages, the published frames, and close codes.
pub mod agent;
pub mod close;
pub mod command_record;
pub mod frame;
pub mod job_watch;
pub mod jobs;
pub mod limits;
pub mod logins;
pub mod presence;
pub mod published;
pub mod services;
pub mod sessions_v1;
pub mod ssh;
pub mod viewer;

use serde::{Deserialize, Serialize};

use crate::limits::TERMINAL_SIZE;

/// Version of both of our WebSocket protocols. A side accepts its own and the one before.
pub const PROTOCOL: u32 = 1;

/// The subprotocol of an agent's link.
pub const AGENT_SUBPROTOCOL: &str = "vsay.agent.v1";

/// The subprotocol of our own viewers.
pub const VIEWER_SUBPROTOCOL: &str = "vsay.stream.v1";

/// Keep-alive: this exact text is answered with [`PONG`] by the platform, without waking the relay.
pub const PING: &str = r#"{"type":"ping"}"#;

/// The answer to [`PING`].
pub const PONG: &str = r#"{"type":"pong"}"#;

/// Whether this side can talk to one that says `protocol`.
pub fn accepts_protocol(protocol: u32) -> bool {
    protocol == PROTOCOL || protocol + 1 == PROTOCOL && protocol > 0
}

/// A terminal's size in characters. Exists only within [`TERMINAL_SIZE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawSize")]
pub struct Size {
    /// Width.
    pub cols: u16,
    /// Height.
    pub rows: u16,
}

#[derive(Deserialize)]
struct RawSize {
    cols: i64,
    rows: i64,
}

impl TryFrom<RawSize> for Size {
    type Error = &'static str;

    fn try_from(raw: RawSize) -> Result<Self, &'static str> {
        Size::new(raw.cols, raw.rows).ok_or("cols and rows must be from 1 to 1000")
    }
}

impl Size {
    /// A size within bounds, or nothing.
    pub fn new(cols: i64, rows: i64) -> Option<Self> {
        let side = |n: i64| u16::try_from(n).ok().filter(|n| TERMINAL_SIZE.contains(n));
        Some(Self {
            cols: side(cols)?,
            rows: side(rows)?,
        })
    }
}

impl Default for Size {
    fn default() -> Self {
        let (cols, rows) = crate::limits::DEFAULT_SIZE;
        Self { cols, rows }
    }
}

/// How a shell ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExitStatus {
    /// The exit code, if it exited by itself.
    pub code: Option<i32>,
    /// The name of the signal that ended it, such as `SIGKILL`.
    pub signal: Option<String>,
    /// Why it was ended, if a limit did that: [`IDLE_TIMEOUT`](limits::IDLE_TIMEOUT); or that nobody knows how the shell ended, since the
    /// way to its host did: [`CONNECTION_LOST`](ssh::CONNECTION_LOST).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl ExitStatus {
    /// Whether it was ended because nobody typed for too long.
    pub fn is_idle(&self) -> bool {
        self.reason.as_deref() == Some(limits::IDLE_TIMEOUT)
    }

    /// Whether the connection to the host was lost that it ran on.
    pub fn is_lost(&self) -> bool {
        self.reason.as_deref() == Some(ssh::CONNECTION_LOST)
    }
}
