//! What is asked of people's accounts.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::access::MachineRole;
use crate::api::auth::{MAX_NAME, MIN_PASSWORD, Role, check_email, check_password, check_username};
use crate::api::secret::Secret;
use crate::api::validate::{Faults, Validate};

/// Most groups, or roles, in one request.
const MAX_REFERENCES: usize = 100;

/// Longest name or id in one.
const MAX_REFERENCE: usize = 100;

/// A new account in the caller's organization. With `password` it can be used at once; without, its owner is invited.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreateUser {
    /// Unique among all accounts, upper and lower case being the same.
    #[schema(
        min_length = 3,
        max_length = 50,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        example = "johndoe"
    )]
    pub username: String,
    /// Unique in the organization.
    #[schema(max_length = 254, format = "mail", example = "john@example.org")]
    pub email: String,
    /// 8 to 1024 characters. Its owner must choose another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 1024)]
    pub password: Option<Secret>,
    /// Given name; required with `password`.
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub first_name: Option<String>,
    /// Family name; required with `password`.
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub last_name: Option<String>,
    /// What people call its owner.
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub display_name: Option<String>,
    /// `user`, if it is not given, or `company_admin`.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whether its shells may gain privileges: `allow_sudo`, `non_sudo` or empty.
    #[serde(default)]
    #[schema(max_length = 20, pattern = "^(|allow_sudo|sudo|non_sudo|non-sudo|user)$")]
    pub machine_role: Option<String>,
    /// Groups it is to be in, by id or name.
    #[serde(default)]
    #[schema(max_items = 100, max_length = 100, format = "text")]
    pub groups: Option<Vec<String>>,
    /// Roles of its organization to give it; numbers that are none are passed over.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub role_ids: Option<Vec<i64>>,
    /// One role to give it.
    #[serde(default)]
    pub role_id: Option<i64>,
    /// Another organization's slug; only for super administrators.
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub tenant_id: Option<String>,
}

impl Validate for CreateUser {
    fn validate(&self, faults: &mut Faults) {
        check_username(faults, "username", &self.username);
        check_email(faults, "email", &self.email);
        if let Some(password) = &self.password {
            check_password(faults, "password", password, MIN_PASSWORD);
        }
        names(faults, &self.first_name, &self.last_name, &self.display_name);
        if self.password.is_some() {
            for (field, name) in [("first_name", &self.first_name), ("last_name", &self.last_name)] {
                let empty = name.as_deref().unwrap_or_default().trim().is_empty();
                faults.check(!empty, field, "is required where a password is given");
            }
        }
        machine_role(faults, &self.machine_role);
        references(faults, "groups", self.groups.as_deref());
        count(faults, "role_ids", self.role_ids.as_deref());
        if let Some(tenant) = &self.tenant_id {
            faults.line("tenant_id", tenant, 0, MAX_REFERENCE);
        }
    }
}

/// A change of an account. What is absent or null stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateUser {
    /// Its mail address, unique in the organization; empty is as absent. A new one is not proven, and links mailed to the old
    /// one are void.
    #[schema(max_length = 254, format = "mail-or-empty")]
    pub email: Option<String>,
    /// Given name.
    #[schema(max_length = 100, format = "line")]
    pub first_name: Option<String>,
    /// Family name.
    #[schema(max_length = 100, format = "line")]
    pub last_name: Option<String>,
    /// What people call its owner.
    #[schema(max_length = 100, format = "line")]
    pub display_name: Option<String>,
    /// What it may do.
    pub role: Option<Role>,
    /// Whether its shells may gain privileges: `allow_sudo`, `non_sudo` or empty.
    #[schema(max_length = 20, pattern = "^(|allow_sudo|sudo|non_sudo|non-sudo|user)$")]
    pub machine_role: Option<String>,
    /// The groups it is in from now on, by id or name.
    #[schema(max_items = 100, max_length = 100, format = "text")]
    pub groups: Option<Vec<String>>,
    /// Whether it may sign in.
    pub enabled: Option<bool>,
    /// The same, under another name.
    pub is_active: Option<bool>,
}

impl UpdateUser {
    /// Its mail address, if one is given: forms send what was left empty.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref().filter(|email| !email.is_empty())
    }

    /// Whether it may sign in, by either name.
    pub fn enabled(&self) -> Option<bool> {
        self.enabled.or(self.is_active)
    }
}

impl Validate for UpdateUser {
    fn validate(&self, faults: &mut Faults) {
        if let Some(email) = self.email() {
            check_email(faults, "email", email);
        }
        names(faults, &self.first_name, &self.last_name, &self.display_name);
        machine_role(faults, &self.machine_role);
        references(faults, "groups", self.groups.as_deref());
        let contradicts = self
            .enabled
            .zip(self.is_active)
            .is_some_and(|(one, other)| one != other);
        faults.check(!contradicts, "is_active", "contradicts enabled; give one of them");
    }
}

