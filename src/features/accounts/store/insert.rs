//! SQL of new accounts.
use protocol::api::auth::Role;
use protocol::ids::ObjectId;

use crate::platform::db::{Nothing, Query, statements};

statements! {
    /// By whoever it is for.
    INSERT_ACCOUNT = "INSERT INTO users
         (id, organization_id, username, email, community, password_hash, role, first_name, last_name, email_verified, api_key_hash,
          api_key_sealed, created_at, updated_at, active_at, last_login_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?13, ?14)";

    /// By an administrator. Without a password, it waits for its owner.
    INSERT_USER = "INSERT INTO users
         (id, organization_id, username, email, password_hash, role, machine_role, first_name, last_name, display_name, api_key_hash,
          api_key_sealed, must_reset_password, pending, invited_by, created_at, updated_at, active_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?5 <> '', ?5 = '', ?13, ?14, ?14, ?14)";
}

#[derive(Debug)]
pub struct NewAccount<'a> {
    pub id: &'a ObjectId,
    pub organization_id: &'a ObjectId,
    pub username: &'a str,
    /// Lower case.
    pub email: &'a str,
    /// Whether it is one of those among which an address exists once.
    pub community: bool,
    pub password_hash: &'a str,
    pub role: Role,
    pub first_name: &'a str,
    pub last_name: &'a str,
    pub email_verified: bool,
    pub api_key_hash: &'a str,
    pub api_key_sealed: &'a str,
    pub now: &'a str,
    /// If it is signed in at once.
    pub last_login_at: Option<&'a str>,
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

/// Makes an account of one's own.
pub fn insert_account(new: &NewAccount) -> Query<Nothing> {
    Query::new(
        INSERT_ACCOUNT,
        [
            new.id.into(),
            new.organization_id.into(),
            new.username.into(),
            new.email.into(),
            new.community.into(),
            new.password_hash.into(),
            new.role.as_str().into(),
            new.first_name.into(),
            new.last_name.into(),
            new.email_verified.into(),
            new.api_key_hash.into(),
            new.api_key_sealed.into(),
            new.now.into(),
            new.last_login_at.into(),
        ],
    )
}

/// Makes an account in somebody's name.
pub fn insert_user(new: &NewUser) -> Query<Nothing> {
    Query::new(
        INSERT_USER,
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
