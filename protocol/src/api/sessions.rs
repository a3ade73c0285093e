//! Terminal sessions.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::Secret;
use crate::ids::{AgentId, ObjectId, SessionId};

/// Whether a session's shell may still be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Somebody is attached, or may attach again.
    Active,
    /// It is over.
    Closed,
}

/// One shell on a machine, opened by one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TerminalSession {
    /// The row.
    pub id: ObjectId,
    /// The session's name, with which a client attaches again.
    pub session_id: SessionId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// The machine's row.
    pub machine_id: ObjectId,
    /// What people call the machine.
    pub machine_name: String,
    /// Who opened it.
    pub user_id: ObjectId,
    /// By which name.
    pub username: String,
    /// From where: `ui`, `cli`, `vscode`, or a name of the client's own.
    pub source: String,
    /// Whether it is over.
    pub status: SessionStatus,
    /// When it was opened.
    pub started_at: DateTime<Utc>,
    /// The same, under another name.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The same, under another name.
    pub closed_at: Option<DateTime<Utc>>,
    /// When somebody last attached or left.
    pub last_activity: DateTime<Utc>,
    /// Why it ended, such as `terminated` or `session_ended`.
    pub close_reason: Option<String>,
    /// The browser, such as `Firefox`, or `Unknown`.
    pub browser: String,
    /// The operating system of whoever opened it, such as `macOS`, or `Unknown`.
    pub os: String,
    /// The same, under another name.
    pub os_info: String,
    /// How the client named itself.
    pub user_agent: String,
    /// The client's address.
    pub ip_address: String,
    /// Width of the terminal when it was opened.
    pub cols: u16,
    /// Height of the terminal when it was opened.
    pub rows: u16,
    /// Commands recorded so far.
    pub command_count: u64,
}

/// Sessions, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<TerminalSession>,
}

/// What opens one terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SocketTicket {
    /// For `?ticket=`. It works once, for the machine it was made for.
    #[schema(value_type = String, pattern = "^[0-9a-f]{48}$")]
    pub ticket: Secret,
    /// Seconds until it is worth nothing.
    pub expires_in: u64,
}
