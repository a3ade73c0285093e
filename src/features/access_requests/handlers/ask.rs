//! Asking for a machine, and thinking better of it.
use axum::http::StatusCode;
use protocol::api::Message;
use protocol::api::access_requests::{AccessRequest, AccessRequestStatus, CreateAccessRequest};
use protocol::api::error::ErrorBody;

use super::{exactly_one, request_key};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::access_requests::access::{Askable, OwnRequest};
use crate::features::access_requests::store::{self, NewRequest};
use crate::features::access_requests::{event, letters};
use crate::features::machines::store::{self as machines, Key};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;
use crate::platform::random;

/// Asks for a machine of the caller's organization. Its owner and the administrators decide, and are told
/// by mail.
#[utoipa::path(post, path = "/api/access-requests", summary = "Ask for a machine", request_body = CreateAccessRequest,
    responses((status = 201, description = "The request", body = AccessRequest),
        (status = 403, description = "The machine belongs to another organization, which only super administrators are told", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody),
        (status = 409, description = "The caller has asked already, and nobody has decided", body = ErrorBody)))]
pub async fn create_access_request(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<CreateAccessRequest>,
) -> Result<(StatusCode, Json<AccessRequest>), ApiError> {
    let (db, key) = (app.db()?, key(&request.machine_id)?);
    let find = machines::find(credentials.user_id(), &key);
    let (caller, found) = credentials.load(&db, find).await?;
    let askable = Askable::decide(caller, found, request.sudo())?;
    let new = NewRequest {
        id: random::object_id()?,
        note: request.request_note.trim(),
        sudo: request.sudo(),
        duration_hours: request.duration_hours,
        now: now(),
    };
    let machine = askable.machine();
    let event = askable
        .caller()
        .event(Action::AccessRequested, Resource::Machine)
        .created()
        .on(&machine.id)
        .detail("machine", machine.name.as_str())
        .detail("agent_id", machine.agent_id.as_str())
        .detail("request_id", new.id.as_str())
        .detail("machine_role", if new.sudo { "allow_sudo" } else { "" })
        .detail("duration_hours", new.duration_hours);
    let batch = (
        store::insert(&askable, &new),
        audit::record(&event),
        store::find(askable.caller().id(), &new.id),
        store::deciders(&askable),
    );
    let (_, _, found, deciders) = db.run(batch).await.map_err(pending)?;
    let request = exactly_one(found)?;
    letters::asked(&app.mailer(), &request, &deciders);
    Ok((StatusCode::CREATED, Json(request)))
}

/// Takes a request back that nobody has decided upon.
#[utoipa::path(delete, path = "/api/access-requests/{request_id}", summary = "Take a request for a machine back",
    params(("request_id" = String, Path, description = "The request's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 400, description = "It is decided already, or the id is malformed", body = ErrorBody),
        (status = 403, description = "Somebody else made it", body = ErrorBody),
        (status = 404, description = "No such request in the caller's organization", body = ErrorBody)))]
pub async fn cancel_access_request(
    app: App,
    credentials: Credentials,
    PathParam(request_id): PathParam,
) -> Result<Json<Message>, ApiError> {
    let db = app.db()?;
    let find = store::find(credentials.user_id(), &request_key(&request_id)?);
    let (caller, found) = credentials.load(&db, find).await?;
    let own = OwnRequest::decide(caller, found)?;
    own.request().expect(AccessRequestStatus::Pending)?;
    let event = event::done(own.request(), Action::AccessRequestCancelled);
    let (cancelled, _) = db.run((store::cancel(&own), audit::record_if_changed(&event))).await?;
    if cancelled.is_empty() {
        return Err(ApiError::bad_request("The request is not pending any more"));
    }
    Ok(Json(Message {
        message: "Access request cancelled".to_owned(),
    }))
}

/// Which machine is meant: by its row or its public name.
fn key(machine_id: &str) -> Result<Key, ApiError> {
    match (machine_id.parse(), machine_id.parse::<protocol::ids::AgentId>()) {
        (Ok(id), _) => Ok(Key::Id(id)),
        (_, Ok(agent_id)) => Ok(Key::AgentId(agent_id.to_string())),
        _ => Err(ApiError::bad_request("invalid machine_id")),
    }
}

fn pending(error: DbError) -> ApiError {
    match error {
        DbError::Duplicate => ApiError::conflict(
            "already_pending",
            "You have asked for this machine already: the request is pending",
        ),
        other => other.into(),
    }
}
