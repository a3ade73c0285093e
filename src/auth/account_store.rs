//! SQL of the account that calls, for every request.
use protocol::ids::ObjectId;

use super::caller::CallerRow;
use crate::platform::db::{Query, statements};

/// SQL: the account (`u`) of the organization (`o`) may sign in and stay signed in.
macro_rules! is_active {
    () => {
        "(u.disabled_at IS NULL AND u.deleted_at IS NULL AND u.pending = 0 AND o.disabled_at IS NULL)"
    };
}

/// SQL: from which networks the account (`u`) of the organization (`o`) may come, as JSON. Who administers all organizations could be
/// shut out of all by one.
macro_rules! networks {
    () => {
        "iif(u.role = 'super_admin', '[]', o.allowed_networks)"
    };
}

/// SQL: whether the account (`u`) holds a permission in its organization, as [`Caller::may`](super::caller::Caller::may) has it.
macro_rules! holds {
    ($codename:literal) => {
        concat!(
            "(u.role <> 'user' OR EXISTS (SELECT 1 FROM user_roles r JOIN role_permissions p ON p.role_id = r.role_id
               WHERE r.user_id = u.id AND p.permission = '",
            $codename,
            "'))"
        )
    };
}

/// SQL: what the roles of the account (`u`) allow, and to who administers the organization what is made with its inventory types, as JSON.
macro_rules! allowed {
    () => {
        "(SELECT json_group_array(DISTINCT listed.permission) FROM (SELECT p.permission FROM user_roles r
            JOIN role_permissions p ON p.role_id = r.role_id WHERE r.user_id = u.id
          UNION ALL SELECT g.codename FROM inventory_permissions g WHERE u.role <> 'user' AND g.organization_id = u.organization_id) listed)"
    };
}

pub(crate) use {allowed, holds, is_active, networks};

statements! {
    /// The account behind a token, for every request.
    FIND_CALLER = concat!("SELECT u.id, u.organization_id, u.username, u.role, u.token_version, u.must_reset_password, ", is_active!(), " AS is_active,
           EXISTS (SELECT 1 FROM revoked_sign_ins WHERE sign_in = ?2) AS revoked,
           (SELECT json_group_array(p.permission) FROM user_roles r JOIN role_permissions p ON p.role_id = r.role_id
            WHERE r.user_id = u.id) AS permissions, ", networks!(), " AS networks
         FROM users u JOIN organizations o ON o.id = u.organization_id WHERE u.id = ?1");
}

/// The account behind a token, and whether the sign-in was ended.
pub fn find_caller(id: &ObjectId, sign_in: &str) -> Query<CallerRow> {
    Query::new(FIND_CALLER, [id.into(), sign_in.into()])
}
