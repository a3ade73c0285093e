//! What outlives the object's memory. Records are in its storage; memories are attached to sockets.
//!
//! Neither is written for a keystroke: records change when somebody comes or goes, memories when a reader has caught up.
use protocol::api::health::Health;
use protocol::api::machines::Metrics;
use protocol::ids::{AgentId, CommandId, JournalId, ObjectId, SessionId, StreamId, ViewerId};
use protocol::relay_contract::{AgentContext, StrangerContext, ViewerContext};
use protocol::terminal::command_record::within;
use protocol::terminal::limits::SessionLimits;
use protocol::terminal::ssh::{SshConnected, SshTarget};
use protocol::terminal::{ExitStatus, Size};
use serde::{Deserialize, Serialize};

/// The name of a record in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Machine,
    Session(StreamId),
    Reader(StreamId),
    Recorder(StreamId),
    Command(StreamId),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Machine => f.write_str("machine"),
            Self::Session(stream) => write!(f, "session/{stream}"),
            Self::Reader(input) => write!(f, "reader/{input}"),
            Self::Recorder(stream) => write!(f, "recorder/{stream}"),
            Self::Command(stream) => write!(f, "command/{stream}"),
        }
    }
}

/// One row of storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Record {
    /// The object itself.
    Machine(MachineRecord),
    Session(SessionRecord),
    /// A viewer's position in a session.
    Reader(ReaderRecord),
    /// How far a session's recording is in the bucket.
    Recorder(RecorderRecord),
    Command(CommandRecord),
}

protocol::tagged!(Record, "record");

impl Record {
    /// Where it is kept.
    pub fn key(&self) -> Key {
        match self {
            Self::Machine(_) => Key::Machine,
            Self::Session(record) => Key::Session(record.stream),
            Self::Reader(record) => Key::Reader(record.input),
            Self::Recorder(record) => Key::Recorder(record.stream),
            Self::Command(record) => Key::Command(record.stream),
        }
    }
}

/// Which machine this object relays for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRecord {
    /// The machine's row.
    pub machine: ObjectId,
    /// Its public name.
    pub agent_id: AgentId,
    /// The next stream number; none is used twice.
    pub next_stream: u32,
    /// Whether the directory was told that the agent is online, and not since that it is not.
    #[serde(default)]
    pub online: bool,
    /// Digests of the tokens that opened the last links, the newest last.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// When to ask about all rights again, if there is anybody to ask about.
    #[serde(default)]
    pub recheck_at: Option<u64>,
}

/// One shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Its output stream.
    pub stream: StreamId,
    /// Its name.
    pub session_id: SessionId,
    /// Whose it is.
    pub owner: ObjectId,
    /// The owner's name, for the agent's log.
    pub username: String,
    /// The size it was opened with; the agent knows the size it has now.
    pub size: Size,
    /// Whether it may gain privileges.
    pub allow_sudo: bool,
    /// How long it stays when nobody is attached, in milliseconds.
    pub keep_ms: u64,
    /// Since when nobody is attached, in milliseconds since the Unix epoch.
    pub empty_since: Option<u64>,
    pub phase: Phase,
    /// The commands whose results its client waits for, as they were kept before commands had records of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<StreamId>,
    /// The latest opening of its row that led somebody here.
    #[serde(default)]
    pub opening: u32,
    /// What it may do.
    #[serde(default)]
    pub limits: SessionLimits,
    /// On which other host it is; nothing for a shell of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshTarget>,
    /// Where that has led, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<SshConnected>,
}

/// How far a session's life has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Phase {
    /// The agent was asked for a shell, or will be.
    Opening,
    /// The shell runs.
    Running,
    /// The shell ended; somebody has not read all of it.
    Ended {
        /// The offset after its last byte.
        end: u64,
        status: ExitStatus,
    },
    /// The agent was restarted and the shell died with it.
    Lost,
}

protocol::tagged!(Phase, "phase");

