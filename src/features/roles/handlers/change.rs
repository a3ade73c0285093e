//! Making, changing and deleting roles.
use protocol::api::error::ErrorBody;
use protocol::api::roles::{CreateRole, OrganizationRole, RoleDeleted, UpdateRole};

use super::{load, load_with};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::auth::permission::Permission;
use crate::features::roles::row::{FoundRole, Generated};
use crate::features::roles::{builtin, store};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;

/// How often making a role tries again when another one got its number in between.
const ATTEMPTS: usize = 5;

/// Makes a role. Nobody makes one that allows more than they may do themselves.
#[utoipa::path(post, path = "/api/roles", summary = "Create a role", request_body = CreateRole,
    responses((status = 200, description = "The role", body = OrganizationRole),
        (status = 403, description = "The caller may not make such a role", body = ErrorBody)))]
pub async fn create_role(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<CreateRole>,
) -> Result<Json<OrganizationRole>, ApiError> {
    let db = app.db()?;
    let ids = request.permission_ids.as_deref().unwrap_or_default();
    let batch = (store::next_number(), store::generated(credentials.user_id(), Some(ids)));
    let (caller, (mut numbers, generated)) = credentials.load(&db, batch).await?;
    let name = free_name(&request.name)?;
    let codenames = codenames(&caller, ids, &generated, &[])?;
    let description = request.description.as_deref().unwrap_or_default();
    for _ in 0..ATTEMPTS {
        let id = numbers.first().map_or(1, |number| number.id);
        let event = caller
            .event(Action::RoleCreated, Resource::Role)
            .on(id)
            .detail("name", name)
            .detail("permissions", codenames.clone());
        let batch = (
            store::insert(&caller, id, name, description, &now()),
            audit::record_if_changed(&event),
            store::allow_if_made(id, &codenames),
            store::find(caller.id(), id),
            store::next_number(),
        );
        let (made, _, _, found, next) = db.run(batch).await.map_err(name_taken)?;
        if !made.is_empty() {
            return published(found);
        }
        numbers = next;
    }
    Err(ApiError::conflict(
        "busy",
        "Many roles are being made at this moment, try again",
    ))
}

/// Changes a role, for everybody who has it and from their next request on.
#[utoipa::path(put, path = "/api/roles/{role_id}", summary = "Change a role", request_body = UpdateRole,
    params(("role_id" = String, Path, description = "The role's number")),
    responses((status = 200, description = "The role as it is now", body = OrganizationRole),
        (status = 403, description = "The caller may not change it this way", body = ErrorBody),
        (status = 404, description = "No such role in the caller's organization", body = ErrorBody)))]
pub async fn update_role(
    app: App,
    credentials: Credentials,
    PathParam(role_id): PathParam,
    ValidJson(request): ValidJson<UpdateRole>,
) -> Result<Json<OrganizationRole>, ApiError> {
    let ids = request.permission_ids.as_deref();
    let generated = store::generated(credentials.user_id(), Some(ids.unwrap_or_default()));
    let (access, generated) = load_with(&app, credentials, &role_id, generated).await?;
    let control = access.control("Cannot modify system roles")?;
    let (caller, role) = (control.caller(), control.found());
    let name = request.name.as_deref().map(free_name).transpose()?;
    let codenames = match ids {
        Some(ids) => Some(codenames(caller, ids, &generated, &role.permissions)?),
        None => None,
    };
    let mut event = caller
        .event(Action::RoleEdited, Resource::Role)
        .within(&role.organization_id)
        .on(role.id)
        .detail("name", name.unwrap_or(&role.name));
    if let Some(codenames) = &codenames {
        event = event
            .detail("old", role.permissions.clone())
            .detail("new", codenames.clone());
    }
    let update = store::update(&control, name, request.description.as_deref(), codenames.as_deref());
    let find = store::find(caller.id(), role.id);
    let batch = (update, audit::record(&event), find);
    let (_, _, found) = app.db()?.run(batch).await.map_err(name_taken)?;
    published(found)
}

/// Deletes a role that nobody has.
#[utoipa::path(delete, path = "/api/roles/{role_id}", summary = "Delete a role",
    params(("role_id" = String, Path, description = "The role's number")),
    responses((status = 200, description = "It is gone", body = RoleDeleted),
        (status = 403, description = "The caller may not delete roles", body = ErrorBody),
        (status = 404, description = "No such role in the caller's organization", body = ErrorBody)))]
pub async fn delete_role(
    app: App,
    credentials: Credentials,
    PathParam(role_id): PathParam,
) -> Result<Json<RoleDeleted>, ApiError> {
    let control = load(&app, credentials, &role_id)
        .await?
        .control("Cannot delete system roles")?;
    let role = control.found();
    let event = control
        .caller()
        .event(Action::RoleDeleted, Resource::Role)
        .within(&role.organization_id)
        .on(role.id)
        .detail("name", role.name.as_str());
    let batch = (Vec::from(store::delete(&control)), audit::record(&event));
    app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Refused => ApiError::bad_request("Cannot delete role with assigned users"),
        other => other.into(),
    })?;
    Ok(Json(RoleDeleted {
        status: "deleted".to_owned(),
        message: "Role deleted successfully".to_owned(),
    }))
}

/// A name that no role of the product has: requests name roles of both kinds in one list.
fn free_name(name: &str) -> Result<&str, ApiError> {
    let name = name.trim();
    match builtin::is_taken(name) {
        true => {
            Err(ApiError::bad_request("Role name already exists")
                .with_detail("A role of this name comes with the product"))
        }
        false => Ok(name),
    }
}

/// The permissions behind numbers; numbers that are none are passed over. Nobody gives what they do not hold, unless the role
/// allows it already.
fn codenames(
    caller: &Caller,
    ids: &[i64],
    generated: &[Generated],
    already: &[String],
) -> Result<Vec<String>, ApiError> {
    let fixed = ids.iter().filter_map(|id| Permission::from_id(*id));
    let fixed = fixed.map(|permission| permission.codename().to_owned());
    let mut codenames: Vec<String> = fixed
        .chain(generated.iter().map(|made| made.codename.clone()))
        .collect();
    if let Some(denied) = codenames
        .iter()
        .find(|codename| !caller.holds(codename) && !already.contains(codename))
    {
        let text = format!("You do not hold {denied} yourself");
        return Err(ApiError::forbidden("forbidden", text));
    }
    codenames.sort_unstable();
    codenames.dedup();
    Ok(codenames)
}

fn name_taken(error: DbError) -> ApiError {
    match error {
        DbError::Duplicate => ApiError::bad_request("Role name already exists"),
        other => other.into(),
    }
}

fn published(found: Vec<FoundRole>) -> Result<Json<OrganizationRole>, ApiError> {
    let role = found.into_iter().next();
    role.map(|role| Json(role.into()))
        .ok_or_else(|| ApiError::not_found("Role not found"))
}
