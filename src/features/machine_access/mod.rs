//! Who may use a machine, and lending it to colleagues.
mod body;
mod handlers;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "machines";
        handlers::list_access_users => Object,
        handlers::grant_access => Object,
        handlers::revoke_access => Object,
    ]
}
