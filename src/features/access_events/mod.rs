//! Logins on machines that did not pass the edge: by SSH, or at the console. Agents see them, relays bring them here.
mod handlers;
pub mod record;
mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "machines";
        handlers::list_access_events => Object,
    ]
}
