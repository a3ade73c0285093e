//! Reading a session.
use protocol::api::command_logs::CommandLog;
use protocol::api::error::ErrorBody;
use protocol::api::sessions::{LiveSessions, SessionDetail, SessionStatus, TerminalSession};
use serde::Deserialize;
use utoipa::IntoParams;

use super::live;
use crate::auth::caller::Credentials;
use crate::features::command_logs::{output, store};
use crate::features::sessions::access::SessionAccess;
use crate::features::sessions::{SessionPage, store as sessions};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::page::Page;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// How many commands fit on a page if none is asked for (contract), and on how large a page they come with what they wrote: each is two
/// or three requests to the bucket.
const LOGGED: u64 = 25;

/// Largest page (contract).
const MOST: u64 = 200;

/// How many sessions are told of at most: the newest.
const LIVE: u64 = 100;

/// Of which sessions to tell.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LiveQuery {
    /// On one machine, by its `agent_id` or `id`.
    agent_id: Option<String>,
}

/// Says what sessions do at this moment: title, command, directory, size, and who looks at them. Of those that
/// `/api/terminal/sessions?owned=true` lists, the newest 100, on 20 machines at most. Their machines are asked, for a second at most.
#[utoipa::path(get, path = "/api/terminal/live", summary = "Read what sessions do now", params(LiveQuery),
    responses((status = 200, description = "Those of which it is known", body = LiveSessions)))]
pub async fn list_live(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<LiveQuery>,
) -> Result<Json<LiveSessions>, ApiError> {
    let filter = sessions::Filter {
        owned: true,
        status: Some(SessionStatus::Active),
        machine: query.agent_id,
        ..sessions::Filter::default()
    };
    let (list, _) = sessions::list(credentials.user_id(), &filter, Page::One { page: 1, limit: LIVE });
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(Json(LiveSessions {
        sessions: live::facts(&app, &rows).await?,
    }))
}

/// Reads a session, past or running, and what was run in it. For whoever opened it and whoever reaches its machine.
#[utoipa::path(get, path = "/api/sessions/{session_id}", summary = "Read a session, with its commands",
    params(("session_id" = String, Path, description = "The session's `session_id`"), SessionPage),
    responses((status = 200, description = "The session, and a page of its commands: of 25 if no `limit` up to 200 is asked for", body = SessionDetail),
        (status = 403, description = "The caller may not see the session", body = ErrorBody),
        (status = 404, description = "No such session in the caller's organization", body = ErrorBody)))]
pub async fn find_session(
    app: App,
    credentials: Credentials,
    PathParam(session_id): PathParam,
    QueryParams(page): QueryParams<SessionPage>,
) -> Result<Json<SessionDetail>, ApiError> {
    let db = app.db()?;
    let find = sessions::find(credentials.user_id(), &session_id);
    let (_, found) = credentials.load(&db, find).await?;
    let access = SessionAccess::decide(found)?;
    let page = page.page(LOGGED, MOST);
    let (rows, count) = db.run(store::session::page(&access, page.window())).await?;
    let paging = page.of(Count::of(&count));
    let mut logs: Vec<CommandLog> = rows.into_iter().map(|row| row.command.into()).collect();
    if paging.limit <= LOGGED {
        output::excerpts(&app, &mut logs).await?;
    }
    let row = access.into_row();
    let live = live::facts(&app, std::slice::from_ref(&row)).await?.into_iter().next();
    let session = TerminalSession::from(row);
    Ok(Json(SessionDetail {
        machine_name: session.machine_name.clone(),
        session,
        live,
        logs,
        logs_total: paging.total,
        logs_page: paging.page,
        logs_limit: paging.limit,
        logs_total_pages: paging.total_pages,
    }))
}
