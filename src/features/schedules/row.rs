//! What the database gives of schedules, besides bodies.
use chrono::{DateTime, Utc};
use protocol::api::schedules::{Missed, Overlap};
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::flag;

/// A schedule of the caller's organization.
#[derive(Debug, Deserialize)]
pub struct FoundSchedule {
    pub id: ObjectId,
    pub name: String,
    pub service: String,
    pub script: Option<String>,
    pub inputs_sealed: String,
    pub cron: String,
    pub time_zone: String,
    #[serde(deserialize_with = "flag")]
    pub enabled: bool,
    pub overlap: Overlap,
    pub missed: Missed,
    pub body: String,
}

/// A schedule whose time has come.
#[derive(Debug, Clone, Deserialize)]
pub struct Due {
    pub id: ObjectId,
    pub organization_id: ObjectId,
    pub name: String,
    pub service: String,
    pub script: Option<String>,
    pub inputs_sealed: String,
    pub cron: String,
    pub time_zone: String,
    pub overlap: Overlap,
    pub missed: Missed,
    /// Whose jobs it starts, unless the account is gone.
    pub user_id: Option<ObjectId>,
    pub due_at: DateTime<Utc>,
}

/// That a run was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Claimed {
    /// Whether a job of a run before it runs.
    #[serde(deserialize_with = "flag")]
    pub is_running: bool,
    /// Whether a run before it waits for that.
    #[serde(deserialize_with = "flag")]
    pub is_waiting: bool,
}
