//! Who may use a machine, and lending it to colleagues.
mod handlers;
pub mod store;

use crate::http::operation::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        handlers::list_access_users,
        handlers::grant_access,
        handlers::revoke_access
    ]
}
