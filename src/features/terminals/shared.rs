//! The terminal of somebody else's session, for whoever was invited to it. What a guest may do there, the relay sees to.
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use protocol::api::error::ErrorBody;
use protocol::api::sessions::SocketTicket;
use protocol::relay_contract::{Dialect, SignIn, VIEWER_PATH, ViewerContext};
use protocol::terminal::VIEWER_SUBPROTOCOL;
use protocol::terminal::limits::SessionLimits;

use super::request::{TerminalQuery, TerminalRequest};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Credentials, SocketCredentials};
use crate::auth::ticket;
use crate::features::sharing;
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::upgrade::{check_origin, check_upgrade};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::relay_stub::Upgraded;

/// Makes what opens one socket to a session that was shared with the caller.
#[utoipa::path(post, path = "/api/shares/{share_id}/ticket", summary = "Get a ticket for a shared session",
    params(("share_id" = String, Path, description = "The invitation's `id`")),
    responses((status = 201, description = "The ticket: for `?ticket=` of this session's socket, once, within 30 seconds", body = SocketTicket),
        (status = 403, description = "The caller calls by a key", body = ErrorBody),
        (status = 404, description = "The caller has no such invitation, or its session is over", body = ErrorBody)))]
pub async fn create_shared_ticket(
    app: App,
    credentials: Credentials,
    PathParam(share_id): PathParam,
) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    let access = sharing::load(&app, credentials, &share_id).await?;
    ticket::give(&app, access.caller(), access.share().id.as_str()).await
}

/// Attaches to a session that was shared with the caller. It speaks like `/api/terminal/{agent_id}/ws`, whose `session_id` means nothing
/// here; somebody who was invited to watch is told so, and what they type reaches nobody.
#[utoipa::path(get, path = "/api/shares/{share_id}/ws", summary = "Attach to a shared session (WebSocket)",
    params(("share_id" = String, Path, description = "The invitation's `id`"), TerminalQuery),
    responses((status = 101, description = "The socket is open; subprotocol `vsay.stream.v1`, or the published frames without one"),
        (status = 403, description = "The page's origin may not", body = ErrorBody),
        (status = 404, description = "The caller has no such invitation, or its session is over", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket", body = ErrorBody)))]
pub async fn open_shared_terminal(
    app: App,
    SocketCredentials(credentials): SocketCredentials,
    uri: Uri,
    headers: HeaderMap,
    PathParam(share_id): PathParam,
    QueryParams(query): QueryParams<TerminalQuery>,
) -> Result<Response, ApiError> {
    let request = TerminalRequest::new(query, &headers)?;
    let access = sharing::load(&app, credentials, &share_id).await?;
    check_origin(&app, &uri, &headers)?;
    check_upgrade(&headers)?;
    let (share, caller) = (access.share(), access.caller());
    let event = caller
        .event(Action::SessionJoined, Resource::Terminal)
        .within(&share.organization_id)
        .on(&share.machine_id)
        .detail("machine", share.machine_name.as_str())
        .detail("agent_id", share.agent_id.as_str())
        .detail("session_id", share.session_id.as_str())
        .detail("owner", share.owner.as_str())
        .detail("can_type", share.can_type);
    app.db()?.run(audit::record(&event)).await?;
    let context = ViewerContext {
        machine: share.machine_id.clone(),
        agent_id: share.agent_id.clone(),
        user: caller.id().clone(),
        username: caller.username().to_owned(),
        proof: until(caller.relay_proof(), share.expires_at),
        session: share.session_id.clone(),
        // It opens nothing, so nothing ends with it.
        opening: 0,
        size: request.size,
        dialect: request.dialect,
        can_type: share.can_type,
        guest: true,
        allow_sudo: false,
        recording: None,
        // It starts no session.
        limits: SessionLimits::default(),
        ssh: None,
        refusal: None,
    };
    let subprotocol = (request.dialect == Dialect::Stream).then_some(VIEWER_SUBPROTOCOL);
    match app
        .relay(&share.machine_id)?
        .upgrade(VIEWER_PATH, &context, subprotocol)
        .await?
    {
        Upgraded::Open(response) => Ok(response),
        Upgraded::Refused(status) => Err(ApiError::internal(format!("the relay answered a guest {status}"))),
    }
}

/// The relay ends by itself what ends at a time: the key, or the invitation, whichever is first.
fn until(proof: SignIn, expires_at: Option<DateTime<Utc>>) -> SignIn {
    let expires = expires_at.map(|at| u64::try_from(at.timestamp_millis()).unwrap_or_default());
    let until = [proof.until, expires].into_iter().flatten().min();
    SignIn { until, ..proof }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_stays_until_the_first_of_what_they_came_by_ends() {
        let of = |until: Option<u64>, expires_at: Option<i64>| {
            let proof = SignIn {
                until,
                ..SignIn::default()
            };
            super::until(proof, expires_at.and_then(DateTime::from_timestamp_millis)).until
        };
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(5), None), Some(5));
        assert_eq!(of(None, Some(7)), Some(7));
        assert_eq!(of(Some(5), Some(7)), Some(5));
        assert_eq!(of(Some(9), Some(7)), Some(7));
    }
}
