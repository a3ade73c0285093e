//! Listening to what changes in one's organization.
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use chrono::Utc;
use protocol::api::error::ErrorBody;
use protocol::api::sessions::SocketTicket;
use protocol::live::LISTENS_FOR_MS;

use crate::auth::caller::{Credentials, SocketCredentials};
use crate::auth::ticket;
use crate::http::json_text::Json;
use crate::http::upgrade::{check_origin, check_upgrade};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// What tickets for the channel are for.
const PLACE: &str = "/api/live";

/// Makes what opens the live channel of the caller's organization once.
#[utoipa::path(post, path = "/api/live/ticket", summary = "Get a ticket for the live channel",
    responses((status = 201, description = "The ticket: for `?ticket=` of the channel, once, within 30 seconds", body = SocketTicket),
        (status = 403, description = "The caller calls by a key", body = ErrorBody)))]
pub async fn create_channel_ticket(
    app: App,
    credentials: Credentials,
) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    let (caller, ()) = credentials.load(&app.db()?, ()).await?;
    ticket::give(&app, &caller, PLACE).await
}

/// Listens to what changes in the caller's organization: frames such as `{"changed":["machines","activity"]}`, whose words are
/// `machines`, `figures`, `sessions`, `commands` and `activity`. What has changed is to be asked for. After five minutes the socket
/// is closed with 4012, and whoever still may opens it again.
#[utoipa::path(get, path = "/api/live", summary = "Listen to what changes (WebSocket)",
    params(("ticket" = Option<String>, Query, description = "What `POST /api/live/ticket` gave"),
        ("token" = Option<String>, Query, description = "A token, where no header can be sent")),
    responses((status = 101, description = "The socket is open; subprotocol `vsay.live.v1`"),
        (status = 403, description = "The page's origin may not", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket", body = ErrorBody),
        (status = 503, description = "Too many pages listen", body = ErrorBody)))]
pub async fn listen_to_changes(
    app: App,
    SocketCredentials(credentials): SocketCredentials,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (caller, ()) = credentials.load(&app.db()?, ()).await?;
    check_origin(&app, &uri, &headers)?;
    check_upgrade(&headers)?;
    let now = u64::try_from(Utc::now().timestamp_millis()).unwrap_or_default();
    let until = [Some(now + LISTENS_FOR_MS), caller.relay_proof().until];
    let until = until.into_iter().flatten().min().unwrap_or(now);
    app.channel(caller.organization_id())?.listen(until).await
}
