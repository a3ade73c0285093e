//! What super administrators do with organizations.
pub mod overview;
pub mod own;
pub mod removal;

use axum::http::StatusCode;
use protocol::api::error::ErrorBody;
use protocol::api::organizations::{
    CreateOrganization, Organization, OrganizationDetail, OrganizationList, UpdateOrganization, slug,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::organizations::access::OrganizationControl;
use crate::features::organizations::change::events;
use crate::features::organizations::handlers::exactly_one;
use crate::features::organizations::policy;
use crate::features::organizations::store::{self, Changeable, NewOrganization};
use crate::features::sessions::revocation::{self, Whose};
use crate::http::extract::{PathParam, QueryParams, ValidJson};
use crate::http::json_text::Json;
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, DbError, now};
use crate::platform::error::ApiError;
use crate::platform::random;

/// Which organizations to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Part of a name, upper and lower case being the same.
    search: Option<String>,
}

/// Lists the organizations, by slug.
#[utoipa::path(get, path = "/api/admin/organizations", summary = "List organizations", params(ListQuery, PageQuery),
    responses((status = 200, description = "The organizations", body = OrganizationList),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody)))]
pub async fn list_organizations(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<OrganizationList>, ApiError> {
    let (db, page) = (app.db()?, page.page());
    let (caller, ()) = credentials.load(&db, ()).await?;
    let (rows, count) = db.run(store::list(&caller, query.search.as_deref(), page)?).await?;
    let paging = page.of(Count::of(&count));
    Ok(Json(OrganizationList {
        organizations: rows.into_iter().map(Organization::from).collect(),
        total: paging.total,
        page: paging.page,
        limit: paging.limit,
        total_pages: paging.total_pages,
    }))
}

/// Makes an organization without people. Its first ones are made with its `tenant_id` at `/api/users`.
#[utoipa::path(post, path = "/api/admin/organizations", summary = "Create an organization",
    request_body = CreateOrganization,
    responses((status = 201, description = "The organization", body = OrganizationDetail),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody),
        (status = 409, description = "There is an organization of this name", body = ErrorBody)))]
pub async fn create_organization(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<CreateOrganization>,
) -> Result<(StatusCode, Json<OrganizationDetail>), ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let (id, slug) = (random::object_id()?, slug(&request.name));
    let new = NewOrganization {
        id: &id,
        slug: &slug,
        name: request.display_name.trim(),
        description: &request.description,
        now: &now(),
    };
    let event = caller
        .event(Action::OrganizationCreated, Resource::Organization)
        .created()
        .within(&id)
        .on(&id)
        .detail("organization", slug.as_str())
        .detail("display_name", new.name);
    let (_, _, rows) = db
        .run((store::insert(&new), audit::record(&event), store::read(&id)))
        .await
        .map_err(|error| match error {
            DbError::Duplicate => ApiError::conflict("name_taken", "Organization already exists"),
            other => other.into(),
        })?;
    Ok((StatusCode::CREATED, Json(exactly_one(rows)?.into())))
}

/// Reads one organization.
#[utoipa::path(get, path = "/api/admin/organizations/{organization_id}", summary = "Read an organization",
    params(("organization_id" = String, Path, description = "The organization's `id` or slug")),
    responses((status = 200, description = "The organization", body = OrganizationDetail),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn find_organization(
    app: App,
    credentials: Credentials,
    PathParam(organization_id): PathParam,
) -> Result<Json<OrganizationDetail>, ApiError> {
    let control = control(&app, credentials, &organization_id).await?;
    Ok(Json(Organization::from(control.into_organization()).into()))
}

/// Changes an organization. Disabled, it signs its people out and ends their terminals.
#[utoipa::path(put, path = "/api/admin/organizations/{organization_id}", summary = "Change an organization",
    params(("organization_id" = String, Path, description = "The organization's `id` or slug")), request_body = UpdateOrganization,
    responses((status = 200, description = "The organization as it is now", body = OrganizationDetail),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody),
        (status = 409, description = "The caller's own organization, or the platform's, cannot be disabled", body = ErrorBody)))]
pub async fn update_organization(
    app: App,
    credentials: Credentials,
    PathParam(organization_id): PathParam,
    ValidJson(request): ValidJson<UpdateOrganization>,
) -> Result<Json<OrganizationDetail>, ApiError> {
    let control = control(&app, credentials, &organization_id).await?;
    let enabled = control.organization().disabled_at.is_none();
    let old = Changeable::from(control.organization());
    let new = old.clone().with(&request, app.mailer().is_configured())?;
    let switched = request.enabled.filter(|wanted| *wanted != enabled);
    let records = events(&control, &old, &new, switched.map(|wanted| (enabled, wanted)))
        .iter()
        .map(audit::record)
        .collect::<Vec<_>>();
    let (now, organization) = (now(), control.id().clone());
    let (update, read) = (store::update(&control, &new, &now), store::read(control.id()));
    let (enable, disable) = match switched {
        None => (None, None),
        Some(true) => (Some(store::enable(&control.end()?)), None),
        Some(false) => (None, Some(super::store::disable(&control.end()?, &now))),
    };
    let (.., rows) = app.db()?.run((update, enable, disable, records, read)).await?;
    policy::tell(&app, &organization, &old, &new).await?;
    if switched == Some(false) {
        // Its people may have terminals on other organizations' machines, too.
        revocation::withdraw(&app, Whose::Anyone).await?;
    }
    if new.allowed_networks != old.allowed_networks {
        revocation::withdraw(&app, Whose::EverybodyOf(&organization)).await?;
    }
    Ok(Json(exactly_one(rows)?.into()))
}

/// Looks an organization up by row or slug for a caller who wants to change it.
pub async fn control(app: &App, credentials: Credentials, organization: &str) -> Result<OrganizationControl, ApiError> {
    let find = store::find(credentials.user_id(), organization);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    OrganizationControl::decide(caller, found)
}
