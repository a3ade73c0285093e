//! What the database gives of those who may use a machine.
use chrono::{DateTime, Utc};
use protocol::api::auth::Role;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// Somebody who may use a machine.
#[derive(Debug, Deserialize)]
pub struct UserRow {
    pub id: ObjectId,
    pub username: String,
    pub email: String,
    pub role: Role,
    #[serde(deserialize_with = "flag")]
    pub may_sudo: bool,
    /// It was given privileges, whether or not the machine allows them.
    #[serde(deserialize_with = "flag")]
    pub given_sudo: bool,
    #[serde(deserialize_with = "json")]
    pub ways: Vec<String>,
    pub granted_at: Option<DateTime<Utc>>,
    pub granted_by: Option<String>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Somebody whom a machine can be lent to.
#[derive(Debug, Clone, Deserialize)]
pub struct Borrower {
    pub id: ObjectId,
    pub username: String,
    /// It is their own machine.
    #[serde(deserialize_with = "flag")]
    pub owns: bool,
}
