//! What was run in a session and what it wrote, as JSON or as text.
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use protocol::api::command_logs::CommandLog;
use protocol::api::sessions::SessionStatus;
use protocol::api::v1::{V1, V1ErrorBody, V1Log, V1LogKind, V1Logs};
use protocol::ids::ObjectId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Credentials;
use crate::features::command_logs::{output, store};
use crate::features::recordings::session as recording;
use crate::features::sessions::access::SessionAccess;
use crate::features::sessions::row::SessionRow;
use crate::features::sessions::{SessionPage, store as sessions};
use crate::features::v1_sessions::{body, plain::plain};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// How many commands fit on a page if none is asked for, and at most: what each wrote is two or three requests to the bucket, of which
/// the platform allows a thousand.
const LOGGED: u64 = 100;

/// In which form, and which part.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogsQuery {
    /// `json` if absent, or `text`.
    #[param(pattern = "^(json|text)?$")]
    format: Option<String>,
}

/// Reads what was run in a session, oldest first, each command followed by what it wrote, of which the first 64 KiB are shown. Of a session
/// that is over and of which no command is known, the log is what its terminal wrote: the first 64 KiB of each of its recordings that the
/// caller may see.
#[utoipa::path(get, path = "/v1/sessions/{session_id}/logs", summary = "Read the log of a session", operation_id = "v1_session_logs",
    params(("session_id" = String, Path, description = "The session's id"), LogsQuery, SessionPage),
    responses((status = 200, description = "The log, of 100 commands if no smaller `limit` is asked for", content(
            (V1<V1Logs> = "application/json"), (String = "text/plain"))),
        (status = 403, description = "The caller may not see the session", body = V1ErrorBody),
        (status = 404, description = "No such session in the caller's organization", body = V1ErrorBody)))]
pub async fn read_logs(
    app: App,
    credentials: Credentials,
    PathParam(session_id): PathParam,
    QueryParams(query): QueryParams<LogsQuery>,
    QueryParams(page): QueryParams<SessionPage>,
) -> Result<Response, ApiError> {
    let as_text = match query.format.as_deref().filter(|format| !format.is_empty()) {
        None | Some("json") => false,
        Some("text") => true,
        Some(_) => return Err(ApiError::invalid_field("format", "must be json or text")),
    };
    let db = app.db()?;
    let find = sessions::find(credentials.user_id(), &session_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let access = SessionAccess::decide(found)?;
    let page = page.page(LOGGED, LOGGED);
    let (rows, count) = db.run(store::session::page(&access, page.window())).await?;
    let (logs, total) = match Count::of(&count) {
        0 if access.row().status != SessionStatus::Active => {
            recorded(&app, caller.id(), access.row(), page.window()).await?
        }
        total => {
            let mut logs: Vec<CommandLog> = rows.into_iter().map(|row| row.command.into()).collect();
            output::all(&app, &mut logs).await?;
            (logs.into_iter().flat_map(entries).collect(), total)
        }
    };
    if as_text {
        return Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text(&logs)).into_response());
    }
    Ok(Json(V1::new(V1Logs {
        session_id: access.into_row().session_id,
        logs,
        pagination: body::pagination(page.of(total)),
    }))
    .into_response())
}

/// What the terminal wrote in a session of which the log of commands has nothing: what it had was removed before the recordings, or nothing
/// was run.
async fn recorded(
    app: &App,
    caller: &ObjectId,
    session: &SessionRow,
    window: (i64, i64),
) -> Result<(Vec<V1Log>, u64), ApiError> {
    let of = (&session.machine_id, &session.session_id);
    let (found, total) = recording::beginnings(app, caller, of, window).await?;
    let written = found.into_iter().filter(|recorded| !recorded.output.is_empty());
    let logs = written.map(|recorded| V1Log {
        timestamp: recorded.at,
        kind: V1LogKind::Output,
        content: recorded.output,
    });
    Ok((logs.collect(), total))
}

/// The command, and what it wrote if that is something.
fn entries(log: CommandLog) -> impl Iterator<Item = V1Log> {
    let took = log
        .duration_ms
        .and_then(|ms| i64::try_from(ms).ok())
        .unwrap_or_default();
    let ended = log
        .timestamp
        .checked_add_signed(TimeDelta::try_milliseconds(took).unwrap_or_default());
    let command = V1Log {
        timestamp: log.timestamp,
        kind: V1LogKind::Command,
        content: log.command,
    };
    let output = (!log.output.is_empty()).then_some(V1Log {
        timestamp: ended.unwrap_or(log.timestamp),
        kind: V1LogKind::Output,
        content: log.output,
    });
    std::iter::once(command).chain(output)
}

/// Each command as a line behind a prompt, and what it wrote without escape sequences.
fn text(logs: &[V1Log]) -> String {
    let mut text = String::new();
    for log in logs {
        match log.kind {
            V1LogKind::Command => text.extend(["$ ", &log.content]),
            V1LogKind::Output => text.push_str(&plain(&log.content)),
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_text_a_command_stands_behind_a_prompt_and_output_ends_its_line() {
        let entry = |kind, content: &str| V1Log {
            timestamp: chrono::DateTime::UNIX_EPOCH,
            kind,
            content: content.to_owned(),
        };
        let (ran, wrote) = (V1LogKind::Command, V1LogKind::Output);
        let logs = [
            entry(ran, "cd /tmp"),
            entry(ran, "printf a"),
            entry(wrote, "\u{1b}[31ma"),
            entry(ran, "reset"),
            entry(wrote, "\u{1b}c"),
        ];
        assert_eq!(text(&logs), "$ cd /tmp\n$ printf a\na\n$ reset\n");
        assert_eq!(text(&[entry(wrote, "$ ls\r\nx\r\n$ ")]), "$ ls\nx\n$ \n");
        assert_eq!(text(&[]), "");
    }
}
