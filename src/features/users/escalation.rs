//! Escalation of privileges: what nobody may do with people, whatever their permissions, as they would gain by it.
use protocol::api::access::MachineRole;
use protocol::api::auth::Role;

use super::access::UserControl;
use crate::auth::caller::Caller;
use crate::auth::permission::Permission;
use crate::features::roles::row::GivenRole;
use crate::platform::error::ApiError;

fn forbidden(text: &'static str) -> ApiError {
    ApiError::forbidden("forbidden", text)
}

/// Making an account something else in its organization takes an administrator, and nobody makes more of it than they are.
pub fn check_role(control: &UserControl, to: Role) -> Result<(), ApiError> {
    let caller = control.caller();
    match (control.row().role, to) {
        (from, to) if from == to => Ok(()),
        (_, Role::SuperAdmin) if !caller.is_super_admin() => Err(forbidden("Cannot assign super admin role")),
        (Role::SuperAdmin, _) if control.is_own() => Err(forbidden("Cannot remove your own super admin role")),
        _ if !caller.is_admin() => Err(forbidden("Only administrators make administrators")),
        _ => Ok(()),
    }
}

/// A new account becomes no super administrator, and an administrator only by one.
pub fn check_first_role(caller: &Caller, role: Role) -> Result<(), ApiError> {
    match role {
        Role::SuperAdmin => Err(forbidden("Cannot assign super admin role")),
        Role::CompanyAdmin if !caller.is_admin() => Err(forbidden("Only administrators make administrators")),
        Role::CompanyAdmin | Role::User => Ok(()),
    }
}

/// Nobody gives a role that allows what they may not do themselves. The system role allows everything.
pub fn check_roles(caller: &Caller, roles: &[GivenRole]) -> Result<(), ApiError> {
    let holds = |role: &GivenRole| match role.is_system {
        true => caller.is_admin(),
        false => role.permissions.iter().all(|codename| caller.holds(codename)),
    };
    match roles.iter().find(|role| !holds(role)) {
        Some(role) => Err(ApiError::forbidden(
            "forbidden",
            format!("The role {} allows more than you may do yourself", role.name),
        )),
        None => Ok(()),
    }
}

/// A role on machines is a role, too. Privileges there are for administrators to give: nobody else is known to have them on
/// all machines.
pub fn check_machine_role(caller: &Caller, to: &str) -> Result<(), ApiError> {
    match caller.may(Permission::UsersAssignRoles) {
        false => Err(forbidden("Permission denied: users.assign_roles")),
        true if to == MachineRole::AllowSudo.as_str() && !caller.is_admin() => {
            Err(forbidden("Only administrators give privileges on machines"))
        }
        true => Ok(()),
    }
}

/// Groups open machines, so administrators say who is in them.
pub fn check_groups(caller: &Caller) -> Result<(), ApiError> {
    match caller.is_admin() {
        true => Ok(()),
        false => Err(forbidden("Only administrators say who is in a group")),
    }
}
