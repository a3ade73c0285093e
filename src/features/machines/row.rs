//! What the database gives of machines.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use protocol::api::command_policy::CommandPolicy;
use protocol::api::health::{Health, Thresholds};
use protocol::api::machines::{Duplicate, MachineStatus};
use protocol::ids::{AgentId, ObjectId};
use protocol::terminal::limits::SessionLimits;
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// What everybody who reaches a machine may see of it.
#[derive(Debug, Clone, Deserialize)]
pub struct MachineRow {
    pub id: ObjectId,
    pub agent_id: AgentId,
    pub name: String,
    pub description: String,
    pub hostname: String,
    pub os: String,
    pub ip_address: String,
    pub status: MachineStatus,
    #[serde(deserialize_with = "flag")]
    pub is_connected: bool,
    pub linux_user: String,
    #[serde(deserialize_with = "flag")]
    pub allow_sudo: bool,
    #[serde(deserialize_with = "flag")]
    pub deploy_application: bool,
    pub tags: Vec<String>,
    pub metadata: BTreeMap<String, String>,
    pub agent_version: String,
    pub cpu_percent: f64,
    pub memory_percent: f64,
    pub disk_percent: f64,
    pub network_inbound: f64,
    pub network_outbound: f64,
    pub uptime_seconds: u64,
    pub last_active: Option<DateTime<Utc>>,
    pub measured: Measured,
    pub created_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub owner_id: ObjectId,
    pub owner: String,
    pub tenant_id: String,
    pub group_ids: Vec<String>,
    /// The names of those whom it was granted to, or whose request for it was approved.
    pub granted_to: Vec<String>,
    pub duplicate: Option<Duplicate>,
}

/// How a machine did. A row of its own, as SQLite takes no more than 32 columns into one JSON text.
#[derive(Debug, Clone, Deserialize)]
pub struct Measured {
    /// When.
    pub at: Option<DateTime<Utc>>,
    pub health: Health,
    pub thresholds: Thresholds,
    /// Here because there is room.
    pub command_policy: CommandPolicy,
}

/// A machine that the caller may know of, and what else it may do.
#[derive(Debug, Deserialize)]
pub struct Found {
    #[serde(deserialize_with = "json")]
    pub machine: MachineRow,
    pub organization_id: ObjectId,
    pub custom_script: String,
    pub registration_token_sealed: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub reaches: bool,
    #[serde(deserialize_with = "flag")]
    pub manages: bool,
    #[serde(deserialize_with = "flag")]
    pub may_sudo: bool,
    /// What each session on it may do.
    #[serde(deserialize_with = "json")]
    pub limits: SessionLimits,
}
