//! The configs of a service that a thing of the inventory is. What may be done with them is a right over the thing.
use protocol::api::error::ErrorBody;
use protocol::api::services::{Config, ConfigList, FileDone, WriteFile};

use super::known;
use crate::audit::{Action, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::features::inventory::access::Known;
use crate::features::services::access::ServiceAccess;
use crate::features::services::{configs, store};
use crate::http::extract::{PathPair, PathParam, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// The type of such things.
const TYPE: &str = "service";

/// What lets people read them, and what lets them write them (contract).
const READ: &str = "config";
const WRITE: &str = "edit";

/// Lists the configs that the service can have that the thing is, and which of them it has as its runner told last.
#[utoipa::path(get, path = "/api/inventory/service/{object_id}/configs", summary = "List the configs of a thing that is a service",
    params(("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 200, description = "The configs", body = ConfigList),
        (status = 403, description = "The caller may not read its configs", body = ErrorBody),
        (status = 404, description = "No such thing in the caller's organization, or no runner has its service", body = ErrorBody)))]
pub async fn list_object_configs(
    app: App,
    credentials: Credentials,
    PathParam(id): PathParam,
) -> Result<JsonText, ApiError> {
    let known = known(&app, credentials, TYPE, &id).await?.having(READ)?;
    let list = store::configs(known.caller().id(), name(&known)?);
    configs::listed(app.db()?.run(list).await?)
}

/// Reads a config of the service that the thing is at the runner, as it is now.
#[utoipa::path(get, path = "/api/inventory/service/{object_id}/configs/{config}", summary = "Read a config of a thing that is a service",
    params(("object_id" = String, Path, description = "The thing's `id`"), ("config" = String, Path, description = "Which")),
    responses((status = 200, description = "All of the file", body = Config),
        (status = 400, description = "No config is called so, it is a link, or longer than 102,400 bytes", body = ErrorBody),
        (status = 403, description = "The caller may not read its configs", body = ErrorBody),
        (status = 404, description = "No such thing in the caller's organization, no runner has its service, or that has no such file", body = ErrorBody),
        (status = 409, description = "It changes while it is read", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn read_object_config(
    app: App,
    credentials: Credentials,
    PathPair(id, filename): PathPair,
) -> Result<Json<Config>, ApiError> {
    let known = known(&app, credentials, TYPE, &id).await?.having(READ)?;
    configs::read(&app, &service(&app, &known).await?, filename).await
}

/// Replaces a config of the service that the thing is at the runner, whole or not at all. What it was before stays beside it as
/// `<name>.backup`.
#[utoipa::path(put, path = "/api/inventory/service/{object_id}/configs/{config}", summary = "Write a config of a thing that is a service",
    params(("object_id" = String, Path, description = "The thing's `id`"), ("config" = String, Path, description = "Which")),
    request_body = WriteFile,
    responses((status = 200, description = "It is written", body = FileDone),
        (status = 400, description = "No config is called so, it is a link, or the content is longer than 102,400 bytes or not one \
            YAML document", body = ErrorBody),
        (status = 403, description = "The caller may not change the thing", body = ErrorBody),
        (status = 404, description = "No such thing in the caller's organization, or no runner has its service", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn write_object_config(
    app: App,
    credentials: Credentials,
    PathPair(id, filename): PathPair,
    ValidJson(request): ValidJson<WriteFile>,
) -> Result<Json<FileDone>, ApiError> {
    let known = known(&app, credentials, TYPE, &id).await?.having(WRITE)?;
    let access = service(&app, &known).await?;
    let event = known
        .caller()
        .event(Action::InventoryServiceConfigEdited, Resource::Inventory)
        .on(format!("{TYPE}/{}/configs/{filename}", known.id()));
    configs::write(&app, &access, filename, request, event).await
}

/// The service that the thing is.
async fn service(app: &App, known: &Known) -> Result<ServiceAccess, ApiError> {
    let caller: &Caller = known.caller();
    let found = app.db()?.run(store::runner(caller.id(), name(known)?)).await?;
    ServiceAccess::decide(caller.clone(), found)
}

/// What it is called.
fn name(known: &Known) -> Result<&str, ApiError> {
    let name = known.found().data.as_ref().and_then(|data| data.get("name"));
    name.and_then(serde_json::Value::as_str)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| ApiError::bad_request("No service name"))
}
