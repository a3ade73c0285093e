//! What the database gives of recordings.
use chrono::{DateTime, Utc};
use protocol::api::recordings::RecordingState;
use protocol::ids::{AgentId, ObjectId, SessionId};
use serde::Deserialize;

use crate::platform::db::flag;

/// A recording, and what the caller may do with it.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordingRow {
    pub id: ObjectId,
    pub organization_id: ObjectId,
    /// The organization's slug; empty if it is gone.
    pub tenant_id: String,
    pub session_id: SessionId,
    pub agent_id: AgentId,
    pub machine_id: ObjectId,
    pub machine_name: String,
    pub user_id: ObjectId,
    pub username: String,
    pub state: RecordingState,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub duration_ms: u64,
    pub output_bytes: u64,
    pub size_bytes: u64,
    pub cols: u16,
    pub rows: u16,
    pub exit_code: Option<i64>,
    /// Whether the caller may see it.
    #[serde(deserialize_with = "flag")]
    pub reaches: bool,
    /// Whether the caller may delete it.
    #[serde(deserialize_with = "flag")]
    pub manages: bool,
}

/// A recording that has expired.
#[derive(Debug, Deserialize)]
pub struct Expired {
    pub id: ObjectId,
}
