//! The people of an organization: who is there, inviting them, changing what they are and may do, and letting them go.
pub mod access;
pub mod body;
mod create;
mod delete;
mod edit;
pub mod export;
mod guard;
mod invitation;
pub mod list;
pub mod password;
mod roles;
pub mod row;
pub mod store;
mod wanted;

use protocol::ids::ObjectId;

use crate::auth::caller::Credentials;
use crate::http::operation::{Routes, routes};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use access::UserAccess;

use store::UserKey;

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        export::export_users,
        list::list_users,
        list::find_user,
        list::find_user_groups,
        create::create_user,
        create::invite_user,
        invitation::resend_invite,
        edit::update_user,
        password::reset_user_password,
        delete::delete_user,
        roles::find_user_roles,
        roles::find_user_roles_alias,
        roles::assign_user_roles,
        roles::replace_user_roles,
        roles::assign_user_roles_alias
    ]
}

/// Looks an account up for the caller.
pub async fn reach(app: &App, credentials: Credentials, user_id: &str) -> Result<UserAccess, ApiError> {
    let key = UserKey::parse(user_id).ok_or_else(|| ApiError::bad_request("Invalid user ID"))?;
    let find = store::find(credentials.user_id(), &key);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    UserAccess::decide(caller, found)
}

/// The account as it is after a change in the same batch.
fn again(caller: &ObjectId, user: &ObjectId) -> crate::platform::db::Query<store::FoundUser> {
    store::find(caller, &UserKey::Id(user.clone()))
}

/// The row that [`again`] found.
fn one(found: Vec<store::FoundUser>) -> Result<row::UserRow, ApiError> {
    let found = found.into_iter().next();
    found
        .map(|found| found.user)
        .ok_or_else(|| ApiError::not_found("User not found"))
}
