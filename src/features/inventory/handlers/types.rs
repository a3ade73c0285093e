//! Types of things.
use axum::http::StatusCode;
use protocol::api::error::ErrorBody;
use protocol::api::inventory::objects::Done;
use protocol::api::inventory::types::{InventoryType, MAX_TYPES, NewType, SaveType, TypeList};
use protocol::api::validate::{Faults, Validate};

use super::{busy, deleted};
use crate::audit::{self, Action, Event, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::features::inventory::access::known_type;
use crate::features::inventory::row::FoundType;
use crate::features::inventory::store;
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;

/// Lists the types of the organization, by name: those that come with the product, and its own.
#[utoipa::path(get, path = "/api/inventory/types", summary = "List types",
    responses((status = 200, description = "All of them", body = TypeList)))]
pub async fn list_types(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = store::types(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::all("types", &rows))
}

/// Reads a type: its fields, its actions, and where its things come from.
#[utoipa::path(get, path = "/api/inventory/types/{slug}", summary = "Read a type",
    params(("slug" = String, Path, description = "The type's `slug`")),
    responses((status = 200, description = "The type", body = InventoryType),
        (status = 404, description = "No such type in the caller's organization", body = ErrorBody)))]
pub async fn find_type(app: App, credentials: Credentials, PathParam(slug): PathParam) -> Result<JsonText, ApiError> {
    let (_, found) = load(&app, credentials, &slug).await?;
    Ok(JsonText(found.body))
}

/// Makes a type, and with it the permissions to see, make, change and remove its things, and one for each of its actions.
#[utoipa::path(post, path = "/api/inventory/types", summary = "Make a type", request_body = NewType,
    responses((status = 201, description = "The type", body = InventoryType),
        (status = 409, description = "There is one of this name, or the organization has 50 already", body = ErrorBody)))]
pub async fn create_type(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<NewType>,
) -> Result<(StatusCode, JsonText), ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let (slug, definition) = request.into_parts();
    let batch = (
        store::insert_type(&caller, &slug, &definition, &now()),
        audit::record_if_changed(&event(&caller, Action::InventoryTypeCreated, &slug).created()),
        store::find_type(caller.id(), &slug),
    );
    let (made, _, found) = db.run(batch).await.map_err(|error| match error {
        DbError::Duplicate => ApiError::conflict("type_exists", "An inventory type of this name already exists"),
        other => other.into(),
    })?;
    if made.is_empty() {
        let words = format!("An organization has at most {MAX_TYPES} inventory types: remove one first");
        return Err(ApiError::conflict("limit_reached", words));
    }
    Ok((StatusCode::CREATED, JsonText(known_type(found, &slug)?.body)))
}

/// Changes a type of the organization's own. Permissions of actions that are gone go with them, from the roles that had them, too.
#[utoipa::path(put, path = "/api/inventory/types/{slug}", summary = "Change a type",
    params(("slug" = String, Path, description = "The type's `slug`")), request_body = SaveType,
    responses((status = 200, description = "The type as it is now", body = InventoryType),
        (status = 404, description = "No such type in the caller's organization", body = ErrorBody),
        (status = 409, description = "It comes with the product", body = ErrorBody)))]
pub async fn update_type(
    app: App,
    credentials: Credentials,
    PathParam(slug): PathParam,
    ValidJson(request): ValidJson<SaveType>,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let (caller, found) = own(&app, credentials, &slug).await?;
    let definition = request.apply(found.definition.clone());
    let mut faults = Faults::default();
    definition.validate(&mut faults);
    let faults = faults.into_vec();
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    let batch = (
        store::update_type(&found, &definition, &now()),
        audit::record_if_changed(&event(&caller, Action::InventoryTypeUpdated, &slug)),
        store::find_type(caller.id(), &slug),
    );
    let (changed, _, found) = db.run(batch).await?;
    match changed.is_empty() {
        true => Err(busy()),
        false => Ok(JsonText(known_type(found, &slug)?.body)),
    }
}

/// Removes a type of the organization's own of which there are no things.
#[utoipa::path(delete, path = "/api/inventory/types/{slug}", summary = "Remove a type",
    params(("slug" = String, Path, description = "The type's `slug`")),
    responses((status = 200, description = "It is gone", body = Done),
        (status = 404, description = "No such type in the caller's organization", body = ErrorBody),
        (status = 409, description = "There are things of it, or it comes with the product", body = ErrorBody)))]
pub async fn delete_type(
    app: App,
    credentials: Credentials,
    PathParam(slug): PathParam,
) -> Result<Json<Done>, ApiError> {
    let (caller, found) = own(&app, credentials, &slug).await?;
    let batch = (
        Vec::from(store::delete_type(&found)),
        audit::record_if_changed(&event(&caller, Action::InventoryTypeDeleted, &slug)),
    );
    app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Refused => {
            let count = found.object_count;
            ApiError::conflict(
                "type_used",
                format!("There are objects of this type ({count}): remove them first"),
            )
        }
        other => other.into(),
    })?;
    Ok(deleted())
}

async fn load(app: &App, credentials: Credentials, slug: &str) -> Result<(Caller, FoundType), ApiError> {
    let find = store::find_type(credentials.user_id(), slug);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    Ok((caller, known_type(found, slug)?))
}

/// A type that does not come with the product.
async fn own(app: &App, credentials: Credentials, slug: &str) -> Result<(Caller, FoundType), ApiError> {
    let (caller, found) = load(app, credentials, slug).await?;
    match found.is_builtin {
        true => Err(ApiError::conflict(
            "type_builtin",
            "This type comes with the product and stays as it is",
        )),
        false => Ok((caller, found)),
    }
}

fn event(caller: &Caller, action: Action, slug: &str) -> Event {
    caller.event(action, Resource::Inventory).on(format!("types/{slug}"))
}
