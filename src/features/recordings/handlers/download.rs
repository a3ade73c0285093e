//! What a recording has in it: as a file, or a part at a time.
use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::error::ErrorBody;
use protocol::api::recordings::{Recording, RecordingUrl, Segment, Segments, URL_SECONDS};
use protocol::ids::ObjectId;
use protocol::recording::{MEDIA_TYPE, key};
use serde::Deserialize;
use utoipa::IntoParams;

use super::load;
use crate::auth::caller::Credentials;
use crate::features::recordings::file::{self, FormatQuery};
use crate::features::recordings::store;
use crate::http::extract::{PathPair, PathParam, QueryParams};
use crate::http::range::{Wanted, wanted};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::recordings::Walk;

/// Segments listed in one answer, the bucket's most.
const SEGMENTS: u32 = 1000;

/// What the sealed name of a file is for, so that it opens nothing else.
const SEALED_FOR: &str = "recordings.file";

/// From where to list segments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SegmentsQuery {
    /// Begin with the segment of this offset: the `next` of the answer before.
    #[param(value_type = Option<u64>)]
    from: Option<String>,
}

/// Gives an address of the file that is good for a while, for players and programs that cannot sign in.
#[utoipa::path(get, path = "/api/recordings/{recording_id}/url", summary = "Get an address of a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`")),
    responses((status = 200, description = "The address", body = RecordingUrl),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
#[worker::send]
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
#[worker::send]
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
#[worker::send]
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

/// Lists the parts of a recording, for players that load what they show.
#[utoipa::path(get, path = "/api/recordings/{recording_id}/segments", summary = "List the segments of a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`"), SegmentsQuery),
    responses((status = 200, description = "The segments", body = Segments),
        (status = 400, description = "`from` is no number", body = ErrorBody),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
#[worker::send]
pub async fn list_segments(
    app: App,
    credentials: Credentials,
    PathParam(recording_id): PathParam,
    QueryParams(query): QueryParams<SegmentsQuery>,
) -> Result<Json<Segments>, ApiError> {
    let from = match query.from.as_deref() {
        None | Some("") => 0,
        Some(text) => text
            .parse()
            .map_err(|_| ApiError::invalid_field("from", "must be the offset of a segment"))?,
    };
    let access = load(&app, credentials, &recording_id).await?;
    let mut walk = Walk::from(&access.recording().id, from);
    let parts = walk.next(&app.recordings()?, SEGMENTS).await?;
    let next = (!walk.is_over()).then(|| walk.end());
    let segments = parts
        .into_iter()
        .map(|part| Segment {
            offset: part.span.start,
            end: part.span.end,
            from_ms: part.span.from,
            to_ms: part.span.to,
            size_bytes: part.size,
        })
        .collect();
    Ok(Json(Segments { segments, next }))
}

/// The lines of one segment, or a range of its bytes.
#[utoipa::path(get, path = "/api/recordings/{recording_id}/segments/{offset}", summary = "Read a segment of a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`"),
        ("offset" = String, Path, description = "The segment's `offset`"),
        ("range" = Option<String>, Header, description = "One range of bytes, such as `bytes=0-1023`")),
    responses((status = 200, description = "The segment", content((String = "application/x-asciicast"))),
        (status = 206, description = "The range", content((String = "application/x-asciicast"))),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization, or no such segment", body = ErrorBody),
        (status = 416, description = "The segment has no such bytes"),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
#[worker::send]
pub async fn read_segment(
    app: App,
    credentials: Credentials,
    PathPair(recording_id, offset): PathPair,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let access = load(&app, credentials, &recording_id).await?;
    let absent = || ApiError::not_found("Segment not found");
    let offset = offset.parse().map_err(|_| absent())?;
    let text = app.recordings()?.read(&key(&access.recording().id, offset)).await?;
    let text = text.ok_or_else(absent)?;
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (size, about) = (
        text.len(),
        [(header::CONTENT_TYPE, MEDIA_TYPE), (header::ACCEPT_RANGES, "bytes")],
    );
    Ok(match wanted(range, size) {
        Wanted::Whole => (about, text).into_response(),
        Wanted::Part { from, to } => {
            let part = text.get(from..to).unwrap_or_default().to_vec();
            let which = format!("bytes {from}-{}/{size}", to.saturating_sub(1));
            (
                StatusCode::PARTIAL_CONTENT,
                about,
                [(header::CONTENT_RANGE, which)],
                part,
            )
                .into_response()
        }
        Wanted::Unsatisfiable => {
            let which = format!("bytes */{size}");
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, which)]).into_response()
        }
    })
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
