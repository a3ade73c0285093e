//! The roles of one account: seeing and assigning them.
use protocol::api::access::MachineRole;
use protocol::api::auth::Role;
use protocol::api::error::ErrorBody;
use protocol::api::users::{AssignRoles, PersonRoles, RolesAssigned};

use super::delete::last_admin;
use super::edit::{event, role_changed};
use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::accounts::store::change::Change;
use crate::features::roles::builtin;
use crate::features::roles::row::GivenRole;
use crate::features::roles::store::given;
use crate::features::sessions::revocation::{self, Whose};
use crate::features::users::access::UserControl;
use crate::features::users::load::{exactly_one, load, reload};
use crate::features::users::role_assignment::{RoleAssignment, only_own};
use crate::features::users::{body, escalation, store};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// The roles of one account.
#[utoipa::path(get, path = "/api/users/{user_id}/roles", summary = "Read a user's roles",
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The roles", body = PersonRoles),
        (status = 403, description = "The caller may not see them", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody)))]
pub async fn find_user_roles(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
) -> Result<Json<PersonRoles>, ApiError> {
    let access = load(&app, credentials, &user_id).await?;
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

/// Says which roles an account has from now on. It has what they allow from its next request on.
#[utoipa::path(post, path = "/api/users/{user_id}/roles", summary = "Assign roles", request_body = AssignRoles,
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The account as it is now", body = RolesAssigned),
        (status = 403, description = "The caller may not assign these roles", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = ErrorBody)))]
pub async fn assign_user_roles(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
    ValidJson(request): ValidJson<AssignRoles>,
) -> Result<Json<RolesAssigned>, ApiError> {
    assign(&app, credentials, &user_id, request).await
}

/// The same as `POST /api/users/{user_id}/roles`.
#[utoipa::path(put, path = "/api/users/{user_id}/roles", summary = "Replace a user's roles", request_body = AssignRoles,
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The account as it is now", body = RolesAssigned),
        (status = 403, description = "The caller may not assign these roles", body = ErrorBody),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody),
        (status = 409, description = "It is the last administrator of its organization", body = ErrorBody)))]
pub async fn replace_user_roles(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
    ValidJson(request): ValidJson<AssignRoles>,
) -> Result<Json<RolesAssigned>, ApiError> {
    assign(&app, credentials, &user_id, request).await
}

async fn assign(
    app: &App,
    credentials: Credentials,
    user_id: &str,
    request: AssignRoles,
) -> Result<Json<RolesAssigned>, ApiError> {
    let control = load(app, credentials, user_id).await?.control()?;
    let assignment = RoleAssignment::read(request)?;
    let db = app.db()?;
    let given = match assignment.numbers.as_deref().filter(|numbers| !numbers.is_empty()) {
        Some(numbers) => only_own(db.run(given(control.organization_id(), numbers)).await?)?,
        None => Vec::new(),
    };
    escalation::check_roles(control.caller(), &given)?;
    if let Some(role) = assignment.machine.filter(|role| *role != control.row().machine_role) {
        escalation::check_machine_role(control.caller(), role)?;
    }
    let portal = assignment.portal(control.row().role, &given);
    if let Some(role) = portal {
        escalation::check_role(&control, role)?;
    }
    let change = Change {
        role: portal.map(Role::as_str),
        machine_role: assignment.machine,
        ..Change::default()
    };
    let mut batch = vec![store::update(&control, &change, &now())];
    if assignment.numbers.is_some() {
        let numbers: Vec<i64> = given.iter().map(|role| role.id).collect();
        let numbers = serde_json::json!(numbers).to_string();
        batch.extend(store::set_roles(control.id(), control.organization_id(), &numbers));
    }
    if control.row().enabled && control.row().role != Role::User && portal == Some(Role::User) {
        batch.push(store::keep_an_admin(control.organization_id()));
    }
    batch.extend(events(&control, &assignment, portal, &given).iter().map(audit::record));
    let find = reload(control.caller().id(), control.id());
    let (_, found) = db.run((batch, find)).await.map_err(last_admin)?;
    revocation::withdraw(app, Whose::User(control.id())).await?;
    let user = body::person(exactly_one(found)?);
    Ok(Json(RolesAssigned {
        message: "Roles assigned successfully".to_owned(),
        portal_role: user.role,
        flat: user.clone(),
        user,
    }))
}

fn events(
    control: &UserControl,
    assignment: &RoleAssignment,
    portal: Option<Role>,
    given: &[GivenRole],
) -> Vec<audit::Event> {
    let machine = assignment
        .machine
        .filter(|role| *role != control.row().machine_role)
        .map(|role| {
            event(control, Action::RoleChanged)
                .detail("old_machine_role", control.row().machine_role.as_str())
                .detail("new_machine_role", role)
        });
    let assigned = assignment.numbers.as_ref().map(|numbers| {
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
