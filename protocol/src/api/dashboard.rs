//! What is going on, at a glance.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command_logs::CommandLog;
use super::machines::Machine;

/// How many machines there are that the caller reaches, and how they do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DashboardStats {
    /// Those whose agents are connected.
    pub online_count: u64,
    /// Those whose agents were connected.
    pub offline_count: u64,
    /// Those that wait for their agents.
    pub pending_count: u64,
    /// Of those that are online, how many are at a threshold…
    pub warning_count: u64,
    /// …and how many at their second.
    pub critical_count: u64,
    /// All of them.
    pub total_machines: u64,
    /// As `online_count`.
    pub active_machines: u64,
    /// All others.
    pub inactive_machines: u64,
    /// Sessions there ever were on them.
    pub total_sessions: u64,
    /// Mean processor use of those that are online, in percent; 0 if none is.
    pub avg_cpu: f64,
    /// Their mean memory use, in percent.
    pub avg_memory: f64,
    /// Their mean use of the root file system, in percent.
    pub avg_disk: f64,
    /// What they receive in the mean, in MB/s.
    pub avg_network_in: f64,
    /// What they send in the mean, in MB/s.
    pub avg_network_out: f64,
}

/// Machines by their last sign of life, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecentMachines {
    /// At most five.
    pub machines: Vec<Machine>,
}

/// What was run on machines, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecentActivity {
    /// At most ten commands, with the beginning of what they wrote.
    pub activities: Vec<CommandLog>,
}
