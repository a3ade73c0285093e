//! Organizations: who owns everything.
mod change;
mod contents;
mod handlers;
mod removal;
mod settings;
pub mod store;

use crate::routes::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        settings::find_own_organization,
        settings::update_own_organization,
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
