//! The roles that a request asks for, in each of the published forms.
use protocol::api::access::MachineRole;
use protocol::api::auth::Role;
use protocol::api::users::AssignRoles;

use crate::features::roles::builtin;
use crate::features::roles::row::GivenRole;
use crate::platform::db::Exists;
use crate::platform::error::ApiError;

/// What is asked for. What is absent stays.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RoleAssignment {
    /// What the account is to be in its organization.
    pub portal: Option<Role>,
    /// Its role on machines; empty takes it away.
    pub machine: Option<&'static str>,
    /// The numbers of all roles it is to have.
    pub numbers: Option<Vec<i64>>,
}

impl RoleAssignment {
    /// What a request asks for, in any of its forms.
    pub fn read(request: AssignRoles) -> Result<Self, ApiError> {
        let machine = |name: &str| match (name.is_empty(), MachineRole::parse(name)) {
            (false, None) => Err(ApiError::bad_request("Invalid machine role")),
            _ => Ok(machine_role(name)),
        };
        let portal =
            |name: &str| builtin::portal_by_name(name).ok_or_else(|| ApiError::bad_request("Invalid portal role"));
        let twice = |kind: &str| ApiError::invalid_field("roles", format!("must name at most one {kind} role"));
        let mut assignment = Self {
            portal: request.portal_role.as_deref().map(portal).transpose()?,
            machine: request.machine_role.as_deref().map(machine).transpose()?,
            numbers: request.role_ids,
        };
        for name in request.roles.iter().flatten() {
            // `user` is also an old name of a role on machines; here it is what an account is in its organization.
            let is_machine = builtin::portal_by_name(name).is_none() && MachineRole::parse(name).is_some();
            let before = match is_machine {
                true => assignment
                    .machine
                    .replace(machine(name)?)
                    .is_some()
                    .then_some("machine"),
                false => assignment.portal.replace(portal(name)?).is_some().then_some("portal"),
            };
            if let Some(kind) = before {
                return Err(twice(kind));
            }
        }
        match assignment == Self::default() {
            true => Err(ApiError::invalid_field(
                "role_ids",
                "is required, or roles, portal_role or machine_role in its place",
            )),
            false => Ok(assignment),
        }
    }

    /// What the account is to be in its organization: as said, or else as the system role is among the numbers or not.
    pub fn portal(&self, current: Role, given: &[GivenRole]) -> Option<Role> {
        let admin = given.iter().any(|role| role.is_system);
        let by_number = || match (self.numbers.is_some(), current, admin) {
            (true, Role::User, true) => Some(Role::CompanyAdmin),
            (true, Role::CompanyAdmin, false) => Some(Role::User),
            _ => None,
        };
        self.portal.or_else(by_number).filter(|role| *role != current)
    }
}

/// The roles that were found by their numbers. Numbers that are no role's are passed over (contract); another organization's are
/// refused, so that nobody takes them for given.
pub fn only_own((given, foreign): (Vec<GivenRole>, Vec<Exists>)) -> Result<Vec<GivenRole>, ApiError> {
    match foreign.is_empty() {
        true => Ok(given),
        false => Err(ApiError::invalid_field(
            "role_ids",
            "must be roles of the account's organization",
        )),
    }
}

/// A role on machines as it is stored, from any of its names.
pub fn machine_role(text: &str) -> &'static str {
    MachineRole::parse(text).map_or("", MachineRole::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: serde_json::Value) -> Result<RoleAssignment, String> {
        RoleAssignment::read(serde_json::from_value(body).unwrap()).map_err(|error| error.text().to_owned())
    }

    #[test]
    fn roles_are_asked_for_in_each_published_form() {
        let of = |portal, machine, numbers| {
            Ok(RoleAssignment {
                portal,
                machine,
                numbers,
            })
        };
        assert_eq!(read(json!({"role_ids": [1, 2]})), of(None, None, Some(vec![1, 2])));
        assert_eq!(read(json!({"role_ids": []})), of(None, None, Some(vec![])));
        let both = of(Some(Role::CompanyAdmin), Some("allow_sudo"), None);
        assert_eq!(read(json!({"roles": ["company_admin", "sudo"]})), both);
        assert_eq!(
            read(json!({"portal_role": "company_admin", "machine_role": "allow_sudo"})),
            both
        );
        assert_eq!(read(json!({"roles": ["user"]})), of(Some(Role::User), None, None));
        assert_eq!(read(json!({"machine_role": ""})), of(None, Some(""), None));
        for (body, words) in [
            (json!({}), "is required"),
            (json!({"roles": ["user", "company_admin"]}), "at most one portal role"),
            (json!({"roles": ["sudo", "non-sudo"]}), "at most one machine role"),
            (json!({"roles": ["king"]}), "Invalid portal role"),
            (json!({"portal_role": "king"}), "Invalid portal role"),
            (json!({"machine_role": "root"}), "Invalid machine role"),
        ] {
            let error = read(body.clone()).unwrap_err();
            assert!(error.contains(words), "{body}: {error}");
        }
    }

    #[test]
    fn the_system_role_by_its_number_is_being_an_administrator() {
        let role = |is_system| GivenRole {
            id: 1,
            name: "x".to_owned(),
            is_system,
            permissions: Vec::new(),
        };
        let numbers = RoleAssignment {
            numbers: Some(vec![1]),
            ..RoleAssignment::default()
        };
        for (current, is_system, expected) in [
            (Role::User, true, Some(Role::CompanyAdmin)),
            (Role::User, false, None),
            (Role::CompanyAdmin, true, None),
            (Role::CompanyAdmin, false, Some(Role::User)),
            (Role::SuperAdmin, false, None),
        ] {
            assert_eq!(
                numbers.portal(current, &[role(is_system)]),
                expected,
                "{current:?} {is_system}"
            );
        }
        assert_eq!(RoleAssignment::default().portal(Role::CompanyAdmin, &[]), None);
    }
}
