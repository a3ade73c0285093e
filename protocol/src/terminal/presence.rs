//! Who is at a terminal.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::ObjectId;

/// What somebody may do at a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is theirs.
    Owner,
    /// They were invited to type.
    Typist,
    /// They look on: they were invited to, or play the recording while it is made.
    Watcher,
}

/// Somebody who is at a terminal, once however many windows they have there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// What they may do there: the most that one of their windows may.
    pub standing: Standing,
    /// Their name.
    pub username: String,
    /// Their account.
    pub user_id: ObjectId,
}
