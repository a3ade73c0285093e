//! The roles of one account: seeing and assigning them.
use axum::Json;
use protocol::api::access::MachineRole;
use protocol::api::auth::Role;
use protocol::api::error::ErrorBody;
use protocol::api::users::{AssignRoles, PersonRoles, RolesAssigned};

use super::delete::last_admin;
use super::edit::{event, machine_role, role_changed};
use super::store::{self, Change};
use super::{again, body, guard, one, reach};
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::user::UserControl;
use crate::auth::caller::Credentials;
use crate::auth::revocation::{self, Whose};
use crate::db::now;
use crate::error::ApiError;
use crate::extract::{PathParam, ValidJson};
use crate::roles::builtin;
use crate::roles::store::{GivenRole, given};

/// The roles of one account.
#[utoipa::path(get, path = "/api/users/{user_id}/roles", tag = "users", summary = "Read a user's roles",
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The roles", body = PersonRoles),
        (status = 403, description = "The caller may not see them", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody)))]
#[worker::send]
pub async fn find_user_roles(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
) -> Result<Json<PersonRoles>, ApiError> {
    find(&app, credentials, &user_id).await
}

/// The same as `GET /api/users/{user_id}/roles`.
#[utoipa::path(get, path = "/api/roles/users/{user_id}", tag = "roles", summary = "Read a user's roles, by another path",
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The roles", body = PersonRoles),
        (status = 403, description = "The caller may not see them", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody)))]
#[worker::send]
pub async fn find_user_roles_alias(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
) -> Result<Json<PersonRoles>, ApiError> {
    find(&app, credentials, &user_id).await
}

/// Says which roles an account has from now on. It has what they allow from its next request on.
#[utoipa::path(post, path = "/api/users/{user_id}/roles", tag = "users", summary = "Assign roles", request_body = AssignRoles,
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The account as it is now", body = RolesAssigned),
        (status = 403, description = "The caller may not assign these roles", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = ErrorBody)))]
#[worker::send]
pub async fn assign_user_roles(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
    ValidJson(request): ValidJson<AssignRoles>,
) -> Result<Json<RolesAssigned>, ApiError> {
    assign(&app, credentials, &user_id, request).await
}

/// The same as `POST /api/users/{user_id}/roles`.
#[utoipa::path(put, path = "/api/users/{user_id}/roles", tag = "users", summary = "Replace a user's roles", request_body = AssignRoles,
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The account as it is now", body = RolesAssigned),
        (status = 403, description = "The caller may not assign these roles", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = ErrorBody)))]
#[worker::send]
pub async fn replace_user_roles(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
    ValidJson(request): ValidJson<AssignRoles>,
) -> Result<Json<RolesAssigned>, ApiError> {
    assign(&app, credentials, &user_id, request).await
}

/// The same as `POST /api/users/{user_id}/roles`.
#[utoipa::path(post, path = "/api/roles/users/{user_id}/roles", tag = "roles", summary = "Assign roles, by another path",
    request_body = AssignRoles, params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The account as it is now", body = RolesAssigned),
        (status = 403, description = "The caller may not assign these roles", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = ErrorBody)))]
#[worker::send]
pub async fn assign_user_roles_alias(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
    ValidJson(request): ValidJson<AssignRoles>,
) -> Result<Json<RolesAssigned>, ApiError> {
    assign(&app, credentials, &user_id, request).await
}

async fn find(app: &App, credentials: Credentials, user_id: &str) -> Result<Json<PersonRoles>, ApiError> {
    let access = reach(app, credentials, user_id).await?;
    if !access.sees_all() {
        return Err(ApiError::forbidden("forbidden", "Cannot view other users' roles"));
    }
    let row = access.row().clone();
    let person = body::person(row);
    let portal_role = builtin::portal(person.role);
    let others = person.roles.iter().map(|role| role.name.clone());
    Ok(Json(PersonRoles {
        roles: std::iter::once(portal_role.name.clone()).chain(others).collect(),
        portal_role,
        machine_role: MachineRole::parse(&person.machine_role).map(builtin::machine),
        role_ids: person.roles.iter().map(|role| role.id).collect(),
        user_id: person.id,
        username: person.username,
    }))
}

/// What is asked for. What is absent stays.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    portal: Option<Role>,
    machine: Option<&'static str>,
    numbers: Option<Vec<i64>>,
}

impl Wanted {
    fn read(request: AssignRoles) -> Result<Self, ApiError> {
        let machine = |name: &str| match (name.is_empty(), MachineRole::parse(name)) {
            (false, None) => Err(ApiError::bad_request("Invalid machine role")),
            _ => Ok(machine_role(name)),
        };
        let portal =
            |name: &str| builtin::portal_by_name(name).ok_or_else(|| ApiError::bad_request("Invalid portal role"));
        let twice = |kind: &str| ApiError::invalid_field("roles", format!("must name at most one {kind} role"));
        let mut wanted = Self {
            portal: request.portal_role.as_deref().map(portal).transpose()?,
            machine: request.machine_role.as_deref().map(machine).transpose()?,
            numbers: request.role_ids,
        };
        for name in request.roles.iter().flatten() {
            // `user` is also an old name of a role on machines; here it is what an account is in its organization.
            let is_machine = builtin::portal_by_name(name).is_none() && MachineRole::parse(name).is_some();
            let before = match is_machine {
                true => wanted.machine.replace(machine(name)?).is_some().then_some("machine"),
                false => wanted.portal.replace(portal(name)?).is_some().then_some("portal"),
            };
            if let Some(kind) = before {
                return Err(twice(kind));
            }
        }
        match wanted == Self::default() {
            true => Err(ApiError::invalid_field(
                "role_ids",
                "is required, or roles, portal_role or machine_role in its place",
            )),
            false => Ok(wanted),
        }
    }

