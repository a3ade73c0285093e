//! Making accounts.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Account, MAX_NAME, MIN_COMMUNITY_PASSWORD, MIN_PASSWORD, check_email, check_password, check_username};
use crate::api::secret::Secret;
use crate::api::validate::{Faults, Validate};
use crate::ids::ObjectId;

/// Longest name of an organization, in characters.
const MAX_ORGANIZATION: usize = 100;

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
    #[schema(max_length = 254, format = "mail", example = "john@example.org")]
    pub email: String,
    /// 6 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 6, max_length = 1024)]
    pub password: Secret,
}

impl Validate for Signup {
    fn validate(&self, faults: &mut Faults) {
        check_username(faults, "username", &self.username);
        check_email(faults, "email", &self.email);
        check_password(faults, "password", &self.password, MIN_COMMUNITY_PASSWORD);
    }
}

/// A new account, signed in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignedUp {
    /// The bearer token for `Authorization`.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The same.
    #[schema(value_type = String)]
    pub access_token: Secret,
    /// As in `user`.
    #[schema(value_type = String)]
    pub api_key: Secret,
    /// The account.
    pub user: Account,
    /// Seconds until the token expires.
    pub expires_in: u64,
}

/// A new organization and the account that administers it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CompanySignup {
    /// Unique among all accounts, upper and lower case being the same.
    #[schema(
        min_length = 3,
        max_length = 50,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        example = "johndoe"
    )]
    pub username: String,
    /// The account's mail address.
    #[schema(max_length = 254, format = "mail", example = "john@example.org")]
    pub email: String,
    /// 8 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    pub password: Secret,
    /// The same as `password`, if it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Password)]
    pub confirm_password: Option<Secret>,
    /// Given name.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub first_name: String,
    /// Family name.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub last_name: String,
    /// What the organization's slug is made of.
    #[schema(
        min_length = 1,
        max_length = 100,
        format = "line-with-a-letter",
        example = "Acme Inc"
    )]
    pub organization_name: String,
    /// The organization's name.
    #[schema(min_length = 1, max_length = 100, example = "Acme Incorporated", format = "line")]
    pub company_name: String,
}

impl CompanySignup {
    /// The organization's name in addresses and tokens: lower case, runs of anything but letters, digits, `.` and `_` as `-`.
    pub fn slug(&self) -> String {
        slug(&self.organization_name)
    }
}

/// The slug of an organization's name; empty if the name has no letter or digit of ASCII.
pub fn slug(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' || c == '.' {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let text: String = name.chars().map(plain).collect();
    let words: Vec<&str> = text.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").trim_matches('.').to_owned()
}

impl Validate for CompanySignup {
    fn validate(&self, faults: &mut Faults) {
        check_username(faults, "username", &self.username);
        check_email(faults, "email", &self.email);
        check_password(faults, "password", &self.password, MIN_PASSWORD);
        let confirmed = self
            .confirm_password
            .as_ref()
            .is_none_or(|again| *again == self.password);
        faults.check(confirmed, "confirm_password", "must be the same as password");
        faults.line("first_name", &self.first_name, 1, MAX_NAME);
        faults.line("last_name", &self.last_name, 1, MAX_NAME);
        faults.line("organization_name", &self.organization_name, 1, MAX_ORGANIZATION);
        faults.check(
            self.slug().bytes().any(|b| b.is_ascii_alphanumeric()),
            "organization_name",
            "must contain a letter A-Z or a digit",
        );
        faults.line("company_name", &self.company_name, 1, MAX_ORGANIZATION);
    }
}

/// A new organization's administrator, who signs in next.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CompanySignedUp {
    /// For people.
    pub message: String,
    /// The account.
    pub user_id: ObjectId,
    /// Its name.
    pub username: String,
    /// The organization's name.
    pub organization: String,
}

/// The first account of a server.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Setup {
    /// 3 to 30 letters, digits and underscores.
    #[schema(pattern = "^[A-Za-z0-9_]{3,30}$", example = "admin")]
    pub username: String,
    /// 8 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    pub password: Secret,
    /// Where mail for the account goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254, format = "mail-or-empty")]
    pub email: Option<String>,
    /// Opens the vaults of Ansible; absent or empty if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Password, max_length = 1024)]
    pub vault_password: Option<Secret>,
}

impl Setup {
    /// The address, if one was given.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref().filter(|email| !email.is_empty())
    }

    /// The password of vaults, if one was given.
    pub fn vault_password(&self) -> Option<&Secret> {
        self.vault_password
            .as_ref()
            .filter(|password| !password.expose().is_empty())
    }
}

impl Validate for Setup {
    fn validate(&self, faults: &mut Faults) {
        let fits = (3..=30).contains(&self.username.len())
            && self.username.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        faults.check(fits, "username", "must be 3-30 alphanumeric characters or underscores");
        check_password(faults, "password", &self.password, MIN_PASSWORD);
        if let Some(email) = self.email() {
            check_email(faults, "email", email);
        }
        if let Some(password) = self.vault_password() {
            check_password(faults, "vault_password", password, 1);
        }
    }
}

/// Whether a server has been set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetupStatus {
    /// Nobody has an account yet.
    pub setup_required: bool,
    /// The opposite.
    pub setup_complete: bool,
    /// Whether a vault password was given.
    pub vault_set: bool,
}
