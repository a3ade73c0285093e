//! Making, changing and removing things.
use protocol::api::error::ErrorBody;
use protocol::api::inventory::objects::{Done, InventoryObjectDetail, NewObject, SaveObject};
use protocol::api::inventory::tags::{AddTags, ObjectTags};

use super::objects::detail;
use super::{busy, deleted, known_with};
use crate::audit::{self, Action};
use crate::auth::caller::{Caller, Credentials};
use crate::auth::permission::Permission;
use crate::features::inventory::access::{Create, Delete, Edit, ObjectAccess, TypeAccess, holds};
use crate::features::inventory::escalation;
use crate::features::inventory::row::{FoundObject, Taken};
use crate::features::inventory::store::{self, objects, tags};
use crate::features::inventory::value::{self, Place};
use crate::http::extract::{PathPair, PathParam, PathTriple, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;
use protocol::api::inventory::objects::MAX_OBJECTS;

/// Makes a thing. It gets no tag that lets people do with it what the caller may not do themselves.
#[utoipa::path(post, path = "/api/inventory/{type_slug}", summary = "Make a thing", request_body = NewObject,
    params(("type_slug" = String, Path, description = "The type's `slug`")),
    responses((status = 200, description = "The thing", body = InventoryObjectDetail),
        (status = 403, description = "The caller may not make things of the type", body = ErrorBody),
        (status = 404, description = "No such type in the caller's organization", body = ErrorBody),
        (status = 409, description = "Another thing has a value that is unique", body = ErrorBody)))]
pub async fn create_object(
    app: App,
    credentials: Credentials,
    PathParam(slug): PathParam,
    ValidJson(request): ValidJson<NewObject>,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let asks = credentials.user_id();
    let batch = (
        store::find_type(asks, &slug),
        objects::next_number(),
        tags::grants(asks, &request.tag_ids),
    );
    let (caller, (found, mut numbers, grants)) = credentials.load(&db, batch).await?;
    let access = TypeAccess::<Create>::decide(caller, found, &slug)?;
    let caller = access.caller();
    escalation::check_tags(&grants, |_| true, |right| holds(caller, &slug, right))?;
    let definition = &access.found().definition;
    for _ in 0..store::ATTEMPTS {
        let id = numbers.first().map_or(1, |number| number.id);
        let place = place(&app, caller, id);
        let checked = value::new(definition, request.data.clone(), request.name.clone(), &place)?;
        let event = access.event(Action::InventoryCreated, id).detail("type", slug.as_str());
        let (keep, insert) = objects::insert(&access, id, &checked, &now());
        let batch = (
            keep,
            insert,
            audit::record_if_changed(&event),
            objects::tag(id, &request.tag_ids),
            objects::find(caller.id(), &slug, &id.to_string()),
        );
        match db.run(batch).await {
            Ok((_, made, ..)) if made.is_empty() => return Err(full()),
            Ok((_, _, _, _, found)) => return shown(found, caller),
            Err(DbError::Refused) => {
                let taken = db.run(objects::taken(access.found().id, id, &checked.data)).await?;
                return Err(duplicate(&taken));
            }
            Err(DbError::Duplicate) => numbers = db.run(objects::next_number()).await?,
            Err(other) => return Err(other.into()),
        }
    }
    Err(busy())
}

/// Changes a thing. What is absent stays, and so do fields that are `readonly`, and secrets for which their mask is sent. Where the caller may
/// have an action done with this thing alone, what leads it elsewhere, such as the `hostname` of one whose terminal opens, stays, too.
#[utoipa::path(put, path = "/api/inventory/{type_slug}/{object_id}", summary = "Change a thing", request_body = SaveObject,
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 200, description = "The thing as it is now", body = InventoryObjectDetail),
        (status = 403, description = "The caller may not change it this way", body = ErrorBody),
        (status = 404, description = "No such type or thing in the caller's organization", body = ErrorBody),
        (status = 409, description = "Another thing has a value that is unique, or somebody changes it at the same time", body = ErrorBody)))]
pub async fn update_object(
    app: App,
    credentials: Credentials,
    PathPair(slug, id): PathPair,
    ValidJson(request): ValidJson<SaveObject>,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let given = request.tag_ids.as_deref();
    let grants = tags::grants(credentials.user_id(), given.unwrap_or_default());
    let (known, grants) = known_with(&app, credentials, &slug, &id, grants).await?;
    let access: ObjectAccess<Edit> = known.with()?;
    let (caller, found) = (access.caller(), access.found());
    let added = |tag: i64| !found.tags.contains(&tag);
    escalation::check_tags(&grants, added, |right| access.may(right))?;
    let place = place(&app, caller, access.id());
    let checked = value::changed(
        &found.of.definition,
        found.data.as_ref().unwrap_or(&serde_json::Map::new()),
        found.secrets.clone().unwrap_or_default(),
        request.data.unwrap_or_default(),
        request.name,
        &place,
    )?;
    escalation::check_led(&access, &checked.changed)?;
    let batch = (
        objects::update(&access, &checked, &now()),
        audit::record_if_changed(&access.event(Action::InventoryUpdated)),
        given.map(|tags| objects::retag(&access, tags)),
        objects::find(caller.id(), &slug, &id),
    );
    match db.run(batch).await {
        Ok((_, _, _, found)) => shown(found, caller),
        Err(DbError::Refused) => {
            let taken = db.run(objects::taken(found.of.id, access.id(), &checked.data)).await?;
            Err(if taken.is_empty() { busy() } else { duplicate(&taken) })
        }
        Err(other) => Err(other.into()),
    }
}

