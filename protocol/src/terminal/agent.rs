//! Control messages between an agent and the relay: `vsay.agent.v1`.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command_record::CommandRecord;
use super::jobs::{JobEnd, JobOutput, StartJob};
use super::limits::SessionLimits;
use super::logins::Logins;
use super::services::{Answer, Ask, CatalogPart};
use super::ssh::{SshConnected, SshTarget};
use super::{ExitStatus, Size};
use crate::api::command_policy::Policies;
use crate::api::facts;
use crate::api::health::Thresholds;
use crate::api::machines::Metrics;
use crate::api::series::Series;
use crate::ids::{AgentId, BootId, JobId, JournalId, ObjectId, SessionId, StreamId};

/// One open shell, as the agent knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its output stream.
    pub stream: StreamId,
    /// The session it belongs to.
    pub session_id: SessionId,
    /// The first offset still in the log.
    pub start: u64,
    /// The offset after the last byte written.
    pub end: u64,
    /// Its size.
    #[serde(flatten)]
    pub size: Size,
    /// Its typists.
    pub inputs: Vec<InputReport>,
    /// How it ended, if it did.
    pub exit: Option<ExitStatus>,
}

/// Longest title that is told of, in bytes as JSON writes it…
pub const MAX_TITLE: usize = 160;

/// …longest command…
pub const MAX_RUNNING: usize = 320;

/// …and longest directory: [`MAX_STREAMS`](crate::limits::MAX_STREAMS) shells with the longest of all fit
/// [`MAX_AGENT_TEXT`](crate::limits::MAX_AGENT_TEXT).
pub const MAX_FOLDER: usize = 320;

/// What a shell does at a moment, for people: on one line each, and cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Its output stream.
    pub stream: StreamId,
    /// The terminal's title, as programs have set it.
    pub title: String,
    /// The command that runs at its prompt; none while it waits for one, and if its hooks do not work.
    pub command: Option<String>,
    /// Its directory; empty where the system does not say.
    pub cwd: String,
}

impl Described {
    /// The same within bounds, whoever said it.
    pub fn within_bounds(self) -> Self {
        Self {
            stream: self.stream,
            title: line(&self.title, MAX_TITLE),
            command: self.command.map(|command| line(&command, MAX_RUNNING)),
            cwd: line(&self.cwd, MAX_FOLDER),
        }
    }
}

/// The beginning of a text, on one line: what JSON writes with more than a backslash before it becomes a space.
fn line(text: &str, max: usize) -> String {
    let mut left = max;
    let fits = |c: &char| {
        let len = c.len_utf8() + usize::from(matches!(c, '"' | '\\'));
        left.checked_sub(len).map(|rest| left = rest).is_some()
    };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).take_while(fits).collect()
}

/// How far one typist's input has reached the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputReport {
    /// The input stream.
    pub input: StreamId,
    /// Everything before this offset was written to the terminal.
    pub applied: u64,
}

/// The operating-system account that shells run as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinuxUser {
    /// Login name.
    #[serde(deserialize_with = "facts::text")]
    pub username: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home_dir: String,
    /// Login shell.
    pub shell: String,
}

/// Why there is no result of a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoResult {
    /// It could not be run.
    #[default]
    NotRun,
    /// There is no note of it: by this agent's journal, it was never started.
    NotKnown,
    /// It was started, and the agent ended before it did.
    Lost,
    /// The policies are against it.
    Refused,
    /// By the policies somebody has to approve it first.
    NeedsApproval,
}

impl NoResult {
    fn is_not_run(&self) -> bool {
        *self == Self::NotRun
    }
}

