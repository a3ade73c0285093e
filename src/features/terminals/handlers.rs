//! Opening a terminal.
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use protocol::api::error::ErrorBody;
use protocol::api::machines::MachineStatus;
use protocol::api::sessions::SocketTicket;
use protocol::ids::SessionId;
use protocol::relay_contract::{Dialect, VIEWER_PATH, ViewerContext};
use protocol::terminal::VIEWER_SUBPROTOCOL;

use super::request::{TerminalQuery, TerminalRequest};
use crate::audit::{self, Action, Event, Resource};
use crate::auth::caller::{Credentials, SocketCredentials};
use crate::auth::ticket;
use crate::features::alerts;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::{self, Key};
use crate::features::sessions::store::{self, NewSession};
use crate::http::client::Client;
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::upgrade::{check_origin, check_upgrade};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::random;
use crate::platform::relay_stub::Upgraded;

/// Makes what opens one terminal on a machine. A browser puts it into the address of the socket, which is kept in logs and
/// histories, where a token does not belong. Programs with a key send that in a header.
#[utoipa::path(post, path = "/api/terminal/{agent_id}/ticket", summary = "Get a ticket for a terminal",
    params(("agent_id" = String, Path, description = "The machine's public name")),
    responses((status = 201, description = "The ticket: for `?ticket=` of this machine's terminal, once, within 30 seconds", body = SocketTicket),
        (status = 403, description = "The caller may not use the machine, calls by a key, or the machine was revoked", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody),
        (status = 409, description = "The machine has not been enrolled yet", body = ErrorBody)))]
pub async fn create_ticket(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    let access = machines::load(&app, credentials, Key::AgentId(agent_id)).await?;
    check_enrolled(&access)?;
    ticket::give(&app, access.caller(), access.found().machine.agent_id.as_str()).await
}

/// Opens a terminal on a machine, or attaches to one that is open. `docs/streams.md` describes the socket.
#[utoipa::path(get, path = "/api/terminal/{agent_id}/ws", summary = "Open a terminal (WebSocket)",
    params(("agent_id" = String, Path, description = "The machine's public name"), TerminalQuery),
    responses((status = 101, description = "The socket is open; subprotocol `vsay.stream.v1`, or the published frames without one"),
        (status = 403, description = "The caller or the page's origin may not, the session is not the caller's, or the machine was revoked", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody),
        (status = 409, description = "The machine has not been enrolled yet", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket", body = ErrorBody)))]
pub async fn open_terminal(
    app: App,
    SocketCredentials(credentials): SocketCredentials,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    PathParam(agent_id): PathParam,
    QueryParams(query): QueryParams<TerminalQuery>,
) -> Result<Response, ApiError> {
    let request = TerminalRequest::new(query, &headers)?;
    let access = machines::load(&app, credentials, Key::AgentId(agent_id)).await?;
    // Only now it is known whose token the page has, for the audit log.
    check_origin(&app, &uri, &headers)?;
    check_enrolled(&access)?;
    let machine = &access.found().machine;
    check_upgrade(&headers)?;
    let session = match request.session_id {
        Some(session) => session,
        None => random::session_id()?,
    };
    let new = NewSession {
        id: random::object_id()?,
        session_id: &session,
        source: &request.source,
        os: request.os.as_deref(),
        client: &client,
        size: request.size,
        now: &now(),
        attach_until: None,
    };
    let caller = access.caller();
    let event = opens(&access, &session);
    let open = (store::open(&access, &new), audit::record_if_changed(&event));
    let (opened, _) = app.db()?.run(open).await?;
    let (opening, records, refusal) = match opened.first() {
        Some(opened) => (opened.openings, opened.records, None),
        None => (0, false, Some(refused(&app, &access, &session).await?)),
    };
    alerts::soon(&app);
    // A server without a bucket records nothing.
    let recording = match records && app.recordings().is_ok() {
        true => Some(random::object_id()?),
        false => None,
    };
    let context = ViewerContext {
        machine: machine.id.clone(),
        agent_id: machine.agent_id.clone(),
        user: caller.id().clone(),
        username: caller.username().to_owned(),
        proof: caller.relay_proof(),
        session,
        opening,
        size: request.size,
        dialect: request.dialect,
        can_type: true,
        guest: false,
        allow_sudo: access.may_sudo(),
        recording,
        limits: access.found().limits,
        ssh: None,
        refusal,
    };
    let subprotocol = (request.dialect == Dialect::Stream).then_some(VIEWER_SUBPROTOCOL);
    match app
        .relay(&machine.id)?
        .upgrade(VIEWER_PATH, &context, subprotocol)
        .await?
    {
        Upgraded::Open(response) => Ok(response),
        Upgraded::Refused(status) => Err(ApiError::internal(format!("the relay answered a viewer {status}"))),
    }
}

/// Why a session was not opened. That there is no room is for the socket to say: no browser shows the answer to a refused upgrade.
async fn refused(app: &App, access: &MachineAccess, session: &SessionId) -> Result<String, ApiError> {
    let reached = app.db()?.run(store::reached(access, session)).await?;
    let error = reached.first().ok_or_else(ApiError::not_authorized)?.error();
    match error.status() {
        StatusCode::CONFLICT => Ok(error.text().to_owned()),
        _ => Err(error),
    }
}

/// That somebody opens a session, for the log.
pub fn opens(access: &MachineAccess, session: &SessionId) -> Event {
    let machine = &access.found().machine;
    access
        .caller()
        .event(Action::MachineAccess, Resource::Terminal)
        .within(&access.found().organization_id)
        .on(&machine.id)
        .detail("machine", machine.name.as_str())
        .detail("agent_id", machine.agent_id.as_str())
        .detail("session_id", session.as_str())
}

/// Fails if no agent has ever come for a machine, or none may any more.
pub fn check_enrolled(access: &MachineAccess) -> Result<(), ApiError> {
    match access.found().machine.status {
        MachineStatus::Pending => Err(ApiError::conflict(
            "machine_pending",
            "Machine has not been enrolled yet",
        )),
        MachineStatus::Revoked => Err(ApiError::forbidden("machine_revoked", "machine has been revoked")),
        MachineStatus::Online | MachineStatus::ExecutingScript | MachineStatus::Offline => Ok(()),
    }
}
