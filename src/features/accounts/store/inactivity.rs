//! SQL of accounts that nobody uses.
use chrono::{DateTime, Utc};
use protocol::api::auth::Role;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{Exists, Query, statements, stored};

/// Most accounts looked at in one run.
const AT_ONCE: i64 = 100;

/// Most administrators of an organization who are told.
const MAX_ADMINS: i64 = 20;

statements! {
    /// Accounts to be looked at, those first that have waited longest. Of an account that was just made, the making counts.
    DUE = "SELECT u.id, u.username, u.email, u.role, max(u.active_at, u.created_at) AS active_at,
           u.inactivity_warnings AS warnings, u.pending OR o.disabled_at IS NOT NULL AS waits, o.id AS organization_id,
           o.name AS organization, o.inactive_days AS days,
           (SELECT COUNT(*) FROM users a WHERE a.organization_id = o.id AND a.role = 'company_admin' AND a.disabled_at IS NULL
             AND a.deleted_at IS NULL AND a.pending = 0) AS admins
         FROM users u JOIN organizations o ON o.id = u.organization_id
         WHERE u.disabled_at IS NULL AND u.deleted_at IS NULL AND u.inactivity_check_at <= ?1
         ORDER BY u.inactivity_check_at LIMIT ?2";

    /// A row only if nobody looked at it (at ?4) or used it (since ?5) in the meantime.
    CHECKED = "UPDATE users SET inactivity_check_at = ?2, inactivity_warnings = ?3
         WHERE id = ?1 AND inactivity_check_at <= ?4 AND max(active_at, created_at) = ?5 RETURNING id";

    /// Its tokens end. No row if it was used or disabled in the meantime, or may no longer be disabled.
    DISABLE = "UPDATE users SET disabled_at = ?2, updated_at = ?2, token_version = token_version + 1
         WHERE id = ?1 AND disabled_at IS NULL AND max(active_at, created_at) = ?3 AND (role = 'user' OR role = 'company_admin'
           AND EXISTS (SELECT 1 FROM users a WHERE a.organization_id = users.organization_id AND a.role = 'company_admin'
             AND a.disabled_at IS NULL AND a.deleted_at IS NULL AND a.pending = 0 AND a.id <> users.id))
         RETURNING id";

    ADMINS = "SELECT email FROM users WHERE organization_id = ?1 AND role = 'company_admin' AND disabled_at IS NULL
         AND deleted_at IS NULL AND pending = 0 ORDER BY int_id LIMIT ?2";
}

/// An account to be looked at.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    pub id: ObjectId,
    pub username: String,
    pub email: String,
    pub role: Role,
    pub active_at: DateTime<Utc>,
    pub warnings: i64,
    /// It could not be used if somebody wanted to.
    #[serde(deserialize_with = "crate::platform::db::flag")]
    pub waits: bool,
    pub organization_id: ObjectId,
    pub organization: String,
    pub days: i64,
    /// How many administrators the organization has.
    pub admins: i64,
}

/// An administrator who is told.
#[derive(Debug, Deserialize)]
pub struct Admin {
    pub email: String,
}

/// The accounts to be looked at.
pub fn due(now: DateTime<Utc>) -> Query<Account> {
    Query::new(DUE, [stored(now).into(), AT_ONCE.into()])
}

/// The administrators of an organization who are told.
pub fn admins(organization: &ObjectId) -> Query<Admin> {
    Query::new(ADMINS, [organization.into(), MAX_ADMINS.into()])
}

/// It was looked at, and is again at `next`. A row if nobody looked at it or used it in the meantime.
pub fn check(account: &Account, next: DateTime<Utc>, warnings: i64, now: DateTime<Utc>) -> Query<Exists> {
    Query::new(
        CHECKED,
        [
            (&account.id).into(),
            stored(next).into(),
            warnings.into(),
            stored(now).into(),
            stored(account.active_at).into(),
        ],
    )
}

/// Disables it. A row if it was not used in the meantime and may be disabled.
pub fn disable(account: &Account, now: DateTime<Utc>) -> Query<Exists> {
    Query::new(
        DISABLE,
        [
            (&account.id).into(),
            stored(now).into(),
            stored(account.active_at).into(),
        ],
    )
}
