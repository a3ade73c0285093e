//! SQL of new accounts.
use protocol::api::auth::Role;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{Nothing, Query, flag, statements};

statements! {
    /// Where the caller (?1) makes an account: in its own organization, or that of a super administrator's choice (?2); and what
    /// is taken there.
    FIND_HOME = "SELECT o.id, o.slug, EXISTS (SELECT 1 FROM users x WHERE x.username = ?3) AS username_taken,
           EXISTS (SELECT 1 FROM users x WHERE x.organization_id = o.id AND x.email = ?4 AND x.deleted_at IS NULL) AS email_taken
         FROM users c JOIN organizations o ON o.id =
           CASE WHEN c.role = 'super_admin' AND ?2 IS NOT NULL THEN (SELECT id FROM organizations WHERE slug = ?2) ELSE c.organization_id END
         WHERE c.id = ?1";

    INSERT = "INSERT INTO users
         (id, organization_id, username, email, password_hash, role, machine_role, first_name, last_name, display_name, api_key_hash,
          api_key_sealed, must_reset_password, pending, invited_by, created_at, updated_at, active_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?5 <> '', ?5 = '', ?13, ?14, ?14, ?14)";
}

/// Where an account is to be made.
#[derive(Debug, Deserialize)]
pub struct Home {
    /// The organization.
    pub id: ObjectId,
    /// Its slug.
    pub slug: String,
    #[serde(deserialize_with = "flag")]
    pub username_taken: bool,
    #[serde(deserialize_with = "flag")]
    pub email_taken: bool,
}

/// An account to be made. Without a password, it waits for its owner.
#[derive(Debug)]
pub struct NewUser<'a> {
    pub id: &'a ObjectId,
    pub organization: &'a ObjectId,
    pub username: &'a str,
    /// Lower case.
    pub email: &'a str,
    /// Empty without a password.
    pub password_hash: &'a str,
    pub role: Role,
    pub machine_role: &'a str,
    pub first_name: &'a str,
    pub last_name: &'a str,
    pub display_name: &'a str,
    pub api_key_hash: &'a str,
    pub api_key_sealed: &'a str,
    pub invited_by: &'a ObjectId,
    pub now: &'a str,
}

/// Where the caller makes an account of these names.
pub fn find_home(caller: &ObjectId, tenant_id: Option<&str>, username: &str, email: &str) -> Query<Home> {
    Query::new(
        FIND_HOME,
        [caller.into(), tenant_id.into(), username.into(), email.into()],
    )
}

/// Makes an account.
pub fn insert(new: &NewUser) -> Query<Nothing> {
    Query::new(
        INSERT,
        [
            new.id.into(),
            new.organization.into(),
            new.username.into(),
            new.email.into(),
            new.password_hash.into(),
            new.role.as_str().into(),
            new.machine_role.into(),
            new.first_name.into(),
            new.last_name.into(),
            new.display_name.into(),
            new.api_key_hash.into(),
            new.api_key_sealed.into(),
            new.invited_by.into(),
            new.now.into(),
        ],
    )
}
