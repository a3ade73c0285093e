//! The socket of a session. Whoever opens it is known by its first frame, so the machine's relay takes it unknown; the Worker keeps
//! those that lead nowhere, for as long as a first frame may take, so that nobody can tell them apart.
use std::time::Duration;

use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use protocol::api::v1::V1ErrorBody;
use protocol::ids::SessionId;
use protocol::relay_contract::{STRANGER_PATH, StrangerContext, VIEWER_PATH};
use protocol::terminal::sessions_v1::{AUTH_WITHIN_MS, FromClient, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use worker::{Delay, WebSocket, WebSocketPair, WebsocketEvent};

use crate::auth::caller::bearer;
use crate::features::sessions::store::token;
use crate::features::v1_sessions::authenticate::{known, who};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::upgrade::{check_origin, check_upgrade};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::log;
use crate::platform::relay_stub::{RelayStub, Upgraded};

/// How the names begin that we make: these are known to be one session's. Names that clients choose are an organization's own.
const MADE: &str = "sess_";

/// What may be in the address in place of the first frame.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SocketQuery {
    /// What the session was opened with, or what proves the account. It counts before the header, and no first frame is waited for.
    token: Option<String>,
}

/// Opens the terminal of a session. `docs/sessions.md` describes the socket.
#[utoipa::path(get, path = "/v1/sessions/{session_id}/ws", summary = "Open the terminal of a session (WebSocket)",
    operation_id = "v1_open_socket",
    params(("session_id" = String, Path, description = "The session's id"), SocketQuery),
    responses((status = 101, description = "The socket is open, also to somebody who may not: its frames say what is wrong"),
        (status = 401, description = "The Authorization header has no bearer token", body = V1ErrorBody),
        (status = 403, description = "The page's origin may not open sockets here", body = V1ErrorBody),
        (status = 426, description = "The request asks for no WebSocket", body = V1ErrorBody)))]
pub async fn open_socket(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    PathParam(session_id): PathParam,
    QueryParams(query): QueryParams<SocketQuery>,
) -> Result<Response, ApiError> {
    check_upgrade(&headers)?;
    check_origin(&app, &uri, &headers)?;
    let presented = match query.token.filter(|token| !token.is_empty()) {
        Some(token) => Some(token),
        None => bearer(&headers)?.map(str::to_owned),
    };
    match presented {
        Some(token) => match who(&app, &session_id, None, &token).await {
            Ok(context) => hand_over(app.relay(&context.machine)?, VIEWER_PATH, &context).await,
            Err(refusal) => refuse(refusal),
        },
        None => take_unknown(app, session_id).await,
    }
}

/// Somebody who has not said who they are: the relay of the session's machine waits for it.
async fn take_unknown(app: App, session_id: String) -> Result<Response, ApiError> {
    let made = session_id
        .parse::<SessionId>()
        .ok()
        .filter(|_| session_id.starts_with(MADE));
    let found = match &made {
        Some(session) => app.db()?.run(token::machine_of(session)).await?.into_iter().next(),
        None => None,
    };
    match (made, found) {
        (Some(session), Some(row)) => {
            let relay = app.relay(&row.machine_id)?;
            let context = StrangerContext {
                machine: row.machine_id,
                session,
                address: app.client_address().to_owned(),
            };
            hand_over(relay, STRANGER_PATH, &context).await
        }
        _ => wait_in_vain(app),
    }
}

async fn hand_over(relay: RelayStub, path: &str, context: &impl Serialize) -> Result<Response, ApiError> {
    match relay.upgrade(path, context, None).await? {
        Upgraded::Open(response) => Ok(response),
        Upgraded::Refused(status) => Err(ApiError::internal(format!("the relay answered a viewer {status}"))),
    }
}

/// A socket that is told why it is none.
fn refuse(refusal: Refusal) -> Result<Response, ApiError> {
    let (server, response) = accept()?;
    tell(&server, refusal);
    Ok(response)
}

/// A socket to a session that is not there: it is answered when the first frame has come, as one that is there would be to somebody
/// who may not know of it.
fn wait_in_vain(app: App) -> Result<Response, ApiError> {
    let (server, response) = accept()?;
    app.background().clone().run(async move {
        let refusal = match first_frame(&server).await.as_deref().map(FromClient::decode) {
            Some(Ok(FromClient::Auth { token })) => {
                known(&app, token.expose()).await.err().unwrap_or(Refusal::NotFound)
            }
            _ => Refusal::Unauthorized,
        };
        tell(&server, refusal);
    });
    Ok(response)
}

fn accept() -> Result<(WebSocket, Response), ApiError> {
    let WebSocketPair { client, server } = WebSocketPair::new()?;
    server.accept()?;
    Ok((server, worker::Response::from_websocket(client)?.into()))
}

/// The first text of a socket, if one comes in time.
async fn first_frame(server: &WebSocket) -> Option<String> {
    let mut events = server.events().ok()?;
    match select(events.next(), Delay::from(Duration::from_millis(AUTH_WITHIN_MS))).await {
        Either::Left((Some(Ok(WebsocketEvent::Message(message))), _)) => message.text(),
        _ => None,
    }
}

/// Sends the last frame and closes. One whose client is gone by then needs neither.
fn tell(server: &WebSocket, refusal: Refusal) {
    let (frame, close) = (refusal.frame(), refusal.close());
    let said = serde_json::to_string(&frame).map_err(|error| error.to_string());
    let told = said.and_then(|text| {
        server.send_with_str(&text).map_err(|error| error.to_string())?;
        server
            .close(Some(close.code()), Some(close.reason()))
            .map_err(|error| error.to_string())
    });
    if let Err(error) = told {
        log::error(&format!("a socket was gone before it was refused: {error}"));
    }
}
