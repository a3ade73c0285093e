//! Machines in the form of `/v1`. It was published for machines that are reached by SSH; ours are reached by their agents, which dial
//! out, so that there is no port, no key and no host to jump over.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::v1::V1Pagination;

/// A machine in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct V1MachineItem {
    /// `mch_` and the machine's `id`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The machine's own address, as its agent says; empty before it has connected.
    pub host: String,
    /// Always null: nobody dials a machine.
    pub port: Option<u16>,
    /// `online`, `offline`, `pending` before an agent has come, or `revoked`.
    pub status: String,
    /// Its labels.
    pub tags: Vec<String>,
    /// When its agent was last heard of.
    pub last_connected: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Machines, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct V1MachineList {
    /// The machines.
    pub machines: Vec<V1MachineItem>,
    /// Which part of the list it is.
    pub pagination: V1Pagination,
}

/// One machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct V1MachineDetail {
    /// The same as in a list.
    #[serde(flatten)]
    pub machine: V1MachineItem,
    /// Whom terminals run as there; empty for the agent's own account.
    pub username: String,
    /// What it is for.
    pub description: String,
    /// Always null.
    pub jump_host: Option<String>,
    /// Always `agent`.
    pub auth_type: String,
}

/// Whether a machine can be reached now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1MachineTest {
    /// Whether its agent is connected.
    pub connected: bool,
    /// How long it took to ask, in milliseconds; null if nobody answered.
    pub latency_ms: Option<u64>,
    /// What it is.
    pub server_info: V1ServerInfo,
}

/// What a machine is, as its agent last said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1ServerInfo {
    /// Its operating system.
    pub os: String,
    /// Its name for itself.
    pub hostname: String,
}
