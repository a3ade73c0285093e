//! Tags.
use protocol::api::error::ErrorBody;
use protocol::api::inventory::objects::Done;
use protocol::api::inventory::tags::{MAX_TAGS_OF_ORGANIZATION, NewTag, SaveTag, TagList, TagRef};

use super::{busy, deleted};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::features::inventory::row::FoundTag;
use crate::features::inventory::store::{self, tags};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::{BodyRow, Json, JsonText};
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;

/// Lists the tags of the organization, by name, and how many things have each.
#[utoipa::path(get, path = "/api/inventory/tags", summary = "List tags",
    responses((status = 200, description = "All of them", body = TagList)))]
pub async fn list_tags(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = tags::list(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::all("tags", &rows))
}

/// Makes a tag.
#[utoipa::path(post, path = "/api/inventory/tags", summary = "Make a tag", request_body = NewTag,
    responses((status = 200, description = "The tag", body = TagRef),
        (status = 409, description = "There is one of this name, or the organization has 500 already", body = ErrorBody)))]
pub async fn create_tag(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<NewTag>,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let (caller, mut numbers) = credentials.load(&db, tags::next_number()).await?;
    let name = request.name.trim();
    for _ in 0..store::ATTEMPTS {
        let id = numbers.first().map_or(1, |number| number.id);
        let event = caller
            .event(Action::InventoryTagCreated, Resource::Tag)
            .on(id)
            .detail("name", name);
        let batch = (
            tags::insert(&caller, id, name, request.color.as_deref(), &now()),
            audit::record_if_changed(&event),
            tags::body(id),
        );
        match db.run(batch).await {
            Ok((made, ..)) if made.is_empty() => {
                let words = format!("An organization has at most {MAX_TAGS_OF_ORGANIZATION} tags: remove one first");
                return Err(ApiError::conflict("limit_reached", words));
            }
            Ok((_, _, rows)) => return body(rows),
            Err(DbError::Duplicate) => {}
            Err(other) => return Err(other.into()),
        }
        // Either the name or the number is taken.
        let next = db.run(tags::next_number()).await?;
        if next.first().map(|number| number.id) == Some(id) {
            return Err(taken());
        }
        numbers = next;
    }
    Err(busy())
}

/// Changes a tag, on all that has it.
#[utoipa::path(put, path = "/api/inventory/tags/{tag_id}", summary = "Change a tag",
    params(("tag_id" = String, Path, description = "The tag's `id`")), request_body = SaveTag,
    responses((status = 200, description = "The tag as it is now", body = TagRef),
        (status = 404, description = "No such tag in the caller's organization", body = ErrorBody),
        (status = 409, description = "There is another one of this name", body = ErrorBody)))]
pub async fn update_tag(
    app: App,
    credentials: Credentials,
    PathParam(tag_id): PathParam,
    ValidJson(request): ValidJson<SaveTag>,
) -> Result<JsonText, ApiError> {
    let (caller, tag) = load(&app, credentials, &tag_id).await?;
    let name = request.name.as_deref().map(str::trim);
    let event = caller
        .event(Action::InventoryTagUpdated, Resource::Tag)
        .on(tag.id)
        .detail("name", name.unwrap_or(&tag.name));
    let batch = (
        tags::update(&tag, name, request.color.as_deref()),
        audit::record_if_changed(&event),
        tags::body(tag.id),
    );
    let (_, _, rows) = app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Duplicate => taken(),
        other => other.into(),
    })?;
    body(rows)
}

/// Removes a tag from all that has it, with what it lets people do.
#[utoipa::path(delete, path = "/api/inventory/tags/{tag_id}", summary = "Remove a tag",
    params(("tag_id" = String, Path, description = "The tag's `id`")),
    responses((status = 200, description = "It is gone", body = Done),
        (status = 404, description = "No such tag in the caller's organization", body = ErrorBody)))]
pub async fn delete_tag(
    app: App,
    credentials: Credentials,
    PathParam(tag_id): PathParam,
) -> Result<Json<Done>, ApiError> {
    let (caller, tag) = load(&app, credentials, &tag_id).await?;
    let event = caller
        .event(Action::InventoryTagDeleted, Resource::Tag)
        .on(tag.id)
        .detail("name", tag.name.as_str());
    app.db()?
        .run((tags::delete(&tag), audit::record_if_changed(&event)))
        .await?;
    Ok(deleted())
}

async fn load(app: &App, credentials: Credentials, id: &str) -> Result<(Caller, FoundTag), ApiError> {
    let find = tags::find(credentials.user_id(), id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    Ok((caller, only(found)?))
}

/// The tag that was found.
pub fn only(found: Vec<FoundTag>) -> Result<FoundTag, ApiError> {
    found
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::not_found("Tag not found"))
}

fn taken() -> ApiError {
    ApiError::conflict("tag_exists", "Tag already exists")
}

fn body(rows: Vec<BodyRow>) -> Result<JsonText, ApiError> {
    let row = rows.into_iter().next();
    row.map(|row| JsonText(row.body))
        .ok_or_else(|| ApiError::not_found("Tag not found"))
}
