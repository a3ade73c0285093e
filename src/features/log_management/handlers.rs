//! Asking how long logs are kept, changing it, and listing what was removed.
use protocol::api::error::ErrorBody;
use protocol::api::log_management::{LogConfig, LogRuns, UpdateLogConfig};
use protocol::api::organizations::UpdateOrganization;
use serde::Deserialize;
use utoipa::IntoParams;

use super::store::{self, OldestRow};
use crate::audit;
use crate::auth::caller::Credentials;
use crate::features::organizations::access::OrganizationControl;
use crate::features::organizations::change::events;
use crate::features::organizations::store::{self as organizations, Changeable};
use crate::http::extract::{QueryParams, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, now};
use crate::platform::error::ApiError;

/// Of which organization.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ScopeQuery {
    /// By its `id` or name in URLs; absent or empty: the caller's own.
    tenant_id: Option<String>,
}

/// How long logs and recordings are kept, and how old the oldest are. `PUT /api/organization` changes it, too.
#[utoipa::path(get, path = "/api/log-management/config", summary = "Read how long logs are kept", params(ScopeQuery),
    responses((status = 200, description = "How long they are kept", body = LogConfig),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn find_log_config(
    app: App,
    credentials: Credentials,
    QueryParams(scope): QueryParams<ScopeQuery>,
) -> Result<Json<LogConfig>, ApiError> {
    let control = control(&app, credentials, &[scope.tenant_id]).await?;
    let oldest = app.db()?.run(store::oldest(&control)).await?;
    Ok(Json(config(&Changeable::from(control.organization()), oldest)))
}

/// Changes how long logs and recordings are kept. What is kept no longer is removed within minutes, and for good.
#[utoipa::path(post, path = "/api/log-management/config", summary = "Change how long logs are kept", params(ScopeQuery),
    request_body = UpdateLogConfig,
    responses((status = 200, description = "How long they are kept now", body = LogConfig),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn update_log_config(
    app: App,
    credentials: Credentials,
    QueryParams(scope): QueryParams<ScopeQuery>,
    ValidJson(request): ValidJson<UpdateLogConfig>,
) -> Result<Json<LogConfig>, ApiError> {
    let control = control(&app, credentials, &[scope.tenant_id, request.tenant_id]).await?;
    let request = UpdateOrganization {
        command_log_days: request.retention_days,
        recording_days: request.recording_days,
        ..UpdateOrganization::default()
    };
    let old = Changeable::from(control.organization());
    let new = old.clone().with(&request, app.mailer().is_configured())?;
    let records: Vec<_> = events(&control, &old, &new, None).iter().map(audit::record).collect();
    let update = organizations::update(&control, &new, &now());
    let (.., oldest) = app.db()?.run((update, records, store::oldest(&control))).await?;
    Ok(Json(config(&new, oldest)))
}

/// Lists what was removed because its time was over, the newest hour first, always in pages.
#[utoipa::path(get, path = "/api/log-management/runs", summary = "List what was removed of the logs", params(ScopeQuery, PageQuery),
    responses((status = 200, description = "What was removed", body = LogRuns),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn list_log_runs(
    app: App,
    credentials: Credentials,
    QueryParams(scope): QueryParams<ScopeQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let control = control(&app, credentials, &[scope.tenant_id]).await?;
    let page = page.always();
    let (rows, count) = app.db()?.run(store::list(&control, page)).await?;
    Ok(JsonText::page("runs", &rows, page.of(Count::of(&count))))
}

/// The right over the organization that is meant: the first that is named, or the caller's own.
async fn control(
    app: &App,
    credentials: Credentials,
    named: &[Option<String>],
) -> Result<OrganizationControl, ApiError> {
    let caller = credentials.user_id();
    let find = match named.iter().flatten().find(|name| !name.is_empty()) {
        Some(name) => organizations::find(caller, name),
        None => organizations::find_own(caller),
    };
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    OrganizationControl::decide(caller, found)
}

fn config(kept: &Changeable, oldest: Vec<OldestRow>) -> LogConfig {
    let oldest = oldest.into_iter().next().unwrap_or_default();
    LogConfig {
        retention_days: kept.command_log_days,
        recording_days: kept.recording_days,
        oldest_log_at: oldest.log_at,
        oldest_recording_at: oldest.recording_at,
        archive_enabled: false,
        archive_every_days: None,
        storage_type: None,
        last_archive_at: None,
        next_archive_at: None,
    }
}
