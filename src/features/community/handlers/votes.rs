//! Votes for issues and likes of fixes. Given twice they count once, and what was not given is taken back without a complaint.
use protocol::api::community::{Liked, Voted};
use protocol::api::error::ErrorBody;

use super::{fix_key, issue_key, load};
use crate::auth::caller::Credentials;
use crate::features::community::access::IssueAccess;
use crate::features::community::store::reactions::{self, Reaction};
use crate::features::community::store::{self, fixes};
use crate::http::extract::{PathPair, PathParam};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// Says that the caller has an issue, too.
#[utoipa::path(post, path = "/api/community/issues/{issue_id}/vote", summary = "Vote for an issue",
    params(("issue_id" = String, Path, description = "The issue's `id`")),
    responses((status = 200, description = "The caller's vote counts, once", body = Voted),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn vote(app: App, credentials: Credentials, PathParam(issue_id): PathParam) -> Result<Json<Voted>, ApiError> {
    let access = load(&app, credentials, &issue_id).await?;
    voted(&app, &access, Reaction::Give, "Vote counted").await
}

/// Takes the caller's vote for an issue back.
#[utoipa::path(delete, path = "/api/community/issues/{issue_id}/vote", summary = "Take a vote back",
    params(("issue_id" = String, Path, description = "The issue's `id`")),
    responses((status = 200, description = "The caller has no vote there", body = Voted),
        (status = 404, description = "No such issue in the caller's organization", body = ErrorBody)))]
pub async fn take_vote_back(
    app: App,
    credentials: Credentials,
    PathParam(issue_id): PathParam,
) -> Result<Json<Voted>, ApiError> {
    let access = load(&app, credentials, &issue_id).await?;
    voted(&app, &access, Reaction::TakeBack, "Vote removed").await
}

/// Says that a fix helped the caller.
#[utoipa::path(post, path = "/api/community/issues/{issue_id}/fixes/{fix_id}/like", summary = "Like a fix",
    params(("issue_id" = String, Path, description = "The issue's `id`"), ("fix_id" = String, Path, description = "The fix's `id`")),
    responses((status = 200, description = "The caller's like counts, once", body = Liked),
        (status = 404, description = "No such fix of such an issue in the caller's organization", body = ErrorBody)))]
pub async fn like_fix(app: App, credentials: Credentials, path: PathPair) -> Result<Json<Liked>, ApiError> {
    liked(&app, credentials, path, Reaction::Give, "Fix liked").await
}

/// Takes the caller's like of a fix back.
#[utoipa::path(delete, path = "/api/community/issues/{issue_id}/fixes/{fix_id}/like", summary = "Take a like back",
    params(("issue_id" = String, Path, description = "The issue's `id`"), ("fix_id" = String, Path, description = "The fix's `id`")),
    responses((status = 200, description = "The caller has no like there", body = Liked),
        (status = 404, description = "No such fix of such an issue in the caller's organization", body = ErrorBody)))]
pub async fn unlike_fix(app: App, credentials: Credentials, path: PathPair) -> Result<Json<Liked>, ApiError> {
    liked(&app, credentials, path, Reaction::TakeBack, "Like removed").await
}

async fn voted(app: &App, access: &IssueAccess, reaction: Reaction, message: &str) -> Result<Json<Voted>, ApiError> {
    let (_, count) = app.db()?.run(reactions::vote(access, reaction)).await?;
    Ok(Json(Voted {
        message: message.to_owned(),
        votes: Count::of(&count),
    }))
}

async fn liked(
    app: &App,
    credentials: Credentials,
    PathPair(issue_id, fix_id): PathPair,
    reaction: Reaction,
    message: &str,
) -> Result<Json<Liked>, ApiError> {
    let (db, issue, fix) = (app.db()?, issue_key(&issue_id)?, fix_key(&fix_id)?);
    let batch = (store::find(credentials.user_id(), &issue), fixes::exists(&issue, &fix));
    let (caller, (found, exists)) = credentials.load(&db, batch).await?;
    let access = IssueAccess::decide(caller, found)?;
    if exists.is_empty() {
        return Err(ApiError::not_found("Fix not found"));
    }
    let (_, count) = db.run(reactions::like(&access, &fix, reaction)).await?;
    Ok(Json(Liked {
        message: message.to_owned(),
        likes: Count::of(&count),
    }))
}
