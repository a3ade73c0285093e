//! How a machine did.
use chrono::{TimeDelta, Utc};
use protocol::api::error::ErrorBody;
use protocol::api::metrics::{HISTORY_HOURS, MetricsHistory};
use serde::Deserialize;
use utoipa::IntoParams;

use super::load;
use crate::auth::caller::Credentials;
use crate::features::machines::history;
use crate::features::machines::store::{self, Key};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::stored;
use crate::platform::error::ApiError;

/// How much of the history is read when nobody says: a day.
const HOURS: u32 = 24;

/// How far back to read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// The last so many hours.
    #[param(minimum = 1, maximum = 168, default = 24)]
    hours: Option<u32>,
}

/// Reads how a machine did: what was measured each minute for a week, as means of as many steps as a chart has room for. The last hour
/// comes in when somebody begins to look, and then every five minutes.
#[utoipa::path(get, path = "/api/machines/{agent_id}/metrics", summary = "Read a machine's history",
    params(("agent_id" = String, Path, description = "The machine's public name"), HistoryQuery),
    responses((status = 200, description = "The history", body = MetricsHistory),
        (status = 400, description = "`hours` is not from 1 to 168", body = ErrorBody),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn list_metrics(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    QueryParams(query): QueryParams<HistoryQuery>,
) -> Result<Json<MetricsHistory>, ApiError> {
    let access = load(&app, credentials, Key::AgentId(agent_id)).await?;
    let hours = query.hours.unwrap_or(HOURS);
    if !(1..=HISTORY_HOURS).contains(&hours) {
        return Err(ApiError::invalid_field(
            "hours",
            format!("must be from 1 to {HISTORY_HOURS}"),
        ));
    }
    let to = Utc::now();
    let from = to - TimeDelta::hours(hours.into());
    let rows = app.db()?.run(store::metrics::history(&access, &stored(from))).await?;
    let step_seconds = history::step_seconds(hours);
    Ok(Json(MetricsHistory {
        agent_id: access.found().machine.agent_id.clone(),
        from,
        to,
        step_seconds,
        samples: history::samples(&rows, from, step_seconds),
    }))
}
