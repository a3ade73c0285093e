//! Lists of sessions: the caller's, and a machine's.
use axum::http::StatusCode;
use axum::response::Response;
use protocol::api::error::ErrorBody;
use protocol::api::sessions::{SessionList, SessionStatus};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Credentials;
use crate::features::machines::{self, Key};
use crate::features::sessions::body;
use crate::features::sessions::store::{self, Filter};
use crate::http::envelope::{Envelope, Enveloped, SUCCESS};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::page::Page;
use crate::http::period::{self, TimeOrDate};
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// How many sessions of a list fit on a page if none is asked for, and at most. As published, the list is whole; nobody has more that run.
const LISTED: u64 = 1000;

/// How many of a machine fit on a page if none is asked for…
const OF_MACHINE: u64 = 25;

/// …and at most (contract). Whoever asks for more gets a page of the usual size.
const MOST_OF_MACHINE: u64 = 200;

/// Last page that can be asked for; what lies beyond is empty for any list D1 can hold.
const MAX_PAGE: u64 = 1_000_000_000;

/// Which page. Numbers that are none, or out of bounds, count as absent.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SessionPage {
    /// The page, from 1.
    #[param(value_type = Option<u64>, minimum = 1)]
    page: Option<String>,
    /// How many sessions fit on a page.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
}

impl SessionPage {
    /// The page that is meant, of `standard` sessions, or so many as are asked for up to `most`.
    pub fn page(&self, standard: u64, most: u64) -> Page {
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<u64>().ok());
        let limit = number(&self.limit).filter(|limit| (1..=most).contains(limit));
        Page::One {
            page: number(&self.page).unwrap_or(1).clamp(1, MAX_PAGE),
            limit: limit.unwrap_or(standard),
        }
    }
}

/// Which sessions to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `true` gives an administrator, too, only the sessions of its own.
    mine: Option<bool>,
    /// `true` gives also those of others on machines that the caller owns.
    owned: Option<bool>,
    /// One organization's slug; only a super administrator's counts.
    tenant_id: Option<String>,
    /// `active` if absent; `closed` or `ended` for those that are over, `all` for both.
    #[param(pattern = "^(active|closed|ended|all)?$")]
    status: Option<String>,
    /// On one machine, by its `agent_id` or `id`.
    agent_id: Option<String>,
    /// Of one account, by its `id`.
    user_id: Option<String>,
    /// Opened not before this time or date.
    #[param(inline, value_type = Option<TimeOrDate>)]
    from: Option<String>,
    /// Opened not after this time, or the end of this date.
    #[param(inline, value_type = Option<TimeOrDate>)]
    to: Option<String>,
}

/// The state that a filter names; none is any. Both published words for the end are understood.
pub fn status(text: Option<&str>) -> Result<Option<SessionStatus>, ApiError> {
    match text.filter(|text| !text.is_empty()) {
        None | Some("active") => Ok(Some(SessionStatus::Active)),
        Some("closed" | "ended") => Ok(Some(SessionStatus::Closed)),
        Some("all") => Ok(None),
        Some(_) => Err(ApiError::invalid_field(
            "status",
            "must be active, ended, closed or all",
        )),
    }
}

/// Lists sessions, newest first: one's own; an administrator's list has all of the organization.
#[utoipa::path(get, path = "/api/terminal/sessions", summary = "List sessions", params(ListQuery, SessionPage),
    responses((status = 200, description = "A page of sessions, of 1000 if no `limit` is asked for", body = Enveloped<SessionList>)))]
pub async fn list_sessions(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<SessionPage>,
) -> Result<Response, ApiError> {
    let filter = Filter {
        mine: query.mine == Some(true),
        owned: query.owned == Some(true),
        tenant: query.tenant_id,
        status: status(query.status.as_deref())?,
        machine: query.agent_id,
        user: query.user_id,
        from: period::first("from", query.from.as_deref())?,
        until: period::end("to", query.to.as_deref())?,
    };
    let page = page.page(LISTED, LISTED);
    let queries = store::list(credentials.user_id(), &filter, page);
    let (_, (rows, count)) = credentials.load(&app.db()?, queries).await?;
    envelope.reply(StatusCode::OK, SUCCESS, &body::page(rows, page.of(Count::of(&count))))
}

/// Lists the sessions of a machine, past and running, newest first.
#[utoipa::path(get, path = "/api/machines/{agent_id}/sessions", summary = "List the sessions of a machine",
    params(("agent_id" = String, Path, description = "The machine's public name"), SessionPage),
    responses((status = 200, description = "A page of sessions, of 25 if no `limit` up to 200 is asked for", body = SessionList),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn list_machine_sessions(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    QueryParams(page): QueryParams<SessionPage>,
) -> Result<Json<SessionList>, ApiError> {
    of_machine(
        &app,
        credentials,
        agent_id,
        false,
        page.page(OF_MACHINE, MOST_OF_MACHINE),
    )
    .await
}

/// Lists the sessions of a machine that run, newest first.
#[utoipa::path(get, path = "/api/machines/{agent_id}/sessions/active", summary = "List the running sessions of a machine",
    params(("agent_id" = String, Path, description = "The machine's public name"), SessionPage),
    responses((status = 200, description = "A page of sessions, of 25 if no `limit` up to 200 is asked for", body = SessionList),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn list_active_machine_sessions(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    QueryParams(page): QueryParams<SessionPage>,
) -> Result<Json<SessionList>, ApiError> {
    of_machine(
        &app,
        credentials,
        agent_id,
        true,
        page.page(OF_MACHINE, MOST_OF_MACHINE),
    )
    .await
}

async fn of_machine(
    app: &App,
    credentials: Credentials,
    agent_id: String,
    active: bool,
    page: Page,
) -> Result<Json<SessionList>, ApiError> {
    let access = machines::load(app, credentials, Key::AgentId(agent_id)).await?;
    let (rows, count) = app.db()?.run(store::of_machine(&access, active, page)).await?;
    Ok(Json(body::page(rows, page.of(Count::of(&count)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_the_words_of_both_apis_and_no_others() {
        assert_eq!(status(None).unwrap(), Some(SessionStatus::Active));
        for word in ["closed", "ended"] {
            assert_eq!(status(Some(word)).unwrap(), Some(SessionStatus::Closed));
        }
        assert_eq!(status(Some("all")).unwrap(), None);
        assert!(status(Some("open")).unwrap_err().text().contains("status"));
    }

    #[test]
    fn pages_are_bounded_and_fall_back() {
        let page = |page: &str, limit: &str| {
            let query = SessionPage {
                page: Some(page.into()),
                limit: Some(limit.into()),
            };
            query.page(25, 200)
        };
        assert_eq!(SessionPage::default().page(25, 200), Page::One { page: 1, limit: 25 });
        assert_eq!(page("3", "200"), Page::One { page: 3, limit: 200 });
        assert_eq!(page("0", "201"), Page::One { page: 1, limit: 25 });
        assert_eq!(page("x", "-1"), Page::One { page: 1, limit: 25 });
    }
}
