//! Personal API keys: making, listing and revoking them. `auth/api_key.rs` takes them as proof of an account.
mod body;
mod handlers;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "auth";
        handlers::list_api_keys => SignedIn,
        handlers::create_api_key => InPerson,
        handlers::delete_api_key => InPerson,
    ]
}
