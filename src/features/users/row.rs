//! An account as everything that shows it reads it.
use chrono::{DateTime, Utc};
use protocol::api::auth::{Role, RoleRef};
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::features::accounts::row::GroupRef;
use crate::platform::db::{flag, json};

/// SQL: a [`UserRow`] as one JSON text, its fields in order, over the account `u` and its organization `o`. Administrators
/// have the system role of the organization (`roles`), which no row of `user_roles` says.
macro_rules! user_row {
    () => {
        concat!("json_array(u.id, u.int_id, u.username, u.email, u.first_name, u.last_name, u.display_name, u.avatar_url, o.slug, o.name,
           u.role, u.machine_role, u.email_verified, u.disabled_at IS NULL AND u.pending = 0, u.pending, u.must_reset_password,
           u.totp_confirmed_at IS NOT NULL, u.created_at, u.updated_at, u.last_login_at, u.invite_accepted_at,
           json((SELECT json_group_array(json_object('id', g.id, 'name', g.name)) FROM group_members x
             JOIN groups g ON g.id = x.group_id WHERE x.user_id = u.id)),
           json((SELECT json_group_array(json_object('id', r.id, 'name', r.name)) FROM roles r
             WHERE r.organization_id = u.organization_id AND CASE WHEN r.is_system = 1 THEN u.role <> 'user'
               ELSE EXISTS (SELECT 1 FROM user_roles h WHERE h.user_id = u.id AND h.role_id = r.id) END)),
           json(", crate::auth::account_store::allowed!(), ")) AS user")
    };
}
pub(crate) use user_row;

/// An account without its secrets.
#[derive(Debug, Clone, Deserialize)]
pub struct UserRow {
    pub id: ObjectId,
    pub int_id: i64,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub tenant_id: String,
    pub tenant_name: String,
    pub role: Role,
    pub machine_role: String,
    #[serde(deserialize_with = "flag")]
    pub email_verified: bool,
    /// It may sign in.
    #[serde(deserialize_with = "flag")]
    pub enabled: bool,
    /// It was invited and has not accepted.
    #[serde(deserialize_with = "flag")]
    pub pending: bool,
    #[serde(deserialize_with = "flag")]
    pub must_reset_password: bool,
    #[serde(deserialize_with = "flag")]
    pub mfa_enabled: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub invite_accepted_at: Option<DateTime<Utc>>,
    pub groups: Vec<GroupRef>,
    pub roles: Vec<RoleRef>,
    /// What its roles allow, by codename; administrators may more.
    pub permissions: Vec<String>,
}

/// An account that the caller may know of.
#[derive(Debug, Deserialize)]
pub struct FoundUser {
    #[serde(deserialize_with = "json")]
    pub user: UserRow,
    pub organization_id: ObjectId,
}
