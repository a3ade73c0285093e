//! Opening a session, whose client comes afterwards, and ending one.
use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use protocol::api::secret::Secret;
use protocol::api::v1::{V1, V1CreateSession, V1Done, V1ErrorBody, V1OpenedSession, bare_id};
use protocol::terminal::Size;

use crate::audit;
use crate::auth::caller::Credentials;
use crate::features::alerts;
use crate::features::machines::{self, Key};
use crate::features::sessions::access::SessionControl;
use crate::features::sessions::store::{self, NewSession, Reached, token};
use crate::features::sessions::{end, store as sessions};
use crate::features::terminals;
use crate::http::client::Client;
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::stored;
use crate::platform::error::ApiError;
use crate::platform::random;

/// How long a session waits for its client, and its token is good (contract).
const WAITS: TimeDelta = TimeDelta::hours(1);

/// How a token begins, so that it is told from others without a look into the database.
pub const TOKEN_PREFIX: &str = "sst_";

/// Random bytes of a token.
const TOKEN_BYTES: usize = 24;

/// Opens a session on a machine. Its shell starts when its client comes to its socket, which it has an hour for.
#[utoipa::path(post, path = "/v1/sessions", summary = "Open a session", operation_id = "v1_create_session", request_body = V1CreateSession,
    responses((status = 201, description = "The session, and what opens its socket", body = V1<V1OpenedSession>),
        (status = 403, description = "The caller may not use the machine, or it was revoked", body = V1ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = V1ErrorBody),
        (status = 409, description = "The machine has not been enrolled yet, or as many sessions run as the organization lets", body = V1ErrorBody),
        (status = 503, description = "The machine's agent is not connected", body = V1ErrorBody)))]
pub async fn create_session(
    app: App,
    credentials: Credentials,
    client: Client,
    ValidJson(request): ValidJson<V1CreateSession>,
) -> Result<(StatusCode, Json<V1<V1OpenedSession>>), ApiError> {
    let opened = open(&app, credentials, &client, &request.machine_id, request.size()).await?;
    Ok((StatusCode::CREATED, Json(V1::new(opened))))
}

/// Opens a session on what names a machine.
pub async fn open(
    app: &App,
    credentials: Credentials,
    client: &Client,
    machine: &str,
    size: Size,
) -> Result<V1OpenedSession, ApiError> {
    let address = app.address()?;
    let access = machines::load(app, credentials, key(machine)).await?;
    terminals::check_enrolled(&access)?;
    let relay = app.relay(&access.found().machine.id)?;
    if !relay.status(None).await.is_some_and(|status| status.connected) {
        return Err(ApiError::unavailable("machine_offline", "agent not connected"));
    }
    let (now, session) = (Utc::now(), random::session_id()?);
    let token = format!("{TOKEN_PREFIX}{}", random::hex::<TOKEN_BYTES>()?);
    let expires_at = now + WAITS;
    let (now, until) = (stored(now), stored(expires_at));
    let new = NewSession {
        id: random::object_id()?,
        session_id: &session,
        source: "api",
        os: None,
        client,
        size,
        now: &now,
        attach_until: Some(&until),
    };
    let event = terminals::opens(&access, &session);
    let batch = (
        store::open(&access, &new),
        token::keep(&token, &new.id, access.caller(), &until),
        audit::record_if_changed(&event),
    );
    let db = app.db()?;
    let (opened, _, _) = db.run(batch).await?;
    if opened.is_empty() {
        let reached = db.run(store::reached(&access, &session)).await?;
        return Err(reached.first().map_or_else(ApiError::not_authorized, Reached::error));
    }
    alerts::soon(app);
    Ok(V1OpenedSession {
        websocket_url: format!("{}/v1/sessions/{session}/ws", address.replacen("http", "ws", 1)),
        session_id: session,
        token: Secret::from(token),
        expires_at,
    })
}

/// Ends a session. One that was over stays so.
#[utoipa::path(delete, path = "/v1/sessions/{session_id}", summary = "End a session", operation_id = "v1_end_session",
    params(("session_id" = String, Path, description = "The session's id")),
    responses((status = 200, description = "It is over", body = V1Done),
        (status = 403, description = "The caller may not end the session", body = V1ErrorBody),
        (status = 404, description = "No such session in the caller's organization", body = V1ErrorBody)))]
pub async fn end_session(
    app: App,
    credentials: Credentials,
    PathParam(session_id): PathParam,
) -> Result<Json<V1Done>, ApiError> {
    let find = sessions::find(credentials.user_id(), &session_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let control = SessionControl::decide(found)?;
    if control.is_active() {
        end(&app, &caller, &control).await?;
    }
    Ok(Json(V1Done::new("Session terminated successfully")))
}

/// What names a machine here: its row's id, with or without what this API puts before it, or its public name.
pub fn key(text: &str) -> Key {
    match bare_id(text, "mch_").parse() {
        Ok(id) => Key::Id(id),
        Err(_) => Key::AgentId(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_named_by_its_row_or_its_public_name() {
        for text in ["mch_00000000000000000000000a", "00000000000000000000000a"] {
            assert!(
                matches!(key(text), Key::Id(id) if id.as_str() == "00000000000000000000000a"),
                "{text}"
            );
        }
        assert!(matches!(key("00000000000a"), Key::AgentId(name) if name == "00000000000a"));
    }
}
