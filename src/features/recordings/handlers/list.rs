//! Which recordings there are.
use protocol::api::error::ErrorBody;
use protocol::api::recordings::{Recording, RecordingDetail, RecordingList};

use super::load;
use crate::auth::caller::Credentials;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::{self, Key};
use crate::features::recordings::row::RecordingRow;
use crate::features::recordings::store;
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::window::WindowQuery;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

fn page_of(query: &WindowQuery, rows: &[RecordingRow], count: &[Count]) -> RecordingList {
    let (limit, skip) = query.window();
    RecordingList {
        recordings: rows.iter().map(Recording::from).collect(),
        total: Count::of(count),
        limit: limit.unsigned_abs(),
        skip: skip.unsigned_abs(),
    }
}

/// Lists the recordings of a machine, newest first.
#[utoipa::path(get, path = "/api/machines/{agent_id}/recordings", summary = "List the recordings of a machine",
    params(("agent_id" = String, Path, description = "The machine's public name"), WindowQuery),
    responses((status = 200, description = "The recordings", body = RecordingList),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
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
    Ok(Json(page_of(&query, &rows, &count)))
}

/// Lists the recordings of the caller's organization, newest first, also of machines that are gone.
#[utoipa::path(get, path = "/api/recordings", summary = "List all recordings", params(WindowQuery),
    responses((status = 200, description = "The recordings", body = RecordingList),
        (status = 403, description = "The caller is no administrator", body = ErrorBody)))]
pub async fn list_recordings(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<WindowQuery>,
) -> Result<Json<RecordingList>, ApiError> {
    let (limit, skip) = query.window();
    let list = store::list_of_organization(credentials.user_id(), limit, skip);
    let (_, (rows, count)) = credentials.load(&app.db()?, list).await?;
    Ok(Json(page_of(&query, &rows, &count)))
}

/// Reads what there is to know of a recording.
#[utoipa::path(get, path = "/api/recordings/{recording_id}", summary = "Read a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`")),
    responses((status = 200, description = "The recording", body = RecordingDetail),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody)))]
pub async fn find_recording(
    app: App,
    credentials: Credentials,
    PathParam(recording_id): PathParam,
) -> Result<Json<RecordingDetail>, ApiError> {
    let access = load(&app, credentials, &recording_id).await?;
    let recording = Recording::from(access.recording());
    Ok(Json(RecordingDetail { recording }))
}
