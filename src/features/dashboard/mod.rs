//! What is going on, at a glance: how many machines there are and how they do, which were active last, and what was run on them.
mod handlers;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "dashboard";
        handlers::read_stats => SignedIn,
        handlers::list_recent_machines => SignedIn,
        handlers::list_recent_activity => SignedIn,
    ]
}
