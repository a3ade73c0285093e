//! Reading one's own organization.
use protocol::api::error::ErrorBody;
use protocol::api::organizations::{Organization, OrganizationDetail};

use super::access::OrganizationControl;
use super::row::OrganizationRow;
use super::store;
use crate::auth::caller::Credentials;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Reads the caller's organization and its settings.
#[utoipa::path(get, path = "/api/organization", summary = "Read one's own organization",
    responses((status = 200, description = "The organization", body = OrganizationDetail),
        (status = 403, description = "The caller is no administrator", body = ErrorBody)))]
pub async fn find_own_organization(app: App, credentials: Credentials) -> Result<Json<OrganizationDetail>, ApiError> {
    let find = store::find_own(credentials.user_id());
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    let organization = OrganizationControl::decide(caller, found)?.into_organization();
    Ok(Json(Organization::from(organization).into()))
}

/// The organization after a change that succeeded. It may be deleted in between.
pub fn exactly_one(rows: Vec<OrganizationRow>) -> Result<Organization, ApiError> {
    let row = rows.into_iter().next();
    row.map(Organization::from)
        .ok_or_else(|| ApiError::not_found("Organization not found"))
}
