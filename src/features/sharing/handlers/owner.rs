//! Whose session it is: inviting, and sending away again.
use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use protocol::api::Message;
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;
use protocol::api::sharing::{
    CreateShare, CreateShareLink, LINK_SECONDS, Share, ShareCreated, ShareLinkCreated, ShareList,
};

use crate::audit::{self, Action, Event, Resource};
use crate::auth::caller::Credentials;
use crate::features::sharing::access::SharingControl;
use crate::features::sharing::row::ShareRow;
use crate::features::sharing::store::{self, MAX_SHARES, Terms};
use crate::http::extract::{PathPair, PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{now, stored};
use crate::platform::error::ApiError;
use crate::platform::log;

/// Lists whom a session is shared with, and who is there.
#[utoipa::path(get, path = "/api/terminal/sessions/{session_id}/shares", summary = "List whom a session is shared with",
    params(("session_id" = String, Path, description = "The session's name")),
    responses((status = 200, description = "Invitations, links, and the people who are there", body = ShareList),
        (status = 403, description = "The session is not the caller's", body = ErrorBody),
        (status = 404, description = "No such session in the caller's organization, or it is over", body = ErrorBody)))]
pub async fn list_shares(
    app: App,
    credentials: Credentials,
    PathParam(session_id): PathParam,
) -> Result<Json<ShareList>, ApiError> {
    let control = load(&app, credentials, &session_id).await?;
    let rows = app.db()?.run(store::list(&control)).await?;
    let people = app
        .relay(&control.found().machine_id)?
        .presence(control.session())
        .await?;
    Ok(Json(ShareList {
        shares: rows.into_iter().map(Share::from).collect(),
        people,
    }))
}

/// Invites somebody of the organization to a session of one's own while it runs, to watch or to type, whether or not they may use the
/// machine. Doing it again changes the terms. Whoever types does so as the session's owner.
#[utoipa::path(post, path = "/api/terminal/sessions/{session_id}/shares", summary = "Share a session with somebody",
    params(("session_id" = String, Path, description = "The session's name")), request_body = CreateShare,
    responses((status = 201, description = "They are invited", body = ShareCreated),
        (status = 403, description = "The session is not the caller's", body = ErrorBody),
        (status = 404, description = "No such session in the caller's organization, or it is over; or nobody of that name", body = ErrorBody),
        (status = 409, description = "The session is shared with as many as it can be", body = ErrorBody)))]
pub async fn create_share(
    app: App,
    credentials: Credentials,
    PathParam(session_id): PathParam,
    ValidJson(request): ValidJson<CreateShare>,
) -> Result<(StatusCode, Json<ShareCreated>), ApiError> {
    let db = app.db()?;
    let caller = credentials.user_id().clone();
    let find = store::find_session(&caller, &session_id);
    let (user_id, username) = (request.user_id.as_deref(), request.username.as_deref());
    let invitee = store::find_invitee(&caller, &session_id, user_id, username);
    let (caller, (found, invitees)) = credentials.load(&db, (find, invitee)).await?;
    let inviting = SharingControl::decide(caller, found)?.inviting()?;
    let invitee = match invitees.into_iter().next() {
        Some(invitee) if invitee.owns => return Err(ApiError::bad_request("It is your own session")),
        Some(invitee) => invitee,
        None => return Err(ApiError::not_found("User not found")),
    };
    let expires_at = request.expires_in.map(ending);
    let terms = Terms {
        can_type: request.can_type,
        expires_at: expires_at.as_deref(),
        now: &now(),
    };
    let event = event(inviting.control(), Action::SessionShared)
        .created()
        .detail("user_id", invitee.id.as_str())
        .detail("username", invitee.username.as_str())
        .detail("can_type", request.can_type)
        .detail("expires_at", expires_at.as_deref());
    let (invite, find) = store::invite(&inviting, &invitee, &terms)?;
    let (_, _, rows) = db.run((invite, audit::record_if_changed(&event), find)).await?;
    let share = rows.into_iter().next().map(Share::from).ok_or_else(no_room)?;
    // The new terms may be narrower than those before.
    recheck(&app, inviting.control()).await;
    Ok((StatusCode::CREATED, Json(ShareCreated { share })))
}

