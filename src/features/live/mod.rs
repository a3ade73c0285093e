//! The live channel: pages of the console are told that something has changed, and ask for it (`docs/live.md`).
mod announce;
mod handlers;

use crate::auth::rule::{Routes, routes};

pub use announce::announce;

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "live";
        handlers::create_channel_ticket => SignedIn.in_person(),
        handlers::listen_to_changes => SignedIn,
    ]
}
