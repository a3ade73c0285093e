//! Accounts and tokens: signing up and in, and who calls.
pub mod access;
pub mod body;
pub mod bootstrap;
pub mod caller;
mod first_account;
mod handlers;
pub mod keys;
pub mod mailed;
pub mod new_account;
pub mod opened;
mod otp;
pub mod password;
pub mod password_change;
pub mod permission;
pub mod policy;
pub mod refusal;
pub mod revocation;
mod second_factor;
pub mod sign_in_store;
pub mod signed_in;
pub mod store;
pub mod throttle;
pub mod token;
mod totp;
pub mod unproven;

use crate::routes::{Routes, routes};
use handlers::{invite, login, password as passwords, second_factor as factor, session, setup, signup, verify_email};

/// The statements of all files here.
#[cfg(test)]
pub fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        store::STATEMENTS,
        keys::STATEMENTS,
        mailed::STATEMENTS,
        otp::STATEMENTS,
        password_change::STATEMENTS,
        revocation::STATEMENTS,
        second_factor::STATEMENTS,
        sign_in_store::STATEMENTS,
        unproven::STATEMENTS,
        first_account::STATEMENTS,
        setup::STATEMENTS,
        bootstrap::STATEMENTS,
        invite::STATEMENTS,
        verify_email::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        signup::signup,
        signup::company,
        setup::required,
        setup::status,
        setup::setup,
        login::community,
        login::login,
        login::select_tenant,
        login::verify_otp,
        login::verify_factor,
        session::refresh,
        session::logout,
        session::me,
        passwords::change,
        passwords::change_alias,
        passwords::forgot,
        passwords::reset,
        passwords::reset_by_body,
        invite::accept,
        invite::accept_by_body,
        verify_email::verify,
        verify_email::send_again,
        factor::status,
        factor::enroll,
        factor::confirm,
        factor::disable,
        factor::replace_codes,
        factor::reset,
    ]
}
