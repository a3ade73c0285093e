//! Seeing alerts, and taking note of them.
use protocol::api::alerts::{Alert, AlertList, AlertStatus, EVENTS};
use protocol::api::error::ErrorBody;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::alerts::access::AlertControl;
use crate::features::alerts::store::{self, Filter};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::JsonText;
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, now};
use crate::platform::error::ApiError;

/// Which alerts to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Where they are: `open` or `resolved`. Empty or absent: wherever.
    #[param(pattern = "^(|open|resolved)$")]
    status: Option<String>,
    /// What they are about. Empty or absent: anything.
    #[param(pattern = "^(|machine_offline|machine_online|session_start|failed_login|command|high_usage)$")]
    event: Option<String>,
    /// Of which rule, by its `id`.
    rule_id: Option<String>,
    /// About which machine, by its public name.
    agent_id: Option<String>,
}

/// Lists the alerts of the organization, those that were raised last first, always in pages.
#[utoipa::path(get, path = "/api/alerts", summary = "List alerts", params(ListQuery, PageQuery),
    responses((status = 200, description = "The alerts", body = AlertList)))]
pub async fn list_alerts(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let page = page.always();
    let word = query.status.as_deref().filter(|word| !word.is_empty());
    let status = word.and_then(AlertStatus::parse);
    let event = query.event.as_deref().filter(|word| !word.is_empty());
    let filter = Filter {
        status,
        event,
        rule_id: query.rule_id.as_deref(),
        agent_id: query.agent_id.as_deref(),
    };
    let list = store::list(credentials.user_id(), &filter, page);
    let (_, (rows, count)) = credentials.load(&app.db()?, list).await?;
    // Whoever may not list is told that first.
    if word.is_some() && status.is_none() {
        return Err(ApiError::invalid_field("status", "must be open or resolved"));
    }
    if event.is_some_and(|event| !EVENTS.contains(&event)) {
        return Err(ApiError::invalid_field(
            "event",
            format!("must be one of {}", EVENTS.join(", ")),
        ));
    }
    Ok(JsonText::page("alerts", &rows, page.of(Count::of(&count))))
}

/// Takes note of an alert. One that does not end by itself is over with that; of one that is over, or that somebody has taken note of,
/// nothing changes.
#[utoipa::path(post, path = "/api/alerts/{alert_id}/acknowledge", summary = "Acknowledge an alert",
    params(("alert_id" = String, Path, description = "The alert's `id`")),
    responses((status = 200, description = "The alert as it is now", body = Alert),
        (status = 404, description = "No such alert in the caller's organization", body = ErrorBody)))]
pub async fn acknowledge_alert(
    app: App,
    credentials: Credentials,
    PathParam(alert_id): PathParam,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let find = store::find(credentials.user_id(), &alert_id);
    let (caller, found) = credentials.load(&db, find).await?;
    let control = AlertControl::decide(caller, found)?;
    let event = control.event(Action::AlertAcknowledged);
    let batch = (
        store::acknowledge(&control, &now()),
        audit::record_if_changed(&event),
        store::find(control.caller().id(), &alert_id),
    );
    let (_, _, found) = db.run(batch).await?;
    let caller = control.caller().clone();
    Ok(JsonText(AlertControl::decide(caller, found)?.into_body()))
}
