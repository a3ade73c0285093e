//! Organizations: who owns everything. Here are their rows and rights, and what administrators do with their own.
pub mod access;
pub mod change;
pub mod handlers;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "organizations";
        handlers::find_own_organization => Admin,
        handlers::update_own_organization => Admin,
    ]
}
