//! Which recordings there are.
use axum::Json;
use protocol::api::error::ErrorBody;
use protocol::api::recordings::{Recording, RecordingDetail, RecordingList};
use serde::Deserialize;
use utoipa::IntoParams;

use super::load;
use crate::auth::caller::Credentials;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::{self, Key};
use crate::features::recordings::row::RecordingRow;
use crate::features::recordings::store;
use crate::http::extract::{PathParam, QueryParams};
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// How many recordings are listed if nobody says how many (contract).
const DEFAULT_LIMIT: i64 = 50;

/// How many are listed at most (contract).
const MAX_LIMIT: i64 = 200;

/// The last that can be asked for; what lies beyond is empty for any list D1 can hold.
const MAX_SKIP: i64 = 1_000_000_000;

/// Which part of a list to give. Values that are no numbers or out of bounds count as absent.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WindowQuery {
    /// How many to list, 1 to 200; 50 if absent.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
    /// How many to leave out before them.
    #[param(value_type = Option<u64>)]
    skip: Option<String>,
}

impl WindowQuery {
    /// Limit and offset.
    fn window(&self) -> (i64, i64) {
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<i64>().ok());
        let limit = number(&self.limit).filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let skip = number(&self.skip).filter(|skip| *skip >= 0);
        (limit.unwrap_or(DEFAULT_LIMIT), skip.unwrap_or(0).min(MAX_SKIP))
    }

    fn of(&self, rows: &[RecordingRow], count: &[Count]) -> RecordingList {
        let (limit, skip) = self.window();
        RecordingList {
            recordings: rows.iter().map(Recording::from).collect(),
            total: Count::of(count),
            limit: limit.unsigned_abs(),
            skip: skip.unsigned_abs(),
        }
    }
}

/// Lists the recordings of a machine, newest first.
#[utoipa::path(get, path = "/api/machines/{agent_id}/recordings", summary = "List the recordings of a machine",
    params(("agent_id" = String, Path, description = "The machine's public name"), WindowQuery),
    responses((status = 200, description = "The recordings", body = RecordingList),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
#[worker::send]
pub async fn list_machine_recordings(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    QueryParams(query): QueryParams<WindowQuery>,
) -> Result<Json<RecordingList>, ApiError> {
    let (limit, skip) = query.window();
    let (rows, count) = store::list_of_machine(credentials.user_id(), &agent_id, limit, skip);
    let find = machines::store::find(credentials.user_id(), &Key::AgentId(agent_id));
    let (caller, (found, rows, count)) = credentials.load(&app.db()?, (find, rows, count)).await?;
    MachineAccess::decide(caller, found)?;
    Ok(Json(query.of(&rows, &count)))
}

/// Lists the recordings of the caller's organization, newest first, also of machines that are gone.
#[utoipa::path(get, path = "/api/recordings", summary = "List all recordings", params(WindowQuery),
    responses((status = 200, description = "The recordings", body = RecordingList),
        (status = 403, description = "The caller is no administrator", body = ErrorBody)))]
#[worker::send]
pub async fn list_recordings(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<WindowQuery>,
) -> Result<Json<RecordingList>, ApiError> {
    let (limit, skip) = query.window();
    let list = store::list_of_organization(credentials.user_id(), limit, skip);
    let (_, (rows, count)) = credentials.load(&app.db()?, list).await?;
    Ok(Json(query.of(&rows, &count)))
}

/// Reads what there is to know of a recording.
#[utoipa::path(get, path = "/api/recordings/{recording_id}", summary = "Read a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`")),
    responses((status = 200, description = "The recording", body = RecordingDetail),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody)))]
#[worker::send]
pub async fn find_recording(
    app: App,
    credentials: Credentials,
    PathParam(recording_id): PathParam,
) -> Result<Json<RecordingDetail>, ApiError> {
    let access = load(&app, credentials, &recording_id).await?;
    let recording = Recording::from(access.recording());
    Ok(Json(RecordingDetail { recording }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_out_of_bounds_is_the_first_50() {
        let window = |limit: &str, skip: &str| {
            let text = |text: &str| Some(text.to_owned());
            WindowQuery {
                limit: text(limit),
                skip: text(skip),
            }
            .window()
        };
        assert_eq!(WindowQuery::default().window(), (50, 0));
        assert_eq!(window("200", "7"), (200, 7));
        for (limit, skip) in [("201", "-1"), ("0", "x"), ("", ""), ("1.5", "1e3")] {
            assert_eq!(window(limit, skip), (50, 0));
        }
        assert_eq!(window("1", "9999999999"), (1, MAX_SKIP));
    }
}
