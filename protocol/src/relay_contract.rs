//! The contract between the Worker and the relay (the Durable Object of one machine). The Worker has decided who may do
//! what before it speaks to the relay; the relay trusts these bodies and asks nobody.
use serde::{Deserialize, Serialize};

use crate::api::command_policy::Policies;
use crate::api::commands::{CommandResult, CommandStatus};
use crate::api::health::{Health, Thresholds};
use crate::api::machines::Metrics;
use crate::ids::{AgentId, BootId, CommandId, JobId, ObjectId, SessionId};
use crate::terminal::Size;
use crate::terminal::agent::Described;
use crate::terminal::limits::SessionLimits;
use crate::terminal::services::{Answer, Ask};
use crate::terminal::ssh::SshTarget;

/// The name of the Durable Object binding.
pub const BINDING: &str = "RELAY";

/// The header that carries an [`AgentContext`] or [`ViewerContext`] as JSON on an upgrade. The Worker sets it; one that a
/// client sent is overwritten.
pub const CONTEXT_HEADER: &str = "x-relay-context";

/// The agent is to replace its key: POST of [`RotateKey`], answered with whether it is there.
pub const ROTATE_KEY_PATH: &str = "/rotate-key";

/// The header with the id of the request for which the object is asked: its log lines name it, as the Worker's do.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// Upgrade of an agent's link, with [`AgentContext`].
pub const AGENT_PATH: &str = "/agent";

/// Upgrade of a viewer's socket, with [`ViewerContext`].
pub const VIEWER_PATH: &str = "/viewer";

/// Upgrade of a socket whose first frame is to say whose it is, with [`StrangerContext`].
pub const STRANGER_PATH: &str = "/stranger";

/// `POST` [`AskStatus`]: answers [`Status`].
pub const STATUS_PATH: &str = "/status";

/// `POST` [`Thresholds`]: the machine's thresholds have changed; answers 204.
pub const THRESHOLDS_PATH: &str = "/thresholds";

/// `GET`: answers a list of [`LiveSession`], once the agent has said what its shells do, or does not say it in time.
pub const SESSIONS_PATH: &str = "/sessions";

/// `POST` [`NamedSession`]: ends one session; answers 204, also when it was over.
pub const CLOSE_PATH: &str = "/close";

/// `POST` [`NamedSession`]: who is at a session; answers a list of [`Presence`](crate::terminal::presence::Presence), empty if
/// there is no such session.
pub const PRESENCE_PATH: &str = "/presence";

/// `POST`: a right, a sign-in or the machine's key may have been withdrawn. The relay looks at the rights of all it has again,
/// ends what has none any more, and answers 204 then.
pub const RECHECK_PATH: &str = "/recheck";

/// `POST`: the machine was deleted or revoked. Ends every session and the agent's link, and erases the object's storage.
pub const DESTROY_PATH: &str = "/destroy";

/// `POST` [`RunCommand`]: takes a command; answers [`CommandAnswer`]. Taking one that is known changes nothing.
pub const COMMAND_PATH: &str = "/command";

/// `POST` [`NamedCommand`]: calls a command off; answers 204, also when it was over.
pub const CANCEL_COMMAND_PATH: &str = "/command/cancel";

/// `POST` [`NamedCommand`]: answers the [`CommandResult`], or `null` if there is none, or none any more.
pub const COMMAND_RESULT_PATH: &str = "/command/result";

/// `POST` [`DecideCommand`]: a command that waits for approval was approved or rejected; answers 204, also when it waits no more.
pub const DECIDE_COMMAND_PATH: &str = "/command/decide";

/// `POST` [`AskRunner`]: has the machine's agent do something with a service. A part of a file is answered as its bytes, with [`FilePart`]
/// in [`PART_HEADER`]; whatever else has come of it as [`RunnerAnswer`].
pub const SERVICE_PATH: &str = "/service";

/// The header with a [`FilePart`] as JSON.
pub const PART_HEADER: &str = "x-file-part";

/// `POST` [`StartJob`](crate::terminal::jobs::StartJob), whose row is written: answers [`RunnerAnswer`], which is done when it runs.
pub const START_JOB_PATH: &str = "/job";

/// `POST` [`CancelJob`]: calls a job off; answers 204, also when it is over or the runner is away.
pub const CANCEL_JOB_PATH: &str = "/job/cancel";

/// `POST` [`NamedJob`]: there is more of a job of the edge, for those who watch it here; answers 204.
pub const JOB_NEWS_PATH: &str = "/job/news";