/// A password that an administrator chooses for somebody, who must choose another one with it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ResetPassword {
    /// 8 to 1024 characters. `new_password` is the same.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    pub password: Secret,
}

impl Validate for ResetPassword {
    const OTHER_NAMES: &'static [(&'static str, &'static str)] = &[("new_password", "password")];

    fn validate(&self, faults: &mut Faults) {
        check_password(faults, "password", &self.password, MIN_PASSWORD);
    }
}

/// The roles that an account has from now on: by number, or by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AssignRoles {
    /// The numbers of all roles it is to have; numbers that are none are passed over.
    #[schema(max_items = 100)]
    pub role_ids: Option<Vec<i64>>,
    /// Names: at most one of `super_admin`, `company_admin` and `user`, and at most one of `allow_sudo` and `non_sudo`.
    #[schema(
        max_items = 100,
        pattern = "^(super_admin|company_admin|user|allow_sudo|sudo|non_sudo|non-sudo)$"
    )]
    pub roles: Option<Vec<String>>,
    /// What it is to be in its organization.
    #[schema(max_length = 100, pattern = "^(super_admin|company_admin|user)$")]
    pub portal_role: Option<String>,
    /// Its role on machines: `allow_sudo`, `non_sudo` or empty.
    #[schema(max_length = 100, pattern = "^(|allow_sudo|sudo|non_sudo|non-sudo|user)$")]
    pub machine_role: Option<String>,
}

impl Validate for AssignRoles {
    fn validate(&self, faults: &mut Faults) {
        count(faults, "role_ids", self.role_ids.as_deref());
        references(faults, "roles", self.roles.as_deref());
        for (field, role) in [("portal_role", &self.portal_role), ("machine_role", &self.machine_role)] {
            faults.line(field, role.as_deref().unwrap_or_default(), 0, MAX_REFERENCE);
        }
    }
}

/// A role on machines by any of its names; empty takes it away.
fn machine_role(faults: &mut Faults, text: &Option<String>) {
    let known = text
        .as_deref()
        .is_none_or(|text| text.is_empty() || MachineRole::parse(text).is_some());
    faults.check(known, "machine_role", "must be allow_sudo, non_sudo or empty");
}

fn names(faults: &mut Faults, first: &Option<String>, last: &Option<String>, display: &Option<String>) {
    for (field, name) in [("first_name", first), ("last_name", last), ("display_name", display)] {
        faults.line(field, name.as_deref().unwrap_or_default(), 0, MAX_NAME);
    }
}

fn references(faults: &mut Faults, field: &str, references: Option<&[String]>) {
    let references = references.unwrap_or_default();
    count(faults, field, Some(references));
    let short = references
        .iter()
        .all(|text| text.chars().count() <= MAX_REFERENCE && !text.contains('\0'));
    faults.check(
        short,
        field,
        format!("must be names or ids of at most {MAX_REFERENCE} characters"),
    );
}

fn count<T>(faults: &mut Faults, field: &str, list: Option<&[T]>) {
    faults.check(
        list.unwrap_or_default().len() <= MAX_REFERENCES,
        field,
        format!("must be at most {MAX_REFERENCES}"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults<T: Validate + serde::de::DeserializeOwned>(body: serde_json::Value) -> Vec<String> {
        crate::api::validate::refused_fields::<T>(&body.to_string())
    }

    #[test]
    fn a_new_account_needs_a_name_and_an_address_and_no_more() {
        assert!(faults::<CreateUser>(json!({"username": "ann", "email": "ann@example.org"})).is_empty());
        let bad = json!({"username": "a", "email": "a", "password": "1234567", "first_name": "x".repeat(101), "last_name": "a\nb",
            "groups": ["\u{0}"], "role_ids": vec![1; 101], "machine_role": "root"});
        assert_eq!(
            faults::<CreateUser>(bad),
            [
                "username",
                "email",
                "password",
                "first_name",
                "last_name",
                "machine_role",
                "groups",
                "role_ids"
            ]
        );
    }

    #[test]
    fn a_change_may_not_contradict_itself() {
        assert!(faults::<UpdateUser>(json!({})).is_empty());
        assert!(faults::<UpdateUser>(json!({"enabled": true, "is_active": true, "email": null})).is_empty());
        assert!(faults::<UpdateUser>(json!({"email": ""})).is_empty());
        assert_eq!(
            faults::<UpdateUser>(json!({"enabled": true, "is_active": false})),
            ["is_active"]
        );
    }
}
