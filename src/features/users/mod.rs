//! The people of an organization: who is there, inviting them, changing what they are and may do, and letting them go.
pub mod access;
pub mod body;
mod escalation;
pub mod handlers;
pub mod load;
mod role_assignment;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{create, delete, edit, export, invitation, list, password, roles};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "users";
        export::export_users => Needs(UsersView),
        list::list_users => AdminOr(UsersView),
        list::find_user => Object,
        list::find_user_groups => Object,
        create::create_user => AdminOr(UsersCreate).of_people(), also "/api/users/invite",
        invitation::resend_invite => AdminOr(UsersCreate).of_people(),
        edit::update_user => AdminOr(UsersEdit).of_people(),
        password::reset_user_password => Needs(UsersEdit).of_people(),
        delete::delete_user => AdminOr(UsersDelete).of_people(),
        roles::find_user_roles => Object, also "/api/roles/users/{user_id}",
        roles::assign_user_roles => AdminOr(UsersAssignRoles).of_people(), also "/api/roles/users/{user_id}/roles",
        roles::replace_user_roles => AdminOr(UsersAssignRoles).of_people(),
    ]
}
