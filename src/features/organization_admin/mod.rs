//! What super administrators do with organizations: see all of them and what is in them, make, change and end them.
mod contents;
mod handlers;
mod removal;

use crate::http::operation::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        handlers::list_organizations,
        handlers::create_organization,
        handlers::find_organization,
        handlers::update_organization,
        removal::delete_organization,
        contents::find_organization_stats,
        contents::list_organization_users,
        contents::list_organization_groups
    ]
}
