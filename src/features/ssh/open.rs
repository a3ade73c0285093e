//! Opening a terminal on another host, for whoever may.
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use protocol::relay_contract::{Dialect, VIEWER_PATH, ViewerContext};
use protocol::terminal::VIEWER_SUBPROTOCOL;
use protocol::terminal::ssh::{Refusal, SshTarget, no_credentials};

use super::access::SshRight;
use super::socket::Stop;
use super::store::Runner;
use crate::audit;
use crate::features::alerts;
use crate::features::sessions::store::{self, NewSession, OnHost};
use crate::features::terminals::request::TerminalRequest;
use crate::http::upgrade::{check_upgrade, is_upgrade};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::random;
use crate::platform::relay_stub::Upgraded;

/// Opens a terminal on a host, or attaches to one that is open: by the runner that [`store::runner`](super::store::runner) found for the
/// caller. That it was tried is in the log, whatever comes of it.
pub async fn open(
    app: &App,
    right: &SshRight,
    runner: Option<Runner>,
    target: SshTarget,
    request: TerminalRequest,
    headers: &HeaderMap,
) -> Result<Response, Stop> {
    // Whoever asks for a socket hears that in it, and it is written down that they tried.
    if runner.is_none() && !is_upgrade(headers) {
        return Err(ApiError::not_found(no_credentials(&target.hostname)).into());
    }
    check_upgrade(headers)?;
    let caller = right.caller();
    let event = right.event(&target.hostname, target.user.as_deref());
    let Some(runner) = runner else {
        app.db()?.run(audit::record(&event)).await.map_err(ApiError::from)?;
        let words = no_credentials(&target.hostname);
        return Err(Stop::with(ApiError::not_found(words), Refusal::NoCredentials));
    };
    let session = match request.session_id {
        Some(session) => session,
        None => random::session_id().map_err(ApiError::from)?,
    };
    let new = NewSession {
        id: random::object_id().map_err(ApiError::from)?,
        session_id: &session,
        source: &request.source,
        os: request.os.as_deref(),
        client: &caller.context().client,
        size: request.size,
        now: &now(),
        attach_until: None,
    };
    let on = OnHost {
        organization: &runner.organization_id,
        runner: &runner.machine_id,
        hostname: &target.hostname,
        user: target.user.as_deref(),
        permission: right.permission(),
        thing: right.thing(),
    };
    let open = (store::open_on_host(caller, &on, &new), audit::record(&event));
    let (opened, _) = app.db()?.run(open).await.map_err(ApiError::from)?;
    let (opening, records, refusal) = match opened.first() {
        Some(opened) => (opened.openings, opened.records, None),
        None => (0, false, Some(refused(app, right, &on, &new, request.dialect).await?)),
    };
    alerts::soon(app);
    // A server without a bucket records nothing.
    let recording = match records && app.recordings().is_ok() {
        true => Some(random::object_id().map_err(ApiError::from)?),
        false => None,
    };
    let dialect = match request.dialect {
        Dialect::Published => Dialect::Ssh,
        dialect => dialect,
    };
    let context = ViewerContext {
        machine: runner.machine_id.clone(),
        agent_id: runner.agent_id,
        user: caller.id().clone(),
        username: caller.username().to_owned(),
        proof: caller.relay_proof(),
        session,
        opening,
        size: request.size,
        dialect,
        can_type: true,
        guest: false,
        allow_sudo: false,
        recording,
        limits: runner.limits,
        ssh: Some(target),
        refusal,
    };
    let subprotocol = (dialect == Dialect::Stream).then_some(VIEWER_SUBPROTOCOL);
    let relay = app.relay(&runner.machine_id)?;
    match relay.upgrade(VIEWER_PATH, &context, subprotocol).await? {
        Upgraded::Open(response) => Ok(response),
        Upgraded::Refused(status) => Err(ApiError::internal(format!("the relay answered a viewer {status}")).into()),
    }
}

/// Why a session was not opened. That there is no room is for the socket to say: no browser shows the answer to a refused upgrade.
async fn refused(
    app: &App,
    right: &SshRight,
    on: &OnHost<'_>,
    new: &NewSession<'_>,
    dialect: Dialect,
) -> Result<String, Stop> {
    let reached = store::reached_on_host(right.caller(), on, new.session_id);
    let reached = app.db()?.run(reached).await.map_err(ApiError::from)?;
    let error = reached.first().ok_or_else(ApiError::not_authorized)?.error();
    match error.status() {
        StatusCode::CONFLICT if dialect != Dialect::Published => Ok(error.text().to_owned()),
        StatusCode::CONFLICT => Err(Stop::with(error, Refusal::SessionLimit)),
        _ => Err(Stop::with(error, Refusal::Forbidden)),
    }
}
