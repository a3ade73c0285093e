//! What the database gives of shared sessions.
use chrono::{DateTime, Utc};
use protocol::ids::{AgentId, ObjectId, SessionId};
use serde::Deserialize;

use crate::platform::db::flag;

/// An active session that the caller may know of.
#[derive(Debug, Deserialize)]
pub struct FoundSession {
    /// Its row.
    pub id: ObjectId,
    pub session_id: SessionId,
    pub machine_id: ObjectId,
    pub agent_id: AgentId,
    pub machine_name: String,
    pub organization_id: ObjectId,
    /// It is the caller's, who reaches the machine.
    #[serde(deserialize_with = "flag")]
    pub may_share: bool,
    /// The caller may end it.
    #[serde(deserialize_with = "flag")]
    pub controls: bool,
}

/// Somebody whom a session can be shared with.
#[derive(Debug, Clone, Deserialize)]
pub struct Invitee {
    pub id: ObjectId,
    pub username: String,
    /// It is their own session.
    #[serde(deserialize_with = "flag")]
    pub owns: bool,
}

/// An invitation or a link.
#[derive(Debug, Clone, Deserialize)]
pub struct ShareRow {
    pub id: ObjectId,
    pub user_id: Option<ObjectId>,
    pub username: Option<String>,
    pub link: Option<ObjectId>,
    #[serde(deserialize_with = "flag")]
    pub can_type: bool,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// An invitation as the one sees it who was invited.
#[derive(Debug, Clone, Deserialize)]
pub struct GuestRow {
    pub id: ObjectId,
    pub session_id: SessionId,
    pub machine_id: ObjectId,
    pub agent_id: AgentId,
    pub machine_name: String,
    pub organization_id: ObjectId,
    pub owner: String,
    #[serde(deserialize_with = "flag")]
    pub can_type: bool,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A link that was opened.
#[derive(Debug, Deserialize)]
pub struct LinkRow {
    pub id: ObjectId,
    /// The session's row.
    pub session: ObjectId,
    pub session_id: SessionId,
    pub machine_id: ObjectId,
    pub machine_name: String,
    /// Whose session it is, by name.
    pub owner: String,
    /// It is the caller's own session.
    #[serde(deserialize_with = "flag")]
    pub owns: bool,
    /// The caller was sent away from it.
    #[serde(deserialize_with = "flag")]
    pub removed: bool,
}
