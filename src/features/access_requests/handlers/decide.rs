//! Deciding upon requests, and taking back what was approved.
use chrono::{TimeDelta, Utc};
use protocol::api::access_requests::{AccessRequest, AccessRequestChanged, AccessRequestStatus, RejectAccessRequest};
use protocol::api::error::ErrorBody;

use super::{exactly_one, request_key};
use crate::audit::{self, Action, Event};
use crate::auth::caller::Credentials;
use crate::features::access_requests::access::RequestControl;
use crate::features::access_requests::{event, letters, store};
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{Exists, Query, now, stored};
use crate::platform::error::ApiError;
use crate::platform::mail::Decision;

/// Approves a request: whoever asked may use the machine from now on, for as long as they asked for.
#[utoipa::path(post, path = "/api/access-requests/{request_id}/approve", summary = "Approve a request for a machine",
    params(("request_id" = String, Path, description = "The request's `id`")),
    responses((status = 200, description = "The request as it is now", body = AccessRequestChanged),
        (status = 400, description = "It is not pending, or the id is malformed", body = ErrorBody),
        (status = 403, description = "The caller does not manage the machine, made the request, or has not the privileges that are asked for", body = ErrorBody),
        (status = 404, description = "No such request in the caller's organization", body = ErrorBody)))]
pub async fn approve_access_request(
    app: App,
    credentials: Credentials,
    PathParam(request_id): PathParam,
) -> Result<Json<AccessRequestChanged>, ApiError> {
    let control = load(&app, credentials, &request_id).await?;
    control.expect(AccessRequestStatus::Pending)?;
    let approval = control.approval()?;
    let at = Utc::now();
    let hours = approval.control().request().duration_hours;
    let expires_at = (hours > 0).then(|| stored(at + TimeDelta::hours(hours.into())));
    let event =
        event::done(approval.control(), Action::AccessRequestApproved).detail("expires_at", expires_at.as_deref());
    let approve = store::approve(&approval, &stored(at), expires_at.as_deref());
    let request = change(&app, approval.control(), approve, &event).await?;
    letters::decided(&app.mailer(), &request, Decision::Approved);
    Ok(changed("Access request approved", request))
}

/// Refuses a request.
#[utoipa::path(post, path = "/api/access-requests/{request_id}/reject", summary = "Reject a request for a machine",
    params(("request_id" = String, Path, description = "The request's `id`")), request_body = RejectAccessRequest,
    responses((status = 200, description = "The request as it is now", body = AccessRequestChanged),
        (status = 403, description = "The caller does not manage the machine", body = ErrorBody),
        (status = 404, description = "No such request in the caller's organization", body = ErrorBody)))]
pub async fn reject_access_request(
    app: App,
    credentials: Credentials,
    PathParam(request_id): PathParam,
    ValidJson(body): ValidJson<RejectAccessRequest>,
) -> Result<Json<AccessRequestChanged>, ApiError> {
    let control = load(&app, credentials, &request_id).await?;
    control.expect(AccessRequestStatus::Pending)?;
    let event = event::done(&control, Action::AccessRequestRejected);
    let reject = store::reject(&control, body.comment.trim(), &now());
    let request = change(&app, &control, reject, &event).await?;
    let comment = &request.reject_comment;
    letters::decided(&app.mailer(), &request, Decision::Rejected { comment });
    Ok(changed("Access request rejected", request))
}

/// Takes back what was approved. Terminals that were open by it end; who reaches the machine by another way keeps it.
#[utoipa::path(post, path = "/api/access-requests/{request_id}/revoke", summary = "Revoke an approved request for a machine",
    params(("request_id" = String, Path, description = "The request's `id`")),
    responses((status = 200, description = "The request as it is now", body = AccessRequestChanged),
        (status = 400, description = "It is not approved, or the id is malformed", body = ErrorBody),
        (status = 403, description = "The caller is no administrator", body = ErrorBody),
        (status = 404, description = "No such request in the caller's organization", body = ErrorBody)))]
pub async fn revoke_access_request(
    app: App,
    credentials: Credentials,
    PathParam(request_id): PathParam,
) -> Result<Json<AccessRequestChanged>, ApiError> {
    let control = load(&app, credentials, &request_id).await?;
    control.expect(AccessRequestStatus::Approved)?;
    let event = event::done(&control, Action::AccessRequestRevoked);
    let request = change(&app, &control, store::revoke(&control, &now()), &event).await?;
    revocation::withdraw(&app, Whose::User(&request.requester_id)).await?;
    letters::decided(&app.mailer(), &request, Decision::Revoked);
    Ok(changed("Access request revoked", request))
}

/// Looks a request up for somebody who decides.
async fn load(app: &App, credentials: Credentials, request_id: &str) -> Result<RequestControl, ApiError> {
    let find = store::find(credentials.user_id(), &request_key(request_id)?);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    RequestControl::decide(caller, found)
}

/// Makes a change that the log tells of. Of two who decide at the same time, one does.
async fn change(
    app: &App,
    control: &RequestControl,
    change: Query<Exists>,
    event: &Event,
) -> Result<AccessRequest, ApiError> {
    let find = store::find(control.caller().id(), &control.request().id);
    let batch = (change, audit::record_if_changed(event), find);
    let (changed, _, found) = app.db()?.run(batch).await?;
    let request = exactly_one(found)?;
    match changed.is_empty() {
        true => Err(ApiError::bad_request(format!(
            "The request is {} meanwhile",
            request.status.as_str()
        ))),
        false => Ok(request),
    }
}

fn changed(message: &str, request: AccessRequest) -> Json<AccessRequestChanged> {
    Json(AccessRequestChanged {
        message: message.to_owned(),
        request,
    })
}
