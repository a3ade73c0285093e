//! What the relay wants done. It decides; the shell ([`crate::object`]) does.
use bytes::Bytes;
use protocol::api::commands::{CommandResult, CommandStatus};
use protocol::api::health::Health;
use protocol::api::machines::Metrics;
use protocol::api::series::Series;
use protocol::ids::{CommandId, ObjectId, SessionId, StreamId};
use protocol::live::Topic;
use protocol::recording::Span;
use protocol::relay_contract::AskedCommand;
use protocol::terminal::Size;
use protocol::terminal::agent::LinuxUser;
use protocol::terminal::close::Close;
use protocol::terminal::command_record::CommandRecord;
use protocol::terminal::logins::Logins;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::jobs::JobNews;
use super::record::{Key, Record};
use super::rights::Question;
use super::services::Catalog;
use super::ssh::HostTrusted;
use super::strangers::Proof;

/// A socket of this object: unique among those that are open, also across the loss of the object's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Socket(pub u32);

/// One thing to do. Actions are done in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send a binary frame.
    Binary(Socket, Bytes),
    /// Send a text frame.
    Text(Socket, String),
    /// Send a text frame, unless so much of what was sent before has not left that whoever it is for is behind.
    Spare(Socket, String),
    /// Close a socket; the relay has forgotten it already.
    Close(Socket, Close),
    /// Attach [`super::RelayState::memory_of`] the socket to it, for the next time this object loses its memory. Not a write
    /// to storage.
    Remember(Socket),
    /// Write a record to storage.
    Save(Record),
    /// Remove a record from storage.
    Erase(Key),
    /// Keep the result of a command where it can be read, for as long as results are kept. In one transaction with what
    /// else is decided, such as to let the agent forget it.
    Keep(CommandId, CommandResult),
    /// Send a published client the result of a command that is kept.
    Answer(Socket, CommandId),
    /// Remove everything from storage.
    EraseAll,
    /// Tell the directory (D1).
    Notify(Notice),
    /// Tell the directory how the machine does. Nothing is kept until it has heard: what is lost is measured again.
    Tell(Figures),
    /// Tell those who have pages of the organization open that something has changed. Nothing depends on it.
    Announce(Topic),
    /// Put a part of a recording into the bucket, and call [`super::RelayState::stored`] with what came of it.
    Put(Chunk),
    /// Store records of commands, and call [`super::RelayState::commands_stored`] once that is done. If it fails, they come again.
    Log(Vec<CommandRecord>),
    /// Store logins that did not pass the edge, and call [`super::RelayState::logins_stored`] once that is done. If it fails, they come
    /// again.
    Logins(Logins),
    /// Store the services of a runner, and call [`super::RelayState::catalog_stored`] once that is done. If it fails, they come again.
    Catalog(Catalog),
    /// Store what a runner says of jobs, and call [`super::RelayState::tell_of_jobs`] with what there is to answer. If it fails, it is said
    /// again.
    Job(JobNews),
    /// Ask whose a socket is, and call [`super::RelayState::proven`] with the answer.
    Prove(Socket, Proof),
    /// Ask who may, and call [`super::RelayState::judged`] with the answer.
    Ask(Question),
}

/// A part of a recording. It may be put again, and is then the same or holds the same output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Whose output it has.
    pub stream: StreamId,
    /// Its name in the bucket.
    pub key: String,
    pub span: Span,
    /// Lines of asciicast v2.
    pub body: Bytes,
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has all that the shell wrote.
    Complete,
    /// It became too long, and ends before the shell did.
    Truncated,
    /// The agent was restarted or the machine deleted: it has what had reached the relay.
    Interrupted,
}

impl Outcome {
    /// The word that the directory keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Truncated => "truncated",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A fact for the directory. Each is idempotent; they are delivered in order, at least once. Times are in milliseconds since
/// the Unix epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Notice {
    /// The agent's link stands.
    AgentOnline {
        facts: Facts,
        /// Whether it tells of services. What another told of them before is gone.
        #[serde(default)]
        runner: bool,
        at: u64,
    },
    /// The agent's link is gone.
    AgentOffline { at: u64 },
    /// A session is over.
    SessionClosed {
        session_id: SessionId,
        /// Why, one word.
        reason: String,
        at: u64,
        /// The latest opening of its row that is over with it; a later one is not.
        #[serde(default)]
        opening: u32,
    },
    /// A session is recorded.
    RecordingStarted {
        recording: ObjectId,
        session_id: SessionId,
        /// Its output.
        stream: StreamId,
        /// Whose session it is.
        user: ObjectId,
        username: String,
        /// The terminal's size when it began.
        size: Size,
        at: u64,
    },
    /// All of a recording is in the bucket that will ever be.
    RecordingEnded {
        recording: ObjectId,
        at: u64,
        /// How long it plays.
        milliseconds: u64,
        /// How much the terminal wrote…
        output_bytes: u64,
        /// …and how much that is in the bucket.
        bytes: u64,
        outcome: Outcome,
        /// How the shell exited, if it did.
        exit_code: Option<i32>,
    },
    /// A command was asked for in a terminal's socket, and the agent was told of it.
    CommandAsked(AskedCommand),
    /// A command was handed to the agent.
    CommandSent { command_id: CommandId, at: u64 },
    /// A command waits for somebody to approve it. The directory's part of that is written by who has the rest of the rows.
    CommandAwaits { command_id: CommandId, error: String },
    /// A command has ended, or will never start: the one place where the rest of the product learns of it. Its output is kept here
    /// ([`Action::Keep`]) and is not told.
    CommandEnded {
        command_id: CommandId,
        status: CommandStatus,
        exit_code: Option<i32>,
        signal: Option<String>,
        error: Option<String>,
        truncated: bool,
        duration_ms: Option<u64>,
        at: u64,
    },
    /// Somebody was led to a host that nobody knew, whose key is trusted from now on.
    HostTrusted(HostTrusted),
    /// The sessions there are. Whatever else is listed of this machine, and was not opened just now, is over.
    Known { sessions: Vec<SessionId>, at: u64 },
}

protocol::tagged!(Notice, "notice");

impl Notice {
    /// What it changes for those who look.
    pub fn topic(&self) -> Topic {
        match self {
            Self::AgentOnline { .. } | Self::AgentOffline { .. } => Topic::Machines,
            Self::SessionClosed { .. }
            | Self::HostTrusted(_)
            | Self::Known { .. }
            | Self::RecordingStarted { .. }
            | Self::RecordingEnded { .. } => Topic::Sessions,
            Self::CommandAsked(_)
            | Self::CommandAwaits { .. }
            | Self::CommandSent { .. }
            | Self::CommandEnded { .. } => Topic::Commands,
        }
    }
}

/// How a machine does, for the directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    pub metrics: Metrics,
    /// When they were said, in milliseconds since the Unix epoch.
    pub at: u64,
    /// What was measured before, if the agent said that as well.
    pub history: Option<Series>,
    /// What they come to, if that may be news.
    pub health: Option<Health>,
}

/// What an agent says of its machine when it connects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub version: String,
    /// The machine's name for itself.
    pub hostname: String,
    /// Platform, version, architecture.
    pub os: String,
    /// The machine's own address.
    pub ip_address: String,
    /// Who shells run as.
    pub linux_user: LinuxUser,
    pub metadata: BTreeMap<String, String>,
}
