//! Accounts and tokens.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::Secret;
use super::validate::{Faults, Validate, is_email};
use crate::ids::ObjectId;

/// Longest mail address, as mail transports allow it.
pub const MAX_EMAIL: usize = 254;

/// Longest password. Hashing takes the same time for any length up to here.
pub const MAX_PASSWORD: usize = 1024;

/// Shortest password of a community account (contract of `/api/signup`).
pub const MIN_PASSWORD: usize = 6;

/// Longest token a body may carry; ours have about 700 characters.
const MAX_TOKEN: usize = 8192;

/// Whether a text can be a username: 3 to 50 ASCII letters, digits, `.`, `_` and `-`, the first a letter or digit.
pub fn is_username(text: &str) -> bool {
    (3..=50).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// A new account in an organization of its own.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Signup {
    /// Unique among all accounts, upper and lower case being the same.
    #[schema(
        min_length = 3,
        max_length = 50,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        example = "johndoe"
    )]
    pub username: String,
    /// Unique among accounts made this way.
    #[schema(
        max_length = 254,
        pattern = r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$",
        example = "john@example.org"
    )]
    pub email: String,
    /// 6 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 6, max_length = 1024)]
    pub password: Secret,
}

impl Validate for Signup {
    fn validate(&self, faults: &mut Faults) {
        faults.check(
            is_username(&self.username),
            "username",
            "must have 3 to 50 characters of A-Z a-z 0-9 . _ - and begin with a letter or digit",
        );
        faults.check(
            is_email(&self.email) && self.email.chars().count() <= MAX_EMAIL,
            "email",
            format!("must be a mail address of at most {MAX_EMAIL} characters, such as name@example.org"),
        );
        faults.check(
            (MIN_PASSWORD..=MAX_PASSWORD).contains(&self.password.expose().chars().count()),
            "password",
            format!("must have {MIN_PASSWORD} to {MAX_PASSWORD} characters"),
        );
    }
}

/// Credentials of an account. One of `email` and `username` is needed; `email` wins.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// The account's mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// The account's username.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    pub username: Option<String>,
    /// The account's password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 1024)]
    pub password: Secret,
}

impl Login {
    /// What the caller gave to name the account, if anything.
    pub fn name(&self) -> Option<&str> {
        [&self.email, &self.username]
            .into_iter()
            .flatten()
            .map(|text| text.trim())
            .find(|text| !text.is_empty())
    }
}

impl Validate for Login {
    fn validate(&self, faults: &mut Faults) {
        match self.name() {
            None => faults.add("email", "is required, or username in its place"),
            Some(name) => {
                faults.check(
                    name.chars().count() <= MAX_EMAIL,
                    "email",
                    format!("must have at most {MAX_EMAIL} characters"),
                );
                faults.check(!name.contains('\0'), "email", "must not contain NUL characters");
            }
        }
        faults.check(
            (1..=MAX_PASSWORD).contains(&self.password.expose().chars().count()),
            "password",
            format!("must have 1 to {MAX_PASSWORD} characters"),
        );
    }
}

/// A token to renew. Without a body, the one in `Authorization` is renewed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refresh {
    /// A token that has not expired.
    #[schema(value_type = String, min_length = 1, max_length = 8192)]
    pub token: Secret,
}

impl Validate for Refresh {
    fn validate(&self, faults: &mut Faults) {
        let length = self.token.expose().len();
        faults.check(
            (1..=MAX_TOKEN).contains(&length),
            "token",
            format!("must have 1 to {MAX_TOKEN} characters"),
        );
    }
}

/// The account as its owner sees it right after signing up or in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// The account.
    pub id: ObjectId,
    /// Its number, for the routes that want one.
    pub int_id: i64,
    /// Its name.
    pub username: String,
    /// Its mail address.
    pub email: String,
    /// The key that enrols machines: `vsay_ak_` and 48 hex characters.
    #[schema(value_type = String)]
    pub api_key: Secret,
}

/// A new account, signed in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignedUp {
    /// The bearer token for `Authorization`.
    #[schema(value_type = String)]
    pub token: Secret,
    /// As in `user`.
    #[schema(value_type = String)]
    pub api_key: Secret,
    /// The account.
    pub user: Account,
    /// Seconds until the token expires.
    pub expires_in: u64,
}

