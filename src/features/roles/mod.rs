//! Roles: sets of permissions that an organization gives to its people, beside what comes with the product.
pub mod access;
mod body;
pub mod builtin;
mod change;
mod handlers;
pub mod row;
pub mod store;

use crate::http::operation::{Routes, routes};

/// The routes of this feature. Those about one account are in `users/`.
pub fn routes() -> Routes {
    routes![
        handlers::list_roles,
        handlers::list_portal_roles,
        handlers::list_machine_roles,
        handlers::list_permissions,
        handlers::find_role,
        change::create_role,
        change::update_role,
        change::delete_role
    ]
}
