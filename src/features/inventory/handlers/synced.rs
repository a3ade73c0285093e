//! Looking at where things of a type come from.
use protocol::api::error::ErrorBody;
use protocol::api::inventory::objects::Synced;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::inventory::access::{TypeAccess, View};
use crate::features::inventory::{store, sync};
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Makes the things of a type what is said of them where they come from. It happens by itself, too, whenever something changes there.
#[utoipa::path(post, path = "/api/inventory/{type_slug}/sync", summary = "Sync a type",
    params(("type_slug" = String, Path, description = "The type's `slug`")),
    responses((status = 200, description = "They are what is said of them", body = Synced),
        (status = 400, description = "Things of this type come from nowhere by themselves", body = ErrorBody),
        (status = 403, description = "The caller may not see all things of the type", body = ErrorBody),
        (status = 404, description = "No such type in the caller's organization", body = ErrorBody)))]
pub async fn sync_type(
    app: App,
    credentials: Credentials,
    PathParam(slug): PathParam,
) -> Result<Json<Synced>, ApiError> {
    let db = app.db()?;
    let find = store::find_type(credentials.user_id(), &slug);
    let (caller, found) = credentials.load(&db, find).await?;
    let access = TypeAccess::<View>::decide(caller, found, &slug)?;
    let source = access.found().definition.sync.as_ref().map(|sync| sync.source);
    let source = source.ok_or_else(|| ApiError::bad_request("This type has no sync source"))?;
    let caller = access.caller();
    sync::run(&db, &app.config.sealing, caller.organization_id(), source).await?;
    let event = caller.event(Action::InventorySynced, Resource::Inventory);
    let event = event.on(&slug).detail("source", source.as_str());
    db.run(audit::record(&event)).await?;
    Ok(Json(Synced { ok: true }))
}
