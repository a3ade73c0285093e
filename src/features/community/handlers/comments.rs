//! What people say about issues.
use axum::http::StatusCode;
use protocol::api::Message;
use protocol::api::community::{CommentChanged, CommentList, CreateComment};
use protocol::api::error::ErrorBody;

use super::{exactly_one, issue_key, load, removed};
use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::community::access::{IssueAccess, PostControl};
use crate::features::community::store::{self, comments};
use crate::http::extract::{PathPair, PathParam, QueryParams, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, now};
use crate::platform::error::ApiError;
use crate::platform::random;

/// What is answered where there is no such comment.
const ABSENT: &str = "Comment not found";

/// Lists the comments on an issue, the oldest first.
#[utoipa::path(get, path = "/api/community/issues/{issue_id}/comments", summary = "List the comments on an issue",
    params(("issue_id" = String, Path, description = "The issue's `id`"), PageQuery),
    responses((status = 200, description = "The comments", body = CommentList),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn list_comments(
    app: App,
    credentials: Credentials,
    PathParam(issue_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let (page, issue) = (page.page(), issue_key(&issue_id)?);
    let find = store::find(credentials.user_id(), &issue);
    let (caller, (found, (rows, count))) = credentials
        .load(&app.db()?, (find, comments::list(&issue, page)))
        .await?;
    IssueAccess::decide(caller, found)?;
    Ok(JsonText::page("comments", &rows, page.of(Count::of(&count))))
}

/// Says something about an issue.
#[utoipa::path(post, path = "/api/community/issues/{issue_id}/comments", summary = "Comment on an issue",
    params(("issue_id" = String, Path, description = "The issue's `id`")), request_body = CreateComment,
    responses((status = 201, description = "The comment", body = CommentChanged),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn create_comment(
    app: App,
    credentials: Credentials,
    PathParam(issue_id): PathParam,
    ValidJson(request): ValidJson<CreateComment>,
) -> Result<(StatusCode, JsonText), ApiError> {
    let access = load(&app, credentials, &issue_id).await?;
    let id = random::object_id()?;
    let batch = (
        comments::insert(&access, &id, &request.content, &now()),
        comments::read(&id),
    );
    let (_, rows) = app.db()?.run(batch).await?;
    let body = format!(
        "{{\"message\":\"Comment created successfully\",\"comment\":{}}}",
        exactly_one(rows, ABSENT)?
    );
    Ok((StatusCode::CREATED, JsonText(body)))
}

/// Removes a comment: its author, or an administrator.
#[utoipa::path(delete, path = "/api/community/issues/{issue_id}/comments/{comment_id}", summary = "Remove a comment",
    params(("issue_id" = String, Path, description = "The issue's `id`"), ("comment_id" = String, Path, description = "The comment's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 403, description = "Somebody else wrote it", body = ErrorBody),
        (status = 404, description = "No such comment on such an issue in the caller's organization", body = ErrorBody)))]
pub async fn delete_comment(
    app: App,
    credentials: Credentials,
    PathPair(issue_id, comment_id): PathPair,
) -> Result<Json<Message>, ApiError> {
    let db = app.db()?;
    let comment = comment_id
        .parse()
        .map_err(|_| ApiError::bad_request("Invalid comment ID"))?;
    let find = comments::find(credentials.user_id(), &issue_key(&issue_id)?, &comment);
    let (caller, found) = credentials.load(&db, find).await?;
    let control = PostControl::decide(caller, found, ABSENT, "Not authorized to delete this comment")?;
    let event = removed(control.caller(), Action::CommentDeleted, control.post());
    db.run((comments::delete(&control), audit::record_if_changed(&event)))
        .await?;
    Ok(Json(Message {
        message: "Comment deleted".to_owned(),
    }))
}