/// A command that was not answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// The number it has for the agent.
    pub stream: StreamId,
    pub command_id: CommandId,
    /// What it is called.
    #[serde(default)]
    pub label: Label,
    /// For whom it is.
    pub answer_to: AnswerTo,
    pub progress: Progress,
    /// Whether somebody has to approve it.
    #[serde(default)]
    pub approval: Approval,
}

/// What became of the question whether a command may run, if its machine asked that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Nobody has asked.
    #[default]
    NotNeeded,
    /// It waits for somebody to approve it.
    Awaited,
    /// It was approved, and this proves it to the agent.
    Given(String),
}

/// What a command is called for those who look on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Who sent it, by name.
    pub by: String,
    /// How its text begins.
    pub command: String,
}

/// How much of its text a command is called by, in bytes: some lines of a page.
const LABEL: usize = 240;

impl Label {
    pub fn new(by: &str, command: &str) -> Self {
        Self {
            by: by.to_owned(),
            command: within(command, LABEL).to_owned(),
        }
    }
}

impl CommandRecord {
    /// One that a published client asked for in its session, and that the agent was told of.
    pub fn asked_for_in(
        session: StreamId,
        stream: StreamId,
        command_id: CommandId,
        label: Label,
        journal: Option<JournalId>,
        at: u64,
    ) -> Self {
        Self {
            stream,
            command_id,
            label,
            answer_to: AnswerTo::Session { session },
            progress: Progress::Sent {
                order: None,
                journal,
                at,
                stop: None,
                ended: false,
            },
            approval: Approval::NotNeeded,
        }
    }
}

/// Who gets a command's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum AnswerTo {
    /// The published client of a session, which is its output stream.
    Session { session: StreamId },
    /// Whoever asks the edge for it, which keeps it.
    Edge {
        /// Who sent it.
        user: ObjectId,
        /// When it will not be started any more, in milliseconds since the Unix epoch.
        until: u64,
        /// Whether it waits so long for an agent that is away.
        when_online: bool,
    },
}

protocol::tagged!(AnswerTo, "answer_to");

/// How far a command has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Progress {
    /// No agent was told of it.
    Waiting {
        /// What it will be told.
        order: Order,
    },
    /// An agent was told.
    Sent {
        /// The order, as long as an agent may have to be told again: one that never had it, or that wants it approved.
        order: Option<Order>,
        /// Where that agent notes what it starts.
        journal: Option<JournalId>,
        /// When, in milliseconds since the Unix epoch.
        at: u64,
        /// Whether it was called off since.
        stop: Option<Stop>,
        /// Whether it has ended, and its result waits here for the client that asked for it.
        #[serde(default)]
        ended: bool,
    },
}

protocol::tagged!(Progress, "progress");

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The name of whoever wants it, for the agent's log.
    pub username: String,
    pub command: String,
    pub timeout_seconds: u32,
    /// Whether it may gain privileges.
    pub allow_sudo: bool,
    pub script: bool,
    /// What it may do.
    #[serde(default)]
    pub limits: SessionLimits,
}

/// Why a command was called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Somebody who may wanted it.
    Cancelled,
    /// The right to it was withdrawn.
    AccessRevoked,
}

/// A viewer's position in a session: its input stream, and where it was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderRecord {
    /// Its input stream.
    pub input: StreamId,
    /// The session's output stream.
    pub stream: StreamId,
    /// Who it is.
    pub viewer: ViewerId,
    /// Whether it may type, and so sets the pace.
    pub can_type: bool,
    /// Who it is, if the session is somebody else's. A guest sets no pace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<ObjectId>,
    /// Where it is. Stored under the name it had once: records outlive the version that wrote them.
    #[serde(rename = "place")]
    pub position: Position,
}

/// How far a session's recording is. It outlives its session until all of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecorderRecord {
    /// The session's output stream.
    pub stream: StreamId,
    /// The recording's row.
    pub recording: ObjectId,
    pub session_id: SessionId,
    /// Whose session it is.
    pub user: ObjectId,
    pub username: String,
    /// Its time 0, in milliseconds since the Unix epoch.
    pub started: u64,
    /// Everything before this offset is in the bucket…
    pub stored: u64,
    /// …where its last event is at this time, in milliseconds since it began…
    pub last: u64,
    /// …the terminal had this size then…
    pub size: Size,
    /// …and it has so many bytes.
    pub bytes: u64,
    /// Whether the directory was told of it.
    pub announced: bool,
}

