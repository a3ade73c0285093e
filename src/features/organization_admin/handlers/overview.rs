//! What is in an organization, for super administrators.
use chrono::{NaiveTime, Utc};
use protocol::api::error::ErrorBody;
use protocol::api::groups::GroupList;
use protocol::api::organizations::{Organization, OrganizationStats, Stats};
use protocol::api::users::People;

use super::control;
use crate::auth::caller::Credentials;
use crate::features::organizations::row::StatsRow;
use crate::features::organizations::store;
use crate::features::{groups, users};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, stored};
use crate::platform::error::ApiError;

/// Says how large an organization is and how busy.
#[utoipa::path(get, path = "/api/admin/organizations/{organization_id}/stats", summary = "Read an organization's numbers",
    params(("organization_id" = String, Path, description = "The organization's `id` or slug")),
    responses((status = 200, description = "The numbers", body = OrganizationStats),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn find_organization_stats(
    app: App,
    credentials: Credentials,
    PathParam(organization_id): PathParam,
) -> Result<Json<OrganizationStats>, ApiError> {
    let control = control(&app, credentials, &organization_id).await?;
    let midnight = Utc::now().with_time(NaiveTime::MIN).single().unwrap_or_default();
    let rows = app.db()?.run(store::stats(&control, &stored(midnight))).await?;
    let row = rows.into_iter().next().unwrap_or_default();
    let organization = Organization::from(control.into_organization());
    Ok(Json(OrganizationStats {
        stats: stats(&organization, &row),
        organization,
    }))
}

fn stats(organization: &Organization, row: &StatsRow) -> Stats {
    Stats {
        user_count: organization.user_count,
        machine_count: organization.machine_count,
        online_machine_count: row.online,
        group_count: row.groups,
        session_count_today: row.sessions,
        active_session_count: row.active,
        total_users: organization.user_count,
        admin_users: row.admins,
        regular_users: organization.user_count.saturating_sub(row.admins),
        total_groups: row.groups,
    }
}

/// Lists the people of an organization, those first who came first.
#[utoipa::path(get, path = "/api/admin/organizations/{organization_id}/users", summary = "List an organization's users",
    params(("organization_id" = String, Path, description = "The organization's `id` or slug"), PageQuery),
    responses((status = 200, description = "The people", body = People),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn list_organization_users(
    app: App,
    credentials: Credentials,
    PathParam(organization_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<People>, ApiError> {
    let page = page.page();
    let control = control(&app, credentials, &organization_id).await?;
    let filter = users::store::Filter {
        tenant_id: Some(control.organization().slug.clone()),
        ..users::store::Filter::default()
    };
    let list = users::store::list(control.caller().id(), &filter, page);
    let rows = app.db()?.run(list).await?;
    let paging = page.of(control.organization().user_count);
    Ok(Json(People {
        users: rows.into_iter().map(|row| users::body::person(row.user)).collect(),
        total: paging.total,
        page: paging.page,
        limit: paging.limit,
        per_page: paging.limit,
        total_pages: paging.total_pages,
    }))
}

/// Lists the groups of an organization, by name.
#[utoipa::path(get, path = "/api/admin/organizations/{organization_id}/groups", summary = "List an organization's groups",
    params(("organization_id" = String, Path, description = "The organization's `id` or slug"), PageQuery),
    responses((status = 200, description = "The groups", body = GroupList),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn list_organization_groups(
    app: App,
    credentials: Credentials,
    PathParam(organization_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let page = page.page();
    let control = control(&app, credentials, &organization_id).await?;
    let (rows, count) = app
        .db()?
        .run(groups::store::list_of_organization(&control, page))
        .await?;
    Ok(groups::body::list(&rows, Count::of(&count), page))
}
