//! An account as its owner sees it: with the one secret that is shown again.
use protocol::api::auth::{Role, RoleRef, User};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use super::row::{AccountRow, GroupRef};
use crate::auth::caller::Caller;
use crate::auth::permission;
use crate::features::roles::builtin;
use crate::platform::config::Config;
use crate::platform::error::ApiError;

/// The account as its owner sees it, with its API key.
pub fn user(config: &Config, row: &AccountRow) -> Result<User, ApiError> {
    let api_key = config
        .sealing
        .open(&api_key_associated_data(&row.id), &row.api_key_sealed)?;
    Ok(shown(row.clone(), api_key))
}

/// The account as a caller sees it whose own it is. The key that enrols machines is for its owner, not for a program that was
/// given another key.
pub fn own(config: &Config, caller: &Caller, row: &AccountRow) -> Result<User, ApiError> {
    match caller.uses_key() {
        true => Ok(shown(row.clone(), String::new().into())),
        false => user(config, row),
    }
}

/// What the key of an account is sealed with.
pub fn api_key_associated_data(user: &ObjectId) -> String {
    format!("users.api_key:{user}")
}

/// The account as its owner sees it, with its key.
fn shown(row: AccountRow, api_key: Secret) -> User {
    let (groups, group_ids) = groups(row.groups);
    User {
        display_name: display_name(&row.display_name, &row.first_name, &row.last_name),
        permissions: permissions(row.role, &row.permissions),
        roles: roles(row.roles),
        groups,
        group_ids,
        id: row.id,
        int_id: row.int_id,
        username: row.username,
        email: row.email,
        first_name: row.first_name,
        last_name: row.last_name,
        avatar_url: row.avatar_url,
        tenant_id: row.tenant_id,
        tenant_name: row.tenant_name,
        role: row.role,
        machine_role: row.machine_role,
        email_verified: row.email_verified,
        enabled: row.disabled_at.is_none() && !row.pending,
        must_reset_password: row.must_reset_password,
        ssh_public_key: row.ssh_public_key,
        mfa_enabled: row.totp_confirmed_at.is_some(),
        api_key,
        keycloak_id: String::new(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_login: row.last_login_at,
        last_login_at: row.last_login_at,
    }
}

/// What an account may do, sorted: what its roles allow (`of_roles`), and what being what it is allows (contract). To
/// administrators that is everything, one by one and as `*`.
pub fn permissions(role: Role, of_roles: &[String]) -> Vec<String> {
    let portal = builtin::portal(role).permissions;
    let mut names: Vec<String> = of_roles.iter().cloned().chain(portal).collect();
    if role != Role::User {
        names.extend(
            permission::ALL
                .iter()
                .map(|permission| permission.codename().to_owned()),
        );
        names.push("*".to_owned());
    }
    names.sort();
    names.dedup();
    names
}

/// What people call somebody: as chosen, else both names, else nothing.
pub fn display_name(chosen: &str, first: &str, last: &str) -> Option<String> {
    let both = format!("{first} {last}");
    let name = [chosen.trim(), both.trim()].into_iter().find(|name| !name.is_empty());
    name.map(str::to_owned)
}

pub fn groups(mut groups: Vec<GroupRef>) -> (Vec<String>, Vec<ObjectId>) {
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups.into_iter().map(|group| (group.name, group.id)).unzip()
}

pub fn roles(mut roles: Vec<RoleRef>) -> Vec<RoleRef> {
    roles.sort_by_key(|role| role.id);
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_sorted_and_only_administrators_have_the_wildcard() {
        let of = |role| permissions(role, &["users.view".to_owned(), "users.view".to_owned()]);
        let user = [
            "use_assigned_machines",
            "users.view",
            "view_assigned_machines",
            "view_own_profile",
        ];
        assert_eq!(of(Role::User), user);
        for role in [Role::CompanyAdmin, Role::SuperAdmin] {
            let names = of(role);
            assert!(names.is_sorted() && names.starts_with(&["*".to_owned()]), "{names:?}");
            assert!(names.len() > permission::ALL.len() + 1 && names.contains(&"roles.edit".to_owned()));
        }
    }
}
