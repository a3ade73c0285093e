//! Machines in the form of `/v1`: thin adapters over `machines` and `v1_sessions`.
mod body;
mod handlers;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "sessions v1";
        handlers::list_machines => SignedIn,
        handlers::find_machine => Object,
        handlers::delete_machine => Object,
        handlers::test_machine => Object,
        handlers::connect_machine => Object,
    ]
}
