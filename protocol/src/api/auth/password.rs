//! Passwords that are changed, forgotten, and chosen for the first time.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MAX_NAME, MIN_PASSWORD, User, check_email, check_password, check_token};
use crate::api::secret::Secret;
use crate::api::validate::{Faults, Validate};

/// A new password for the caller.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangePassword {
    /// The password until now. Only an account that must change it may leave this out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 1024)]
    pub current_password: Option<Secret>,
    /// 8 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    pub new_password: Secret,
}

impl Validate for ChangePassword {
    fn validate(&self, faults: &mut Faults) {
        if let Some(current) = &self.current_password {
            check_password(faults, "current_password", current, 1);
        }
        check_password(faults, "new_password", &self.new_password, MIN_PASSWORD);
    }
}

/// A password was changed, and all other sign-ins of the account ended.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PasswordChanged {
    /// For people.
    pub message: String,
    /// `ok`.
    pub status: String,
    /// The token that takes the place of the one that asked, which no longer works.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The same.
    #[schema(value_type = String)]
    pub access_token: Secret,
    /// `bearer`.
    pub token_type: String,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// The account.
    pub user: User,
}

/// Somebody who cannot sign in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ForgotPassword {
    /// The account's mail address.
    #[schema(max_length = 254, format = "mail", example = "john@example.org")]
    pub email: String,
}

impl Validate for ForgotPassword {
    fn validate(&self, faults: &mut Faults) {
        check_email(faults, "email", &self.email);
    }
}

/// Nothing else to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusOk {
    /// `ok`.
    pub status: String,
    /// For people.
    pub message: String,
}

/// A new password for whoever got the mail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PasswordReset {
    /// 8 to 1024 characters. `new_password` is taken for it, too.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    pub password: Secret,
}

impl Validate for PasswordReset {
    const OTHER_NAMES: &'static [(&'static str, &'static str)] = &[("new_password", "password")];

    fn validate(&self, faults: &mut Faults) {
        check_password(faults, "password", &self.password, MIN_PASSWORD);
    }
}

/// The same, with the token of the mail in the body.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PasswordResetByToken {
    /// From the mail.
    #[schema(value_type = String, min_length = 1, max_length = 8192)]
    pub token: Secret,
    /// 8 to 1024 characters. `new_password` is taken for it, too.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    pub password: Secret,
}

impl Validate for PasswordResetByToken {
    const OTHER_NAMES: &'static [(&'static str, &'static str)] = &[("new_password", "password")];

    fn validate(&self, faults: &mut Faults) {
        check_token(faults, "token", &self.token);
        check_password(faults, "password", &self.password, MIN_PASSWORD);
    }
}

/// The first password of somebody who was invited.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AcceptInvite {
    /// 8 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    pub password: Secret,
    /// What to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, format = "line")]
    pub display_name: Option<String>,
}

impl Validate for AcceptInvite {
    fn validate(&self, faults: &mut Faults) {
        check_password(faults, "password", &self.password, MIN_PASSWORD);
        if let Some(name) = &self.display_name {
            faults.line("display_name", name, 0, MAX_NAME);
        }
    }
}

/// The same, with the token of the mail in the body.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AcceptInviteByToken {
    /// From the mail.
    #[schema(value_type = String, min_length = 1, max_length = 8192)]
    pub token: Secret,
    /// 8 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    pub password: Secret,
    /// What to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, format = "line")]
    pub display_name: Option<String>,
}

impl Validate for AcceptInviteByToken {
    fn validate(&self, faults: &mut Faults) {
        check_token(faults, "token", &self.token);
        check_password(faults, "password", &self.password, MIN_PASSWORD);
        if let Some(name) = &self.display_name {
            faults.line("display_name", name, 0, MAX_NAME);
        }
    }
}