    /// What the account is to be in its organization: as said, or else as the system role is among the numbers or not.
    fn portal(&self, current: Role, given: &[GivenRole]) -> Option<Role> {
        let admin = given.iter().any(|role| role.is_system);
        let by_number = || match (self.numbers.is_some(), current, admin) {
            (true, Role::User, true) => Some(Role::CompanyAdmin),
            (true, Role::CompanyAdmin, false) => Some(Role::User),
            _ => None,
        };
        self.portal.or_else(by_number).filter(|role| *role != current)
    }
}

async fn assign(
    app: &App,
    credentials: Credentials,
    user_id: &str,
    request: AssignRoles,
) -> Result<Json<RolesAssigned>, ApiError> {
    let control = reach(app, credentials, user_id).await?.control()?;
    let wanted = Wanted::read(request)?;
    let db = app.db()?;
    let given = match wanted.numbers.as_deref().filter(|numbers| !numbers.is_empty()) {
        Some(numbers) => db.run(given(control.organization_id(), numbers)).await?,
        None => Vec::new(),
    };
    guard::give_roles(control.caller(), &given)?;
    let portal = wanted.portal(control.row().role, &given);
    if let Some(role) = portal {
        guard::change_role(&control, role)?;
    }
    let change = Change {
        role: portal.map(Role::as_str),
        machine_role: wanted.machine,
        ..Change::default()
    };
    let mut batch = vec![store::update(&control, &change, &now())];
    if wanted.numbers.is_some() {
        let numbers: Vec<i64> = given.iter().map(|role| role.id).collect();
        let numbers = serde_json::json!(numbers).to_string();
        batch.extend(store::set_roles(control.id(), control.organization_id(), &numbers));
    }
    if control.row().enabled && control.row().role != Role::User && portal == Some(Role::User) {
        batch.push(store::keep_an_admin(control.organization_id()));
    }
    batch.extend(events(&control, &wanted, portal, &given).iter().map(audit::record));
    let find = again(control.caller().id(), control.id());
    let (_, found) = db.run((batch, find)).await.map_err(last_admin)?;
    revocation::end_orphans(app, Whose::User(control.id())).await?;
    let user = body::person(one(found)?);
    Ok(Json(RolesAssigned {
        message: "Roles assigned successfully".to_owned(),
        portal_role: user.role,
        flat: user.clone(),
        user,
    }))
}

fn events(control: &UserControl, wanted: &Wanted, portal: Option<Role>, given: &[GivenRole]) -> Vec<audit::Event> {
    let machine = wanted
        .machine
        .filter(|role| *role != control.row().machine_role)
        .map(|role| {
            event(control, Action::RoleChanged)
                .detail("old_machine_role", control.row().machine_role.as_str())
                .detail("new_machine_role", role)
        });
    let assigned = wanted.numbers.as_ref().map(|numbers| {
        let before: Vec<&str> = control.row().roles.iter().map(|role| role.name.as_str()).collect();
        let after: Vec<&str> = given.iter().map(|role| role.name.as_str()).collect();
        event(control, Action::RolesAssigned)
            .detail("role_ids", numbers.as_slice())
            .detail("old", before)
            .detail("new", after)
    });
    let changed = portal.map(|role| role_changed(control, role.as_str()));
    changed.into_iter().chain(machine).chain(assigned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted(body: serde_json::Value) -> Result<Wanted, String> {
        Wanted::read(serde_json::from_value(body).unwrap()).map_err(|error| error.text().to_owned())
    }

    #[test]
    fn roles_are_asked_for_in_each_published_form() {
        let of = |portal, machine, numbers| {
            Ok(Wanted {
                portal,
                machine,
                numbers,
            })
        };
        assert_eq!(wanted(json!({"role_ids": [1, 2]})), of(None, None, Some(vec![1, 2])));
        assert_eq!(wanted(json!({"role_ids": []})), of(None, None, Some(vec![])));
        let both = of(Some(Role::CompanyAdmin), Some("allow_sudo"), None);
        assert_eq!(wanted(json!({"roles": ["company_admin", "sudo"]})), both);
        assert_eq!(
            wanted(json!({"portal_role": "company_admin", "machine_role": "allow_sudo"})),
            both
        );
        assert_eq!(wanted(json!({"roles": ["user"]})), of(Some(Role::User), None, None));
        assert_eq!(wanted(json!({"machine_role": ""})), of(None, Some(""), None));
        for (body, words) in [
            (json!({}), "is required"),
            (json!({"roles": ["user", "company_admin"]}), "at most one portal role"),
            (json!({"roles": ["sudo", "non-sudo"]}), "at most one machine role"),
            (json!({"roles": ["king"]}), "Invalid portal role"),
            (json!({"portal_role": "king"}), "Invalid portal role"),
            (json!({"machine_role": "root"}), "Invalid machine role"),
        ] {
            let error = wanted(body.clone()).unwrap_err();
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
        let numbers = Wanted {
            numbers: Some(vec![1]),
            ..Wanted::default()
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
        assert_eq!(Wanted::default().portal(Role::CompanyAdmin, &[]), None);
    }
}
