//! Looking at sessions: a list, one, and how much they were used.
use chrono::{TimeDelta, Utc};
use protocol::api::v1::{
    V1, V1ErrorBody, V1SessionDetail, V1SessionList, V1SessionStats, V1TopMachine, bare_id, machine_id,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Credentials;
use crate::features::sessions::access::SessionAccess;
use crate::features::sessions::store::{self, Filter};
use crate::features::sessions::{SessionPage, status};
use crate::features::v1_sessions::{body, stats};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::http::period::{self, TimeOrDate};
use crate::platform::context::App;
use crate::platform::db::{Count, stored};
use crate::platform::error::ApiError;

/// How many sessions fit on a page if none is asked for…
const LISTED: u64 = 20;

/// …and at most.
const MOST: u64 = 100;

/// Which sessions to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `active` if absent; `ended` or `closed` for those that are over, `all` for both.
    #[param(pattern = "^(active|closed|ended|all)?$")]
    status: Option<String>,
    /// On one machine: its id, with or without `mch_`, or its `agent_id`.
    machine_id: Option<String>,
    /// Of one account, by its id, with or without `usr_`.
    user_id: Option<String>,
    /// Opened not before this time or date.
    #[param(inline, value_type = Option<TimeOrDate>)]
    from: Option<String>,
    /// Opened not after this time, or the end of this date.
    #[param(inline, value_type = Option<TimeOrDate>)]
    to: Option<String>,
}

/// Over which time to count.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatsQuery {
    /// `day`, `week` or `month`: the last 24 hours, 7 days or, if absent, 30 days.
    #[param(pattern = "^(day|week|month)?$")]
    period: Option<String>,
}

/// Lists sessions, newest first: one's own and those on one's machines; an administrator's list has all of the organization.
#[utoipa::path(get, path = "/v1/sessions", summary = "List sessions", operation_id = "v1_list_sessions", params(ListQuery, SessionPage),
    responses((status = 200, description = "A page of sessions, of 20 if no `limit` up to 100 is asked for", body = V1<V1SessionList>)))]
pub async fn list_sessions(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<SessionPage>,
) -> Result<Json<V1<V1SessionList>>, ApiError> {
    let bare = |id: Option<String>, prefix: &str| id.map(|id| bare_id(&id, prefix).to_owned());
    let filter = Filter {
        owned: true,
        status: status(query.status.as_deref())?,
        machine: bare(query.machine_id, "mch_"),
        user: bare(query.user_id, "usr_"),
        from: period::first("from", query.from.as_deref())?,
        until: period::end("to", query.to.as_deref())?,
        ..Filter::default()
    };
    let page = page.page(LISTED, MOST);
    let queries = store::list(credentials.user_id(), &filter, page);
    let (_, (rows, count)) = credentials.load(&app.db()?, queries).await?;
    Ok(Json(V1::new(V1SessionList {
        sessions: rows.into_iter().map(body::listed).collect(),
        pagination: body::pagination(page.of(Count::of(&count))),
    })))
}

/// Reads one session.
#[utoipa::path(get, path = "/v1/sessions/{session_id}", summary = "Read a session", operation_id = "v1_find_session",
    params(("session_id" = String, Path, description = "The session's id")),
    responses((status = 200, description = "The session", body = V1<V1SessionDetail>),
        (status = 403, description = "The caller may not see the session", body = V1ErrorBody),
        (status = 404, description = "No such session in the caller's organization", body = V1ErrorBody)))]
pub async fn find_session(
    app: App,
    credentials: Credentials,
    PathParam(session_id): PathParam,
) -> Result<Json<V1<V1SessionDetail>>, ApiError> {
    let find = store::find(credentials.user_id(), &session_id);
    let (_, found) = credentials.load(&app.db()?, find).await?;
    let access = SessionAccess::decide(found)?;
    Ok(Json(V1::new(body::detail(access.into_row()))))
}

/// Says how much sessions were used: an administrator's organization's, or one's own and those on one's machines.
#[utoipa::path(get, path = "/v1/sessions/stats", summary = "Count sessions", operation_id = "v1_session_stats", params(StatsQuery),
    responses((status = 200, description = "How much they were used", body = V1<V1SessionStats>)))]
pub async fn read_stats(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<StatsQuery>,
) -> Result<Json<V1<V1SessionStats>>, ApiError> {
    let now = Utc::now();
    let since = stored(now - period_of(query.period.as_deref())?);
    let queries = stats::since(credentials.user_id(), &since, &stored(now));
    let (_, (used, top)) = credentials.load(&app.db()?, queries).await?;
    let used = used.into_iter().next().unwrap_or_default();
    let top = top.into_iter().map(|row| V1TopMachine {
        machine_id: machine_id(&row.machine_id),
        name: row.name,
        sessions_count: row.sessions,
    });
    Ok(Json(V1::new(V1SessionStats {
        total_sessions: used.total,
        active_sessions: used.active,
        // Two decimals, as published.
        total_duration_hours: (used.hours * 100.0).round() / 100.0,
        unique_users: used.users,
        top_machines: top.collect(),
    })))
}

fn period_of(text: Option<&str>) -> Result<TimeDelta, ApiError> {
    match text.filter(|text| !text.is_empty()) {
        Some("day") => Ok(TimeDelta::days(1)),
        Some("week") => Ok(TimeDelta::days(7)),
        None | Some("month") => Ok(TimeDelta::days(30)),
        Some(_) => Err(ApiError::invalid_field("period", "must be day, week or month")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_rolls_and_has_no_other_names() {
        for (text, days) in [
            (None, 30),
            (Some(""), 30),
            (Some("month"), 30),
            (Some("week"), 7),
            (Some("day"), 1),
        ] {
            assert_eq!(period_of(text).unwrap(), TimeDelta::days(days), "{text:?}");
        }
        assert!(period_of(Some("year")).unwrap_err().text().contains("period"));
    }
}
