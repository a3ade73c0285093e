//! What tags let people do with what has them.
use protocol::api::error::ErrorBody;
use protocol::api::inventory::objects::Done;
use protocol::api::inventory::tags::{MAX_TAG_PERMISSIONS, NewTagPermission, TagPermission, TagPermissions};

use super::rules::all_known;
use super::{deleted, tags::only};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::inventory::escalation;
use crate::features::inventory::store::{self, tags};
use crate::http::extract::{PathPair, PathParam, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Lists what a tag lets people do with whatever has it.
#[utoipa::path(get, path = "/api/inventory/tags/{tag_id}/permissions", summary = "List a tag's permissions",
    params(("tag_id" = String, Path, description = "The tag's `id`")),
    responses((status = 200, description = "All of it", body = TagPermissions),
        (status = 404, description = "No such tag in the caller's organization", body = ErrorBody)))]
pub async fn list_tag_permissions(
    app: App,
    credentials: Credentials,
    PathParam(tag_id): PathParam,
) -> Result<JsonText, ApiError> {
    let caller = credentials.user_id();
    let batch = (tags::find(caller, &tag_id), tags::permissions(caller, &tag_id));
    let (_, (found, rows)) = credentials.load(&app.db()?, batch).await?;
    only(found)?;
    Ok(JsonText::all("permissions", &rows))
}

/// Lets people do something with whatever has a tag. Nobody lets them do what they may not do themselves with all that could have it.
#[utoipa::path(post, path = "/api/inventory/tags/{tag_id}/permissions", summary = "Add a permission to a tag",
    params(("tag_id" = String, Path, description = "The tag's `id`")), request_body = NewTagPermission,
    responses((status = 200, description = "What it lets them do", body = TagPermission),
        (status = 404, description = "No such tag or role in the caller's organization", body = ErrorBody),
        (status = 409, description = "The tag has 100 already", body = ErrorBody)))]
pub async fn add_tag_permission(
    app: App,
    credentials: Credentials,
    PathParam(tag_id): PathParam,
    ValidJson(request): ValidJson<NewTagPermission>,
) -> Result<JsonText, ApiError> {
    let (db, right) = (app.db()?, request.permission.trim());
    let batch = (
        tags::find(credentials.user_id(), &tag_id),
        tags::types_having(credentials.user_id(), right),
        store::rules::roles(credentials.user_id(), &[request.role_id]),
    );
    let (caller, (found, types, roles)) = credentials.load(&db, batch).await?;
    let tag = only(found)?;
    all_known(&[request.role_id], &roles)?;
    escalation::check_permission(&caller, &types, right)?;
    let event = caller
        .event(Action::InventoryTagPermissionAdded, Resource::Tag)
        .on(tag.id)
        .detail("role_id", request.role_id)
        .detail("permission", right);
    let (permit, find) = tags::permit(&caller, &tag, request.role_id, right);
    let (_, _, rows) = db.run((permit, audit::record_if_changed(&event), find)).await?;
    let row = rows.into_iter().next();
    row.map(|row| JsonText(row.body)).ok_or_else(|| {
        let words = format!("A tag has at most {MAX_TAG_PERMISSIONS} permissions: remove one first");
        ApiError::conflict("limit_reached", words)
    })
}

/// Takes away what a tag lets people do.
#[utoipa::path(delete, path = "/api/inventory/tags/{tag_id}/permissions/{permission_id}", summary = "Remove a permission from a tag",
    params(("tag_id" = String, Path, description = "The tag's `id`"), ("permission_id" = String, Path, description = "The permission's `id`")),
    responses((status = 200, description = "It is gone", body = Done),
        (status = 404, description = "No such tag in the caller's organization, or it has no such permission", body = ErrorBody)))]
pub async fn remove_tag_permission(
    app: App,
    credentials: Credentials,
    PathPair(tag_id, permission_id): PathPair,
) -> Result<Json<Done>, ApiError> {
    let db = app.db()?;
    let find = tags::find(credentials.user_id(), &tag_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let tag = only(found)?;
    let event = caller
        .event(Action::InventoryTagPermissionRemoved, Resource::Tag)
        .on(tag.id)
        .detail("permission_id", permission_id.as_str());
    let batch = (tags::forbid(&tag, &permission_id), audit::record_if_changed(&event));
    let (gone, _) = db.run(batch).await?;
    match gone.is_empty() {
        true => Err(ApiError::not_found("Permission not found")),
        false => Ok(deleted()),
    }
}
