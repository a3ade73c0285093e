//! What the database gives of groups and of what is in them.
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;

use crate::platform::db::json;

/// A group as rights and changes need it, and its body.
#[derive(Debug, Clone, Deserialize)]
pub struct GroupRow {
    pub id: ObjectId,
    pub organization_id: ObjectId,
    pub name: String,
    pub description: String,
    #[serde(deserialize_with = "json")]
    pub member_ids: Vec<ObjectId>,
    #[serde(deserialize_with = "json")]
    pub machine_ids: Vec<AgentId>,
    pub body: String,
}

/// A group after a change.
#[derive(Debug, Deserialize)]
pub struct ChangedRow {
    pub machine_count: u64,
    pub body: String,
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
