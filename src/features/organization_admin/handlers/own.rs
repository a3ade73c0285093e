//! What administrators do with their own organization.
use protocol::api::error::ErrorBody;
use protocol::api::organizations::{OrganizationDetail, UpdateOrganization};

use crate::audit;
use crate::auth::caller::Credentials;
use crate::features::organizations::access::OrganizationControl;
use crate::features::organizations::change::{events, lets_in};
use crate::features::organizations::handlers::exactly_one;
use crate::features::organizations::policy;
use crate::features::organizations::store::{self, Changeable};
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Changes the caller's organization and its settings. Terminals of people whose network it lets in no more end at once.
#[utoipa::path(put, path = "/api/organization", summary = "Change one's own organization",
    request_body = UpdateOrganization,
    responses((status = 200, description = "The organization as it is now", body = OrganizationDetail),
        (status = 403, description = "The caller is no administrator", body = ErrorBody)))]
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
    if new.allowed_networks != old.allowed_networks {
        lets_in(control.caller(), &new)?;
    }
    let records = events(&control, &old, &new, None)
        .iter()
        .map(audit::record)
        .collect::<Vec<_>>();
    let update = store::update(&control, &new, &now());
    let (_, _, rows) = db.run((update, records, store::read(control.id()))).await?;
    if new.allowed_networks != old.allowed_networks {
        revocation::withdraw(&app, Whose::EverybodyOf(control.id())).await?;
    }
    policy::tell(&app, control.id(), &old, &new).await?;
    Ok(Json(exactly_one(rows)?.into()))
}
