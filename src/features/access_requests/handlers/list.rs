//! Which requests there are, and what can be asked for.
use protocol::api::access_requests::{AccessRequestList, AccessRequestStatus, AskableMachineList, PendingCount};
use protocol::api::error::ErrorBody;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Credentials;
use crate::features::access_requests::row::Listed;
use crate::features::access_requests::store::list::{self, Filter};
use crate::features::machines::access::MachineAccess;
use crate::features::machines::store::{self as machines, Key};
use crate::http::extract::{PathParam, QueryParams};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::{Page, PageQuery};
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// How many requests an administrator's list has if nobody says how many (contract).
const DEFAULT_LIMIT: u64 = 25;

/// How many it has at most (contract).
const MAX_LIMIT: u64 = 200;

/// Which requests to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// What became of them: `pending`, `approved`, `rejected`, `expired` or `revoked`. Must be there.
    #[param(required = true, pattern = "^(pending|approved|rejected|expired|revoked)$")]
    status: Option<String>,
    /// Part of the name or mail address of whoever asked, of the machine's name, or of the reason, upper and lower case being the
    /// same.
    search: Option<String>,
    /// Another organization's slug; only a super administrator's counts.
    tenant_id: Option<String>,
}

/// Which machines to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Part of a name, upper and lower case being the same.
    search: Option<String>,
}

/// Lists the requests of the organization in one state, newest first, always in pages: 25 on one, or as many as `limit` says, up
/// to 200.
#[utoipa::path(get, path = "/api/access-requests", summary = "List requests for machines", params(ListQuery, PageQuery),
    responses((status = 200, description = "The requests", body = AccessRequestList),
        (status = 403, description = "The caller is no administrator", body = ErrorBody)))]
pub async fn list_access_requests(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<AccessRequestList>, ApiError> {
    let db = app.db()?;
    let status = AccessRequestStatus::parse(query.status.as_deref().unwrap_or_default());
    let Some(status) = status else {
        // Whoever may not list is told that first.
        credentials.load(&db, ()).await?;
        return Err(ApiError::invalid_field(
            "status",
            "must be pending, approved, rejected, expired or revoked",
        ));
    };
    let filter = Filter {
        status,
        search: query.search.as_deref(),
        tenant_id: query.tenant_id.as_deref(),
    };
    let page = page.always_of(DEFAULT_LIMIT, MAX_LIMIT);
    let list = list::of_organization(credentials.user_id(), &filter, page);
    let (_, rows) = credentials.load(&db, list).await?;
    Ok(body(rows, page))
}

/// Lists the caller's own requests, newest first.
#[utoipa::path(get, path = "/api/access-requests/my", summary = "List one's own requests for machines", params(PageQuery),
    responses((status = 200, description = "The requests", body = AccessRequestList)))]
pub async fn list_own_access_requests(
    app: App,
    credentials: Credentials,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<AccessRequestList>, ApiError> {
    let page = page.page();
    let list = list::of_requester(credentials.user_id(), page);
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(body(rows, page))
}

/// Lists what waits for the caller's decision, newest first: others' pending requests for machines of their organization that
/// they manage.
#[utoipa::path(get, path = "/api/access-requests/to-decide", summary = "List requests that wait for one's decision", params(PageQuery),
    responses((status = 200, description = "The requests", body = AccessRequestList)))]
pub async fn list_access_requests_to_decide(
    app: App,
    credentials: Credentials,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<AccessRequestList>, ApiError> {
    let page = page.page();
    let list = list::to_decide(credentials.user_id(), page);
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(body(rows, page))
}

/// Lists the machines of the caller's organization that the caller may not use, by name, always in pages.
#[utoipa::path(get, path = "/api/access-requests/machines", summary = "List machines to ask for", params(SearchQuery, PageQuery),
    responses((status = 200, description = "The machines", body = AskableMachineList)))]
pub async fn list_askable_machines(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<SearchQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let page = page.always();
    let list = list::askable(credentials.user_id(), query.search.as_deref(), page);
    let (_, (rows, count)) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::page("machines", &rows, page.of(Count::of(&count))))
}

/// Lists the requests for a machine, newest first.
#[utoipa::path(get, path = "/api/machines/{agent_id}/access-requests", summary = "List the requests for a machine",
    params(("agent_id" = String, Path, description = "The machine's public name"), PageQuery),
    responses((status = 200, description = "The requests", body = AccessRequestList),
        (status = 403, description = "The caller does not manage the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn list_machine_access_requests(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<AccessRequestList>, ApiError> {
    let page = page.page();
    let list = list::of_machine(&agent_id, page);
    let find = machines::find(credentials.user_id(), &Key::AgentId(agent_id));
    let (caller, (found, rows)) = credentials.load(&app.db()?, (find, list)).await?;
    MachineAccess::decide(caller, found)?.control()?;
    Ok(body(rows, page))
}

/// Says how many requests for a machine wait for a decision.
#[utoipa::path(get, path = "/api/machines/{agent_id}/pending-requests-count", summary = "Count the requests for a machine that wait",
    params(("agent_id" = String, Path, description = "The machine's public name")),
    responses((status = 200, description = "How many there are", body = PendingCount),
        (status = 403, description = "The caller does not manage the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn count_pending_access_requests(
    app: App,
    credentials: Credentials,
    PathParam(agent_id): PathParam,
) -> Result<Json<PendingCount>, ApiError> {
    let count = list::count_pending(&agent_id);
    let find = machines::find(credentials.user_id(), &Key::AgentId(agent_id));
    let (caller, (found, count)) = credentials.load(&app.db()?, (find, count)).await?;
    MachineAccess::decide(caller, found)?.control()?;
    Ok(Json(PendingCount {
        count: Count::of(&count),
    }))
}

fn body((rows, count): (Vec<Listed>, Vec<Count>), page: Page) -> Json<AccessRequestList> {
    let paging = page.of(Count::of(&count));
    Json(AccessRequestList {
        requests: rows.into_iter().map(|row| row.request).collect(),
        total: paging.total,
        page: paging.page,
        limit: paging.limit,
        total_pages: paging.total_pages,
    })
}
