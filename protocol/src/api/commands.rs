//! Commands without a terminal: sent to one machine or to many, and what came of them.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::validate::{Faults, Validate};
use crate::ids::{AgentId, CommandId, ObjectId};
use crate::limits::{COMMAND_SECONDS, MAX_COMMAND};

/// Most machines that one request sends a command to. Each is a request to its relay; as many are asked for one page of a list.
pub const MAX_TARGETS: usize = 50;

/// Longest name that a machine is looked for by, in characters. Those that machines have are shorter.
const MAX_NAMED: usize = 64;

/// Longest tag that machines are named by, in characters.
const MAX_TAG: usize = super::machines::MAX_TAG;

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandStatus {
    /// It waits at the edge.
    Queued,
    /// The machine has it, or it is on its way there.
    Sent,
    /// It ended by itself, whatever its exit code.
    Completed,
    /// Its time was up, and it was killed.
    Timeout,
    /// Somebody called it off, or the right to it was withdrawn.
    Cancelled,
    /// It did not run.
    Failed,
    /// It was started, and what came of it is lost.
    Unknown,
    /// The machine did not come back in time, or nobody approved it; it did not run.
    Expired,
    /// The machine says that somebody has to approve it first.
    AwaitingApproval,
    /// The machine refused it for what it would run; nothing of it did.
    Refused,
    /// Somebody decided that it does not run.
    Rejected,
}

impl CommandStatus {
    /// The word that is stored and published.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Completed => "completed",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
        }
    }

    /// Whether nothing more will come of it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Sent | Self::AwaitingApproval)
    }
}

/// A command for one machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunOnMachine {
    /// What bash is to run there, at most 65,536 bytes.
    #[schema(required, min_length = 1, max_length = 65536, example = "uptime", format = "text")]
    pub command: String,
    /// Whether the answer is to wait for the result.
    pub wait: bool,
    /// After how many seconds it is killed with all it started, 1 to 300; 300 if absent.
    #[schema(minimum = 1, maximum = 300)]
    pub timeout_seconds: Option<u32>,
    /// Whether it is kept for a machine that is offline, for at most 24 hours. It starts once at most.
    pub when_online: bool,
}

impl Validate for RunOnMachine {
    fn validate(&self, faults: &mut Faults) {
        check(faults, &self.command, self.timeout_seconds);
    }
}

/// A command for many machines.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunOnMachines {
    /// What bash is to run there, at most 65,536 bytes.
    #[schema(required, min_length = 1, max_length = 65536, example = "uptime", format = "text")]
    pub command: String,
    /// The machines by their public names, at most 50. Either these or a tag.
    #[schema(max_items = 50, max_length = 64)]
    pub agent_ids: Vec<String>,
    /// All machines with this tag that the caller reaches, of which there may be 50.
    #[schema(min_length = 1, max_length = 50, format = "line")]
    pub tag: Option<String>,
    /// After how many seconds it is killed with all it started, 1 to 300; 300 if absent.
    #[schema(minimum = 1, maximum = 300)]
    pub timeout_seconds: Option<u32>,
    /// Whether it is kept for machines that are offline, for at most 24 hours. It starts once at most on each.
    pub when_online: bool,
}

impl Validate for RunOnMachines {
    fn validate(&self, faults: &mut Faults) {
        check(faults, &self.command, self.timeout_seconds);
        faults.check(
            self.agent_ids.len() <= MAX_TARGETS,
            "agent_ids",
            format!("must be at most {MAX_TARGETS} machines"),
        );
        faults.check(
            self.agent_ids.iter().all(|id| id.chars().count() <= MAX_NAMED),
            "agent_ids",
            format!("must be of at most {MAX_NAMED} characters each"),
        );
        let named = !self.agent_ids.is_empty();
        faults.check(
            named != self.tag.is_some(),
            "agent_ids",
            "must name machines, unless there is a tag in its place",
        );
        if let Some(tag) = &self.tag {
            faults.line("tag", tag, 1, MAX_TAG);
        }
    }
}

