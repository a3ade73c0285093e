//! What the database gives of services, besides bodies.
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;
use serde_json::Value;

use crate::platform::db::{flag, json};

/// Who has a service.
#[derive(Debug, Deserialize)]
pub struct ServiceRow {
    /// The service's directory.
    pub name: String,
    pub machine_id: ObjectId,
    pub agent_id: AgentId,
}

/// What the last run of a service gave.
#[derive(Debug, Deserialize)]
pub struct OutputsRow {
    /// The service's directory.
    pub name: String,
    pub machine_id: ObjectId,
    /// As JSON, as it was told.
    pub outputs: String,
    /// Whether values are masked in it.
    #[serde(deserialize_with = "flag")]
    pub has_credentials: bool,
}

/// A service of which a job is to run.
#[derive(Debug, Clone, Deserialize)]
pub struct Target {
    /// Its directory.
    pub name: String,
    /// Its runner.
    pub machine_id: ObjectId,
    /// Its scripts, as they were told of last.
    #[serde(deserialize_with = "json")]
    pub scripts: Vec<Value>,
    /// What opens the vaults of its organization.
    pub vault_sealed: Option<String>,
}
