//! Who may use a machine, and lending it.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Role;
use super::validate::{Faults, Validate};
use crate::ids::ObjectId;

/// Longest time a machine is lent for, in hours: ten years. Without a time, it is lent until it is revoked.
pub const MAX_HOURS: u32 = 87_600;

/// Longest id or username.
const MAX_NAME: usize = 64;

/// Whether somebody's shells may gain privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MachineRole {
    /// They may, where the machine was enrolled with it.
    AllowSudo,
    /// They may not.
    NonSudo,
}

impl MachineRole {
    /// What a request calls it: `allow_sudo` or `sudo`, and `non_sudo`, `non-sudo` or `user`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "allow_sudo" | "sudo" => Some(Self::AllowSudo),
            "non_sudo" | "non-sudo" | "user" => Some(Self::NonSudo),
            _ => None,
        }
    }

    /// The role as it travels and is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowSudo => "allow_sudo",
            Self::NonSudo => "non_sudo",
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::AllowSudo => "sudo",
            Self::NonSudo => "non-sudo",
        }
    }
}

/// Lends a machine to somebody. One of `user_id` and `username` is needed; `user_id` wins.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct GrantAccess {
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, min_length = 1, format = "line")]
    pub user_id: Option<String>,
    /// The account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, min_length = 1, format = "line")]
    pub username: Option<String>,
    /// Whether their shells may gain privileges: `allow_sudo` (`sudo`), `non_sudo` (`non-sudo`, `user`), or empty for what the
    /// account has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(|allow_sudo|sudo|non_sudo|non-sudo|user)$")]
    pub machine_role: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// After how many hours it ends, in place of `expires_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 87600)]
    pub duration_hours: Option<u32>,
}

impl Validate for GrantAccess {
    fn validate(&self, faults: &mut Faults) {
        subject(faults, self.user_id.as_deref(), self.username.as_deref());
        if let Some(role) = self.machine_role.as_deref().filter(|role| !role.is_empty()) {
            faults.check(
                MachineRole::parse(role).is_some(),
                "machine_role",
                "must be allow_sudo, non_sudo or empty",
            );
        }
        if let Some(hours) = self.duration_hours {
            faults.check(
                (1..=MAX_HOURS).contains(&hours),
                "duration_hours",
                format!("must be 1 to {MAX_HOURS}"),
            );
            faults.check(
                self.expires_at.is_none(),
                "duration_hours",
                "must not be given together with expires_at",
            );
        }
    }
}

/// Ends a grant. One of `user_id` and `username` is needed; `user_id` wins.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RevokeAccess {
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, min_length = 1, format = "line")]
    pub user_id: Option<String>,
    /// The account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, min_length = 1, format = "line")]
    pub username: Option<String>,
}

impl Validate for RevokeAccess {
    fn validate(&self, faults: &mut Faults) {
        subject(faults, self.user_id.as_deref(), self.username.as_deref());
    }
}

fn subject(faults: &mut Faults, user_id: Option<&str>, username: Option<&str>) {
    for (field, value) in [("user_id", user_id), ("username", username)] {
        if let Some(value) = value {
            faults.line(field, value, 1, MAX_NAME);
        }
    }
    faults.check(
        user_id.is_some() || username.is_some(),
        "user_id",
        "is required, or username in its place",
    );
}

/// Somebody who may use a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessUser {
    /// The account.
    pub user_id: ObjectId,
    /// Its name.
    pub username: String,
    /// Its mail address.
    pub email: String,
    /// What it is in its organization.
    pub role: Role,
    /// Whether it was given privileges for its shells on this machine: by the grant, or else by the account, or else because
    /// it manages the machine; or by a request for them that was approved.
    pub machine_role: MachineRole,
    /// The same for people: `sudo` or `non-sudo`.
    pub machine_role_name: String,
    /// What that comes to: privileges are gained only on a machine that was enrolled with them.
    pub effective_role: MachineRole,
    /// The first of `ways`.
    pub via: String,
    /// Every way by which it may: `owner`, `direct` (a grant), `group:` and the group's name, `request` (one that was
    /// approved), `admin`. Whoever loses one keeps the others.
    pub ways: Vec<String>,
    /// Since when, by the first way. Administrators have always been able to.
    pub granted_at: Option<DateTime<Utc>>,
    /// Who granted it, or approved the request for it, by name.
    pub granted_by: Option<String>,
    /// When the grant ends, or without one the approved request, if it does.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Who may use a machine, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessList {
    /// The people. Super administrators of other organizations, who reach every machine, are not listed.
    pub users: Vec<AccessUser>,
    /// How many there are.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        crate::api::validate::refused_fields::<GrantAccess>(text)
    }

    #[test]
    fn a_grant_names_somebody_and_at_most_one_end() {
        assert_eq!(fields("{}"), ["user_id"]);
        for good in [
            r#"{"user_id":"0"}"#,
            r#"{"username":"ann","machine_role":"","duration_hours":1}"#,
            r#"{"username":"ann","machine_role":"non-sudo","expires_at":"2030-01-01T00:00:00+02:00"}"#,
        ] {
            assert!(fields(good).is_empty(), "{good}");
        }
        assert_eq!(fields(r#"{"username":"ann","machine_role":"root"}"#), ["machine_role"]);
        assert_eq!(fields(r#"{"username":"ann","duration_hours":0}"#), ["duration_hours"]);
        let both = r#"{"username":"ann","duration_hours":1,"expires_at":"2030-01-01T00:00:00Z"}"#;
        assert_eq!(fields(both), ["duration_hours"]);
    }

    #[test]
    fn a_machine_role_has_the_names_that_clients_use() {
        for (text, role) in [
            ("sudo", MachineRole::AllowSudo),
            ("allow_sudo", MachineRole::AllowSudo),
            ("non-sudo", MachineRole::NonSudo),
            ("user", MachineRole::NonSudo),
        ] {
            assert_eq!(MachineRole::parse(text), Some(role));
            assert_eq!(MachineRole::parse(role.as_str()), Some(role));
            assert_eq!(MachineRole::parse(role.label()), Some(role));
        }
        assert_eq!(MachineRole::parse("root"), None);
    }
}
