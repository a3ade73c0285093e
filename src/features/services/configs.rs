//! The configs of a service: listed as they were told of, read and written at the runner.
use protocol::api::error::ErrorBody;
use protocol::api::services::{Config, ConfigList, FileDone, WriteFile};
use protocol::terminal::services::{Ask, CONFIGS, MAX_WRITTEN, Place};

use super::access::{ServiceAccess, absent};
use super::{runner, store};
use crate::audit::{Action, Event};
use crate::auth::caller::Credentials;
use crate::http::extract::{PathPair, PathParam, ValidJson};
use crate::http::json_text::{BodyRow, Json, JsonText};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Lists the configs that a service can have, and which of them it has as its runner told last.
#[utoipa::path(get, path = "/api/services/{name}/configs", summary = "List a service's configs",
    params(("name" = String, Path, description = "The service's `name`")),
    responses((status = 200, description = "The configs", body = ConfigList),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody)))]
pub async fn list_configs(
    app: App,
    credentials: Credentials,
    PathParam(name): PathParam,
) -> Result<JsonText, ApiError> {
    let list = store::configs(credentials.user_id(), &name);
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    listed(rows)
}

/// The answer that has the configs of a service.
pub fn listed(rows: Vec<BodyRow>) -> Result<JsonText, ApiError> {
    rows.into_iter().next().map(|row| JsonText(row.body)).ok_or_else(absent)
}

/// Reads a config at the runner, as it is now.
#[utoipa::path(get, path = "/api/services/{name}/configs/{config}", summary = "Read a service's config",
    params(("name" = String, Path, description = "The service's `name`"),
        ("config" = String, Path, description = "Which")),
    responses((status = 200, description = "All of the file", body = Config),
        (status = 400, description = "No config is called so, it is a link, or longer than 102,400 bytes", body = ErrorBody),
        (status = 404, description = "No such service in the caller's organization, or it has no such file", body = ErrorBody),
        (status = 409, description = "It changes while it is read", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn read_config(
    app: App,
    credentials: Credentials,
    PathPair(name, filename): PathPair,
) -> Result<Json<Config>, ApiError> {
    let access = ServiceAccess::load(&app, credentials, &name).await?;
    read(&app, &access, filename).await
}

/// Reads a config of a service to which the caller has come by whatever way.
pub async fn read(app: &App, access: &ServiceAccess, filename: String) -> Result<Json<Config>, ApiError> {
    let read = runner::read(app, access, place(&filename)?).await?;
    if read.bytes.len() as u64 != read.file.size {
        return Err(ApiError::internal("a runner has sent less of a config than it has"));
    }
    let content = String::from_utf8(read.bytes).map_err(|_| {
        let text = format!("File '{filename}' is not UTF-8");
        ApiError::refused_field("filename", "must name a text file", text)
    })?;
    Ok(Json(Config { filename, content }))
}

/// Replaces a config at the runner, whole or not at all. What it was before stays beside it as `<name>.backup`.
#[utoipa::path(put, path = "/api/services/{name}/configs/{config}", summary = "Write a service's config",
    params(("name" = String, Path, description = "The service's `name`"),
        ("config" = String, Path, description = "Which")), request_body = WriteFile,
    responses((status = 200, description = "It is written", body = FileDone),
        (status = 400, description = "No config is called so, it is a link, or the content is longer than 102,400 bytes or not one \
            YAML document", body = ErrorBody),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody),
        (status = 503, description = "The runner is not connected, does not answer or is busy", body = ErrorBody)))]
pub async fn write_config(
    app: App,
    credentials: Credentials,
    PathPair(name, filename): PathPair,
    ValidJson(request): ValidJson<WriteFile>,
) -> Result<Json<FileDone>, ApiError> {
    let access = ServiceAccess::load(&app, credentials, &name).await?;
    let event = access.event(Action::ServiceConfigEdited, &format!("configs/{filename}"));
    write(&app, &access, filename, request, event).await
}

/// Replaces a config of a service to which the caller has come by whatever way, with what the log says of it.
pub async fn write(
    app: &App,
    access: &ServiceAccess,
    filename: String,
    request: WriteFile,
    event: Event,
) -> Result<Json<FileDone>, ApiError> {
    let place = place(&filename)?;
    if request.content.len() > MAX_WRITTEN {
        let message = format!("must have at most {MAX_WRITTEN} bytes");
        return Err(ApiError::refused_field("content", message, "Content too large"));
    }
    let content = request.content.into_bytes();
    let ask = Ask::Write {
        place: place.clone(),
        content,
    };
    runner::change(app, access, ask, &place, event).await?;
    Ok(Json(FileDone {
        status: "saved".to_owned(),
        filename,
    }))
}

/// Where a config is.
fn place(name: &str) -> Result<Place, ApiError> {
    let place = Place::Config { name: name.to_owned() };
    match CONFIGS.contains(&name) {
        true => Ok(place),
        false => Err(runner::not_allowed(&place)),
    }
}
