//! Roles: sets of permissions that an organization gives to its people, beside what comes with the product.
pub mod access;
mod body;
pub mod builtin;
mod handlers;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::change;

/// The routes of this feature. Those about one account are in `users/`.
pub fn routes() -> Routes {
    routes![
        tag = "roles";
        handlers::list_roles => SignedIn,
        handlers::list_portal_roles => SignedIn,
        handlers::list_machine_roles => SignedIn,
        handlers::list_permissions => Needs(RolesView),
        handlers::find_role => Needs(RolesView),
        change::create_role => Needs(RolesCreate).of_people(),
        change::update_role => Needs(RolesEdit).of_people(),
        change::delete_role => Needs(RolesDelete).of_people(),
    ]
}
