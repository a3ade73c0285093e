//! What the agent on a machine calls: it enrols once, trading a token for an identity, and then connects with that identity
//! as often as it likes.
mod credential;
mod handlers;
mod rotation;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "agent";
        handlers::enroll => Open,
        handlers::connect => Agent,
    ]
}
