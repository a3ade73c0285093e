//! Issues: listing, writing, changing, deleting.
use axum::http::StatusCode;
use protocol::api::Message;
use protocol::api::community::{CreateIssue, IssueChanged, IssueDetail, IssueList, IssueStatus, UpdateIssue};
use protocol::api::error::ErrorBody;
use protocol::ids::ObjectId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{issue_key, load};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::community::access::{IssueAccess, IssueControl};
use crate::features::community::row::{FoundIssue, Subject};
use crate::features::community::store::{self, Filter, Sort, pictures};
use crate::http::extract::{PathParam, QueryParams, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, now};
use crate::platform::error::ApiError;
use crate::platform::random;

/// How many issues a page has if nobody says how many, and at most (contract).
const DEFAULT_LIMIT: u64 = 10;
const MAX_LIMIT: u64 = 100;

/// Which issues to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Part of a title or description, upper and lower case being the same. Looked for in the newest 2000 issues.
    search: Option<String>,
    /// What is being done about them: `open`, `in_progress`, `resolved` or `closed`.
    #[param(pattern = "^(|open|in_progress|in-progress|resolved|closed)$")]
    status: Option<String>,
    /// A tag, whole.
    tag: Option<String>,
    /// The machine they are about, by its `id` or its `agent_id`.
    machine_id: Option<String>,
    /// `newest` first (if absent), `oldest` first, those first that were `updated` last, or those with most `votes`.
    #[param(pattern = "^(|newest|oldest|updated|votes)$")]
    sort: Option<String>,
}

/// Lists the issues of the organization, always in pages: 10 on one, or as many as `limit` says, up to 100.
#[utoipa::path(get, path = "/api/community/issues", summary = "List issues", params(ListQuery, PageQuery),
    responses((status = 200, description = "The issues", body = IssueList)))]
pub async fn list_issues(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let status = query.status.as_deref().filter(|status| !status.is_empty());
    let status = status.map(|text| {
        IssueStatus::parse(text)
            .ok_or_else(|| ApiError::invalid_field("status", "must be open, in_progress, resolved or closed"))
    });
    let sort = Sort::parse(query.sort.as_deref().unwrap_or_default())
        .ok_or_else(|| ApiError::invalid_field("sort", "must be newest, oldest, updated or votes"))?;
    let filter = Filter {
        status: status.transpose()?,
        tag: query.tag.as_deref(),
        machine: query.machine_id.as_deref(),
        search: query.search.as_deref(),
        sort,
    };
    let page = page.always_of(DEFAULT_LIMIT, MAX_LIMIT);
    let list = store::list(credentials.user_id(), &filter, page);
    let (_, (rows, count)) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::page("issues", &rows, page.of(Count::of(&count))))
}

/// Writes an issue, which everybody in the organization may read.
#[utoipa::path(post, path = "/api/community/issues", summary = "Write an issue", request_body = CreateIssue,
    responses((status = 201, description = "The issue", body = IssueChanged)))]
pub async fn create_issue(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<CreateIssue>,
) -> Result<(StatusCode, JsonText), ApiError> {
    let (db, id, now) = (app.db()?, random::object_id()?, now());
    let named = named(request.machine_id.as_deref());
    let subject = named.map(|machine| store::subject(credentials.user_id(), machine));
    let (caller, subject) = credentials.load(&db, subject).await?;
    let machine = about(named, subject)?;
    let event = caller
        .event(Action::IssueCreated, Resource::Issue)
        .created()
        .on(&id)
        .detail("title", request.title.trim());
    let batch = (
        store::insert(&caller, &id, &request, machine.as_ref(), &now)?,
        pictures::show_in_issue(caller.id(), &id, &request.images)?,
        audit::record(&event),
        store::find(caller.id(), &id),
    );
    let (_, _, _, found) = db.run(batch).await?;
    Ok((StatusCode::CREATED, changed("Issue created successfully", found)?))
}