/// Removes a thing, with the rules about it. Jobs that were about it stay.
#[utoipa::path(delete, path = "/api/inventory/{type_slug}/{object_id}", summary = "Remove a thing",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 200, description = "It is gone", body = Done),
        (status = 403, description = "The caller may not remove it", body = ErrorBody),
        (status = 404, description = "No such type or thing in the caller's organization", body = ErrorBody)))]
pub async fn delete_object(
    app: App,
    credentials: Credentials,
    PathPair(slug, id): PathPair,
) -> Result<Json<Done>, ApiError> {
    let access: ObjectAccess<Delete> = super::known(&app, credentials, &slug, &id).await?.with()?;
    let event = access.event(Action::InventoryDeleted);
    app.db()?
        .run((objects::delete(&access), audit::record_if_changed(&event)))
        .await?;
    Ok(deleted())
}

/// Gives tags to a thing, beside those it has. Those that let people do with it what the caller may not do themselves are refused.
#[utoipa::path(post, path = "/api/inventory/{type_slug}/{object_id}/tags", summary = "Add tags to a thing", request_body = AddTags,
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 200, description = "All tags that it has now", body = ObjectTags),
        (status = 403, description = "The caller may not give it these", body = ErrorBody),
        (status = 404, description = "No such type or thing in the caller's organization", body = ErrorBody)))]
pub async fn add_object_tags(
    app: App,
    credentials: Credentials,
    PathPair(slug, id): PathPair,
    ValidJson(request): ValidJson<AddTags>,
) -> Result<JsonText, ApiError> {
    let grants = tags::grants(credentials.user_id(), &request.tag_ids);
    let (known, grants) = known_with(&app, credentials, &slug, &id, grants).await?;
    let access: ObjectAccess<Edit> = known.with()?;
    let added = |tag: i64| !access.found().tags.contains(&tag);
    escalation::check_tags(&grants, added, |right| access.may(right))?;
    let event = access
        .event(Action::InventoryTagged)
        .detail("added", request.tag_ids.clone());
    let batch = (
        objects::tag(access.id(), &request.tag_ids),
        audit::record_if_changed(&event),
        objects::tags_of(access.id()),
    );
    let (_, _, rows) = app.db()?.run(batch).await?;
    Ok(JsonText::all("tags", &rows))
}

/// Takes a tag from a thing, if it has it.
#[utoipa::path(delete, path = "/api/inventory/{type_slug}/{object_id}/tags/{tag_id}", summary = "Remove a tag from a thing",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`"),
        ("tag_id" = String, Path, description = "The tag's `id`")),
    responses((status = 200, description = "All tags that it has now", body = ObjectTags),
        (status = 403, description = "The caller may not change it", body = ErrorBody),
        (status = 404, description = "No such type or thing in the caller's organization", body = ErrorBody)))]
pub async fn remove_object_tag(
    app: App,
    credentials: Credentials,
    PathTriple(slug, id, tag_id): PathTriple,
) -> Result<JsonText, ApiError> {
    let access: ObjectAccess<Edit> = super::known(&app, credentials, &slug, &id).await?.with()?;
    let tag: i64 = tag_id.parse().unwrap_or_default();
    let event = access.event(Action::InventoryTagged).detail("removed", tag);
    let batch = (
        objects::untag(&access, tag),
        audit::record_if_changed(&event),
        objects::tags_of(access.id()),
    );
    let (_, _, rows) = app.db()?.run(batch).await?;
    Ok(JsonText::all("tags", &rows))
}

fn place<'a>(app: &'a App, caller: &'a Caller, id: i64) -> Place<'a> {
    Place {
        sealing: &app.config.sealing,
        organization: caller.organization_id(),
        id,
    }
}

/// The thing as it is now.
fn shown(found: Vec<FoundObject>, caller: &Caller) -> Result<JsonText, ApiError> {
    let found = found.into_iter().next();
    let found = found.ok_or_else(|| ApiError::not_found("Object not found"))?;
    let sees_rules = caller.may(Permission::InventoryAclManage) || found.may.iter().any(|right| right == "edit");
    detail(&found, sees_rules)
}

fn duplicate(taken: &[Taken]) -> ApiError {
    let field = taken.first().map_or("", |taken| taken.field.as_str());
    ApiError::conflict("duplicate", format!("Duplicate value for unique field: {field}"))
}

fn full() -> ApiError {
    let words = format!("An organization has at most {MAX_OBJECTS} objects: remove some first");
    ApiError::conflict("limit_reached", words)
}
