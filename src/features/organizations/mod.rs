//! Organizations: who owns everything. Here are their rows and rights; what is changed of them, `organization_admin` does, as it ends terminals.
pub mod access;
pub mod change;
pub mod handlers;
pub mod policy;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "organizations";
        handlers::find_own_organization => Admin,
    ]
}