/// Reads an issue.
#[utoipa::path(get, path = "/api/community/issues/{issue_id}", summary = "Read an issue",
    params(("issue_id" = String, Path, description = "The issue's `id`")),
    responses((status = 200, description = "The issue", body = IssueDetail),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn find_issue(
    app: App,
    credentials: Credentials,
    PathParam(issue_id): PathParam,
) -> Result<JsonText, ApiError> {
    let access = load(&app, credentials, &issue_id).await?;
    Ok(JsonText(format!("{{\"issue\":{}}}", access.issue().body)))
}

/// Changes an issue: its author, or an administrator.
#[utoipa::path(put, path = "/api/community/issues/{issue_id}", summary = "Change an issue",
    params(("issue_id" = String, Path, description = "The issue's `id`")), request_body = UpdateIssue,
    responses((status = 200, description = "The issue as it is now", body = IssueChanged),
        (status = 403, description = "Somebody else wrote it", body = ErrorBody),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn update_issue(
    app: App,
    credentials: Credentials,
    PathParam(issue_id): PathParam,
    ValidJson(request): ValidJson<UpdateIssue>,
) -> Result<JsonText, ApiError> {
    let db = app.db()?;
    let named = named(request.machine_id.as_deref());
    let subject = named.map(|machine| store::subject(credentials.user_id(), machine));
    let find = store::find(credentials.user_id(), &issue_key(&issue_id)?);
    let (caller, (found, subject)) = credentials.load(&db, (find, subject)).await?;
    let control = IssueAccess::decide(caller, found)?.control("Not authorized to update this issue")?;
    let machine = about(named, subject)?;
    let pictures = request
        .images
        .as_deref()
        .map(|images| pictures::show_in_issue(control.caller().id(), control.id(), images))
        .transpose()?;
    let batch = (
        store::update(&control, &request, machine.as_ref(), &now())?,
        pictures,
        audit::record(&event(&control, Action::IssueUpdated)),
        store::find(control.caller().id(), control.id()),
    );
    let (_, _, _, found) = db.run(batch).await?;
    changed("Issue updated successfully", found)
}

/// Deletes an issue with its fixes and comments: its author, or an administrator.
#[utoipa::path(delete, path = "/api/community/issues/{issue_id}", summary = "Delete an issue",
    params(("issue_id" = String, Path, description = "The issue's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 403, description = "Somebody else wrote it", body = ErrorBody),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn delete_issue(
    app: App,
    credentials: Credentials,
    PathParam(issue_id): PathParam,
) -> Result<Json<Message>, ApiError> {
    let access = load(&app, credentials, &issue_id).await?;
    let control = access.control("Not authorized to delete this issue")?;
    let event = event(&control, Action::IssueDeleted);
    // Asked twice at once, it is deleted once.
    app.db()?
        .run((store::delete(&control), audit::record_if_changed(&event)))
        .await?;
    Ok(Json(Message {
        message: "Issue deleted".to_owned(),
    }))
}

/// The machine that a request names, if it does.
fn named(machine_id: Option<&str>) -> Option<&str> {
    machine_id.filter(|machine| !machine.is_empty())
}

/// The machine that was found for it.
fn about(named: Option<&str>, found: Option<Vec<Subject>>) -> Result<Option<ObjectId>, ApiError> {
    let found = found.into_iter().flatten().next().map(|subject| subject.id);
    match found {
        None if named.is_some() => Err(ApiError::invalid_field(
            "machine_id",
            "must be a machine of your organization",
        )),
        found => Ok(found),
    }
}

/// Something done to an issue, in the log of its organization.
fn event(control: &IssueControl, action: Action) -> audit::Event {
    let issue = control.access().issue();
    control
        .caller()
        .event(action, Resource::Issue)
        .within(&issue.organization_id)
        .on(&issue.id)
        .detail("title", issue.title.as_str())
}

/// The issue after a change that succeeded. It may be deleted in between.
fn changed(message: &str, found: Vec<FoundIssue>) -> Result<JsonText, ApiError> {
    let issue = found.into_iter().next();
    let issue = issue.ok_or_else(|| ApiError::not_found("Issue not found"))?;
    Ok(JsonText(format!(
        "{{\"message\":\"{message}\",\"issue\":{}}}",
        issue.body
    )))
}
