//! Rows of files that people take away.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account of the organization, as a file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExportedUser {
    /// Its number.
    pub int_id: i64,
    /// Its id: 24 hex characters.
    pub id: String,
    /// The name it signs in with.
    pub username: String,
    /// Its mail address.
    pub email: String,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// What it is in the organization: `super_admin`, `company_admin` or `user`.
    pub role: String,
    /// The names of its other roles.
    pub roles: Vec<String>,
    /// What it may do on machines: `allow_sudo`, `non_sudo` or nothing said.
    pub machine_role: String,
    /// Whether it can sign in.
    pub enabled: bool,
    /// Whether it was invited and has not accepted yet.
    pub pending: bool,
    /// Whether the mail address is proven.
    pub email_verified: bool,
    /// Whether signing in takes a second factor.
    pub second_factor: bool,
    /// The organization's name in URLs.
    pub tenant_id: String,
    /// RFC 3339, in UTC.
    pub created_at: String,
    /// RFC 3339, in UTC.
    pub last_login_at: Option<String>,
}
