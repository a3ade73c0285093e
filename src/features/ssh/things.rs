//! What one thing of the inventory is asked for in a socket: its terminal, or what a job of it writes (contract).
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use protocol::api::error::ErrorBody;
use protocol::api::inventory::actions::{ActionType, TypeAction};
use protocol::api::inventory::types::Definition;
use protocol::api::sessions::SocketTicket;
use protocol::terminal::ssh::Refusal;
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::{SshRight, Way};
use super::handlers::proven;
use super::open::open;
use super::socket::{Asked, SshQuery, Stop, answer};
use super::store;
use crate::auth::caller::{Credentials, ShownCredentials};
use crate::auth::ticket;
use crate::features::inventory::access::Known;
use crate::features::inventory::store::objects;
use crate::features::jobs::{self, JobAccess};
use crate::features::terminals::request::TerminalQuery;
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::upgrade::{check_origin, check_upgrade};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// What is asked of a thing.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThingQuery {
    /// Of a terminal, the user at the host; without one the one that the inventory of a service names: 1 to 32 characters of A-Z a-z 0-9 . _ -
    #[param(max_length = 32, pattern = "^[a-zA-Z0-9._-]+$")]
    user: Option<String>,
    /// An action of its type; the one that opens terminals if nothing is said.
    #[param(max_length = 50, pattern = "^[a-z][a-z0-9_]*$")]
    action: Option<String>,
    /// Of an action that is a job, which one; the newest if nothing is said.
    #[param(pattern = "^[0-9a-f]{8}$")]
    job_id: Option<String>,
    /// Of a job, how many lines the client has already.
    #[param(value_type = Option<u64>)]
    from: Option<String>,
}

/// Makes what opens one socket of a thing, for browsers: its terminal, or a job that was about it.
#[utoipa::path(post, path = "/api/inventory/ws/{object_id}/ticket", summary = "Get a ticket for a thing's terminal or job",
    params(("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 201, description = "The ticket: for `?ticket=` of this thing's socket, once, within 30 seconds", body = SocketTicket),
        (status = 403, description = "The caller may not see the thing, or calls by a key", body = ErrorBody),
        (status = 404, description = "No such thing in the caller's organization", body = ErrorBody)))]
pub async fn create_thing_ticket(
    app: App,
    credentials: Credentials,
    PathParam(id): PathParam,
) -> Result<(StatusCode, Json<SocketTicket>), ApiError> {
    let find = objects::find_any(credentials.user_id(), &id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let known = Known::decide_any(caller, found)?;
    // What it opens asks for the right to that.
    let opens = terminal(&known.found().of.definition).map(|action| action.name.clone());
    let known = match opens {
        Some(action) if known.may(&action) => known,
        _ => known.having("view")?,
    };
    ticket::give(&app, known.caller(), &id).await
}

/// Opens the terminal of a thing, by the right to that action over it; or tells of a job that did another action with it, as
/// `GET /api/jobs/ws/{job_id}` does. It starts none. Without a subprotocol it is opened also to somebody who may not: its frames and the code
/// of its close say what is wrong.
#[utoipa::path(get, path = "/api/inventory/ws/{object_id}/action", summary = "Open a thing's terminal, or watch its job (WebSocket)",
    params(("object_id" = String, Path, description = "The thing's `id`"), TerminalQuery, ThingQuery),
    responses((status = 101, description = "The socket is open; subprotocol `vsay.stream.v1`, or the published frames without one"),
        (status = 403, description = "The caller or the page's origin may not, or the session is not the caller's", body = ErrorBody),
        (status = 404, description = "No such thing, action or job in the caller's organization, or no service knows the host", body = ErrorBody),
        (status = 426, description = "The request asks for no WebSocket", body = ErrorBody)))]
pub async fn open_thing(
    app: App,
    shown: ShownCredentials,
    uri: Uri,
    headers: HeaderMap,
    PathParam(id): PathParam,
    QueryParams(terminal): QueryParams<TerminalQuery>,
    QueryParams(thing): QueryParams<ThingQuery>,
) -> Result<Response, ApiError> {
    let opened = reach(&app, shown, &uri, &headers, &id, (terminal, thing)).await;
    answer(opened, &headers)
}

async fn reach(
    app: &App,
    shown: ShownCredentials,
    uri: &Uri,
    headers: &HeaderMap,
    id: &str,
    (size, thing): (TerminalQuery, ThingQuery),
) -> Result<Response, Stop> {
    let credentials = proven(shown)?;
    let find = objects::find_any(credentials.user_id(), id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let known = Known::decide_any(caller, found)?;
    let definition = &known.found().of.definition;
    let action = match thing.action.as_deref().filter(|name| !name.is_empty()) {
        None => terminal(definition),
        Some(name) => definition.action(name),
    };
    let action = action.ok_or_else(|| ApiError::not_found("Action not found"))?.clone();
    check_origin(app, uri, headers)?;
    if action.r#type != ActionType::Ssh {
        check_upgrade(headers)?;
        return watch(app, &known, &action, &thing).await;
    }
    let hostname = known
        .found()
        .data
        .as_ref()
        .and_then(|data| data.get("hostname")?.as_str());
    let hostname = hostname.filter(|name| !name.is_empty()).map(str::to_owned);
    let right = SshRight::over(known, &action.name, Way::Server)?;
    let hostname = hostname.ok_or_else(|| ApiError::not_found("No hostname for this object"))?;
    let Asked { request, target } = Asked::new(hostname, size, SshQuery { user: thing.user }, headers)?;
    let asks = right.caller().id();
    let batch = (
        store::runner(asks, &target.hostname),
        objects::find_host(asks, &target.hostname),
    );
    let (runner, server) = app.db()?.run(batch).await.map_err(ApiError::from)?;
    let right = right.on_host(server)?;
    open(app, &right, runner.into_iter().next(), target, request, headers).await
}

/// Tells of the newest job that did an action with a thing, or of one of them. Whoever sees the job sees it here.
async fn watch(app: &App, known: &Known, action: &TypeAction, asked: &ThingQuery) -> Result<Response, Stop> {
    let from = match asked.from.as_deref().filter(|from| !from.is_empty()) {
        None => 0,
        Some(from) => from
            .parse()
            .map_err(|_| ApiError::invalid_field("from", "must be a number of lines"))?,
    };
    let job = asked.job_id.as_deref().filter(|job| !job.is_empty());
    let find = jobs::store::find_of_object(known.caller().id(), known.id(), &action.name, job);
    let found = app.db()?.run(find).await.map_err(ApiError::from)?;
    let access = JobAccess::decide(found).map_err(|error| match error.status() {
        StatusCode::NOT_FOUND => Stop::with(error, Refusal::NotFound),
        _ => Stop::with(error, Refusal::Forbidden),
    })?;
    Ok(jobs::watch(app, known.caller(), &access, from).await?)
}

/// The action that opens terminals on things of a type.
fn terminal(definition: &Definition) -> Option<&TypeAction> {
    definition
        .actions
        .iter()
        .find(|action| action.r#type == ActionType::Ssh)
}
