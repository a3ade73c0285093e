//! Personal API keys: making, listing and revoking them. `auth/keys.rs` takes them as proof of an account.
mod handlers;
pub mod store;

use crate::http::operation::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        handlers::list_api_keys,
        handlers::create_api_key,
        handlers::delete_api_key
    ]
}
