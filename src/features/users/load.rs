//! Looking accounts up: for a caller who names one, and again after a change.
use protocol::ids::ObjectId;

use super::access::UserAccess;
use super::row::{FoundUser, UserRow};
use super::store::{self, UserKey};
use crate::auth::caller::Credentials;
use crate::platform::context::App;
use crate::platform::db::Query;
use crate::platform::error::ApiError;

/// Looks an account up for the caller.
pub async fn load(app: &App, credentials: Credentials, user_id: &str) -> Result<UserAccess, ApiError> {
    let key = UserKey::parse(user_id).ok_or_else(|| ApiError::bad_request("Invalid user ID"))?;
    let find = store::find(credentials.user_id(), &key);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    UserAccess::decide(caller, found)
}

/// The account as it is after a change in the same batch.
pub fn reload(caller: &ObjectId, user: &ObjectId) -> Query<FoundUser> {
    store::find(caller, &UserKey::Id(user.clone()))
}

/// The row that [`reload`] found.
pub fn exactly_one(found: Vec<FoundUser>) -> Result<UserRow, ApiError> {
    let found = found.into_iter().next();
    found
        .map(|found| found.user)
        .ok_or_else(|| ApiError::not_found("User not found"))
}
