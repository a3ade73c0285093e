//! Accounts and tokens: signing up and in, and who calls.
pub mod access;
pub mod caller;
mod handlers;
mod password;
pub mod store;
pub mod throttle;
pub mod token;

use crate::routes::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![handlers::signup, handlers::login, handlers::refresh, handlers::me]
}