/// Where a reader is. Its tag is as it was first stored, like the field that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Position {
    /// Connected. One without a socket was cut unheard, when this object died.
    Connected,
    /// Cut, after it had acknowledged this much.
    Cut { acked: u64 },
    /// Cut before it had anything. It comes back as a newcomer, but its input goes on where it stopped.
    Adrift,
}

protocol::tagged!(Position, "place");

/// What is attached to a socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Memory {
    Agent(AgentMemory),
    Viewer(ViewerMemory),
    Stranger(StrangerMemory),
}

protocol::tagged!(Memory, "socket");

/// What is attached to the agent's socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentMemory {
    /// Whose link it is.
    pub context: AgentContext,
    /// Whether it has said hello.
    pub greeted: bool,
    /// Where it notes which commands it starts, if it does.
    #[serde(default)]
    pub journal: Option<JournalId>,
    /// Whether it measures when it is told to.
    #[serde(default)]
    pub pulled: bool,
    /// Whether it has services, and was asked to tell of them.
    #[serde(default)]
    pub services: bool,
    /// Whether it has Ansible run playbooks.
    #[serde(default)]
    pub playbooks: bool,
    /// Whether it opens shells on other hosts.
    #[serde(default)]
    pub ssh: bool,
    /// Whether it holds to policies…
    #[serde(default)]
    pub policed: bool,
    /// …whether those of its machine say anything…
    #[serde(default)]
    pub restricted: bool,
    /// …and what it was told of them, as a digest; nothing before it was.
    #[serde(default)]
    pub told_policies: Option<u64>,
    /// The last figures it said…
    pub latest: Option<Metrics>,
    /// …when, in milliseconds since the Unix epoch…
    #[serde(default)]
    pub measured_at: Option<u64>,
    /// …and what they come to.
    #[serde(default)]
    pub health: Health,
    /// The figures last written to the directory, and when.
    pub written: Option<(Metrics, u64)>,
    /// How often it was told to say how its machine does.
    #[serde(default)]
    pub watches: Vec<Watch>,
    /// The last sign of life, in milliseconds since the Unix epoch.
    pub last_seen: u64,
}

/// What an agent was told of how often to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// In seconds.
    pub every: u32,
    /// Until when, in milliseconds since the Unix epoch.
    pub until: u64,
}

/// What a viewer's socket waits for, as far as that outlives memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Awaits {
    /// Its hello, or the shell.
    Shell {
        /// Up to where it has the output; nothing for a newcomer.
        received: Option<u64>,
    },
    /// A screen snapshot. Stored under the name it had once: sockets outlive the version that wrote it.
    #[serde(rename = "picture")]
    Snapshot {
        /// The first byte it will not get, if it was reading already.
        gap_from: Option<u64>,
    },
    /// Nothing: output goes to it.
    Nothing { acked: u64 },
}

protocol::tagged!(Awaits, "awaits");

/// What is attached to a socket that has not said whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrangerMemory {
    /// Where it wants to go.
    pub context: StrangerContext,
    /// When it connected, in milliseconds since the Unix epoch.
    pub since: u64,
}

/// What is attached to a viewer's socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerMemory {
    /// Whose socket it is.
    pub context: ViewerContext,
    /// When it connected, in milliseconds since the Unix epoch.
    pub since: u64,
    /// Its position, once it has said hello.
    pub input: Option<StreamId>,
    pub awaits: Awaits,
    /// The next offset of the input that the relay itself writes for a published client.
    pub typed: u64,
    /// When it last became the one who types, in milliseconds since the Unix epoch.
    #[serde(default)]
    pub typed_at: u64,
    /// Whether it wants to know of commands.
    #[serde(default)]
    pub commands: bool,
    /// Whether it wants to know who is there.
    #[serde(default)]
    pub presence: bool,
}
