//! Groups of people and machines: whoever is in a group reaches its machines.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::detail::detail;
use super::machines::MachineStatus;
use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId};

/// Longest name of a group, in characters.
pub const MAX_NAME: usize = 100;

/// Shortest name of a group, in characters.
pub const MIN_NAME: usize = 3;

/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2000;

/// Most people or machines of one request. Larger groups are made by several.
pub const MAX_IDS: usize = 500;

/// Longest id in a list; longer texts name nothing.
const MAX_ID: usize = 64;

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// The row.
    pub id: ObjectId,
    /// What people call it, unique in its organization, upper and lower case being the same.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The organization's slug.
    pub tenant_id: String,
    /// The organization's name.
    pub tenant_name: String,
    /// Always empty; clients of an older directory look for it.
    pub keycloak_id: String,
    /// How many people are in it.
    pub member_count: u64,
    /// How many machines are in it.
    pub machine_count: u64,
    /// The people, by account.
    pub member_ids: Vec<ObjectId>,
    /// The machines, by public name.
    pub machine_ids: Vec<AgentId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it, its people or its machines changed last.
    pub updated_at: DateTime<Utc>,
}

detail! {
    /// One group, both wrapped and flat.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    GroupDetail {
        /// The group.
        group: Group,
    }
}

/// Groups, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupList {
    /// The groups of this page.
    pub groups: Vec<Group>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// A group to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateGroup {
    /// What people call it, unique in its organization.
    #[schema(required, min_length = 3, max_length = 100, example = "operators", format = "line")]
    pub name: String,
    /// What it is for.
    #[schema(max_length = 2000, format = "text")]
    pub description: String,
    /// Its first people, by account.
    #[schema(max_items = 500, min_length = 24, max_length = 24, pattern = "^[0-9a-f]{24}$")]
    pub member_ids: Vec<String>,
    /// Its first machines, by public name or row.
    #[schema(max_items = 500, min_length = 1, max_length = 64, format = "line")]
    pub machine_ids: Vec<String>,
    /// The organization's slug; only a super administrator's counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, format = "text")]
    pub tenant_id: Option<String>,
}

impl Validate for CreateGroup {
    fn validate(&self, faults: &mut Faults) {
        faults.line("name", &self.name, MIN_NAME, MAX_NAME);
        faults.text("description", &self.description, MAX_DESCRIPTION);
        ids(faults, "member_ids", &self.member_ids);
        ids(faults, "machine_ids", &self.machine_ids);
        if let Some(tenant) = &self.tenant_id {
            faults.text("tenant_id", tenant, MAX_NAME);
        }
    }
}

/// A list of ids: each may be anything short, but there is an end to them.
fn ids(faults: &mut Faults, field: &str, ids: &[String]) {
    faults.check(ids.len() <= MAX_IDS, field, format!("must be at most {MAX_IDS} ids"));
    for (index, id) in ids.iter().enumerate().take(MAX_IDS) {
        faults.line(&format!("{field}[{index}]"), id, 1, MAX_ID);
    }
}

/// What to change of a group. What is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateGroup {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 3, max_length = 100, format = "line")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, format = "text")]
    pub description: Option<String>,
}

impl Validate for UpdateGroup {
    fn validate(&self, faults: &mut Faults) {
        if let Some(name) = &self.name {
            faults.line("name", name, MIN_NAME, MAX_NAME);
        }
        if let Some(description) = &self.description {
            faults.text("description", description, MAX_DESCRIPTION);
        }
    }
}

/// People for a group: one, who must exist, or several, of whom those count that do. One of the two is needed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AddMembers {
    /// An account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 24, max_length = 24, pattern = "^[0-9a-f]{24}$")]
    pub user_id: Option<String>,
    /// Accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 500, min_length = 1, max_length = 64, format = "line")]
    pub user_ids: Option<Vec<String>>,
}

