//! What is done with organizations: super administrators see all of them and what is in them, make, change and end them;
//! administrators change their own.
mod handlers;
mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{overview, own, removal};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "organizations";
        handlers::list_organizations => SuperAdmin,
        handlers::create_organization => SuperAdmin,
        handlers::find_organization => SuperAdmin,
        handlers::update_organization => SuperAdmin,
        own::update_own_organization => Admin,
        removal::delete_organization => SuperAdmin,
        overview::find_organization_stats => SuperAdmin,
        overview::list_organization_users => SuperAdmin,
        overview::list_organization_groups => SuperAdmin,
    ]
}
