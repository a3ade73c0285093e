//! Signing in, staying signed in, and signing out: passwords, the choice among organizations, codes, tokens.
pub mod finish;
mod handlers;
mod otp;
pub mod state;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{login, password, second_factor, session};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "auth";
        login::community => Open,
        login::login => Open,
        login::select_tenant => Open,
        login::verify_otp => Open,
        login::verify_factor => Open,
        session::refresh => Open,
        session::logout => InPerson.before_password_change(),
        session::me => SignedIn.before_password_change(),
        password::change => InPerson.before_password_change(), also "/api/users/password",
        password::forgot => Open,
        password::reset => Open,
        password::reset_by_body => Open,
        second_factor::status => SignedIn,
        second_factor::enroll => InPerson,
        second_factor::confirm => InPerson,
        second_factor::disable => InPerson,
        second_factor::replace_codes => InPerson,
        second_factor::reset => Needs(UsersEdit).of_people(),
    ]
}
