//! Logins on a machine that did not pass the edge (contract).
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AgentId, ObjectId};

/// A login by SSH or at the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessEvent {
    /// The row.
    pub id: ObjectId,
    /// The machine's row.
    pub machine_id: ObjectId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// What people call the machine.
    pub machine_name: String,
    /// The organization's name in URLs.
    pub tenant_id: String,
    /// `ssh` or `console`.
    pub protocol: String,
    /// Which account of the machine.
    pub os_user: String,
    /// From where, as the machine says; empty at the console.
    pub source_ip: String,
    /// On which terminal; empty without one.
    pub line: String,
    /// Whether it lasts.
    pub active: bool,
    /// When it began.
    pub login_at: DateTime<Utc>,
    /// When it ended; if nobody saw that, when it was known.
    pub logout_at: Option<DateTime<Utc>>,
    /// When the edge heard of it.
    pub created_at: DateTime<Utc>,
}

/// Logins on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessEventList {
    /// Those of this page, newest first.
    pub events: Vec<AccessEvent>,
    /// Those that last, newest first, at most 200.
    pub active: Vec<AccessEvent>,
    /// How many are kept.
    pub total: u64,
}
