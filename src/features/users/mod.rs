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
pub mod load;
pub mod password;
mod roles;
pub mod row;
pub mod store;
mod wanted;

use crate::http::operation::{Routes, routes};

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
