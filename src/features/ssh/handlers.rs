//! The two published paths, each with what makes tickets for browsers.
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use protocol::api::error::ErrorBody;
use protocol::api::sessions::SocketTicket;
use protocol::terminal::ssh::{Refusal, no_credentials};

use super::access::{SshRight, Way};
use super::open::open;
use super::socket::{Asked, SshQuery, Stop, answer};
use super::store;
use crate::auth::caller::{Credentials, ShownCredentials};
use crate::auth::ticket;
use crate::features::inventory::store::objects;
use crate::features::terminals::request::TerminalQuery;
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::upgrade::check_origin;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Makes what opens one terminal on a host. A browser puts it into the address of the socket, which is kept in logs and histories, where
/// a token does not belong.
#[utoipa::path(post, path = "/api/instances/ssh/{hostname}/ticket", summary = "Get a ticket for a terminal by SSH",
    params(("hostname" = String, Path, description = "The host, as inventories of services name it")),
    responses((status = 201, description = "The ticket: for `?ticket=` of this host's terminal, once, within 30 seconds", body = SocketTicket),
        (status = 403, description = "The caller may not open terminals by SSH, or calls by a key", body = ErrorBody),
        (status = 404, description = "No service of the organization knows the host", body = ErrorBody)))]
pub async fn create_instance_ticket(
    app: App,
    credentials: Credentials,
    PathParam(hostname): PathParam,
) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    give(&app, credentials, &hostname, Way::Instance).await
}

/// Makes what opens one terminal on a host, as `POST /api/instances/ssh/{hostname}/ticket` does.
#[utoipa::path(post, path = "/api/inventory/server/ssh/{hostname}/ticket", summary = "Get a ticket for a server's terminal",
    params(("hostname" = String, Path, description = "The host, as inventories of services name it")),
    responses((status = 201, description = "The ticket: for `?ticket=` of this host's terminal, once, within 30 seconds", body = SocketTicket),
        (status = 403, description = "The caller may not open terminals by SSH, or calls by a key", body = ErrorBody),
        (status = 404, description = "No service of the organization knows the host", body = ErrorBody)))]
pub async fn create_server_ticket(
    app: App,
    credentials: Credentials,
    PathParam(hostname): PathParam,
) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    give(&app, credentials, &hostname, Way::Server).await
}

async fn give(
    app: &App,
    credentials: Credentials,
    hostname: &str,
    way: Way,
) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    let asks = credentials.user_id();
    let batch = (store::runner(asks, hostname), objects::find_host(asks, hostname));
    let (caller, (found, server)) = credentials.load(&app.db()?, batch).await?;
    let right = SshRight::decide(caller, server, way)?;
    if found.is_empty() {
        return Err(ApiError::not_found(no_credentials(hostname)));
    }
    ticket::give(app, right.caller(), hostname).await
}

/// Opens a terminal on a host that has no agent: a runner, one of whose services knows the host, opens it by SSH. `docs/ssh.md` describes
/// the socket. Without a subprotocol it is opened also to somebody who may not: its frames and the code of its close say what is wrong.
#[utoipa::path(get, path = "/api/instances/ssh/{hostname}", summary = "Open a terminal by SSH (WebSocket)",
    params(("hostname" = String, Path, description = "The host, as inventories of services name it"), TerminalQuery, SshQuery),
    responses((status = 101, description = "The socket is open; subprotocol `vsay.stream.v1`, or the published frames without one"),
        (status = 403, description = "The caller or the page's origin may not, or the session is not the caller's", body = ErrorBody),
        (status = 404, description = "No service of the organization knows the host", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket", body = ErrorBody)))]
pub async fn open_instance_terminal(
    app: App,
    shown: ShownCredentials,
    uri: Uri,
    headers: HeaderMap,
    PathParam(hostname): PathParam,
    QueryParams(terminal): QueryParams<TerminalQuery>,
    QueryParams(ssh): QueryParams<SshQuery>,
) -> Result<Response, ApiError> {
    let asked = Asked::new(hostname, terminal, ssh, &headers);
    serve(app, shown, uri, headers, asked, Way::Instance).await
}

/// Opens a terminal on a server of the inventory, as `GET /api/instances/ssh/{hostname}` does.
#[utoipa::path(get, path = "/api/inventory/server/ssh/{hostname}", summary = "Open a server's terminal (WebSocket)",
    params(("hostname" = String, Path, description = "The host, as inventories of services name it"), TerminalQuery, SshQuery),
    responses((status = 101, description = "The socket is open; subprotocol `vsay.stream.v1`, or the published frames without one"),
        (status = 403, description = "The caller or the page's origin may not, or the session is not the caller's", body = ErrorBody),
        (status = 404, description = "No service of the organization knows the host", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket", body = ErrorBody)))]
pub async fn open_server_terminal(
    app: App,
    shown: ShownCredentials,
    uri: Uri,
    headers: HeaderMap,
    PathParam(hostname): PathParam,
    QueryParams(terminal): QueryParams<TerminalQuery>,
    QueryParams(ssh): QueryParams<SshQuery>,
) -> Result<Response, ApiError> {
    let asked = Asked::new(hostname, terminal, ssh, &headers);
    serve(app, shown, uri, headers, asked, Way::Server).await
}

async fn serve(
    app: App,
    shown: ShownCredentials,
    uri: Uri,
    headers: HeaderMap,
    asked: Result<Asked, Stop>,
    way: Way,
) -> Result<Response, ApiError> {
    let opened = reach(&app, shown, &uri, &headers, asked, way).await;
    answer(opened, &headers)
}

/// The credentials, or what is wrong with them.
pub fn proven(shown: ShownCredentials) -> Result<Credentials, Stop> {
    let is_missing = shown.is_missing();
    shown.0.map_err(|error| match is_missing {
        true => Stop::with(error, Refusal::MissingToken),
        false => error.into(),
    })
}

async fn reach(
    app: &App,
    shown: ShownCredentials,
    uri: &Uri,
    headers: &HeaderMap,
    asked: Result<Asked, Stop>,
    way: Way,
) -> Result<Response, Stop> {
    let credentials = proven(shown)?;
    let Asked { request, target } = asked?;
    let asks = credentials.user_id();
    let batch = (
        store::runner(asks, &target.hostname),
        objects::find_host(asks, &target.hostname),
    );
    let (caller, (found, server)) = credentials.load(&app.db()?, batch).await?;
    let right = SshRight::decide(caller, server, way)?;
    check_origin(app, uri, headers)?;
    open(app, &right, found.into_iter().next(), target, request, headers).await
}
