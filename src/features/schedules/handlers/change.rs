//! Making, changing and removing schedules.
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use protocol::api::Message;
use protocol::api::error::{ErrorBody, FieldError};
use protocol::api::schedules::{NewSchedule, SaveSchedule, Schedule};

use super::load;
use crate::audit::{self, Action, Event, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::auth::permission::Permission;
use crate::features::jobs::DeployRight;
use crate::features::schedules::access::ScheduleAccess;
use crate::features::schedules::cron;
use crate::features::schedules::plan::{Plan, service_of};
use crate::features::schedules::store;
use crate::features::services;
use crate::features::services::row::Target;
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::platform::context::App;
use crate::platform::db::stored;
use crate::platform::error::ApiError;
use crate::platform::random;

/// Makes a schedule, which starts jobs of the caller's. It takes `services.deploy`, too. What a script takes is checked against the
/// service's `scripts.yaml`, now and at each run.
#[utoipa::path(post, path = "/api/schedules", summary = "Make a schedule", request_body = NewSchedule,
    responses((status = 201, description = "The schedule", body = Schedule),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody),
        (status = 409, description = "The organization has 100 already", body = ErrorBody)))]
pub async fn create_schedule(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<SaveSchedule>,
) -> Result<(StatusCode, JsonText), ApiError> {
    let (db, now) = (app.db()?, Utc::now());
    let find = services::store::target(credentials.user_id(), service_of(&request, None));
    let (caller, targets) = credentials.load(&db, find).await?;
    required(&request)?;
    let right = may_start(caller, targets)?;
    let id = random::object_id()?;
    let plan = Plan::check(&app.config.sealing, &id, &right, &request, None, after(now))?;
    let caller = right.caller();
    let event = caller
        .event(Action::ScheduleCreated, Resource::Schedule)
        .created()
        .on(&id);
    let batch = (
        store::insert(caller, &id, &plan, &stored(now)),
        audit::record_if_changed(&described(event, &request)),
        store::find(caller.id(), id.as_str()),
    );
    let (_, _, found) = db.run(batch).await?;
    let body = found.into_iter().next().map(|found| found.body).ok_or_else(full)?;
    Ok((StatusCode::CREATED, JsonText(body)))
}

/// Changes a schedule; what the body leaves out stays. Another name, and switching it off, take nothing more. Whoever changes anything else
/// holds `services.deploy`, too, and it starts their jobs from then on.
#[utoipa::path(put, path = "/api/schedules/{schedule_id}", summary = "Change a schedule",
    params(("schedule_id" = String, Path, description = "The schedule's `id`")), request_body = SaveSchedule,
    responses((status = 200, description = "The schedule as it is now", body = Schedule),
        (status = 404, description = "No such schedule, or no such service, in the caller's organization", body = ErrorBody)))]
pub async fn update_schedule(
    app: App,
    credentials: Credentials,
    PathParam(schedule_id): PathParam,
    ValidJson(request): ValidJson<SaveSchedule>,
) -> Result<JsonText, ApiError> {
    let (db, now) = (app.db()?, Utc::now());
    let access = load(&app, credentials, &schedule_id).await?;
    let caller = access.caller().clone();
    let update = match request.is_about_what_runs() {
        false => store::rename(&access, &request),
        true => {
            let before = Some(access.found());
            let targets = db
                .run(services::store::target(caller.id(), service_of(&request, before)))
                .await?;
            let right = may_start(caller.clone(), targets)?;
            let plan = Plan::check(&app.config.sealing, access.id(), &right, &request, before, after(now))?;
            store::update(&access, &plan)
        }
    };
    let event = described(access.event(Action::ScheduleUpdated), &request);
    let find = store::find(caller.id(), &schedule_id);
    let (_, _, found) = db.run((update, audit::record_if_changed(&event), find)).await?;
    Ok(JsonText(ScheduleAccess::decide(caller, found)?.into_body()))
}

/// Removes a schedule with its history. Jobs that it has started stay, and run on.
#[utoipa::path(delete, path = "/api/schedules/{schedule_id}", summary = "Remove a schedule",
    params(("schedule_id" = String, Path, description = "The schedule's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 404, description = "No such schedule in the caller's organization", body = ErrorBody)))]
pub async fn delete_schedule(
    app: App,
    credentials: Credentials,
    PathParam(schedule_id): PathParam,
) -> Result<Json<Message>, ApiError> {
    let access = load(&app, credentials, &schedule_id).await?;
    let event = access.event(Action::ScheduleDeleted);
    let batch = (store::delete(&access), audit::record_if_changed(&event));
    app.db()?.run(batch).await?;
    Ok(Json(Message {
        message: "Schedule deleted".to_owned(),
    }))
}

/// What a new one cannot do without.
fn required(request: &SaveSchedule) -> Result<(), ApiError> {
    let fields = [
        ("name", &request.name),
        ("service", &request.service),
        ("cron", &request.cron),
    ];
    let missing = fields.into_iter().filter(|(_, said)| said.is_none());
    let faults: Vec<FieldError> = missing
        .map(|(field, _)| FieldError {
            field: field.to_owned(),
            message: "is required".to_owned(),
        })
        .collect();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(ApiError::invalid(faults)),
    }
}

/// When something comes next after a time.
fn after(now: DateTime<Utc>) -> impl FnOnce(&str, &str) -> Result<DateTime<Utc>, ApiError> {
    move |cron, time_zone| cron::next(cron, time_zone, now)
}

/// The right to start what a schedule is to start: nobody has the clock do what they may not do themselves.
fn may_start(caller: Caller, targets: Vec<Target>) -> Result<DeployRight, ApiError> {
    caller.needs(Permission::ServicesDeploy)?;
    DeployRight::decide(caller, targets, || "Service not found".to_owned())
}

/// What is said of it, for the log; of what a script is given only that it is.
fn described(event: Event, request: &SaveSchedule) -> Event {
    let texts = [
        ("name", &request.name),
        ("service", &request.service),
        ("script", &request.script),
        ("cron", &request.cron),
        ("time_zone", &request.time_zone),
    ];
    let said = texts
        .into_iter()
        .filter_map(|(field, text)| Some((field, text.as_deref()?.trim())));
    let event = said.fold(event, |event, (field, text)| event.detail(field, text));
    match request.enabled {
        Some(enabled) => event.detail("enabled", enabled),
        None => event,
    }
}

fn full() -> ApiError {
    let max = store::MAX_SCHEDULES;
    ApiError::conflict(
        "limit_reached",
        format!("An organization has at most {max} schedules: remove one first"),
    )
}
