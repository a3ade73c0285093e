//! Reading one's own organization.
use axum::Json;
use protocol::api::error::ErrorBody;
use protocol::api::organizations::{Organization, OrganizationDetail};

use super::access::OrganizationControl;
use super::change::events;
use super::policy;
use super::row::OrganizationRow;
use super::store;
use crate::auth::caller::Credentials;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Reads the caller's organization and its settings.
#[utoipa::path(get, path = "/api/organization", summary = "Read one's own organization",
    responses((status = 200, description = "The organization", body = OrganizationDetail),
        (status = 403, description = "The caller is no administrator", body = ErrorBody)))]
#[worker::send]
pub async fn find_own_organization(app: App, credentials: Credentials) -> Result<Json<OrganizationDetail>, ApiError> {
    let find = store::find_own(credentials.user_id());
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let organization = OrganizationControl::decide(caller, found)?.into_organization();
    Ok(Json(Organization::from(organization).into()))
}

/// Changes the caller's organization and its settings.
#[utoipa::path(put, path = "/api/organization", summary = "Change one's own organization",
    request_body = UpdateOrganization,
    responses((status = 200, description = "The organization as it is now", body = OrganizationDetail),
        (status = 403, description = "The caller is no administrator", body = ErrorBody)))]
#[worker::send]
pub async fn update_own_organization(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<UpdateOrganization>,
) -> Result<Json<OrganizationDetail>, ApiError> {
    let db = app.db()?;
    let find = store::find_own(credentials.user_id());
    let (caller, found) = credentials.load(&db, find).await?;
    let control = OrganizationControl::decide(caller, found)?;
    if request.enabled.is_some() {
        return Err(ApiError::invalid_field(
            "enabled",
            "is for super administrators to change",
        ));
    }
    let old = Changeable::from(control.organization());
    let new = old.clone().with(&request, app.mailer().is_configured())?;
    let records = events(&control, &old, &new, None)
        .iter()
        .map(audit::record)
        .collect::<Vec<_>>();
    let update = store::update(&control, &new, &now());
    let (_, _, rows) = db.run((update, records, store::read(control.id()))).await?;
    policy::tell(&app, control.id(), &old, &new).await?;
    Ok(Json(exactly_one(rows)?.into()))
}

/// The organization after a change that succeeded. It may be deleted in between.
pub fn exactly_one(rows: Vec<OrganizationRow>) -> Result<Organization, ApiError> {
    let row = rows.into_iter().next();
    row.map(Organization::from)
        .ok_or_else(|| ApiError::not_found("Organization not found"))
}
