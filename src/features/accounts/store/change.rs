//! SQL of what administrators change of an account.
use protocol::ids::ObjectId;

use crate::platform::db::{Nothing, Query, statements};

statements! {
    /// What is NULL stays. Whoever is disabled is signed out everywhere, and the time of whoever is enabled begins anew.
    UPDATE = "UPDATE users SET
           email_verified = CASE WHEN ?2 <> email THEN 0 ELSE email_verified END,
           email = COALESCE(?2, email), first_name = COALESCE(?3, first_name), last_name = COALESCE(?4, last_name),
           display_name = COALESCE(?5, display_name), role = COALESCE(?6, role), machine_role = COALESCE(?7, machine_role),
           token_version = token_version + (?8 IS 0 AND disabled_at IS NULL),
           active_at = CASE WHEN ?8 IS 1 AND disabled_at IS NOT NULL THEN ?9 ELSE active_at END,
           inactivity_warnings = CASE WHEN ?8 IS 1 AND disabled_at IS NOT NULL THEN 0 ELSE inactivity_warnings END,
           disabled_at = CASE WHEN ?8 IS 0 THEN COALESCE(disabled_at, ?9) WHEN ?8 IS 1 THEN NULL ELSE disabled_at END,
           updated_at = ?9
         WHERE id = ?1 AND deleted_at IS NULL";
}

/// What becomes of an account. What is absent stays.
#[derive(Debug, Default)]
pub struct Change<'a> {
    pub email: Option<&'a str>,
    pub first_name: Option<&'a str>,
    pub last_name: Option<&'a str>,
    pub display_name: Option<&'a str>,
    pub role: Option<&'static str>,
    pub machine_role: Option<&'static str>,
    pub enabled: Option<bool>,
}

pub fn update(user: &ObjectId, change: &Change, now: &str) -> Query<Nothing> {
    Query::new(
        UPDATE,
        [
            user.into(),
            change.email.into(),
            change.first_name.into(),
            change.last_name.into(),
            change.display_name.into(),
            change.role.into(),
            change.machine_role.into(),
            change.enabled.into(),
            now.into(),
        ],
    )
}
