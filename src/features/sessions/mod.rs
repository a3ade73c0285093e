//! Terminal sessions: one shell on a machine, opened by one account. `terminals/` opens them; this is the list of them, and
//! how to end one.
pub mod access;
pub mod authority;
mod body;
mod handlers;
#[cfg(test)]
mod model;
pub mod revocation;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "terminal";
        handlers::list_sessions => SignedIn,
        handlers::close_session => Object,
    ]
}
