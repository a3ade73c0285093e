//! What the database gives of terminal sessions.
use chrono::{DateTime, Utc};
use protocol::api::sessions::SessionStatus;
use protocol::ids::{AgentId, ObjectId, SessionId};
use serde::Deserialize;

use crate::platform::db::flag;

/// A session with the names of its machine.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionRow {
    pub id: ObjectId,
    pub session_id: SessionId,
    pub agent_id: AgentId,
    pub machine_id: ObjectId,
    pub machine_name: String,
    pub user_id: ObjectId,
    pub username: String,
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
    pub command_count: u64,
}

/// An active session that the caller may know of.
#[derive(Debug, Deserialize)]
pub struct FoundSession {
    pub session_id: SessionId,
    pub machine_id: ObjectId,
    pub organization_id: ObjectId,
    #[serde(deserialize_with = "flag")]
    pub may_close: bool,
}