/// What an agent says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "a hello is said once per connection and never kept"
)]
pub enum FromAgent {
    /// The first frame.
    Hello {
        /// The protocol number the agent speaks.
        protocol: u32,
        /// This run of the agent.
        boot: BootId,
        /// The agent's version.
        #[serde(deserialize_with = "facts::text")]
        version: String,
        /// The machine's name for itself.
        #[serde(deserialize_with = "facts::text")]
        hostname: String,
        /// Platform, version and architecture, such as `Debian 12 x86_64`.
        #[serde(deserialize_with = "facts::text")]
        os: String,
        /// The machine's own address.
        #[serde(deserialize_with = "facts::text")]
        ip_address: String,
        /// Who shells run as.
        linux_user: LinuxUser,
        /// Free facts, shown on the machine's page.
        #[serde(deserialize_with = "facts::metadata")]
        metadata: BTreeMap<String, String>,
        /// The shells that are open.
        streams: Vec<Report>,
        /// The commands that run, or whose result nobody has taken.
        commands: Vec<StreamId>,
        /// Where it notes which commands it has started, before it starts them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        journal: Option<JournalId>,
        /// Whether it measures when it is told to (`watch`), and keeps what it measures meanwhile (`history`). One of before sends a
        /// `heartbeat` as often as `welcome` says.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pulled_metrics: bool,
        /// Whether it holds to `policies`. One of before runs whatever it is told to.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        policies: bool,
        /// Whether it is a runner: it has a services directory, tells of it (`catalog`), and does what it is asked to (`service`).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        services: bool,
        /// Whether it has Ansible run playbooks. A runner of before has bash run whatever it is told to.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        playbooks: bool,
        /// Whether it opens shells by SSH. One of before would open one of its own instead.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ssh: bool,
    },
    /// The shells that are open, because the relay asked.
    Report {
        /// All of them.
        streams: Vec<Report>,
        /// The commands that run, or whose result nobody has taken.
        commands: Vec<StreamId>,
    },
    /// The shell of an `open` runs.
    Opened {
        /// Which.
        stream: StreamId,
    },
    /// Where the `ssh` of an `open` has led; `opened` follows.
    SshConnected {
        /// Which.
        stream: StreamId,
        /// Where.
        #[serde(flatten)]
        connected: SshConnected,
    },
    /// The shell of an `open` could not be started.
    OpenFailed {
        /// Which.
        stream: StreamId,
        /// Why, for people.
        error: String,
    },
    /// A shell ended; its log stays until `forget`.
    Exited {
        /// Which.
        stream: StreamId,
        /// The offset after its last byte.
        end: u64,
        /// How.
        #[serde(flatten)]
        status: ExitStatus,
    },
    /// What a `read` asked for is no longer in the log.
    Missing {
        /// Of which stream.
        stream: StreamId,
        /// Where the read began.
        from: u64,
        /// Where the log begins.
        start: u64,
    },
    /// The frames of a snapshot follow.
    Snapshot {
        /// Of which stream.
        stream: StreamId,
        /// The size at which they are to be drawn.
        #[serde(flatten)]
        size: Size,
    },
    /// What a terminal shows, for its recording: all output before this was sent.
    Screen {
        /// Which.
        stream: StreamId,
        /// After which output.
        offset: u64,
        /// The size at which it is.
        #[serde(flatten)]
        size: Size,
        /// Escape sequences that draw it, without what has scrolled away; at most [`MAX_SCREEN`](crate::limits::MAX_SCREEN).
        screen: String,
    },
    /// What a command that runs has written since the part before. Only after a `welcome` with `command_output`; the result has
    /// all of it.
    Running {
        /// Which.
        stream: StreamId,
        /// The number of this part, from 0.
        part: u32,
        /// What it wrote there, at most [`MAX_COMMAND_PART`](crate::limits::MAX_COMMAND_PART).
        stdout: String,
        /// What it wrote there, with the same bound.
        stderr: String,
    },
    /// A command ended, or was ended; its result stays until `forget`.
    Ran {
        /// Which.
        stream: StreamId,
        /// What it wrote there, at most [`MAX_COMMAND_OUTPUT`](crate::limits::MAX_COMMAND_OUTPUT).
        stdout: String,
        /// What it wrote there, with the same bound.
        stderr: String,
        /// Whether one of the two was longer.
        truncated: bool,
        /// Whether it ran out of time and was killed.
        timed_out: bool,
        /// How long it ran, in milliseconds, if the agent says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u64>,
        /// How it ended.
        #[serde(flatten)]
        status: ExitStatus,
    },
    /// There is no result of a command, and there will be none.
    RunFailed {
        /// Which.
        stream: StreamId,
        /// Why, for people.
        error: String,
        /// Why, for the relay.
        #[serde(default, skip_serializing_if = "NoResult::is_not_run")]
        reason: NoResult,
    },
    /// What people at a terminal should know. The shell lives.
    Notice {
        /// Which terminal.
        stream: StreamId,
        /// The one typist it is for; nothing if it is for all.
        input: Option<StreamId>,
        /// For people.
        error: String,
        /// For programs.
        code: String,
    },
    /// Commands that ended at prompts, oldest first. They come again until the relay says that they are stored.
    Commands {
        /// The machine's clock when this is sent, in milliseconds since the Unix epoch.
        now: u64,
        /// At most [`MAX_RECORDS`](super::command_record::MAX_RECORDS).
        records: Vec<CommandRecord>,
    },
    /// How the machine does at this moment: it was told to `watch`, or a threshold was crossed.
    Heartbeat {
        /// The figures.
        metrics: Metrics,
    },
    /// What was measured since the history before, a sample a minute: once an hour, and more often while somebody watches. Only after
    /// a `welcome` with `pulled_metrics`.
    History {
        /// The newest figures.
        metrics: Metrics,
        /// All of them, packed.
        series: Series,
    },
    /// What the shells do at this moment.
    Described {
        /// Those that run.
        shells: Vec<Described>,
    },
    /// Logins that did not pass the edge. Only after a `welcome` with `logins`. They come again until the relay says that it has them.
    Logins {
        /// The machine's clock when this is sent, in milliseconds since the Unix epoch.
        now: u64,
        /// Which.
        logins: Logins,
    },
    /// A part of what there is in its services directory: all of it when that is not what the relay has stored. Only after a `welcome`
    /// with `services`. It comes again until the relay says that it is stored.
    Catalog {
        /// The part.
        #[serde(flatten)]
        part: CatalogPart,
    },
    /// What became of a `service`.
    Service {
        /// The number of the question.
        number: u64,
        /// What became of it.
        #[serde(flatten)]
        answer: Answer,
    },
    /// The jobs that it has a note of, so that none is taken to run of which it knows nothing. After each `welcome` with `services`, and
    /// again while there are some.
    Jobs {
        /// Those that run, and those whose end is not stored.
        jobs: Vec<JobId>,
    },
    /// What a job has written since what is stored. It comes again until it is.
    JobOutput {
        /// What.
        #[serde(flatten)]
        output: JobOutput,
    },
    /// A job is over, and all of its output is stored. It comes again until the relay says `forget_job`.
    JobEnded {
        /// How.
        #[serde(flatten)]
        end: JobEnd,
    },
    /// Keep-alive that missed the exact text the platform answers.
    Ping,
}

