//! How issues were fixed.
use axum::http::StatusCode;
use protocol::api::Message;
use protocol::api::community::{CreateFix, FixChanged, FixList};
use protocol::api::error::ErrorBody;

use super::{exactly_one, fix_key, issue_key, load, removed};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::community::access::{IssueAccess, PostControl};
use crate::features::community::store::{self, fixes, pictures};
use crate::http::extract::{PathPair, PathParam, QueryParams, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, now};
use crate::platform::error::ApiError;
use crate::platform::random;

/// What is answered where there is no such fix.
const ABSENT: &str = "Fix not found";

/// Lists the fixes of an issue: the accepted one first, then the newest.
#[utoipa::path(get, path = "/api/community/issues/{issue_id}/fixes", summary = "List the fixes of an issue",
    params(("issue_id" = String, Path, description = "The issue's `id`"), PageQuery),
    responses((status = 200, description = "The fixes", body = FixList),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn list_fixes(
    app: App,
    credentials: Credentials,
    PathParam(issue_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let (page, issue) = (page.page(), issue_key(&issue_id)?);
    let find = store::find(credentials.user_id(), &issue);
    let list = fixes::list(credentials.user_id(), &issue, page);
    let (caller, (found, (rows, count))) = credentials.load(&app.db()?, (find, list)).await?;
    IssueAccess::decide(caller, found)?;
    Ok(JsonText::page("fixes", &rows, page.of(Count::of(&count))))
}

/// Says how an issue was fixed.
#[utoipa::path(post, path = "/api/community/issues/{issue_id}/fixes", summary = "Write a fix",
    params(("issue_id" = String, Path, description = "The issue's `id`")), request_body = CreateFix,
    responses((status = 201, description = "The fix", body = FixChanged),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn create_fix(
    app: App,
    credentials: Credentials,
    PathParam(issue_id): PathParam,
    ValidJson(request): ValidJson<CreateFix>,
) -> Result<(StatusCode, JsonText), ApiError> {
    let access = load(&app, credentials, &issue_id).await?;
    let (caller, id) = (access.caller().id(), random::object_id()?);
    let batch = (
        fixes::insert(&access, &id, &request, &now())?,
        pictures::show_in_fix(caller, &id, &request.images)?,
        fixes::read(caller, &id),
    );
    let (_, _, rows) = app.db()?.run(batch).await?;
    let body = format!(
        "{{\"message\":\"Fix created successfully\",\"fix\":{}}}",
        exactly_one(rows, ABSENT)?
    );
    Ok((StatusCode::CREATED, JsonText(body)))
}

/// Removes a fix: its author, or an administrator.
#[utoipa::path(delete, path = "/api/community/issues/{issue_id}/fixes/{fix_id}", summary = "Remove a fix",
    params(("issue_id" = String, Path, description = "The issue's `id`"), ("fix_id" = String, Path, description = "The fix's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 403, description = "Somebody else wrote it", body = ErrorBody),
        (status = 404, description = "No such fix of such an issue in the caller's organization", body = ErrorBody)))]
pub async fn delete_fix(
    app: App,
    credentials: Credentials,
    PathPair(issue_id, fix_id): PathPair,
) -> Result<Json<Message>, ApiError> {
    let db = app.db()?;
    let find = fixes::find(credentials.user_id(), &issue_key(&issue_id)?, &fix_key(&fix_id)?);
    let (caller, found) = credentials.load(&db, find).await?;
    let control = PostControl::decide(caller, found, ABSENT, "Not authorized to delete this fix")?;
    let event = removed(control.caller(), Action::FixDeleted, control.post());
    db.run((fixes::delete(&control), audit::record_if_changed(&event)))
        .await?;
    Ok(Json(Message {
        message: "Fix deleted".to_owned(),
    }))
}

/// Says which fix it was: the issue's author, or an administrator. The issue is resolved by that.
#[utoipa::path(post, path = "/api/community/issues/{issue_id}/fixes/{fix_id}/accept", summary = "Accept a fix",
    params(("issue_id" = String, Path, description = "The issue's `id`"), ("fix_id" = String, Path, description = "The fix's `id`")),
    responses((status = 200, description = "It is the accepted one, and none of the others is", body = Message),
        (status = 403, description = "Somebody else wrote the issue", body = ErrorBody),
        (status = 404, description = "No such fix of such an issue in the caller's organization", body = ErrorBody)))]
pub async fn accept_fix(
    app: App,
    credentials: Credentials,
    PathPair(issue_id, fix_id): PathPair,
) -> Result<Json<Message>, ApiError> {
    let (db, issue, fix) = (app.db()?, issue_key(&issue_id)?, fix_key(&fix_id)?);
    let batch = (store::find(credentials.user_id(), &issue), fixes::exists(&issue, &fix));
    let (caller, (found, exists)) = credentials.load(&db, batch).await?;
    let access = IssueAccess::decide(caller, found)?;
    let control = access.control("Only issue author can mark fixes as accepted")?;
    if exists.is_empty() {
        return Err(ApiError::not_found(ABSENT));
    }
    let issue = control.access().issue();
    let event = control
        .caller()
        .event(Action::FixAccepted, Resource::Issue)
        .within(&issue.organization_id)
        .on(&issue.id)
        .detail("title", issue.title.as_str())
        .detail("fix_id", fix.as_str());
    db.run((
        fixes::accept(&control, &fix),
        store::resolve(&control, &now()),
        audit::record(&event),
    ))
    .await?;
    Ok(Json(Message {
        message: "Fix accepted".to_owned(),
    }))
}
