//! Reading schedules, what became of their runs, and when something would run.
use chrono::Utc;
use protocol::api::error::ErrorBody;
use protocol::api::schedules::{Schedule, ScheduleHistory, ScheduleList, SchedulePreview};
use serde::Deserialize;
use utoipa::IntoParams;

use super::load;
use crate::auth::caller::Credentials;
use crate::features::schedules::access::ScheduleAccess;
use crate::features::schedules::cron;
use crate::features::schedules::store::{self, runs};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// Times in a preview if nobody says how many…
const PREVIEWED: u32 = 5;

/// …and at most: a month of weekdays.
const MAX_PREVIEWED: u32 = 20;

/// What to look ahead at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// The cron expression.
    #[param(value_type = String, required)]
    cron: Option<String>,
    /// In which time zone; `UTC` if nothing is said.
    time_zone: Option<String>,
    /// How many times, 1 to 20; 5 if nothing else is said.
    #[param(value_type = Option<u32>, minimum = 1)]
    count: Option<String>,
}

/// Lists the schedules of the organization, by name.
#[utoipa::path(get, path = "/api/schedules", summary = "List schedules",
    responses((status = 200, description = "All of them", body = ScheduleList)))]
pub async fn list_schedules(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = store::list(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::all("schedules", &rows))
}

/// Says when a cron expression comes next, in UTC and as clocks show it in a time zone. Nothing is stored.
#[utoipa::path(get, path = "/api/schedules/preview", summary = "Preview a schedule", params(PreviewQuery),
    responses((status = 200, description = "The next times", body = SchedulePreview)))]
pub async fn preview_schedule(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<PreviewQuery>,
) -> Result<Json<SchedulePreview>, ApiError> {
    credentials.load(&app.db()?, ()).await?;
    let count = query.count.and_then(|count| count.parse().ok()).unwrap_or(PREVIEWED);
    let time_zone = query.time_zone.filter(|zone| !zone.is_empty());
    let time_zone = time_zone.as_deref().unwrap_or("UTC");
    let cron = query
        .cron
        .ok_or_else(|| ApiError::invalid_field("cron", "is required"))?;
    let runs = cron::check(&cron, time_zone, Utc::now(), count.clamp(1, MAX_PREVIEWED))?;
    Ok(Json(SchedulePreview { runs }))
}

/// Reads a schedule. Of what its script is given, only the names are answered.
#[utoipa::path(get, path = "/api/schedules/{schedule_id}", summary = "Read a schedule",
    params(("schedule_id" = String, Path, description = "The schedule's `id`")),
    responses((status = 200, description = "The schedule", body = Schedule),
        (status = 404, description = "No such schedule in the caller's organization", body = ErrorBody)))]
pub async fn find_schedule(
    app: App,
    credentials: Credentials,
    PathParam(schedule_id): PathParam,
) -> Result<JsonText, ApiError> {
    Ok(JsonText(load(&app, credentials, &schedule_id).await?.into_body()))
}

/// Lists what became of a schedule's runs, newest first, always in pages. They are kept for 90 days, and at most 200 of a schedule.
#[utoipa::path(get, path = "/api/schedules/{schedule_id}/history", summary = "List the runs of a schedule",
    params(("schedule_id" = String, Path, description = "The schedule's `id`"), PageQuery),
    responses((status = 200, description = "The runs", body = ScheduleHistory),
        (status = 404, description = "No such schedule in the caller's organization", body = ErrorBody)))]
pub async fn list_schedule_runs(
    app: App,
    credentials: Credentials,
    PathParam(schedule_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let page = page.always();
    let find = store::find(credentials.user_id(), &schedule_id);
    let list = runs::list(credentials.user_id(), &schedule_id, page);
    let (caller, (found, (rows, count))) = credentials.load(&app.db()?, (find, list)).await?;
    ScheduleAccess::decide(caller, found)?;
    Ok(JsonText::page("runs", &rows, page.of(Count::of(&count))))
}
