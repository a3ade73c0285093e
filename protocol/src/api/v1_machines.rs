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

/// A machine to be made. Its agent enrols with the token that is answered.
#[derive(Debug, ToSchema)]
pub struct V1CreateMachine {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: String,
    /// As published, where the machine is. Nobody dials it: its agent says its address once it has come, and this is not kept.
    pub host: Option<String>,
    /// As published. It is not kept, for the same reason.
    #[schema(minimum = 0, maximum = 65535)]
    pub port: Option<u16>,
    /// Whom terminals run as there; empty for the agent's own account.
    #[schema(max_length = 32, pattern = r"^([A-Za-z0-9_][A-Za-z0-9._-]*\$?)?$")]
    pub username: Option<String>,
    /// `key` or `password`, as published, or `agent`, which all mean the last: agents prove themselves with keys of their own.
    #[schema(pattern = "^(key|password|agent)$")]
    pub auth_type: Option<String>,
    /// Labels.
    #[schema(max_items = 32, min_length = 1, max_length = 50, format = "line")]
    pub tags: Option<Vec<String>>,
    /// What it is for.
    #[schema(max_length = 2000, format = "text")]
    pub description: Option<String>,
}

/// A change of a machine. What is left out stays. What its agent says, such as `host`, is not for a request to change.
#[derive(Debug, ToSchema)]
pub struct V1UpdateMachine {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: Option<String>,
    /// Its labels.
    #[schema(max_items = 32, min_length = 1, max_length = 50, format = "line")]
    pub tags: Option<Vec<String>>,
    /// What it is for.
    #[schema(max_length = 2000, format = "text")]
    pub description: Option<String>,
}

/// A machine that waits for its agent.
#[derive(Debug, ToSchema)]
pub struct V1MachineCreated {
    /// `mch_` and the machine's `id`.
    pub id: String,
    /// Its public name.
    pub agent_id: String,
    /// What people call it.
    pub name: String,
    /// Empty until its agent has said it.
    pub host: String,
    /// `pending`.
    pub status: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// What its agent enrols with, once.
    pub registration_token: String,
    /// The line that installs the agent on the machine and enrols it.
    pub install_command: String,
}

/// A machine that was changed.
#[derive(Debug, ToSchema)]
pub struct V1MachineUpdated {
    /// `mch_` and the machine's `id`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When that was.
    pub updated_at: DateTime<Utc>,
}
