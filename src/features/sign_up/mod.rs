//! How accounts come to be by themselves: signing up, setting a server up, accepting an invitation, proving an address.
pub mod bootstrap;
pub mod first_account;
pub mod handlers;

use crate::auth::rule::{Routes, routes};
use handlers::{invite, setup, signup, verify_email};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "auth";
        signup::signup => Open,
        signup::company => Open,
        setup::required => Open, also "/api/auth/status",
        setup::setup => Open,
        invite::accept => Open,
        invite::accept_by_body => Open,
        verify_email::verify => Open,
        verify_email::send_again => SignedIn,
    ]
}
