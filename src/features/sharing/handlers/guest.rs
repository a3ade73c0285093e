//! Who was invited: which sessions they may come to, and links.
use protocol::api::error::ErrorBody;
use protocol::api::sharing::{JoinShare, SharedSession, SharedSessionDetail, SharedSessionList};

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::sharing::access::{GuestAccess, LinkAccess};
use crate::features::sharing::store;
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Lists the sessions of others that the caller was invited to, the newest invitation first.
#[utoipa::path(get, path = "/api/shares", summary = "List sessions shared with the caller",
    responses((status = 200, description = "The sessions", body = SharedSessionList)))]
pub async fn list_shared_sessions(app: App, credentials: Credentials) -> Result<Json<SharedSessionList>, ApiError> {
    let list = store::list_of_guest(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    let shares = rows.into_iter().map(SharedSession::from).collect();
    Ok(Json(SharedSessionList { shares }))
}

/// Accepts a link that somebody of the caller's organization has shared a session by.
#[utoipa::path(post, path = "/api/shares/join", summary = "Accept a link to a shared session", request_body = JoinShare,
    responses((status = 200, description = "The session", body = SharedSessionDetail),
        (status = 403, description = "The caller was sent away from the session", body = ErrorBody),
        (status = 404, description = "No such link in the caller's organization, or it has expired, was withdrawn, or its session is over", body = ErrorBody),
        (status = 409, description = "It is the caller's own session, or as many share it as can", body = ErrorBody)))]
pub async fn join_share(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<JoinShare>,
) -> Result<Json<SharedSessionDetail>, ApiError> {
    let db = app.db()?;
    let find = store::find_link(credentials.user_id(), &request.token);
    let (caller, found) = credentials.load(&db, find).await?;
    let link = LinkAccess::decide(caller, found)?;
    let (join, find) = store::join(&link, &now())?;
    let event = link
        .caller()
        .event(Action::SessionLinkOpened, Resource::Terminal)
        .on(&link.link().machine_id)
        .detail("machine", link.link().machine_name.as_str())
        .detail("session_id", link.link().session_id.as_str())
        .detail("owner", link.link().owner.as_str());
    let (_, _, rows) = db.run((join, audit::record_if_changed(&event), find)).await?;
    let share = rows.into_iter().next().map(SharedSession::from).ok_or_else(|| {
        let error = "As many share this session as can, or it has just ended";
        ApiError::conflict("too_many_shares", error)
    })?;
    Ok(Json(SharedSessionDetail { share }))
}

/// Looks up what the caller was invited to.
pub async fn load(app: &App, credentials: Credentials, share_id: &str) -> Result<GuestAccess, ApiError> {
    let find = store::find_of_guest(credentials.user_id(), share_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    GuestAccess::decide(caller, found)
}
