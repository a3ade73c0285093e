//! Naming a session, and ending it.
use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::Message;
use protocol::api::error::ErrorBody;
use protocol::api::sessions::{SessionBody, UpdateSession};

use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::features::sessions::access::{SessionAccess, SessionControl};
use crate::features::sessions::store;
use crate::http::envelope::{Envelope, Enveloped, SUCCESS};
use crate::http::extract::{PathParam, ValidJson};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Gives a session a name, also one that is over. Whoever may end it may name it.
#[utoipa::path(put, path = "/api/terminal/sessions/{session_id}", summary = "Name a session",
    params(("session_id" = String, Path, description = "The session's `session_id`")), request_body = UpdateSession,
    responses((status = 200, description = "The session", body = Enveloped<SessionBody>),
        (status = 403, description = "The caller may not change the session", body = ErrorBody),
        (status = 404, description = "No such session in the caller's organization", body = ErrorBody)))]
pub async fn update_session(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    PathParam(session_id): PathParam,
    ValidJson(request): ValidJson<UpdateSession>,
) -> Result<Response, ApiError> {
    let db = app.db()?;
    let find = store::find(credentials.user_id(), &session_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let control = SessionControl::decide(found)?;
    let event = caller
        .event(Action::SessionRenamed, Resource::Terminal)
        .within(control.organization())
        .on(control.machine())
        .detail("session_id", control.session().as_str())
        .detail("name", request.name.trim());
    let find = store::find(caller.id(), &session_id);
    let batch = (
        store::rename(&control, &request.name),
        audit::record_if_changed(&event),
        find,
    );
    let (_, _, found) = db.run(batch).await?;
    let session = SessionAccess::decide(found)?.into_row().into();
    envelope.reply(StatusCode::OK, SUCCESS, &SessionBody { session })
}

/// Ends a session: its shell is hung up and everybody attached is disconnected.
#[utoipa::path(delete, path = "/api/terminal/sessions/{session_id}", summary = "Close a session",
    params(("session_id" = String, Path, description = "The session's `session_id`")),
    responses((status = 200, description = "It is over", body = Message),
        (status = 403, description = "The caller may not end the session", body = ErrorBody),
        (status = 404, description = "No such session in the caller's organization, or it was over", body = ErrorBody)))]
pub async fn close_session(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    PathParam(session_id): PathParam,
) -> Result<Response, ApiError> {
    let find = store::find(credentials.user_id(), &session_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    end(&app, &caller, &SessionControl::of_active(found)?).await?;
    envelope.reply(StatusCode::OK, "Session closed", &serde_json::Map::new())
}

/// Ends a session that is not over.
pub async fn end(app: &App, caller: &Caller, control: &SessionControl) -> Result<(), ApiError> {
    let event = caller
        .event(Action::SessionTerminated, Resource::Terminal)
        .within(control.organization())
        .on(control.machine())
        .detail("session_id", control.session().as_str());
    // First the row: whoever is on the way to the session finds it closed. Then the shell, and those who came in before. If the
    // relay cannot be reached, it ends the shell by itself when it next compares what it has with what is listed.
    app.db()?
        .run((store::close(control, &now()), audit::record(&event)))
        .await?;
    app.relay(control.machine())?.close(control.session()).await
}
