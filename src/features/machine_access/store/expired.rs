//! SQL of grants whose time is over.
use chrono::{DateTime, Utc};
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;

use crate::platform::db::{Nothing, Query, statements, stored};

/// Most grants ended in one run.
const AT_ONCE: i64 = 100;

statements! {
    EXPIRED = "SELECT g.machine_id, g.user_id, u.username, m.organization_id, m.agent_id, m.name AS machine, g.expires_at
         FROM machine_grants g JOIN users u ON u.id = g.user_id JOIN machines m ON m.id = g.machine_id
         WHERE g.expires_at <= ?1 ORDER BY g.expires_at LIMIT ?2";

    /// Not if it was given anew in the meantime.
    END = "DELETE FROM machine_grants WHERE machine_id = ?1 AND user_id = ?2 AND expires_at = ?3";
}

/// A grant whose time is over.
#[derive(Debug, Deserialize)]
pub struct Expired {
    pub machine_id: ObjectId,
    pub user_id: ObjectId,
    pub username: String,
    pub organization_id: ObjectId,
    pub agent_id: AgentId,
    pub machine: String,
    pub expires_at: String,
}

/// The grants whose time is over at `now`, at most [`AT_ONCE`].
pub fn find(now: DateTime<Utc>) -> Query<Expired> {
    Query::new(EXPIRED, [stored(now).into(), AT_ONCE.into()])
}

/// Ends a grant.
pub fn end(grant: &Expired) -> Query<Nothing> {
    Query::new(
        END,
        [
            (&grant.machine_id).into(),
            (&grant.user_id).into(),
            grant.expires_at.as_str().into(),
        ],
    )
}
