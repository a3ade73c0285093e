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

use handlers::{change, list};

pub use handlers::{
    change::end,
    list::{SessionPage, status},
};

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "terminal";
        list::list_sessions => SignedIn,
        list::list_machine_sessions => Object,
        list::list_active_machine_sessions => Object,
        change::update_session => Object,
        change::close_session => Object,
    ]
}
