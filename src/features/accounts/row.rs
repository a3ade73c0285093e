//! What the database gives of an account.
use protocol::api::auth::{Role, RoleRef};
use protocol::api::organizations::OtpPolicy;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{flag, json};

/// An account with all that its owner may see.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountRow {
    pub id: ObjectId,
    pub int_id: i64,
    pub organization_id: ObjectId,
    pub username: String,
    pub email: String,
    /// Empty where there is no password.
    pub password_hash: String,
    pub role: Role,
    pub machine_role: String,
    pub first_name: String,
    pub last_name: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub ssh_public_key: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub email_verified: bool,
    #[serde(deserialize_with = "flag")]
    pub must_reset_password: bool,
    #[serde(deserialize_with = "flag")]
    pub pending: bool,
    pub api_key_sealed: String,
    pub token_version: i64,
    pub totp_sealed: Option<String>,
    pub totp_confirmed_at: Option<String>,
    pub disabled_at: Option<String>,
    pub deleted_at: Option<String>,
    pub created_at: chrono::DateTime<chrono::Utc>,
    pub updated_at: chrono::DateTime<chrono::Utc>,
    pub last_login_at: Option<chrono::DateTime<chrono::Utc>>,
    pub tenant_id: String,
    pub tenant_name: String,
    pub otp: OtpPolicy,
    pub otp_minutes: i64,
    #[serde(deserialize_with = "flag")]
    pub organization_disabled: bool,
    /// It may sign in.
    #[serde(deserialize_with = "flag")]
    pub is_active: bool,
    #[serde(deserialize_with = "json")]
    pub groups: Vec<GroupRef>,
    #[serde(deserialize_with = "json")]
    pub roles: Vec<RoleRef>,
    /// Of its roles, by codename.
    #[serde(deserialize_with = "json")]
    pub permissions: Vec<String>,
}

/// A group by id and name.
#[derive(Debug, Clone, Deserialize)]
pub struct GroupRef {
    pub id: ObjectId,
    pub name: String,
}

/// The names of a sign-up that exist already.
#[derive(Debug, Deserialize)]
pub struct Taken {
    #[serde(deserialize_with = "flag")]
    pub username: bool,
    #[serde(deserialize_with = "flag")]
    pub email: bool,
    #[serde(deserialize_with = "flag")]
    pub slug: bool,
}