fn check(faults: &mut Faults, command: &str, timeout_seconds: Option<u32>) {
    faults.check(!command.trim().is_empty(), "command", "must not be empty");
    faults.check(
        command.len() <= MAX_COMMAND,
        "command",
        format!("must have at most {MAX_COMMAND} bytes"),
    );
    faults.check(!command.contains('\0'), "command", "must not contain NUL characters");
    let (from, to) = COMMAND_SECONDS.into_inner();
    faults.check(
        timeout_seconds.is_none_or(|seconds| COMMAND_SECONDS.contains(&seconds)),
        "timeout_seconds",
        format!("must be from {from} to {to}"),
    );
}

/// After how many seconds a command is killed whose request does not say.
pub fn timeout_seconds(said: Option<u32>) -> u32 {
    said.unwrap_or(*COMMAND_SECONDS.end())
}

/// How a command ended, and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandResult {
    /// How far it came.
    pub status: CommandStatus,
    /// What it wrote there; U+FFFD where that is no text.
    pub stdout: String,
    /// What it wrote there; U+FFFD where that is no text.
    pub stderr: String,
    /// Whether one of the two was longer than the 96 KiB that are kept of each.
    pub truncated: bool,
    /// Its exit code, unless a signal ended it or it did not run.
    pub exit_code: Option<i32>,
    /// The signal that ended it, such as `SIGKILL`.
    pub signal: Option<String>,
    /// How long it ran, in milliseconds, as the machine says.
    pub duration_ms: Option<u64>,
    /// Why there is no exit code, for people.
    pub error: Option<String>,
}

impl CommandResult {
    /// One without output: what did not run, or is not known.
    pub fn without_output(status: CommandStatus, error: &str) -> Self {
        Self {
            status,
            stdout: String::new(),
            stderr: String::new(),
            truncated: false,
            exit_code: None,
            signal: None,
            duration_ms: None,
            error: Some(error.to_owned()),
        }
    }
}

/// A command that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandSent {
    /// What is run.
    pub command: String,
    /// By which name its result can be read.
    pub command_id: CommandId,
    /// `sent`; `queued` if it waits for the machine; or, if the answer waited, how it ended, or `awaiting_approval`.
    pub status: CommandStatus,
    /// Only if the answer waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub stdout: Option<String>,
    /// Only if the answer waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub stderr: Option<String>,
    /// Only if the answer waited for it; `null` if a signal ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, required = false)]
    pub exit_code: Option<Option<i32>>,
    /// Whether an output was longer than what is kept of it. Only if the answer waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub truncated: Option<bool>,
    /// How long it ran, in milliseconds. Only if the answer waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub duration_ms: Option<u64>,
    /// Why there is no exit code, for people. Only if the answer waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub error: Option<String>,
}

impl CommandSent {
    /// The answer that did not wait.
    pub fn new(command: String, command_id: CommandId, status: CommandStatus) -> Self {
        Self {
            command,
            command_id,
            status,
            stdout: None,
            stderr: None,
            exit_code: None,
            truncated: None,
            duration_ms: None,
            error: None,
        }
    }

    /// The answer that waited.
    pub fn with_result(self, result: CommandResult) -> Self {
        Self {
            status: result.status,
            stdout: Some(result.stdout),
            stderr: Some(result.stderr),
            exit_code: Some(result.exit_code),
            truncated: Some(result.truncated),
            duration_ms: result.duration_ms,
            error: result.error,
            ..self
        }
    }
}

