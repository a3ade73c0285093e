//! What the database gives of services, besides bodies.
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;

use crate::platform::db::flag;

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
