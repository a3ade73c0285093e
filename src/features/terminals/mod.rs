//! The terminal socket: who may open it, checked before the upgrade, and the hand-over to the machine's relay. What travels
//! on the socket is the relay's business.
mod handlers;
pub mod request;
mod shared;

use crate::auth::rule::{Routes, routes};

pub use handlers::{check_enrolled, opens};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "terminal";
        handlers::create_ticket => Object.in_person(),
        handlers::open_terminal => Object,
        shared::create_shared_ticket => Object.in_person(),
        shared::open_shared_terminal => Object,
    ]
}
