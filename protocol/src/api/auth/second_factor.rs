//! The second factor: codes of an authenticator app, and recovery codes for when it is lost.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{check_password, check_token};
use crate::api::secret::Secret;
use crate::api::validate::{Faults, Validate};

/// Longest code: a recovery code with the separators that people type.
const MAX_CODE: usize = 32;

fn check_code(faults: &mut Faults, code: &Secret) {
    faults.check(
        (6..=MAX_CODE).contains(&code.expose().chars().count()),
        "code",
        format!("must have 6 to {MAX_CODE} characters"),
    );
}

/// Whether the caller's sign-ins need a second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecondFactorStatus {
    /// Whether they do.
    pub enabled: bool,
    /// The same.
    pub mfa_enabled: bool,
    /// Whether an enrolment waits to be confirmed.
    pub pending: bool,
    /// Recovery codes that were not used yet.
    pub backup_codes_remaining: i64,
}

/// A secret for an authenticator app. It counts once a code made with it has confirmed it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Enrolment {
    /// The secret in Base32, to type.
    #[schema(value_type = String)]
    pub secret: Secret,
    /// The same for apps: `otpauth://totp/…`.
    #[schema(value_type = String)]
    pub otpauth_uri: Secret,
    /// The same to scan: an SVG image as a `data:` URI.
    #[schema(value_type = String)]
    pub qr_code: Secret,
}

/// A code of the app.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TotpCode {
    /// Six digits.
    #[schema(value_type = String, min_length = 6, max_length = 32)]
    pub code: Secret,
}

impl Validate for TotpCode {
    fn validate(&self, faults: &mut Faults) {
        check_code(faults, &self.code);
    }
}

/// Recovery codes. They are shown once; each signs in once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    /// For people.
    pub message: String,
    /// The codes.
    #[schema(value_type = Vec<String>)]
    pub backup_codes: Vec<Secret>,
}

/// The second step of a sign-in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VerifySecondFactor {
    /// From the first step.
    #[schema(value_type = String, min_length = 1, max_length = 8192)]
    pub mfa_token: Secret,
    /// A code of the app, a recovery code, or the code that was mailed.
    #[schema(value_type = String, min_length = 6, max_length = 32)]
    pub code: Secret,
}

impl Validate for VerifySecondFactor {
    fn validate(&self, faults: &mut Faults) {
        check_token(faults, "mfa_token", &self.mfa_token);
        check_code(faults, &self.code);
    }
}

/// Proves again who is there. One of the two is needed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedBy {
    /// The account's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 1024)]
    pub password: Option<Secret>,
    /// A code of the app, or a recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, min_length = 6, max_length = 32)]
    pub code: Option<Secret>,
}

impl Validate for ConfirmedBy {
    fn validate(&self, faults: &mut Faults) {
        faults.check(
            self.password.is_some() || self.code.is_some(),
            "password",
            "is required, or code in its place",
        );
        if let Some(password) = &self.password {
            check_password(faults, "password", password, 1);
        }
        if let Some(code) = &self.code {
            check_code(faults, code);
        }
    }
}

/// The second factor was taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecondFactorChanged {
    /// `ok`.
    pub status: String,
    /// For people.
    pub message: String,
}
