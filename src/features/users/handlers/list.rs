//! Seeing people.
use protocol::api::error::ErrorBody;
use protocol::api::groups::GroupList;
use protocol::api::users::{People, PersonDetail};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Credentials;
use crate::features::users::body;
use crate::features::users::load::load;
use crate::features::users::store::{self, Filter};
use crate::features::{accounts, groups};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::{Page, PageQuery};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Which people to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Part of a username, mail address or name, upper and lower case being the same.
    search: Option<String>,
    /// Another organization's slug; only a super administrator's counts.
    tenant_id: Option<String>,
    /// `super_admin`, `company_admin` or `user`: only those that are this.
    role: Option<String>,
}

impl From<ListQuery> for Filter {
    fn from(query: ListQuery) -> Self {
        Self {
            search: query.search,
            tenant_id: query.tenant_id,
            role: query.role,
        }
    }
}

/// Lists the people of the caller's organization, those first who came first.
#[utoipa::path(get, path = "/api/users", summary = "List users", params(ListQuery, PageQuery),
    responses((status = 200, description = "The users", body = People),
        (status = 403, description = "The caller may not see the users", body = ErrorBody)))]
pub async fn list_users(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<People>, ApiError> {
    let (filter, page) = (Filter::from(query), page.page());
    let list = store::list(credentials.user_id(), &filter, page);
    // Everything needs no second count.
    let count = (page != Page::Everything).then(|| store::count(credentials.user_id(), &filter));
    let (_, (rows, count)) = credentials.load(&app.db()?, (list, Vec::from_iter(count))).await?;
    let total = count
        .first()
        .and_then(|count| count.first())
        .map_or(rows.len() as u64, |count| count.total);
    let paging = page.of(total);
    Ok(Json(People {
        users: rows.into_iter().map(|row| body::person(row.user)).collect(),
        total: paging.total,
        page: paging.page,
        limit: paging.limit,
        per_page: paging.limit,
        total_pages: paging.total_pages,
    }))
}

/// Reads one account. Colleagues see less of it than those who may see the users.
#[utoipa::path(get, path = "/api/users/{user_id}", summary = "Read a user",
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The account", body = PersonDetail),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody)))]
pub async fn find_user(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
) -> Result<Json<PersonDetail>, ApiError> {
    let access = load(&app, credentials, &user_id).await?;
    let row = access.row().clone();
    Ok(Json(match access.sees_all() {
        true => {
            let permissions = accounts::body::permissions(row.role, &row.permissions);
            PersonDetail::new(body::person(row), Some(permissions))
        }
        false => PersonDetail::new(body::colleague(row), None),
    }))
}

/// The groups an account is in.
#[utoipa::path(get, path = "/api/users/{user_id}/groups", summary = "List a user's groups",
    params(("user_id" = String, Path, description = "The account's `id` or `int_id`")),
    responses((status = 200, description = "The groups", body = GroupList),
        (status = 404, description = "No such user in the caller's organization", body = ErrorBody)))]
pub async fn find_user_groups(
    app: App,
    credentials: Credentials,
    PathParam(user_id): PathParam,
) -> Result<JsonText, ApiError> {
    let access = load(&app, credentials, &user_id).await?;
    let rows = app.db()?.run(store::groups(&access.row().id)).await?;
    Ok(groups::body::list(&rows, rows.len() as u64, Page::Everything))
}
