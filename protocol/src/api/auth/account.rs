//! An account as it is shown.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::secret::Secret;
use crate::ids::ObjectId;

/// The account as its owner sees it right after signing up.
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
    /// Its mail address; may be empty for the account that set the server up.
    pub email: String,
    /// Given name, or empty.
    pub first_name: String,
    /// Family name, or empty.
    pub last_name: String,
    /// The name it chose, else given and family name, else nothing.
    pub display_name: Option<String>,
    /// A picture.
    pub avatar_url: Option<String>,
    /// The organization's slug.
    pub tenant_id: String,
    /// The organization's name.
    pub tenant_name: String,
    /// What it may do.
    pub role: Role,
    /// `allow_sudo`, `non_sudo` or empty.
    pub machine_role: String,
    /// Names of its groups, sorted.
    pub groups: Vec<String>,
    /// Their ids, in the same order.
    pub group_ids: Vec<ObjectId>,
    /// Whether the mail address was proven.
    pub email_verified: bool,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Whether the password must be changed before anything else.
    pub must_reset_password: bool,
    /// What it may do, sorted. `*` is everything.
    pub permissions: Vec<String>,
    /// Roles it was given, beside `role`.
    pub roles: Vec<RoleRef>,
    /// Its public key for SSH, in OpenSSH form.
    pub ssh_public_key: Option<String>,
    /// Whether signing in needs a code of an authenticator app.
    pub mfa_enabled: bool,
    /// The key that enrols machines; empty to callers who use an API key.
    #[schema(value_type = String)]
    pub api_key: Secret,
    /// Always empty; for clients of a release that had it.
    pub keycloak_id: String,
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
