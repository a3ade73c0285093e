//! What the database gives of organizations.
use chrono::{DateTime, Utc};
use protocol::api::command_policy::CommandPolicy;
use protocol::api::organizations::OtpPolicy;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{flag, json};

#[derive(Debug, Clone, Deserialize)]
pub struct OrganizationRow {
    pub id: ObjectId,
    pub slug: String,
    pub name: String,
    pub description: String,
    pub disabled_at: Option<String>,
    pub otp: OtpPolicy,
    pub otp_minutes: u32,
    #[serde(deserialize_with = "flag")]
    pub admins_create_machines: bool,
    pub inactive_days: u32,
    #[serde(deserialize_with = "flag")]
    pub record_sessions: bool,
    pub recording_days: u32,
    pub command_log_days: u32,
    #[serde(deserialize_with = "json")]
    pub command_masks: Vec<String>,
    pub terminal_idle_minutes: u32,
    pub max_sessions: u32,
    pub max_user_sessions: u32,
    pub max_processes: u32,
    pub max_memory_mb: u32,
    #[serde(deserialize_with = "json")]
    pub allowed_networks: Vec<String>,
    #[serde(deserialize_with = "flag")]
    pub networks_for_agents: bool,
    #[serde(deserialize_with = "json")]
    pub command_policy: CommandPolicy,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Whoever runs this server belongs to it.
    #[serde(deserialize_with = "flag")]
    pub is_platform: bool,
    pub user_count: u64,
    pub machine_count: u64,
}

/// Counts that an organization's row does not have.
#[derive(Debug, Default, Deserialize)]
pub struct StatsRow {
    pub admins: u64,
    pub online: u64,
    pub groups: u64,
    pub sessions: u64,
    pub active: u64,
}
