//! Signing in, in one step or several.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MAX_EMAIL, Tenant, User, check_password, check_token};
use crate::api::secret::Secret;
use crate::api::validate::{Faults, Validate};

/// Credentials of an account. One of `email` and `username` is needed; `email` wins.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// The account's mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254, format = "line")]
    pub email: Option<String>,
    /// The account's username.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254, format = "line")]
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
        for (field, name) in [("email", &self.email), ("username", &self.username)] {
            faults.line(field, name.as_deref().unwrap_or_default(), 0, MAX_EMAIL);
        }
        faults.check(self.name().is_some(), "email", "is required, or username in its place");
        check_password(faults, "password", &self.password, 1);
    }
}

/// A caller who proved an account: the union of what the published APIs answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// The bearer token for `Authorization`.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The same.
    #[schema(value_type = String)]
    pub access_token: Secret,
    /// `bearer`.
    pub token_type: String,
    /// Seconds until the token expires.
    pub expires_in: u64,
    /// The account.
    pub user: User,
    /// As in `user`.
    pub permissions: Vec<String>,
    /// Proves the passwords of `available_tenants`, to switch among them. It is no bearer token.
    #[schema(value_type = String)]
    pub session_token: Secret,
    /// The organizations that this sign-in opens.
    pub available_tenants: Vec<Tenant>,
    /// Whether the password must be changed before anything else.
    pub must_reset_password: bool,
}

/// What else a sign-in needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// The code that was just mailed.
    Mail,
    /// A code of an authenticator app, or a recovery code.
    Totp,
}

/// A sign-in that needs a code: the mailed one at `/api/auth/verify-otp`, either one at `/api/auth/mfa/verify`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Challenge {
    /// For people.
    pub message: String,
    /// Whether a code was mailed.
    pub requires_otp: bool,
    /// Always true.
    pub mfa_required: bool,
    /// Which code is asked for.
    pub mfa_method: Factor,
    /// For `/api/auth/mfa/verify`. It is no bearer token.
    #[schema(value_type = String)]
    pub mfa_token: Secret,
    /// The account, for `/api/auth/verify-otp`.
    pub username: String,
    /// Minutes until a mailed code expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otp_expires_in_min: Option<i64>,
    /// The organizations that the password opens.
    pub tenants: Vec<Tenant>,
    /// To choose another organization.
    #[schema(value_type = String)]
    pub session_token: Secret,
}

/// A password that opens several organizations.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TenantChoice {
    /// Always true.
    pub requires_tenant_selection: bool,
    /// The organizations.
    pub tenants: Vec<Tenant>,
    /// For `/api/auth/select-tenant`.
    #[schema(value_type = String)]
    pub session_token: Secret,
}

/// Where a sign-in stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum LoginAnswer {
    /// Done.
    SignedIn(Box<SignedIn>),
    /// A code is needed.
    Challenge(Challenge),
    /// A choice is needed.
    Choice(TenantChoice),
}

/// The choice of an organization.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SelectTenant {
    /// From a sign-in. Only the browser console may leave it out, whose cookie has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 8192)]
    pub session_token: Option<Secret>,
    /// The organization's slug.
    #[schema(min_length = 1, max_length = 200, format = "line")]
    pub tenant_id: String,
}

impl Validate for SelectTenant {
    fn validate(&self, faults: &mut Faults) {
        if let Some(token) = &self.session_token {
            check_token(faults, "session_token", token);
        }
        faults.line("tenant_id", &self.tenant_id, 1, 200);
    }
}

/// The code that was mailed for a sign-in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VerifyOtp {
    /// The account, as the challenge named it.
    #[schema(min_length = 1, max_length = 254, format = "line")]
    pub username: String,
    /// Six digits.
    #[schema(value_type = String, pattern = "^[0-9]{6}$")]
    pub otp_code: Secret,
}

impl Validate for VerifyOtp {
    const OTHER_NAMES: &'static [(&'static str, &'static str)] = &[("otp", "otp_code")];

    fn validate(&self, faults: &mut Faults) {
        faults.line("username", &self.username, 1, MAX_EMAIL);
        let code = self.otp_code.expose();
        faults.check(
            code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
            "otp_code",
            "must be 6 digits",
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
        check_token(faults, "token", &self.token);
    }
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

/// The end of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoggedOut {
    /// For people.
    pub message: String,
}