crate::tagged!(FromAgent, "type");

/// What the relay says to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// The link stands.
    Welcome {
        /// The protocol number the relay will speak.
        protocol: u32,
        /// Who the agent is.
        agent_id: AgentId,
        /// Seconds between heartbeats of an agent that does not measure when it is told to.
        heartbeat_seconds: u32,
        /// Whether the relay takes `commands`.
        #[serde(default)]
        command_log: bool,
        /// Whether the relay takes `running`.
        #[serde(default)]
        command_output: bool,
        /// Whether the relay says when to measure, and takes `history`.
        #[serde(default)]
        pulled_metrics: bool,
        /// What the agent is to speak up about without being asked.
        #[serde(default)]
        thresholds: Thresholds,
        /// Whether the relay takes `logins`.
        #[serde(default)]
        logins: bool,
        /// Whether the relay takes `catalog`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        services: bool,
        /// What commands may run.
        #[serde(default, skip_serializing_if = "Policies::are_empty")]
        policies: Policies,
    },
    /// Somebody looks: say how the machine does, now and then for a while. Of several that hold, the most frequent counts; another of
    /// the same frequency takes its place.
    Watch {
        /// Seconds between heartbeats.
        every_seconds: u32,
        /// For how many seconds.
        for_seconds: u32,
    },
    /// The machine's thresholds have changed.
    Thresholds {
        /// To these.
        thresholds: Thresholds,
    },
    /// Somebody wants the machine's key replaced: make a new one, and connect once more with the old one, the new one and this.
    RotateKey {
        /// What proves to the edge that it was asked for.
        challenge: String,
    },
    /// From now on commands may run this.
    Policies {
        /// In place of what held before.
        policies: Policies,
    },
    /// These records are stored.
    CommandsStored {
        /// Which.
        ids: Vec<ObjectId>,
    },
    /// The logins of a message are stored.
    LoginsStored {
        /// Which message's.
        number: u64,
    },
    /// All parts of a catalog are stored.
    CatalogStored {
        /// Which.
        number: u64,
    },
    /// Do something with a service's files. Answered once, under the same number.
    Service {
        /// What its answer goes by.
        number: u64,
        /// With which service.
        service: String,
        /// What.
        #[serde(flatten)]
        ask: Ask,
    },
    /// Run a job. Repeating it runs nothing twice. One with a number is answered by `service`, with `done` or what is against it.
    Job {
        /// Which.
        #[serde(flatten)]
        job: StartJob,
    },
    /// So much of a job's output is stored. Of a job that the agent told of in `jobs` it says where to go on.
    JobStored {
        /// Which.
        job: JobId,
        /// How many bytes of it.
        offset: u64,
    },
    /// End a job, and all that it started.
    CancelJob {
        /// Which.
        job: JobId,
        /// By whose order.
        username: String,
    },
    /// The end of a job is stored, or nobody wants to know it: end it if it runs, and drop its note.
    ForgetJob {
        /// Which.
        job: JobId,
    },
    /// Start a shell. Idempotent per stream.
    Open {
        /// Its output stream.
        stream: StreamId,
        /// The session it belongs to.
        session_id: SessionId,
        /// Its size.
        #[serde(flatten)]
        size: Size,
        /// Whether it may gain privileges.
        allow_sudo: bool,
        /// Who asked, for the agent's own log.
        username: String,
        /// What it may do. One whose limits changed since it started keeps those it started with.
        #[serde(default, skip_serializing_if = "SessionLimits::is_none")]
        limits: SessionLimits,
        /// On which other host, if it is not a login shell of the machine. Only to an agent whose `hello` says `ssh`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ssh: Option<SshTarget>,
    },
    /// Expect one typist's input.
    OpenInput {
        /// For which shell.
        stream: StreamId,
        /// On which input stream.
        input: StreamId,
    },
    /// A typist is gone for good.
    CloseInput {
        /// Whose input.
        input: StreamId,
    },
    /// Change a terminal's size.
    Resize {
        /// Which.
        stream: StreamId,
        /// To what.
        #[serde(flatten)]
        size: Size,
    },
    /// Send a part of the log.
    Read {
        /// Of which stream.
        stream: StreamId,
        /// The first byte.
        from: u64,
        /// The byte after the last.
        to: u64,
    },
    /// Send a screen snapshot.
    Snapshot {
        /// Of which stream.
        stream: StreamId,
    },
    /// Say what a terminal shows, the next time that telling delays nothing. There may be no answer.
    Screen {
        /// Which.
        stream: StreamId,
    },
    /// Say which shells are open.
    Report,
    /// Say what the shells do at this moment. Agents that do not know this give no answer.
    Describe,
    /// Run a command without a terminal. Idempotent per stream.
    Run {
        /// The number it goes by.
        stream: StreamId,
        /// The terminal session it was asked for in, if it was in one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_id: Option<SessionId>,
        /// What bash is to run, at most [`MAX_COMMAND`](crate::limits::MAX_COMMAND) bytes.
        command: String,
        /// After how many seconds it is killed ([`COMMAND_SECONDS`](crate::limits::COMMAND_SECONDS)).
        timeout_seconds: u32,
        /// Whether it may gain privileges.
        allow_sudo: bool,
        /// Who asked, for the agent's own log.
        username: String,
        /// Whether it is a script: it ends at the first command that fails, and its output is also kept on the machine.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        script: bool,
        /// What it may do; its time is the one above.
        #[serde(default, skip_serializing_if = "SessionLimits::is_none")]
        limits: SessionLimits,
        /// That somebody approved it: the SHA-256, in hex, of [`approval_subject`](crate::api::command_policy::approval_subject). What is
        /// refused stays refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<String>,
    },
    /// Say how a command ended, once it has.
    Collect {
        /// Which.
        stream: StreamId,
    },
    /// Hang up a shell, or kill a command.
    Close {
        /// Which.
        stream: StreamId,
    },
    /// Drop the log of a shell that ended, or the result of a command.
    Forget {
        /// Which.
        stream: StreamId,
    },
    /// Answer to a ping.
    Pong,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_AGENT_TEXT, MAX_STREAMS};

    #[test]
    fn what_is_told_of_shells_fits_a_frame_whatever_they_say() {
        for text in ["\"", "\u{0}", "\n", "é", "\u{1F600}", "\\"] {
            let shell = Described {
                stream: StreamId(u32::MAX),
                title: text.repeat(1000),
                command: Some(text.repeat(1000)),
                cwd: text.repeat(1000),
            };
            let shells = vec![shell.within_bounds(); MAX_STREAMS];
            let frame = serde_json::to_string(&FromAgent::Described { shells }).unwrap();
            assert!(frame.len() <= MAX_AGENT_TEXT, "{text:?}: {}", frame.len());
        }
    }

    #[test]
    fn a_text_that_fits_stays_as_it_is_but_for_what_is_no_text() {
        assert_eq!(line("a\tb \"c\"", 20), "a b \"c\"");
        assert_eq!(line("éé", 3), "é");
    }
}
