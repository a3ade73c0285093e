//! Roles: those that come with the product, and those that organizations make.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::validate::{Faults, Validate};

/// Longest description of a role, in characters (contract).
pub const MAX_DESCRIPTION: usize = 255;

/// Most permissions in one request; there are about thirty.
const MAX_PERMISSIONS: usize = 1000;

/// What a role is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleType {
    /// What an account is in its organization.
    Portal,
    /// What its shells may do on machines.
    Machine,
    /// What an organization gives to its people.
    Custom,
}

/// A role that comes with the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleDefinition {
    /// Its name in requests, such as `company_admin`.
    pub id: String,
    /// The same.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// What it is about.
    pub r#type: RoleType,
    /// What it allows.
    pub permissions: Vec<String>,
}

/// A permission of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolePermission {
    /// Its number.
    pub id: i64,
    /// Its name in tokens, roles and errors.
    pub codename: String,
    /// The family it belongs to.
    pub category: String,
    /// Its name for people.
    pub label: String,
}

/// A role of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganizationRole {
    /// Its number.
    pub id: i64,
    /// Its name, unique in the organization.
    pub name: String,
    /// The same.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// `custom`.
    pub r#type: RoleType,
    /// Whether it stands for administering the organization. Such a role cannot be changed.
    pub is_system: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// What it allows, in the order of the numbers.
    pub permissions: Vec<RolePermission>,
    /// How many people have it.
    pub user_count: u64,
}

/// A role of either kind.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AnyRole {
    /// One that comes with the product.
    BuiltIn(RoleDefinition),
    /// One that the organization made.
    Organization(OrganizationRole),
}

/// All roles.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RoleList {
    /// Those that come with the product; and behind them, for callers who may see them, those of the organization.
    pub roles: Vec<AnyRole>,
    /// How many these are.
    pub total: u64,
    /// Those of the product that say what an account is in its organization.
    pub portal_roles: Vec<RoleDefinition>,
    /// Those of the product that say what its shells may do.
    pub machine_roles: Vec<RoleDefinition>,
}

/// Roles that come with the product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RoleDefinitions {
    /// The roles.
    pub roles: Vec<RoleDefinition>,
    /// How many.
    pub total: u64,
}

/// A permission that a role can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PermissionDefinition {
    /// Its number.
    pub id: i64,
    /// Its name in tokens, roles and errors.
    pub codename: String,
    /// Its name for people.
    pub label: String,
    /// One sentence about it.
    pub description: String,
}

/// Everything that a role can allow.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Permissions {
    /// By category; sorted by codename.
    pub permissions: BTreeMap<String, Vec<PermissionDefinition>>,
}

/// A new role.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct CreateRole {
    /// 2 to 50 characters, unique in the organization, upper and lower case being the same.
    #[schema(min_length = 2, max_length = 50, format = "line")]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 255, format = "text")]
    pub description: Option<String>,
    /// What it allows; numbers that are none are passed over.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub permission_ids: Option<Vec<i64>>,
}

impl Validate for CreateRole {
    fn validate(&self, faults: &mut Faults) {
        check(faults, Some(&self.name), &self.description, &self.permission_ids);
    }
}

/// A change of a role. What is absent or null stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateRole {
    /// 2 to 50 characters, unique in the organization, upper and lower case being the same.
    #[schema(min_length = 2, max_length = 50, format = "line")]
    pub name: Option<String>,
    /// What it is for.
    #[schema(max_length = 255, format = "text")]
    pub description: Option<String>,
    /// All that it allows from now on; numbers that are none are passed over.
    #[schema(max_items = 1000)]
    pub permission_ids: Option<Vec<i64>>,
}

impl Validate for UpdateRole {
    fn validate(&self, faults: &mut Faults) {
        check(faults, self.name.as_ref(), &self.description, &self.permission_ids);
    }
}

fn check(faults: &mut Faults, name: Option<&String>, description: &Option<String>, permissions: &Option<Vec<i64>>) {
    if let Some(name) = name {
        faults.line("name", name, 2, 50);
    }
    if let Some(description) = description {
        faults.text("description", description, MAX_DESCRIPTION);
    }
    let few = permissions.as_ref().is_none_or(|ids| ids.len() <= MAX_PERMISSIONS);
    faults.check(few, "permission_ids", format!("must be at most {MAX_PERMISSIONS}"));
}

/// A role is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleDeleted {
    /// `deleted`.
    pub status: String,
    /// For people.
    pub message: String,
}
