//! SQL of what was measured. It is written by the relay (`durable-objects/src/directory.rs`).
use chrono::{DateTime, Utc};
use protocol::api::health::Health;
use protocol::api::series::Series;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::features::machines::access::MachineAccess;
use crate::platform::db::{Nothing, Query, json, statements};

statements! {
    /// What came after ?2, the oldest first.
    HISTORY = "SELECT at, samples FROM machine_metrics WHERE machine_id = ?1 AND at > ?2 ORDER BY at";

    /// How a machine did, and what the log calls it.
    HEALTH = "SELECT organization_id, agent_id, name, health FROM machines WHERE id = ?1";

    /// Changes nothing that is so already.
    SET_HEALTH = "UPDATE machines SET health = ?2 WHERE id = ?1 AND health <> ?2";
}

/// Samples, whose ages count from `at`.
#[derive(Debug, Deserialize)]
pub struct HistoryRow {
    pub at: DateTime<Utc>,
    #[serde(deserialize_with = "json")]
    pub samples: Series,
}

/// How a machine did.
#[derive(Debug, Deserialize)]
pub struct HealthRow {
    pub organization_id: ObjectId,
    pub agent_id: String,
    pub name: String,
    pub health: Health,
}

/// What was measured on a machine since `from`, which is RFC 3339 in UTC with milliseconds.
pub fn history(access: &MachineAccess, from: &str) -> Query<HistoryRow> {
    Query::new(HISTORY, [(&access.found().machine.id).into(), from.into()])
}

/// How a machine did when that was last written down.
pub fn health(machine: &ObjectId) -> Query<HealthRow> {
    Query::new(HEALTH, [machine.into()])
}

/// Writes down how a machine does.
pub fn set_health(machine: &ObjectId, health: Health) -> Query<Nothing> {
    Query::new(SET_HEALTH, [machine.into(), health.as_str().into()])
}
