//! What the database gives of groups and of what is in them.
use chrono::{DateTime, Utc};
use protocol::api::machines::MachineStatus;
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// A group with the ids of all that is in it.
#[derive(Debug, Clone, Deserialize)]
pub struct GroupRow {
    pub id: ObjectId,
    pub organization_id: ObjectId,
    pub name: String,
    pub description: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub tenant_id: String,
    pub tenant_name: String,
    #[serde(deserialize_with = "json")]
    pub member_ids: Vec<ObjectId>,
    #[serde(deserialize_with = "json")]
    pub machine_ids: Vec<AgentId>,
}

/// Somebody in a group.
#[derive(Debug, Deserialize)]
pub struct MemberRow {
    pub id: ObjectId,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub role: String,
    pub machine_role: String,
    #[serde(deserialize_with = "flag")]
    pub enabled: bool,
    pub added_at: DateTime<Utc>,
}

/// A machine in a group.
#[derive(Debug, Deserialize)]
pub struct MachineRow {
    pub id: ObjectId,
    pub agent_id: AgentId,
    pub name: String,
    pub status: MachineStatus,
    pub added_at: DateTime<Utc>,
}

/// Somebody who can be in a group.
#[derive(Debug, Clone, Deserialize)]
pub struct Person {
    pub id: ObjectId,
    pub username: String,
}

/// A machine that can be in a group.
#[derive(Debug, Clone, Deserialize)]
pub struct Host {
    pub id: ObjectId,
    pub agent_id: AgentId,
    pub name: String,
}

impl Host {
    /// Whether a client means it: by its public name or its row.
    pub fn is(&self, id: &str) -> bool {
        self.agent_id.as_str() == id || self.id.as_str() == id
    }
}
