//! Sharing a terminal while it runs: whom its owner has invited, to type or to watch, and the links that invite. `terminals/` opens
//! the socket of a guest, and the machine's relay keeps watchers from typing (`docs/sharing.md`).
pub mod access;
mod body;
mod handlers;
pub mod predicates;
mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{guest, owner};

pub use guest::load;

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "terminal";
        owner::list_shares => Object,
        owner::create_share => Object,
        owner::create_share_link => Object,
        owner::delete_share => Object,
        guest::list_shared_sessions => SignedIn,
        guest::join_share => Object,
    ]
}
