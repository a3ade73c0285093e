//! What the database gives of roles.
use chrono::{DateTime, Utc};
use protocol::api::roles::RolePermission;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// A role that the caller may know of.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundRole {
    pub id: i64,
    pub organization_id: ObjectId,
    pub name: String,
    pub description: String,
    /// It stands for being an administrator, and allows everything.
    #[serde(deserialize_with = "flag")]
    pub is_system: bool,
    pub created_at: DateTime<Utc>,
    /// By codename.
    #[serde(deserialize_with = "json")]
    pub permissions: Vec<String>,
    /// Those of them that are made with inventory types.
    #[serde(deserialize_with = "json")]
    pub generated: Vec<RolePermission>,
    pub user_count: u64,
}

/// A permission that is made with an inventory type of the organization.
#[derive(Debug, Clone, Deserialize)]
pub struct Generated {
    pub id: i64,
    pub codename: String,
    pub category: String,
    pub label: String,
    pub description: String,
}

/// A role that somebody is to have.
#[derive(Debug, Clone, Deserialize)]
pub struct GivenRole {
    pub id: i64,
    pub name: String,
    /// It stands for being an administrator.
    #[serde(deserialize_with = "flag")]
    pub is_system: bool,
    /// By codename.
    #[serde(deserialize_with = "json")]
    pub permissions: Vec<String>,
}

/// The number of a role to be made.
#[derive(Debug, Deserialize)]
pub struct Number {
    pub id: i64,
}
