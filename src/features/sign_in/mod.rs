//! Signing in, staying signed in, and signing out: passwords, the choice among organizations, codes, tokens.
mod handlers;
mod otp;
pub mod signed_in;
pub mod state;
pub mod store;

use crate::http::operation::{Routes, routes};

use handlers::{login, password, second_factor, session};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        login::community,
        login::login,
        login::select_tenant,
        login::verify_otp,
        login::verify_factor,
        session::refresh,
        session::logout,
        session::me,
        password::change,
        password::change_alias,
        password::forgot,
        password::reset,
        password::reset_by_body,
        second_factor::status,
        second_factor::enroll,
        second_factor::confirm,
        second_factor::disable,
        second_factor::replace_codes,
        second_factor::reset,
    ]
}
