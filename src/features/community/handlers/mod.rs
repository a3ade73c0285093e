//! What people do in the community.
pub mod comments;
pub mod fixes;
pub mod issues;
pub mod pictures;
pub mod votes;

use protocol::ids::ObjectId;

use super::access::IssueAccess;
use super::store;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::{Caller, Credentials};
use crate::features::community::row::FoundPost;
use crate::http::json_text::BodyRow;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// The issue's id in a path.
fn issue_key(text: &str) -> Result<ObjectId, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("Invalid issue ID"))
}

/// The fix's id in a path.
fn fix_key(text: &str) -> Result<ObjectId, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("Invalid fix ID"))
}

/// Looks an issue up for the caller.
async fn load(app: &App, credentials: Credentials, issue_id: &str) -> Result<IssueAccess, ApiError> {
    let find = store::find(credentials.user_id(), &issue_key(issue_id)?);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    IssueAccess::decide(caller, found)
}

/// Something done to a fix or a comment, in the log of the issue's organization.
fn removed(caller: &Caller, action: Action, post: &FoundPost) -> Event {
    caller
        .event(action, Resource::Issue)
        .within(&post.organization_id)
        .on(&post.issue_id)
        .detail("title", post.title.as_str())
        .detail("author", post.author.as_str())
}

/// The body after a change that succeeded. What it is of may be deleted in between.
fn exactly_one(rows: Vec<BodyRow>, absent: &'static str) -> Result<String, ApiError> {
    let row = rows.into_iter().next();
    row.map(|row| row.body).ok_or_else(|| ApiError::not_found(absent))
}
