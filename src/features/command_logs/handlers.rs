//! Reading the log: of one machine, and of all.
use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::command_logs::{CommandLog, CommandLogDetail, CommandLogPage};
use protocol::api::error::ErrorBody;
use serde::Deserialize;
use utoipa::IntoParams;

use super::filter::{LogQuery, bounded};
use super::store::{self, Selection};
use super::{body, output};
use crate::auth::caller::Credentials;
use crate::features::machines::{Key, load};
use crate::http::envelope::{Envelope, Enveloped, SUCCESS};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// The size of a page of a list when none is asked for (contract).
const LISTED: u64 = 100;

/// The size of a page of a search when none is asked for (contract).
const FOUND: u64 = 25;

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TextQuery {
    /// A part of a command, upper and lower case being the same. Nothing in it means anything but itself; empty finds all.
    #[param(max_length = 200)]
    q: Option<String>,
}

/// Whose log to read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ScopeQuery {
    /// On one machine: its `id`. Machines that are gone have one, too.
    #[param(max_length = 200)]
    machine_id: Option<String>,
    /// Of another organization, by its name in URLs; only a super administrator's counts.
    #[param(max_length = 200)]
    tenant_id: Option<String>,
}

/// Lists what was run on a machine, newest first.
#[utoipa::path(get, path = "/api/machines/{agent_id}/logs", summary = "List commands of a machine",
    params(("agent_id" = String, Path, description = "The machine's public name"), LogQuery),
    responses((status = 200, description = "A page of commands", body = Enveloped<CommandLogPage>),
        (status = 400, description = "A filter is not valid", body = ErrorBody),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn list_machine_logs(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    PathParam(agent_id): PathParam,
    QueryParams(query): QueryParams<LogQuery>,
) -> Result<Response, ApiError> {
    let page = of_machine(&app, credentials, agent_id, &query, None, LISTED).await?;
    envelope.reply(StatusCode::OK, SUCCESS, &page)
}

/// Finds commands on a machine by a part of their text, newest first.
#[utoipa::path(get, path = "/api/machines/{agent_id}/logs/search", summary = "Search commands of a machine",
    params(("agent_id" = String, Path, description = "The machine's public name"), TextQuery, LogQuery),
    responses((status = 200, description = "A page of commands", body = CommandLogPage),
        (status = 400, description = "A filter is not valid", body = ErrorBody),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn search_machine_logs(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    QueryParams(text): QueryParams<TextQuery>,
    QueryParams(query): QueryParams<LogQuery>,
) -> Result<Json<CommandLogPage>, ApiError> {
    let mut page = of_machine(&app, credentials, agent_id, &query, text.q.as_deref(), FOUND).await?;
    if page.limit <= FOUND {
        output::excerpts(&app, &mut page.logs).await?;
    }
    Ok(Json(page))
}

/// Reads one command, with what it wrote.
#[utoipa::path(get, path = "/api/command-logs/{log_key}", summary = "Read a command",
    params(("log_key" = String, Path, description = "The row's `key`")),
    responses((status = 200, description = "The command", body = CommandLogDetail),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such command in the caller's organization", body = ErrorBody),
        (status = 503, description = "The server has no bucket", body = ErrorBody)))]
pub async fn find_command_log(
    app: App,
    credentials: Credentials,
    PathParam(log_key): PathParam,
) -> Result<Json<CommandLogDetail>, ApiError> {
    // What is no key is none.
    let find = store::find(credentials.user_id(), log_key.parse().unwrap_or_default());
    let (_, found) = credentials.load(&app.db()?, find).await?;
    let found = found.into_iter().next();
    let found = found.ok_or_else(|| ApiError::not_found("Command not found"))?;
    if !found.reaches {
        return Err(ApiError::not_authorized());
    }
    let mut log = CommandLog::from(found.command);
    output::whole(&app, &mut log).await?;
    Ok(Json(CommandLogDetail { log }))
}

/// Finds commands on all machines of the organization, newest first, those on machines that were deleted since included.
#[utoipa::path(get, path = "/api/command-logs", summary = "Search commands", params(TextQuery, ScopeQuery, LogQuery),
    responses((status = 200, description = "A page of commands", body = CommandLogPage),
        (status = 400, description = "A filter is not valid", body = ErrorBody),
        (status = 403, description = "The caller may not read the log", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn search_command_logs(
    app: App,
    credentials: Credentials,
    QueryParams(text): QueryParams<TextQuery>,
    QueryParams(scope): QueryParams<ScopeQuery>,
    QueryParams(query): QueryParams<LogQuery>,
) -> Result<Json<CommandLogPage>, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let mut filter = query.filter(text.q.as_deref())?;
    filter.machine = bounded("machine_id", scope.machine_id.as_deref())?;
    let organization = match scope.tenant_id.as_deref().filter(|slug| !slug.is_empty()) {
        Some(slug) if caller.is_super_admin() => {
            let found = db.run(store::organization(slug)).await?.into_iter().next();
            found.ok_or_else(|| ApiError::not_found("Organization not found"))?.id
        }
        _ => caller.organization_id().clone(),
    };
    let (page, limit) = query.page(LISTED);
    let selection = Selection::of_organization(&organization, filter);
    let rows = db
        .run(selection.page(number(limit), number((page - 1) * limit)))
        .await?;
    Ok(Json(body::page(rows, selection.after(), (page, limit))))
}

async fn of_machine(
    app: &App,
    credentials: Credentials,
    agent_id: String,
    query: &LogQuery,
    text: Option<&str>,
    default_limit: u64,
) -> Result<CommandLogPage, ApiError> {
    let access = load(app, credentials, Key::AgentId(agent_id)).await?;
    let selection = Selection::of_machine(&access, query.filter(text)?);
    let (page, limit) = query.page(default_limit);
    let query = selection.page(number(limit), number((page - 1) * limit));
    let rows = app.db()?.run(query).await?;
    Ok(body::page(rows, selection.after(), (page, limit)))
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
