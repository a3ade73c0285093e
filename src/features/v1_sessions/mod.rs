//! The Sessions API: the same sessions in its own envelope, and its own form of the terminal's socket.
pub mod authenticate;
mod body;
mod handlers;
mod plain;
mod stats;

use crate::auth::rule::{Routes, routes};

use handlers::{create, list, logs, socket};

pub use body::pagination;
pub use handlers::create::{key, open};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "sessions v1";
        list::list_sessions => SignedIn,
        list::read_stats => SignedIn,
        list::find_session => Object,
        create::create_session => SignedIn,
        create::end_session => Object,
        logs::read_logs => Object,
        socket::open_socket => Open,
    ]
}
