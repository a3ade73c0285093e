//! Making, reading, changing and removing rules.
use axum::http::StatusCode;
use protocol::api::Message;
use protocol::api::alerts::{AlertRule, AlertRuleList, SaveAlertRule};
use protocol::api::error::ErrorBody;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::alerts::access::{Naming, RuleControl};
use crate::features::alerts::raise::soon;
use crate::features::alerts::store::{raise, rules};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::random;

/// Lists the alert rules of the organization.
#[utoipa::path(get, path = "/api/alerts/rules", summary = "List alert rules",
    responses((status = 200, description = "All of them", body = AlertRuleList)))]
pub async fn list_alert_rules(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = rules::list(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::all("rules", &rows))
}

/// Makes an alert rule. What it tells of and is so already, such as a machine that is away, is raised at once.
#[utoipa::path(post, path = "/api/alerts/rules", summary = "Make an alert rule", request_body = SaveAlertRule,
    responses((status = 201, description = "The rule", body = AlertRule),
        (status = 409, description = "The organization has 50 already", body = ErrorBody)))]
pub async fn create_alert_rule(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<SaveAlertRule>,
) -> Result<(StatusCode, JsonText), ApiError> {
    let db = app.db()?;
    let named = rules::named(credentials.user_id(), &request)?;
    let (caller, named) = credentials.load(&db, named).await?;
    let naming = Naming::decide(named, request.machine_id.is_some())?;
    let (id, now) = (random::object_id()?, now());
    let event = caller
        .event(Action::AlertRuleCreated, Resource::Alert)
        .created()
        .on(&id)
        .detail("name", request.name.trim())
        .detail("event", request.event.as_str());
    let batch = (
        rules::insert(&caller, &id, &naming, &request, &now)?,
        audit::record_if_changed(&event),
        raise::begin(&id, &now),
        rules::find(caller.id(), id.as_str()),
    );
    let (_, _, _, found) = db.run(batch).await?;
    let found = found.into_iter().next().ok_or_else(full)?;
    soon(&app);
    Ok((StatusCode::CREATED, JsonText(found.body)))
}

/// Reads an alert rule.
#[utoipa::path(get, path = "/api/alerts/rules/{rule_id}", summary = "Read an alert rule",
    params(("rule_id" = String, Path, description = "The rule's `id`")),
    responses((status = 200, description = "The rule", body = AlertRule),
        (status = 404, description = "No such rule in the caller's organization", body = ErrorBody)))]
pub async fn find_alert_rule(
    app: App,
    credentials: Credentials,
    PathParam(rule_id): PathParam,
) -> Result<JsonText, ApiError> {
    let find = rules::find(credentials.user_id(), &rule_id);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    Ok(JsonText(RuleControl::decide(caller, found)?.into_body()))
}

/// Makes an alert rule what the body says; what that leaves out is as of a new one. If it asks for something else than before, its open
/// alerts are over, and what is so already is raised anew.
#[utoipa::path(put, path = "/api/alerts/rules/{rule_id}", summary = "Change an alert rule",
    params(("rule_id" = String, Path, description = "The rule's `id`")), request_body = SaveAlertRule,
    responses((status = 200, description = "The rule as it is now", body = AlertRule),
        (status = 404, description = "No such rule in the caller's organization", body = ErrorBody)))]
pub async fn update_alert_rule(
    app: App,
    credentials: Credentials,
    PathParam(rule_id): PathParam,
    ValidJson(request): ValidJson<SaveAlertRule>,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let look_up = (
        rules::find(credentials.user_id(), &rule_id),
        rules::named(credentials.user_id(), &request)?,
    );
    let (caller, (found, named)) = credentials.load(&db, look_up).await?;
    let control = RuleControl::decide(caller, found)?;
    let naming = Naming::decide(named, request.machine_id.is_some())?;
    let now = now();
    let event = control
        .event(Action::AlertRuleUpdated)
        .detail("event", request.event.as_str())
        .detail("active", request.active);
    let batch = (
        rules::update(&control, &naming, &request, &now)?,
        audit::record_if_changed(&event),
        raise::begin(control.id(), &now),
        rules::find(control.caller().id(), &rule_id),
    );
    let (_, _, _, found) = db.run(batch).await?;
    let caller = control.caller().clone();
    let body = RuleControl::decide(caller, found)?.into_body();
    soon(&app);
    Ok(JsonText(body))
}

/// Removes an alert rule. Its alerts stay in the list, and those that were open are over.
#[utoipa::path(delete, path = "/api/alerts/rules/{rule_id}", summary = "Remove an alert rule",
    params(("rule_id" = String, Path, description = "The rule's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 404, description = "No such rule in the caller's organization", body = ErrorBody)))]
pub async fn delete_alert_rule(
    app: App,
    credentials: Credentials,
    PathParam(rule_id): PathParam,
) -> Result<Json<Message>, ApiError> {
    let db = app.db()?;
    let find = rules::find(credentials.user_id(), &rule_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let control = RuleControl::decide(caller, found)?;
    let event = control.event(Action::AlertRuleDeleted);
    let batch = (rules::delete(&control), audit::record_if_changed(&event));
    db.run(batch).await?;
    Ok(Json(Message {
        message: "Alert rule deleted".to_owned(),
    }))
}

fn full() -> ApiError {
    let max = rules::MAX_RULES;
    ApiError::conflict(
        "limit_reached",
        format!("An organization has at most {max} alert rules: remove one first"),
    )
}
