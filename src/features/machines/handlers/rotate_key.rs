//! Having a machine's key replaced.
use axum::http::StatusCode;
use chrono::Utc;
use protocol::api::Message;
use protocol::api::error::ErrorBody;

use super::load;
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::machines::store::{Key, rotation};
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::random;

/// Random bytes of what proves to the edge that an agent was asked.
const CHALLENGE: usize = 24;

/// Asks a machine's agent to make itself a new key and come back with it, within ten minutes; from then on the old one opens
/// nothing. Terminals go on. The audit log says when it is in use (`machine_key_rotated`); an agent of before this was possible
/// does not do it.
#[utoipa::path(post, path = "/api/machines/{agent_id}/rotate-key", summary = "Have a machine's key replaced",
    params(("agent_id" = String, Path, description = "The machine's public name")),
    responses((status = 202, description = "The agent was asked", body = Message),
        (status = 403, description = "The caller may not change the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody),
        (status = 409, description = "The machine is offline, or was asked within the last 30 seconds", body = ErrorBody)))]
pub async fn rotate_key(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let control = load(&app, credentials, Key::AgentId(agent_id)).await?.control()?;
    let relay = app.relay(control.id())?;
    if !relay.status(None).await.is_some_and(|status| status.connected) {
        return Err(offline());
    }
    let challenge = random::hex::<CHALLENGE>()?;
    let event = control
        .caller()
        .event(Action::MachineKeyRotationAsked, Resource::Machine)
        .within(control.organization_id())
        .on(control.id())
        .detail("machine", control.name());
    let ask = rotation::ask(&control, &challenge, Utc::now());
    let (asked, _) = app.db()?.run((ask, audit::record_if_changed(&event))).await?;
    if asked.is_empty() {
        return Err(ApiError::conflict(
            "key_replacement_pending",
            "A new key was asked for less than 30 seconds ago: the agent is at it",
        ));
    }
    if !relay.rotate_key(challenge).await? {
        return Err(offline());
    }
    let message = "The agent was asked to make a new key".to_owned();
    Ok((StatusCode::ACCEPTED, Json(Message { message })))
}

fn offline() -> ApiError {
    ApiError::conflict("machine_offline", "The machine is offline: its agent makes the new key")
}
