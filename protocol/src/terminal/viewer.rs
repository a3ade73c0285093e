//! Control messages between our own viewers (browser, CLI) and the relay: `vsay.stream.v1`.
use serde::{Deserialize, Serialize};

use super::presence::Presence;
use super::{ExitStatus, Size};
use crate::api::commands::CommandStatus;
use crate::ids::{CommandId, SessionId, StreamId, ViewerId};

/// What a viewer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum FromViewer {
    /// The first frame.
    Hello {
        /// The protocol number the viewer speaks.
        protocol: u32,
        /// Who it is, kept over reconnects.
        viewer: ViewerId,
        /// Up to where it has the output; nothing for a newcomer.
        received: Option<u64>,
        /// Its size.
        #[serde(flatten)]
        size: Size,
        /// Whether it wants to know of commands that run on the machine.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        commands: bool,
        /// Whether it wants to know who is at the terminal.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        presence: bool,
    },
    /// Its size changed.
    Resize {
        /// The new size.
        #[serde(flatten)]
        size: Size,
    },
    /// Keep-alive that missed the exact text the platform answers.
    Ping,
}

crate::tagged!(FromViewer, "type");

/// What the relay says to a viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToViewer {
    /// The shell is there.
    Attached {
        /// The protocol number the relay will speak.
        protocol: u32,
        /// The session's name.
        session_id: SessionId,
        /// The output stream.
        stream: StreamId,
        /// The viewer's input stream.
        input: StreamId,
        /// Input before this offset has reached the terminal.
        applied: u64,
        /// Output follows at this offset.
        offset: u64,
        /// Where the output ends now. A newcomer to a terminal that has written something gets a snapshot first.
        end: u64,
        /// The terminal's size now.
        #[serde(flatten)]
        size: Size,
        /// Who set it: the name of the one who typed last.
        #[serde(default)]
        sized_by: Option<String>,
        /// Whether input is accepted.
        can_type: bool,
        /// Whether output goes on where this viewer stopped.
        resumed: bool,
    },
    /// The agent went away or came back.
    Agent {
        /// Whether it is connected now.
        online: bool,
    },
    /// Send input again from here.
    ResumeInput {
        /// Input before this offset has reached the terminal.
        applied: u64,
    },
    /// Snapshot frames follow.
    Snapshot {
        /// The offset they stand for.
        offset: u64,
        /// The size at which they are to be drawn. A terminal of another size takes this one for as long.
        #[serde(flatten)]
        size: Size,
    },
    /// Output that is no longer in the log.
    Gap {
        /// The first byte that is missing.
        from: u64,
        /// The first byte that is not.
        to: u64,
    },
    /// The terminal has a new size, or another sets it.
    Resized {
        /// The size it has now.
        #[serde(flatten)]
        size: Size,
        /// Who set it: the name of the one who typed last.
        #[serde(default)]
        by: Option<String>,
    },
    /// Who is at the terminal now, whoever hears it included. The owner first, then by name.
    Presence {
        /// They.
        people: Vec<Presence>,
    },
    /// The shell ended.
    Exit {
        /// How.
        #[serde(flatten)]
        status: ExitStatus,
    },
    /// A command without a terminal runs on the machine. Some of these may be missing to a viewer that is behind.
    CommandRunning {
        /// Which.
        command_id: CommandId,
        /// Who sent it, by name.
        by: String,
        /// How its text begins.
        command: String,
        /// The number of this part of its output, from 0.
        part: u32,
        /// What it wrote there since the part before.
        stdout: String,
        /// The same.
        stderr: String,
    },
    /// A command without a terminal has ended.
    CommandEnded {
        /// Which.
        command_id: CommandId,
        /// Who sent it, by name.
        by: String,
        /// How its text begins.
        command: String,
        /// How it ended.
        status: CommandStatus,
        /// Its exit code, if it has one.
        exit_code: Option<i32>,
        /// The signal that ended it, such as `SIGKILL`.
        signal: Option<String>,
        /// Why there is no exit code, for people.
        error: Option<String>,
        /// How what it wrote there ends.
        stdout: String,
        /// The same.
        stderr: String,
    },
    /// A frame was refused; the connection lives.
    Error {
        /// For people.
        error: String,
        /// For programs.
        code: String,
    },
    /// The last frame before the relay closes.
    Disconnect {
        /// For people.
        reason: String,
        /// For programs.
        code: String,
    },
    /// Answer to a ping.
    Pong,
}
