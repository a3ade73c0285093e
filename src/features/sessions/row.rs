//! What the database gives of terminal sessions.
use chrono::{DateTime, Utc};
use protocol::api::sessions::SessionStatus;
use protocol::ids::{AgentId, ObjectId, SessionId};
use serde::Deserialize;

use crate::platform::db::flag;

/// A session with the names of its machine and of whoever opened it.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionRow {
    pub id: ObjectId,
    pub session_id: SessionId,
    pub name: String,
    pub agent_id: AgentId,
    pub machine_id: ObjectId,
    pub machine_name: String,
    /// The machine's own address.
    pub machine_host: String,
    pub user_id: ObjectId,
    pub username: String,
    /// First and last name of whoever opened it, or else the username.
    pub full_name: String,
    pub email: String,
    pub source: String,
    pub status: SessionStatus,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub last_activity: DateTime<Utc>,
    pub close_reason: Option<String>,
    pub browser: String,
    pub os: String,
    pub user_agent: String,
    pub ip_address: String,
    pub cols: u16,
    pub rows: u16,
    /// The other host that it is on…
    pub ssh_host: Option<String>,
    /// …and as whom, if that was asked for.
    pub ssh_user: Option<String>,
    /// How many commands of it are in the log.
    pub commands: u64,
}

/// A session that the caller may know of.
#[derive(Debug, Deserialize)]
pub struct FoundSession {
    #[serde(flatten)]
    pub row: SessionRow,
    pub organization_id: ObjectId,
    /// Whether the caller opened it, or reaches its machine.
    #[serde(deserialize_with = "flag")]
    pub may_see: bool,
    /// Whether the caller opened it, or manages its machine.
    #[serde(deserialize_with = "flag")]
    pub may_control: bool,
    /// Whether the caller opened it.
    #[serde(deserialize_with = "flag")]
    pub is_own: bool,
}