impl Validate for AddMembers {
    fn validate(&self, faults: &mut Faults) {
        if let Some(id) = &self.user_id {
            faults.line("user_id", id, 1, MAX_ID);
        }
        ids(faults, "user_ids", self.user_ids.as_deref().unwrap_or_default());
        faults.check(
            self.user_id.is_some() || self.user_ids.is_some(),
            "user_id",
            "is required, or user_ids in its place",
        );
    }
}

/// Somebody to take out of a group. The query may name them, too.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RemoveMember {
    /// An account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 24, max_length = 24, pattern = "^[0-9a-f]{24}$")]
    pub user_id: Option<String>,
}

impl Validate for RemoveMember {
    fn validate(&self, faults: &mut Faults) {
        if let Some(id) = &self.user_id {
            faults.line("user_id", id, 1, MAX_ID);
        }
    }
}

/// Machines for a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AddMachines {
    /// Machines, by public name or row.
    #[schema(
        required,
        min_items = 1,
        max_items = 500,
        min_length = 1,
        max_length = 64,
        format = "line"
    )]
    pub machine_ids: Vec<String>,
}

impl Validate for AddMachines {
    fn validate(&self, faults: &mut Faults) {
        faults.check(
            !self.machine_ids.is_empty(),
            "machine_ids",
            "must name at least one machine",
        );
        ids(faults, "machine_ids", &self.machine_ids);
    }
}

/// A group whose people or machines changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupChanged {
    /// For people.
    pub message: String,
    /// How many were added that had not been in it; only after adding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub added_count: Option<u64>,
    /// How many machines it has now; only after adding machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub total_machines: Option<u64>,
    /// The group as it is now.
    pub group: Group,
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupMember {
    /// The account.
    pub id: ObjectId,
    /// The same, under another name.
    pub user_id: ObjectId,
    /// Its name.
    pub username: String,
    /// Its mail address.
    pub email: String,
    /// Given name, or empty.
    pub first_name: String,
    /// Family name, or empty.
    pub last_name: String,
    /// `super_admin`, `company_admin` or `user`.
    pub role: String,
    /// `allow_sudo`, `non_sudo` or empty.
    pub machine_role: String,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Since when it is in the group.
    pub added_at: DateTime<Utc>,
}

/// The people of a group, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberList {
    /// The people of this page.
    pub members: Vec<GroupMember>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// A machine in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupMachine {
    /// The row.
    pub id: ObjectId,
    /// Its public name.
    pub agent_id: AgentId,
    /// What people call it.
    pub name: String,
    /// What it was doing when it was last heard of.
    pub status: MachineStatus,
    /// Since when it is in the group.
    pub added_at: DateTime<Utc>,
}

/// The machines of a group, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupMachineList {
    /// The machines of this page.
    pub machines: Vec<GroupMachine>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields as fields;

    #[test]
    fn a_group_needs_a_name_and_everything_in_it_has_a_bound() {
        assert!(fields::<CreateGroup>(r#"{"name":"ops"}"#).is_empty());
        assert_eq!(
            fields::<CreateGroup>(
                r#"{"name":" a ","description":"\u0000","member_ids":["","b\n"],"machine_ids":["ok"]}"#
            ),
            ["name", "description", "member_ids[0]", "member_ids[1]"]
        );
        let many = serde_json::json!({"name": "ops", "machine_ids": vec!["x"; MAX_IDS + 1]}).to_string();
        assert_eq!(fields::<CreateGroup>(&many), ["machine_ids"]);
        assert!(fields::<UpdateGroup>("{}").is_empty());
        assert_eq!(fields::<UpdateGroup>(r#"{"name":""}"#), ["name"]);
    }

    #[test]
    fn whom_or_what_to_add_must_be_said() {
        assert_eq!(fields::<AddMembers>("{}"), ["user_id"]);
        assert!(fields::<AddMembers>(r#"{"user_id":"a"}"#).is_empty());
        assert!(fields::<AddMembers>(r#"{"user_ids":[]}"#).is_empty());
        assert_eq!(fields::<AddMachines>("{}"), ["machine_ids"]);
    }
}