/// A command on one machine. Its output is read with the command itself and not in lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Command {
    /// Its name.
    pub command_id: CommandId,
    /// The commands that were sent to many machines at once have this in common.
    pub batch_id: Option<ObjectId>,
    /// The terminal session that it was asked for in, by a `command` frame.
    pub session_id: Option<String>,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// The machine's row.
    pub machine_id: ObjectId,
    /// What people call the machine.
    pub machine_name: String,
    /// Who sent it.
    pub user_id: ObjectId,
    /// By which name.
    pub username: String,
    /// From where: `api`, `script` for what a new machine runs once, or what the program called itself that asked for it in a
    /// terminal, such as `vscode`.
    pub source: String,
    /// What is run.
    pub command: String,
    /// Whether it may gain privileges.
    pub allow_sudo: bool,
    /// How far it has come.
    pub status: CommandStatus,
    /// Its exit code, once it has one.
    pub exit_code: Option<i32>,
    /// The signal that ended it, such as `SIGKILL`.
    pub signal: Option<String>,
    /// Why there is no exit code, for people; of one that waits for approval, why it does.
    pub error: Option<String>,
    /// Who approved or rejected it, if somebody had to.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why, if they said so.
    pub decision_reason: Option<String>,
    /// Whether one of its outputs was longer than what is kept.
    pub truncated: bool,
    /// How long it ran, in milliseconds, as the machine says.
    pub duration_ms: Option<u64>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was handed to the machine.
    pub sent_at: Option<DateTime<Utc>>,
    /// When the edge had its result.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A command with what it wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandDetail {
    /// The command.
    #[serde(flatten)]
    pub command: Command,
    /// Whether its output is kept. Of one machine, that of the newest 200 commands is, for 30 days.
    pub output_available: bool,
    /// What it wrote there; empty until it has ended, or if it is not kept any more.
    pub stdout: String,
    /// The same.
    pub stderr: String,
}

/// Commands, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandList {
    /// The commands of this page.
    pub commands: Vec<Command>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on it.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// What became of a command for one of many machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    /// The machine, as the request named it.
    pub agent_id: String,
    /// What people call it; empty if the caller may not know.
    pub machine_name: String,
    /// By which name the command's result can be read, unless there is none.
    pub command_id: Option<CommandId>,
    /// How far it has come; nothing if it was not accepted.
    pub status: Option<CommandStatus>,
    /// Why it was not accepted, or did not run.
    pub error: Option<String>,
}

/// What became of a command for many machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Batch {
    /// What `GET /api/commands?batch_id=` lists them by.
    pub batch_id: ObjectId,
    /// A machine each, in the order of the request, or by name.
    pub targets: Vec<Target>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;
    use serde_json::json;

    #[test]
    fn a_command_is_some_text_within_its_bound_and_ends_in_time() {
        let fields = |body: serde_json::Value| refused_fields::<RunOnMachine>(&body.to_string());
        assert!(fields(json!({"command": "uptime", "wait": true, "timeout_seconds": 300})).is_empty());
        assert!(fields(json!({"command": "é".repeat(MAX_COMMAND / 2)})).is_empty());
        for bad in ["", " \n", "a\0b", &"é".repeat(MAX_COMMAND / 2 + 1)] {
            assert_eq!(fields(json!({"command": bad})), ["command"], "{bad:.9}");
        }
        for bad in [0, 301] {
            assert_eq!(
                fields(json!({"command": "id", "timeout_seconds": bad})),
                ["timeout_seconds"]
            );
        }
    }

    #[test]
    fn machines_are_named_or_have_a_tag_in_common() {
        let fields = |body: serde_json::Value| refused_fields::<RunOnMachines>(&body.to_string());
        assert!(fields(json!({"command": "id", "agent_ids": ["0123456789ab"]})).is_empty());
        assert!(fields(json!({"command": "id", "tag": "web"})).is_empty());
        for bad in [
            json!({"command": "id"}),
            json!({"command": "id", "tag": "web", "agent_ids": ["0123456789ab"]}),
            json!({"command": "id", "agent_ids": vec!["0123456789ab"; MAX_TARGETS + 1]}),
            json!({"command": "id", "agent_ids": ["0".repeat(MAX_NAMED + 1)]}),
        ] {
            assert_eq!(fields(bad.clone()), ["agent_ids"], "{bad}");
        }
        assert_eq!(fields(json!({"command": "id", "tag": ""})), ["tag"]);
    }
}
