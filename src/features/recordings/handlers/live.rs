//! A session as it is recorded: a socket that players speak, from what the terminal shows now on.
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use protocol::api::error::ErrorBody;
use protocol::api::recordings::RecordingState;
use protocol::api::sessions::SocketTicket;
use protocol::recording::LIVE_SUBPROTOCOL;
use protocol::relay_contract::{Dialect, VIEWER_PATH, ViewerContext};
use protocol::terminal::Size;
use protocol::terminal::limits::SessionLimits;
use serde::Deserialize;
use utoipa::IntoParams;

use super::load;
use crate::auth::caller::{Credentials, SocketCredentials};
use crate::auth::ticket;
use crate::features::recordings::row::RecordingRow;
use crate::http::extract::PathParam;
use crate::http::json_text::Json;
use crate::http::upgrade::{check_origin, is_upgrade, offers};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::relay_stub::Upgraded;

/// What opens the socket.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read by SocketCredentials; here for the API document")]
pub struct LiveQuery {
    /// What `POST /api/recordings/{recording_id}/ticket` gave, for browsers. It works once and counts before a token.
    ticket: Option<String>,
    /// The bearer token, for clients that cannot send a header. It counts before the header.
    token: Option<String>,
}

/// Makes what opens one socket to watch a session.
#[utoipa::path(post, path = "/api/recordings/{recording_id}/ticket", summary = "Get a ticket to watch a session",
    params(("recording_id" = String, Path, description = "The recording's `id`")),
    responses((status = 201, description = "The ticket: for `?ticket=` of this recording's socket, once, within 30 seconds", body = SocketTicket),
        (status = 403, description = "The caller does not reach the machine, or calls by a key", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody),
        (status = 409, description = "The session is over", body = ErrorBody)))]
pub async fn create_live_ticket(
    app: App,
    credentials: Credentials,
    PathParam(recording_id): PathParam,
) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    let access = load(&app, credentials, &recording_id).await?;
    let recording = access.recording();
    check_running(recording)?;
    ticket::give(&app, access.caller(), recording.id.as_str()).await
}

/// Watches a session as it is recorded. The first frame is a header of asciicast v2, each that follows one event; code 1000 is the end
/// of the session.
#[utoipa::path(get, path = "/api/recordings/{recording_id}/live", summary = "Watch a session as it is recorded (WebSocket)",
    params(("recording_id" = String, Path, description = "The recording's `id`"), LiveQuery),
    responses((status = 101, description = "The socket is open; subprotocol `v2.asciicast`"),
        (status = 403, description = "The caller does not reach the machine, or the page's origin may not", body = ErrorBody),
        (status = 404, description = "No such recording in the caller's organization", body = ErrorBody),
        (status = 409, description = "The session is over", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket, or for no such subprotocol", body = ErrorBody)))]
pub async fn watch_recording(
    app: App,
    SocketCredentials(credentials): SocketCredentials,
    uri: Uri,
    headers: HeaderMap,
    PathParam(recording_id): PathParam,
) -> Result<Response, ApiError> {
    let access = load(&app, credentials, &recording_id).await?;
    check_origin(&app, &uri, &headers)?;
    let (recording, caller) = (access.recording(), access.caller());
    check_running(recording)?;
    if !is_upgrade(&headers) || !offers(&headers, LIVE_SUBPROTOCOL) {
        return Err(ApiError::upgrade_required(
            "This path speaks WebSocket: send Upgrade: websocket, and Sec-WebSocket-Protocol: v2.asciicast",
        ));
    }
    let context = ViewerContext {
        machine: recording.machine_id.clone(),
        agent_id: recording.agent_id.clone(),
        user: caller.id().clone(),
        username: caller.username().to_owned(),
        proof: caller.relay_proof(),
        session: recording.session_id.clone(),
        // It opens nothing, so nothing ends with it.
        opening: 0,
        size: Size::default(),
        dialect: Dialect::Cast,
        can_type: false,
        guest: false,
        allow_sudo: false,
        recording: None,
        // It starts no session.
        limits: SessionLimits::default(),
        ssh: None,
        refusal: None,
    };
    let relay = app.relay(&recording.machine_id)?;
    match relay.upgrade(VIEWER_PATH, &context, Some(LIVE_SUBPROTOCOL)).await? {
        Upgraded::Open(response) => Ok(response),
        Upgraded::Refused(status) => Err(ApiError::internal(format!("the relay answered a player {status}"))),
    }
}

fn check_running(recording: &RecordingRow) -> Result<(), ApiError> {
    match recording.state {
        RecordingState::Recording => Ok(()),
        _ => Err(ApiError::conflict(
            "recording_over",
            "The session is over: play its recording",
        )),
    }
}
