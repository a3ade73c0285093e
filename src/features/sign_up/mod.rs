//! How accounts come to be by themselves: signing up, setting a server up, accepting an invitation, proving an address.
pub mod bootstrap;
pub mod first_account;
pub mod handlers;

use crate::http::operation::{Routes, routes};
use handlers::{invite, setup, signup, verify_email};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        signup::signup,
        signup::company,
        setup::required,
        setup::status,
        setup::setup,
        invite::accept,
        invite::accept_by_body,
        verify_email::verify,
        verify_email::send_again,
    ]
}