/// Makes a link that invites whoever of the organization opens it, until it expires or is withdrawn.
#[utoipa::path(post, path = "/api/terminal/sessions/{session_id}/share-links", summary = "Share a session by a link",
    params(("session_id" = String, Path, description = "The session's name")), request_body = CreateShareLink,
    responses((status = 201, description = "The link, shown once", body = ShareLinkCreated),
        (status = 403, description = "The session is not the caller's", body = ErrorBody),
        (status = 404, description = "No such session in the caller's organization, or it is over", body = ErrorBody),
        (status = 409, description = "The session is shared with as many as it can be", body = ErrorBody)))]
pub async fn create_share_link(
    app: App,
    credentials: Credentials,
    PathParam(session_id): PathParam,
    ValidJson(request): ValidJson<CreateShareLink>,
) -> Result<(StatusCode, Json<ShareLinkCreated>), ApiError> {
    let inviting = load(&app, credentials, &session_id).await?.inviting()?;
    let (token, expires_at) = (store::mint()?, ending(request.expires_in.unwrap_or(LINK_SECONDS)));
    let terms = Terms {
        can_type: request.can_type,
        expires_at: Some(&expires_at),
        now: &now(),
    };
    let event = event(inviting.control(), Action::SessionShared)
        .created()
        .detail("link", true)
        .detail("can_type", request.can_type)
        .detail("expires_at", expires_at.as_str());
    let (make, find) = store::make_link(&inviting, &token, &terms)?;
    let (_, _, rows) = app.db()?.run((make, audit::record_if_changed(&event), find)).await?;
    let share = rows.into_iter().next().map(Share::from).ok_or_else(no_room)?;
    let url = Secret::from(format!("{}/shared/{}", app.address()?, token.expose()));
    Ok((StatusCode::CREATED, Json(ShareLinkCreated { share, token, url })))
}

/// Ends an invitation or a link, and sends away at once whoever came by it. Somebody who came by a link is not let in by it again.
#[utoipa::path(delete, path = "/api/terminal/sessions/{session_id}/shares/{share_id}", summary = "Stop sharing a session with somebody",
    params(("session_id" = String, Path, description = "The session's name"),
        ("share_id" = String, Path, description = "The `id` of the invitation or link")),
    responses((status = 200, description = "They are not invited any more", body = Message),
        (status = 403, description = "The session is not the caller's", body = ErrorBody),
        (status = 404, description = "No such session in the caller's organization, or no such invitation of it", body = ErrorBody)))]
pub async fn delete_share(
    app: App,
    credentials: Credentials,
    PathPair(session_id, share_id): PathPair,
) -> Result<Json<Message>, ApiError> {
    let db = app.db()?;
    let control = load(&app, credentials, &session_id).await?;
    let found = db.run(store::find(&control, &share_id)).await?;
    let control = control.share(found)?;
    let ShareRow { user_id, username, .. } = control.share();
    let event = event(control.control(), Action::SessionShareEnded)
        .detail("user_id", user_id.as_ref().map(|id| id.as_str()))
        .detail("username", username.as_deref())
        .detail("link", user_id.is_none());
    db.run((store::end(&control), audit::record_if_changed(&event))).await?;
    recheck(&app, control.control()).await;
    Ok(Json(Message {
        message: "The session is not shared with them any more".to_owned(),
    }))
}

async fn load(app: &App, credentials: Credentials, session_id: &str) -> Result<SharingControl, ApiError> {
    let find = store::find_session(credentials.user_id(), session_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    SharingControl::decide(caller, found)
}

/// The relay ends what is not allowed any more. One that cannot be asked now asks by itself within minutes.
async fn recheck(app: &App, control: &SharingControl) {
    let asked = async || app.relay(&control.found().machine_id)?.recheck().await;
    if let Err(error) = asked().await {
        log::error(&format!("a relay could not look at its rights: {}", error.cause()));
    }
}

/// When something ends that begins now.
fn ending(seconds: u32) -> String {
    stored(Utc::now() + TimeDelta::seconds(seconds.into()))
}

fn no_room() -> ApiError {
    ApiError::conflict(
        "too_many_shares",
        format!("A session that runs can be shared with {MAX_SHARES} people and links at most; end one first"),
    )
}

fn event(control: &SharingControl, action: Action) -> Event {
    let session = control.found();
    control
        .caller()
        .event(action, Resource::Terminal)
        .within(&session.organization_id)
        .on(&session.machine_id)
        .detail("machine", session.machine_name.as_str())
        .detail("agent_id", session.agent_id.as_str())
        .detail("session_id", session.session_id.as_str())
}
