//! A recording a part at a time: as it is stored, or as players load it.
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::api::error::ErrorBody;
use protocol::api::recordings::{PlaybackPart, Segment, SegmentIndex, Segments};
use protocol::recording::{MEDIA_TYPE, key};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::load;
use crate::auth::caller::Credentials;
use crate::features::recordings::file;
use crate::features::recordings::playback::{self, Range};
use crate::http::extract::{PathPair, PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::range::{Wanted, wanted};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::recordings::Walk;

/// Segments listed in one answer, the bucket's most.
const SEGMENTS: u32 = 1000;

/// In which form else than as they are stored.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by is_for_players; here for the API document")]
enum SegmentFormat {
    Player,
}

/// From where to list segments, and how.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SegmentsQuery {
    /// Begin with the segment of this offset: the `next` of the answer before.
    #[param(value_type = Option<u64>)]
    from: Option<String>,
    /// `player`: the index of a segmented recording as asciinema-player loads it, from the first segment to the last.
    #[param(inline, value_type = Option<SegmentFormat>)]
    format: Option<String>,
    /// For players: a moment, in seconds since the recording began, of which `start_at` says when it is played.
    #[param(value_type = Option<f64>, minimum = 0)]
    t: Option<String>,
}

/// How to read a segment.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SegmentQuery {
    /// `player`: a segment of the index for players, whose `url` has all of this.
    #[param(inline, value_type = Option<SegmentFormat>)]
    format: Option<String>,
    /// For players: the segment ends before what begins at this offset.
    #[param(value_type = Option<u64>)]
    until: Option<String>,
    /// For players: how many milliseconds of pauses are left out before it.
    #[param(value_type = Option<u64>)]
    saved: Option<String>,
}

impl SegmentQuery {
    /// What of the recording it asks for, if it is a player's.
    fn for_player(&self, offset: u64) -> Result<Option<Range>, ApiError> {
        let until = number("until", self.until.as_deref(), u64::MAX)?;
        let saved = number("saved", self.saved.as_deref(), 0)?;
        let range = Range { offset, until, saved };
        Ok(is_for_players(self.format.as_deref())?.then_some(range))
    }
}

fn is_for_players(format: Option<&str>) -> Result<bool, ApiError> {
    match format {
        None | Some("") => Ok(false),
        Some("player") => Ok(true),
        Some(_) => Err(ApiError::invalid_field("format", "must be player, or absent")),
    }
}

fn number(field: &'static str, text: Option<&str>, absent: u64) -> Result<u64, ApiError> {
    match text {
        None | Some("") => Ok(absent),
        Some(text) => text
            .parse()
            .map_err(|_| ApiError::invalid_field(field, "must be a whole number that is not negative")),
    }
}

/// A moment in milliseconds. What is later than any recording is as late as can be.
fn moment(text: Option<&str>) -> Result<Option<u64>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    // Not by what Rust's own numbers are read with, which is 12 kB of tables.
    match serde_json::from_str::<f64>(text) {
        Ok(seconds) if seconds >= 0.0 => Ok(Some((seconds * 1000.0).round() as u64)),
        _ => Err(ApiError::invalid_field(
            "t",
            "must be a number of seconds that is not negative",
        )),
    }
}

/// Lists the parts of a recording, for players that load what they show.
#[utoipa::path(get, path = "/api/recordings/{recording_id}/segments", summary = "List the segments of a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`"), SegmentsQuery),
    responses((status = 200, description = "The segments", body = SegmentIndex),
        (status = 400, description = "`from` or `t` is no number, or the format is unknown", body = ErrorBody),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
pub async fn list_segments(
    app: App,
    credentials: Credentials,
    PathParam(recording_id): PathParam,
    QueryParams(query): QueryParams<SegmentsQuery>,
) -> Result<Json<SegmentIndex>, ApiError> {
    let from = number("from", query.from.as_deref(), 0)?;
    let (for_players, at) = (is_for_players(query.format.as_deref())?, moment(query.t.as_deref())?);
    let access = load(&app, credentials, &recording_id).await?;
    if for_players {
        let index = playback::index(&app.recordings()?, access.recording(), at).await?;
        return Ok(Json(SegmentIndex::Playback(index)));
    }
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
    Ok(Json(SegmentIndex::Segments(Segments { segments, next })))
}

/// The lines of one segment, or a range of its bytes.
#[utoipa::path(get, path = "/api/recordings/{recording_id}/segments/{offset}", summary = "Read a segment of a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`"),
        ("offset" = String, Path, description = "The segment's `offset`"),
        ("range" = Option<String>, Header, description = "One range of bytes, such as `bytes=0-1023`"), SegmentQuery),
    responses((status = 200, description = "The segment", content((String = "application/x-asciicast"), (PlaybackPart = "application/json"))),
        (status = 400, description = "`until` or `saved` is no number, or the format is unknown", body = ErrorBody),
        (status = 206, description = "The range", content((String = "application/x-asciicast"))),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization, or no such segment", body = ErrorBody),
        (status = 416, description = "The segment has no such bytes"),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
pub async fn read_segment(
    app: App,
    credentials: Credentials,
    PathPair(recording_id, offset): PathPair,
    QueryParams(query): QueryParams<SegmentQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let absent = || ApiError::not_found("Segment not found");
    let offset = offset.parse();
    let range = query.for_player(*offset.as_ref().unwrap_or(&0))?;
    let access = load(&app, credentials, &recording_id).await?;
    let offset = offset.map_err(|_| absent())?;
    if let Some(range) = range {
        let segment = file::segment(app, access.recording().clone(), range).await?;
        return segment.ok_or_else(absent);
    }
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

    fn query(format: &str, until: &str, saved: &str) -> Result<Option<Range>, ApiError> {
        let text = |text: &str| Some(text.to_owned());
        let query = SegmentQuery {
            format: text(format),
            until: text(until),
            saved: text(saved),
        };
        query.for_player(7)
    }

    #[test]
    fn a_segment_is_for_a_player_if_it_says_so() {
        let range = |until, saved| Range {
            offset: 7,
            until,
            saved,
        };
        assert_eq!(query("", "", "").unwrap(), None);
        assert_eq!(query("player", "9", "5").unwrap(), Some(range(9, 5)));
        assert_eq!(query("player", "", "").unwrap(), Some(range(u64::MAX, 0)));
        for (format, until, saved) in [("v2", "", ""), ("player", "-1", ""), ("player", "", "1.5")] {
            assert!(query(format, until, saved).is_err(), "{format} {until} {saved}");
        }
    }

    #[test]
    fn a_moment_is_a_number_of_seconds() {
        assert_eq!(moment(Some("1.5")).unwrap(), Some(1_500));
        assert_eq!(moment(Some("1e300")).unwrap(), Some(u64::MAX));
        assert_eq!(moment(None).unwrap(), None);
        assert_eq!(moment(Some("")).unwrap(), None);
        for bad in ["-1", "x", "NaN"] {
            assert!(moment(Some(bad)).is_err(), "{bad}");
        }
    }
}
