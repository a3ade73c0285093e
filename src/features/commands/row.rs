//! What the database gives of commands.
use chrono::{DateTime, Utc};
use protocol::api::commands::CommandStatus;
use protocol::ids::{AgentId, CommandId, ObjectId};
use protocol::terminal::limits::SessionLimits;
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// A command with the names of its machine.
#[derive(Debug, Clone, Deserialize)]
pub struct CommandRow {
    pub command_id: CommandId,
    pub batch_id: Option<ObjectId>,
    /// The terminal session that it was asked for in.
    pub session_id: Option<String>,
    pub agent_id: AgentId,
    pub machine_id: ObjectId,
    pub machine_name: String,
    pub user_id: ObjectId,
    pub username: String,
    pub source: String,
    pub command: String,
    #[serde(deserialize_with = "flag")]
    pub sudo: bool,
    pub status: CommandStatus,
    pub exit_code: Option<i32>,
    pub signal: Option<String>,
    pub error: Option<String>,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub decision_reason: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub truncated: bool,
    pub duration_ms: Option<u64>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// A command that the caller may know of, and what else it may do.
#[derive(Debug, Deserialize)]
pub struct FoundCommand {
    #[serde(deserialize_with = "json")]
    pub command: CommandRow,
    pub organization_id: ObjectId,
    #[serde(deserialize_with = "flag")]
    pub reaches: bool,
    #[serde(deserialize_with = "flag")]
    pub may_cancel: bool,
    /// Whether the caller approves or rejects it, if it waits for that.
    #[serde(deserialize_with = "flag")]
    pub may_decide: bool,
}

/// A command that waits for approval since just now, for those who are told.
#[derive(Debug, Deserialize)]
pub struct AwaitingRow {
    pub organization_id: ObjectId,
    pub machine_name: String,
    pub agent_id: AgentId,
    pub user_id: ObjectId,
    pub username: String,
    /// The addresses of administrators.
    #[serde(deserialize_with = "json")]
    pub deciders: Vec<String>,
}

/// One command of a list.
#[derive(Debug, Deserialize)]
pub struct Listed {
    #[serde(deserialize_with = "json")]
    pub command: CommandRow,
}

/// A command that has ended, and whose log it belongs to.
#[derive(Debug, Deserialize)]
pub struct Ended {
    #[serde(deserialize_with = "json")]
    pub command: CommandRow,
    pub organization_id: ObjectId,
}

/// A machine that a command is to run on.
#[derive(Debug, Clone, Deserialize)]
pub struct TargetMachine {
    pub id: ObjectId,
    pub agent_id: AgentId,
    pub name: String,
    pub organization_id: ObjectId,
    /// Whether its agent was connected when the directory was last told.
    #[serde(deserialize_with = "flag")]
    pub is_connected: bool,
    #[serde(deserialize_with = "flag")]
    pub revoked: bool,
    pub limits: SessionLimits,
}

/// A machine as the request names it, and what the caller may do there.
#[derive(Debug, Clone, Deserialize)]
pub struct TargetRow {
    pub named: String,
    /// Nothing where the caller may not know of it.
    #[serde(deserialize_with = "json")]
    pub machine: Option<TargetMachine>,
    #[serde(deserialize_with = "flag")]
    pub reaches: bool,
    #[serde(deserialize_with = "flag")]
    pub may_sudo: bool,
}

/// Who asked for a command in a terminal, where, and from where.
#[derive(Debug, Deserialize)]
pub struct AskerRow {
    pub organization_id: ObjectId,
    pub machine_name: String,
    pub agent_id: AgentId,
    pub username: String,
    pub source: String,
    pub ip_address: String,
    pub user_agent: String,
}

/// A script that a machine runs once, to be handed to its relay.
#[derive(Debug, Deserialize)]
pub struct ScriptRow {
    pub command_id: CommandId,
    pub machine_id: ObjectId,
    pub agent_id: AgentId,
    pub user_id: ObjectId,
    pub username: String,
    pub command: String,
    pub timeout_seconds: u32,
    #[serde(deserialize_with = "flag")]
    pub sudo: bool,
    #[serde(deserialize_with = "json")]
    pub limits: SessionLimits,
}
