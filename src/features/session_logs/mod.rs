//! One session with what was run in it, and what sessions do at this moment. It lies on sessions and on the command log, whose
//! masks hold for what is shown, too.
mod handlers;
pub mod live;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "terminal";
        handlers::find_session => Object,
        handlers::list_live => SignedIn,
    ]
}
