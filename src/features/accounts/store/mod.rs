//! SQL of accounts: looking them up. What writes them is in the files of this folder, one a concern.
pub mod address;
pub mod change;
pub mod email_link;
pub mod end;
pub mod inactivity;
pub mod insert;
pub mod otp;
pub mod own;
pub mod password;
pub mod second_factor;

use protocol::ids::ObjectId;

use super::row::{AccountRow, Taken};
use crate::auth::account_store::is_active;
use crate::platform::db::{Exists, Nothing, Query, statements};

/// Most accounts with one mail address that a sign-in looks at, the ones used last first: each costs a password check.
pub const MAX_ACCOUNTS: usize = 8;

/// What a sign-in, a renewal and an account's own page read.
macro_rules! account_columns {
    () => {
        concat!(
            "u.id, u.int_id, u.organization_id, u.username, u.email, u.password_hash, u.role, u.machine_role, u.first_name,
             u.last_name, u.display_name, u.avatar_url, u.ssh_public_key, u.email_verified, u.must_reset_password, u.pending,
             u.api_key_sealed, u.token_version, u.totp_sealed, u.totp_confirmed_at, u.disabled_at, u.deleted_at, u.created_at, u.updated_at,
             u.last_login_at, o.slug AS tenant_id, o.name AS tenant_name, o.otp, o.otp_minutes,
             o.disabled_at IS NOT NULL AS organization_disabled, ",
            is_active!(),
            " AS is_active,
             (SELECT json_group_array(json_object('id', g.id, 'name', g.name)) FROM group_members x JOIN groups g ON g.id = x.group_id
              WHERE x.user_id = u.id) AS groups,
             (SELECT json_group_array(json_object('id', d.id, 'name', d.name)) FROM roles d WHERE d.organization_id = u.organization_id
              AND (d.is_system AND u.role <> 'user' OR EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r.role_id = d.id))
             ) AS roles,
             ",
            crate::auth::account_store::allowed!(),
            " AS permissions
             FROM users u JOIN organizations o ON o.id = u.organization_id"
        )
    };
}
pub(super) use account_columns;

statements! {
    FIND_BY_ID = concat!("SELECT ", account_columns!(), " WHERE u.id = ?1");

    FIND_BY_IDS = concat!("SELECT ", account_columns!(), " WHERE u.id IN (SELECT value FROM json_each(?1))
         ORDER BY u.last_login_at DESC");

    /// All accounts with an address that may sign in. One without a password is there, too, so that how long an answer takes does
    /// not tell.
    FIND_BY_EMAIL = concat!(
        "SELECT ", account_columns!(), " WHERE u.email = ?1 AND ", is_active!(), " ORDER BY u.last_login_at DESC LIMIT ?2"
    );

    FIND_BY_USERNAME = concat!("SELECT ", account_columns!(), " WHERE u.username = ?1 AND ", is_active!(), " LIMIT ?2");

    /// Whether anybody has an account.
    FIND_ANY = "SELECT int_id FROM users WHERE int_id > 0 LIMIT 1";

    /// What a sign-up would collide with.
    FIND_TAKEN = "SELECT EXISTS (SELECT 1 FROM users WHERE username = ?1) AS username,
         EXISTS (SELECT 1 FROM users WHERE email = ?2 AND community = 1) AS email,
         EXISTS (SELECT 1 FROM organizations WHERE slug = ?3) AS slug";

    TOUCH_LOGIN = "UPDATE users SET last_login_at = ?2, active_at = ?2, inactivity_warnings = 0 WHERE id = ?1";

    TOUCH_ACTIVE = "UPDATE users SET active_at = ?2, inactivity_warnings = 0 WHERE id = ?1";
}

/// One account with everything its owner may see.
pub fn find_account(id: &ObjectId) -> Query<AccountRow> {
    Query::new(FIND_BY_ID, [id.into()])
}

/// Several accounts, the one used last first.
pub fn find_accounts(ids: &[&ObjectId]) -> Query<AccountRow> {
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    Query::new(FIND_BY_IDS, [serde_json::json!(ids).to_string().into()])
}

/// The accounts that somebody may want to sign in to, the one used last first; none that is disabled or deleted. With an `@`
/// it is a mail address.
pub fn find_logins(name: &str) -> Query<AccountRow> {
    let limit = MAX_ACCOUNTS as i64;
    match name.contains('@') {
        true => Query::new(FIND_BY_EMAIL, [name.to_lowercase().into(), limit.into()]),
        false => Query::new(FIND_BY_USERNAME, [name.into(), limit.into()]),
    }
}

/// A row if anybody has an account.
pub fn find_any() -> Query<Exists> {
    Query::new(FIND_ANY, [])
}

/// What a sign-up would collide with.
pub fn find_taken(username: &str, email: &str, slug: &str) -> Query<Taken> {
    Query::new(FIND_TAKEN, [username.into(), email.into(), slug.into()])
}

/// Remembers a sign-in.
pub fn touch_login(id: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(TOUCH_LOGIN, [id.into(), now.into()])
}

/// Remembers that an account is in use.
pub fn touch_active(id: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(TOUCH_ACTIVE, [id.into(), now.into()])
}

#[cfg(test)]
mod tests;