/// Upgrade of the socket of somebody who watches a job, with [`WatchContext`].
pub const WATCH_PATH: &str = "/job/watch";

/// The name of the object that relays for a machine.
pub fn object_name(machine: &ObjectId) -> &str {
    machine.as_str()
}

/// The agent whose token the Worker verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentContext {
    /// The machine's row.
    pub machine: ObjectId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// The public key that its token was verified with.
    #[serde(default)]
    pub key: String,
    /// Which run of the agent it is, if it said so.
    #[serde(default)]
    pub boot: Option<BootId>,
    /// A digest of its token, which opens one link and no second.
    #[serde(default)]
    pub token: String,
    /// What its machine's figures are judged by.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// What commands may run there, as it was when the key was looked at again. Too much for what is kept of a socket, so it is not known
    /// any more once the object has lost its memory.
    #[serde(skip)]
    pub policies: Option<Box<Policies>>,
}

/// Who asks how a machine does, and so how often its agent is to say it from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interest {
    /// Whoever reads the API: every `HEARTBEAT_SECONDS` for a quarter of an hour.
    Reader,
    /// A page that shows the machine and asks again while it does: every few seconds.
    Page,
}

/// The question how a machine does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskStatus {
    /// For whom; nobody, if only the link is of interest.
    pub interest: Option<Interest>,
}

/// How a viewer's socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `vsay.stream.v1`.
    Stream,
    /// The published JSON frames of `/api/terminal`.
    Published,
    /// The published socket with `format=raw`: output as binary frames and nothing else.
    Raw,
    /// The published JSON frames of `/v1/sessions`.
    SessionsV1,
    /// The published JSON frames of terminals on other hosts, by SSH.
    Ssh,
    /// `v2.asciicast`, as players of recordings speak it: a header, and an event in each text frame. It only looks.
    Cast,
}

/// A viewer whose access the Worker has checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerContext {
    /// The machine's row.
    pub machine: ObjectId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// Who is watching.
    pub user: ObjectId,
    /// By which name.
    pub username: String,
    /// What it proved itself by.
    #[serde(flatten)]
    pub proof: SignIn,
    /// Which session to attach to, or to start if there is none of that name.
    pub session: SessionId,
    /// How often the session's row was opened, this time included: an end that is told late closes no later opening.
    #[serde(default)]
    pub opening: u32,
    /// The viewer's size.
    pub size: Size,
    /// How the socket speaks.
    pub dialect: Dialect,
    /// Whether it may type.
    pub can_type: bool,
    /// Whether it was invited to a session of somebody else's. Then it starts none, and is shown that terminal and nothing else of
    /// the machine.
    #[serde(default)]
    pub guest: bool,
    /// Whether a shell started for it may gain privileges.
    pub allow_sudo: bool,
    /// The recording of a session that begins with it; nothing if sessions of the organization are not recorded.
    #[serde(default)]
    pub recording: Option<ObjectId>,
    /// What a session that begins with it may do.
    #[serde(default)]
    pub limits: SessionLimits,
    /// On which other host a session that begins with it is; nothing for a shell of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshTarget>,
    /// In words, why it gets no session: a browser reads no answer that refuses an upgrade, so the socket opens and says it.
    #[serde(default)]
    pub refusal: Option<String>,
}

/// A socket of which nothing is known but where it wants to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrangerContext {
    /// The machine's row.
    pub machine: ObjectId,
    /// Which session to attach to.
    pub session: SessionId,
    /// From which network address it came; empty if that is not known.
    #[serde(default)]
    pub address: String,
}

/// What somebody proved itself by, and what withdraws it: the sign-in or key itself, and what ends all tokens of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The sign-in or key.
    #[serde(default)]
    pub sign_in: String,
    /// The token version of its account when the token was issued; nothing for a key.
    #[serde(default)]
    pub token_version: Option<i64>,
    /// When the key expires, in milliseconds since the Unix epoch.
    #[serde(default)]
    pub until: Option<u64>,
    /// From which network address it came; empty if that is not known. Organizations may let some networks in and no others.
    #[serde(default)]
    pub address: String,
}

/// The agent is asked to replace its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotateKey {
    /// What proves to the Worker that it was asked.
    pub challenge: String,
}

/// A session by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSession {
    /// Which.
    pub session: SessionId,
}

