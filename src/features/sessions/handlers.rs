//! What people do with terminal sessions.
use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::Message;
use protocol::api::error::ErrorBody;
use protocol::api::sessions::{SessionList, TerminalSession};
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::SessionControl;
use super::store;
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::http::envelope::{Envelope, Enveloped, SUCCESS};
use crate::http::extract::{PathParam, QueryParams};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Whose sessions to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `true` gives an administrator, too, only the sessions of its own.
    mine: Option<bool>,
    /// One organization's slug; only a super administrator's counts.
    tenant_id: Option<String>,
}

/// Lists active sessions, newest first: one's own; an administrator's list has all of the organization.
#[utoipa::path(get, path = "/api/terminal/sessions", summary = "List active sessions", params(ListQuery),
    responses((status = 200, description = "The sessions", body = Enveloped<SessionList>)))]
#[worker::send]
pub async fn list_sessions(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<Response, ApiError> {
    let mine = query.mine == Some(true);
    let list = store::list_active(credentials.user_id(), mine, query.tenant_id.as_deref());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    let sessions = rows.into_iter().map(TerminalSession::from).collect();
    envelope.reply(StatusCode::OK, SUCCESS, &SessionList { sessions })
}

/// Ends a session: its shell is hung up and everybody attached is disconnected.
#[utoipa::path(delete, path = "/api/terminal/sessions/{session_id}", summary = "Close a session",
    params(("session_id" = String, Path, description = "The session's name")),
    responses((status = 200, description = "It is over", body = Message),
        (status = 403, description = "The caller may not end the session", body = ErrorBody),
        (status = 404, description = "No such session in the caller's organization, or it was over", body = ErrorBody)))]
#[worker::send]
pub async fn close_session(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    PathParam(session_id): PathParam,
) -> Result<Response, ApiError> {
    let db = app.db()?;
    let find = store::find_active(credentials.user_id(), &session_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let control = SessionControl::decide(found)?;
    let event = caller
        .event(Action::SessionTerminated, Resource::Terminal)
        .within(control.organization())
        .on(control.machine())
        .detail("session_id", control.session().as_str());
    // First the row: whoever is on the way to the session finds it closed. Then the shell, and those who came in before. If the
    // relay cannot be reached, it ends the shell by itself when it next compares what it has with what is listed.
    db.run((store::close(&control, &now()), audit::record(&event))).await?;
    app.relay(control.machine())?.close(control.session()).await?;
    envelope.reply(StatusCode::OK, "Session closed", &serde_json::Map::new())
}
