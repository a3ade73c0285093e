//! The end of a recording, by order of somebody who may.
use protocol::api::Message;
use protocol::api::error::ErrorBody;

use super::load;
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::recordings::store;
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// How often the bucket is asked to remove a thousand parts. The longest recording has some six thousand.
const ROUNDS: usize = 10;

/// Deletes a recording. After a failure half-way, doing it again finishes the work.
#[utoipa::path(delete, path = "/api/recordings/{recording_id}", summary = "Delete a recording",
    params(("recording_id" = String, Path, description = "The recording's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 403, description = "The caller does not manage the machine", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody),
        (status = 409, description = "The session is still recorded", body = ErrorBody),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
pub async fn delete_recording(
    app: App,
    credentials: Credentials,
    PathParam(recording_id): PathParam,
) -> Result<Json<Message>, ApiError> {
    let control = load(&app, credentials, &recording_id).await?.control()?;
    let (db, recordings) = (app.db()?, app.recordings()?);
    let mut left = true;
    for _ in 0..ROUNDS {
        left = !recordings.remove_some(control.id()).await?;
        if !left {
            break;
        }
    }
    if left {
        return Err(ApiError::internal("a recording has more parts than it may have"));
    }
    let recording = control.recording();
    let event = control
        .caller()
        .event(Action::RecordingDeleted, Resource::Terminal)
        .within(&recording.organization_id)
        .on(&recording.machine_id)
        .detail("recording", recording.id.as_str())
        .detail("machine", recording.machine_name.as_str())
        .detail("session_id", recording.session_id.as_str())
        .detail("username", recording.username.as_str());
    // Asked twice at once, it is deleted once.
    db.run((store::delete(&control), audit::record_if_changed(&event)))
        .await?;
    Ok(Json(Message {
        message: "Recording deleted".to_owned(),
    }))
}