/// A caller who proved an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LoggedIn {
    /// The bearer token for `Authorization`.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The account.
    pub user: Account,
    /// Seconds until the token expires.
    pub expires_in: u64,
    /// Proves the password for a few minutes, to choose among `available_tenants`. It is no bearer token.
    #[schema(value_type = String)]
    pub session_token: Secret,
    /// The organizations that this mail address and password open.
    pub available_tenants: Vec<Tenant>,
}

/// One account of a person who has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// The organization's slug.
    pub tenant_id: String,
    /// The organization's name.
    pub tenant_name: String,
    /// The account's name.
    pub username: String,
    /// The account.
    pub user_id: ObjectId,
}

/// A renewed token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refreshed {
    /// The bearer token for `Authorization`.
    #[schema(value_type = String)]
    pub token: Secret,
    /// Seconds until it expires.
    pub expires_in: u64,
}

/// What an account may do in its organization, before any role it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything everywhere.
    SuperAdmin,
    /// Everything in its organization.
    CompanyAdmin,
    /// What it was granted.
    User,
}

impl Role {
    /// The role as it travels and is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SuperAdmin => "super_admin",
            Self::CompanyAdmin => "company_admin",
            Self::User => "user",
        }
    }
}

/// An account as its owner sees it: the union of the shapes that the published APIs give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The account.
    pub id: ObjectId,
    /// Its number, for the routes that want one.
    pub int_id: i64,
    /// Its name, unique everywhere.
    pub username: String,
    /// Its mail address.
    pub email: String,
    /// Given name, or empty.
    pub first_name: String,
    /// Family name, or empty.
    pub last_name: String,
    /// Both names, or nothing.
    pub display_name: Option<String>,
    /// The organization's slug.
    pub tenant_id: String,
    /// The organization's name.
    pub tenant_name: String,
    /// What it may do.
    pub role: Role,
    /// `allow_sudo`, `non_sudo` or empty.
    pub machine_role: String,
    /// Names of its groups.
    pub groups: Vec<String>,
    /// Whether the mail address was proven.
    pub email_verified: bool,
    /// Whether it may sign in.
    pub enabled: bool,
    /// What it may do, sorted. `*` is everything.
    pub permissions: Vec<String>,
    /// Roles it was given, beside `role`.
    pub roles: Vec<RoleRef>,
    /// The key that enrols machines.
    #[schema(value_type = String)]
    pub api_key: Secret,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// When it signed in last.
    pub last_login: Option<DateTime<Utc>>,
    /// The same, under another name.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// A role by number and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleRef {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(request: impl Validate) -> Vec<String> {
        let mut faults = Faults::default();
        request.validate(&mut faults);
        faults.into_vec().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_signup_reports_every_field_that_is_wrong() {
        let signup = |username: &str, email: &str, password: &str| {
            fields(Signup {
                username: username.into(),
                email: email.into(),
                password: password.to_owned().into(),
            })
        };
        assert!(signup("john.doe-1", "john@example.org", "secret").is_empty());
        assert_eq!(signup("jo", "john", "short"), ["username", "email", "password"]);
        assert_eq!(
            signup("-john", "john@example.org", &"x".repeat(MAX_PASSWORD + 1)),
            ["username", "password"]
        );
        assert_eq!(
            signup("jöhn", &format!("{}@example.org", "x".repeat(250)), "secret"),
            ["username", "email"]
        );
    }

    #[test]
    fn a_login_needs_a_name_and_prefers_the_mail_address() {
        let login = |text: &str| serde_json::from_str::<Login>(text).unwrap();
        assert_eq!(fields(login(r#"{"password":"x"}"#)), ["email"]);
        assert_eq!(
            fields(login(r#"{"username":"  ","password":""}"#)),
            ["email", "password"]
        );
        assert_eq!(
            login(r#"{"username":"a","email":"b@c.d","password":"x"}"#).name(),
            Some("b@c.d")
        );
        assert_eq!(
            login(r#"{"username":" a ","email":"","password":"x"}"#).name(),
            Some("a")
        );
    }

    #[test]
    fn a_password_does_not_show_in_debug_output() {
        let login: Login = serde_json::from_str(r#"{"email":"a@b.c","password":"hunter2"}"#).unwrap();
        assert!(!format!("{login:?}").contains("hunter2"));
    }
}
