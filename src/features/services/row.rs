//! What the database gives of services, besides bodies.
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;

/// Who has a service.
#[derive(Debug, Deserialize)]
pub struct ServiceRow {
    /// The service's directory.
    pub name: String,
    pub machine_id: ObjectId,
    pub agent_id: AgentId,
}