/// A command whose row the Worker has written, so that it can be asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCommand {
    /// The machine's row.
    pub machine: ObjectId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// Its row.
    pub command_id: CommandId,
    /// Who wants it.
    pub user: ObjectId,
    /// By which name.
    pub username: String,
    /// What bash is to run.
    pub command: String,
    /// After how many seconds it is killed.
    pub timeout_seconds: u32,
    /// Whether it may gain privileges.
    pub allow_sudo: bool,
    /// Whether it is a script: it ends at the first command that fails.
    pub script: bool,
    /// Whether it waits for an agent that is not there.
    pub when_online: bool,
    /// Whether the answer is to wait for the result.
    pub wait: bool,
    /// What it may do.
    #[serde(default)]
    pub limits: SessionLimits,
}

/// A command that a published client had run in its session's socket. The relay has started it, and tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedCommand {
    /// Its row's name.
    pub command_id: CommandId,
    /// In which session.
    pub session_id: SessionId,
    /// Who wants it.
    pub user: ObjectId,
    /// What bash runs.
    pub command: String,
    /// After how many seconds it is killed.
    pub timeout_seconds: u32,
    /// Whether it may gain privileges.
    pub allow_sudo: bool,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
}

/// What became of a command that the relay was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum CommandAnswer {
    /// It is known, and has not ended.
    Pending {
        /// `queued` or `sent`.
        status: CommandStatus,
    },
    /// It has ended.
    Ended {
        /// How.
        result: CommandResult,
    },
    /// The agent is not there, and the command does not wait for it.
    Offline,
    /// Too many are running, or waiting.
    Busy {
        /// How many may.
        limit: usize,
    },
}

crate::tagged!(CommandAnswer, "answer");

/// A command by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCommand {
    /// Which.
    pub command_id: CommandId,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedJob {
    /// Which.
    pub job: JobId,
}

/// A job that somebody calls off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelJob {
    /// Which.
    pub job: JobId,
    /// Who.
    pub username: String,
}

/// How somebody who watches a job is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Telling {
    /// As JSON frames, as they come.
    Frames,
    /// As texts of events, each when it says, in lines, how much it has.
    Events,
}

/// Somebody who watches a job, and whose rights the Worker has looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchContext {
    /// Which job.
    pub job: JobId,
    /// Who.
    pub user: ObjectId,
    /// What it proved itself by.
    pub proof: SignIn,
    /// How many lines it has.
    pub from: u64,
    /// How it is told.
    pub telling: Telling,
}

/// What somebody who may has decided of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideCommand {
    /// Which.
    pub command_id: CommandId,
    /// What proves to the agent that it was approved; nothing if it was rejected.
    pub approval: Option<String>,
    /// Who rejected it and why, for people.
    pub error: String,
}

/// Something that a runner is to do for somebody who may have it done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRunner {
    /// The directory of the service.
    pub service: String,
    /// What. A list and a file are answered as far as is good for one answer, whatever the agent answers at once.
    pub ask: Ask,
}

/// What has become of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum RunnerAnswer {
    /// It has answered.
    Answered {
        /// What.
        answer: Answer,
    },
    /// It is not connected, or is no runner, and was asked nothing.
    Offline,
    /// It was asked and did not answer in time, or its link was lost: what it was to do may be done.
    Silent,
}

crate::tagged!(RunnerAnswer, "runner");

/// What is known of a file besides some of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// How long all of it is.
    pub size: u64,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub modified_ms: u64,
    /// What changes when the file does.
    pub version: String,
}

/// What the relay knows of its machine now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether the agent's link stands.
    pub connected: bool,
    /// The last figures of the agent that is connected, if it said any.
    pub metrics: Option<Metrics>,
    /// When they were said, in milliseconds since the Unix epoch.
    #[serde(default)]
    pub metrics_at_ms: Option<u64>,
    /// What they come to.
    #[serde(default)]
    pub health: Health,
    /// Milliseconds since the Unix epoch of the last sign of life, if known.
    pub last_seen_ms: Option<u64>,
}

/// What the relay and the agent know of a session now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveSession {
    /// Which.
    pub session: SessionId,
    /// The terminal's size.
    pub size: Size,
    /// Who looks at it.
    pub viewers: Vec<LiveViewer>,
    /// When the terminal last wrote something, in milliseconds since the Unix epoch, if it did since the object woke.
    pub last_output_ms: Option<u64>,
    /// The terminal's title, the command that runs and the directory; nothing if the agent did not say.
    pub described: Option<Described>,
}

/// Somebody who looks at a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveViewer {
    /// By which name.
    pub username: String,
    /// Whether it may type.
    pub can_type: bool,
}
