//! A recording as a file.
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::error::ErrorBody;
use protocol::api::recordings::{Recording, RecordingUrl, URL_SECONDS};
use protocol::ids::ObjectId;

use super::load;
use crate::auth::caller::Credentials;
use crate::features::recordings::file::{self, FormatQuery};
use crate::features::recordings::store;
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// What the sealed name of a file is for, so that it opens nothing else.
const SEALED_FOR: &str = "recordings.file";

/// Gives an address of the file that is good for a while, for players and programs that cannot sign in.
#[utoipa::path(get, path = "/api/recordings/{recording_id}/url", summary = "Get an address of a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`")),
    responses((status = 200, description = "The address", body = RecordingUrl),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
pub async fn create_recording_url(
    app: App,
    credentials: Credentials,
    PathParam(recording_id): PathParam,
) -> Result<Json<RecordingUrl>, ApiError> {
    let access = load(&app, credentials, &recording_id).await?;
    app.recordings()?;
    let until = Utc::now() + TimeDelta::seconds(URL_SECONDS.try_into().unwrap_or_default());
    let name = format!("{}:{}", access.recording().id, until.timestamp());
    let sealed = app.config.sealing.seal(SEALED_FOR, &name.into())?;
    Ok(Json(RecordingUrl {
        url: format!("{}/api/recordings/files/{sealed}", app.address()?),
        expires_in: URL_SECONDS,
        recording: Recording::from(access.recording()),
    }))
}

/// The recording as a file of asciicast. One of a session that runs has what is stored so far.
#[utoipa::path(get, path = "/api/recordings/{recording_id}/download", summary = "Download a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`"), FormatQuery),
    responses((status = 200, description = "The file", content((String = "application/x-asciicast"))),
        (status = 400, description = "The format is unknown", body = ErrorBody),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
pub async fn download_recording(
    app: App,
    credentials: Credentials,
    PathParam(recording_id): PathParam,
    QueryParams(query): QueryParams<FormatQuery>,
) -> Result<Response, ApiError> {
    let format = query.parse()?;
    let access = load(&app, credentials, &recording_id).await?;
    file::answer(app, access.recording().clone(), format)
}

/// The file at an address that `…/url` gave.
#[utoipa::path(get, path = "/api/recordings/files/{token}", summary = "Download a recording by its address",
    params(("token" = String, Path, description = "The end of a `url`"), FormatQuery),
    responses((status = 200, description = "The file", content((String = "application/x-asciicast"))),
        (status = 400, description = "The format is unknown", body = ErrorBody),
        (status = 404, description = "The address is none, or not any more", body = ErrorBody),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
pub async fn read_recording_file(
    app: App,
    PathParam(token): PathParam,
    QueryParams(query): QueryParams<FormatQuery>,
) -> Result<Response, ApiError> {
    let format = query.parse()?;
    let absent = || ApiError::not_found("This address is not valid any more");
    let sealed = app.config.sealing.try_open(SEALED_FOR, &token);
    let recording = sealed
        .and_then(|name| opened(name.expose(), Utc::now()))
        .ok_or_else(absent)?;
    let found = app.db()?.run(store::read(&recording)).await?;
    let row = found.into_iter().next().ok_or_else(absent)?;
    file::answer(app, row, format)
}

/// Which recording a name is of, as long as it is good.
fn opened(name: &str, now: DateTime<Utc>) -> Option<ObjectId> {
    let (recording, until) = name.split_once(':')?;
    let until: i64 = until.parse().ok()?;
    (now.timestamp() < until).then(|| recording.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_good_until_its_time() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let name = "0123456789abcdef01234567:1000";
        assert_eq!(opened(name, at(999)).unwrap().as_str(), "0123456789abcdef01234567");
        for (name, seconds) in [(name, 1000), ("x:2000", 0), ("0123456789abcdef01234567", 0), ("", 0)] {
            assert_eq!(opened(name, at(seconds)), None, "{name}");
        }
    }
}
