//! Accounts and tokens. What is checked in more than one body is checked here.
mod account;
mod login;
mod password;
mod second_factor;
mod signup;

pub use account::{Account, Role, RoleRef, Tenant, User};
pub use login::{
    Challenge, Factor, LoggedOut, Login, LoginAnswer, Refresh, Refreshed, SelectTenant, SignedIn, TenantChoice,
    VerifyOtp,
};
pub use password::{
    AcceptInvite, AcceptInviteByToken, ChangePassword, ForgotPassword, PasswordChanged, PasswordReset,
    PasswordResetByToken, StatusOk,
};
pub use second_factor::{
    ConfirmedBy, Enrolment, RecoveryCodes, SecondFactorChanged, SecondFactorStatus, TotpCode, VerifySecondFactor,
};
pub use signup::{CompanySignedUp, CompanySignup, Setup, SetupStatus, SignedUp, Signup, slug};

use super::secret::Secret;
use super::validate::{Faults, is_email};

/// Longest mail address, as mail transports allow it.
pub const MAX_EMAIL: usize = 254;

/// Longest password. Hashing takes the same time for any length up to here.
pub const MAX_PASSWORD: usize = 1024;

/// Shortest password of a community account (contract of `/api/signup`).
pub const MIN_COMMUNITY_PASSWORD: usize = 6;

/// Shortest password everywhere else.
pub const MIN_PASSWORD: usize = 8;

/// Longest token a body may carry; the longest of ours have about 1500 characters.
const MAX_TOKEN: usize = 8192;

/// Longest name of a person, in characters.
pub const MAX_NAME: usize = 100;

/// Whether a text can be a username: 3 to 50 ASCII letters, digits, `.`, `_` and `-`, the first a letter or digit.
pub fn is_username(text: &str) -> bool {
    (3..=50).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Checks a username that somebody chooses.
pub fn check_username(faults: &mut Faults, field: &str, username: &str) {
    faults.check(
        is_username(username),
        field,
        "must have 3 to 50 characters of A-Z a-z 0-9 . _ - and begin with a letter or digit",
    );
}

/// Checks a mail address.
pub fn check_email(faults: &mut Faults, field: &str, email: &str) {
    faults.check(
        is_email(email) && email.chars().count() <= MAX_EMAIL,
        field,
        format!("must be a mail address of at most {MAX_EMAIL} characters, such as name@example.org"),
    );
}

/// Checks a password of at least `min` characters: 1 where it is only compared.
pub fn check_password(faults: &mut Faults, field: &str, password: &Secret, min: usize) {
    faults.check(
        (min..=MAX_PASSWORD).contains(&password.expose().chars().count()),
        field,
        format!("must have {min} to {MAX_PASSWORD} characters"),
    );
}

/// Checks that a token could be one.
pub fn check_token(faults: &mut Faults, field: &str, token: &Secret) {
    faults.check(
        (1..=MAX_TOKEN).contains(&token.expose().chars().count()),
        field,
        format!("must have 1 to {MAX_TOKEN} characters"),
    );
}

#[cfg(test)]
mod tests;
