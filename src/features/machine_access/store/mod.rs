//! SQL of who may use a machine, and of lending it.
pub mod expired;

use protocol::api::access::MachineRole;
use protocol::ids::ObjectId;

use super::row::{Borrower, UserRow};
use crate::features::machines::access::MachineControl;
use crate::features::machines::predicates::{given_sudo, granted, may_sudo, reaches, requested, unexpired};
use crate::http::json_text::BodyRow;
use crate::platform::db::{Nothing, Query, statements};

/// Everybody of a machine's organization who reaches the machine, and by which ways. A test holds `ways` against `reaches!`.
macro_rules! list_users {
    () => {
        concat!(
            "SELECT u.id, u.username, u.email, u.role, ", may_sudo!(), " AS may_sudo, ", given_sudo!(), " AS given_sudo,
               (SELECT json_group_array(way) FROM (
                 SELECT 'owner' AS way WHERE m.owner_id = u.id
                 UNION ALL SELECT 'direct' FROM ", granted!(), "
                 UNION ALL SELECT 'group:' || p.name FROM group_machines x JOIN group_members y ON y.group_id = x.group_id
                   JOIN groups p ON p.id = x.group_id WHERE x.machine_id = m.id AND y.user_id = u.id
                 UNION ALL SELECT 'request' WHERE EXISTS (SELECT 1 FROM ", requested!(), ")
                 UNION ALL SELECT 'admin' WHERE u.role <> 'user') AS listed) AS ways,
               CASE WHEN m.owner_id = u.id THEN m.created_at ELSE COALESCE((SELECT g.granted_at FROM ", granted!(), "),
                 (SELECT MIN(MAX(x.added_at, y.added_at)) FROM group_machines x JOIN group_members y ON y.group_id = x.group_id
                   WHERE x.machine_id = m.id AND y.user_id = u.id), (SELECT MIN(q.approved_at) FROM ", requested!(), ")) END AS granted_at,
               COALESCE((SELECT COALESCE((SELECT b.username FROM users b WHERE b.id = g.granted_by), g.granted_by) FROM ", granted!(), "),
                 (SELECT COALESCE((SELECT b.username FROM users b WHERE b.id = q.approved_by), q.approved_by) FROM ", requested!(), "
                  ORDER BY q.approved_at LIMIT 1)) AS granted_by,
               CASE WHEN EXISTS (SELECT 1 FROM ", granted!(), ") THEN (SELECT g.expires_at FROM ", granted!(), ")
                 ELSE (SELECT iif(COUNT(*) = COUNT(q.expires_at), MAX(q.expires_at), NULL) FROM ", requested!(), ") END AS expires_at
             FROM machines m JOIN users u ON u.organization_id = m.organization_id AND u.deleted_at IS NULL
             WHERE ", reaches!()
        )
    };
}

/// Somebody of a machine's organization.
macro_rules! find_user {
    () => {
        "SELECT v.id, v.username, m.owner_id = v.id AS owns FROM machines m
         JOIN users v ON v.organization_id = m.organization_id AND v.deleted_at IS NULL"
    };
}

statements! {
    LIST_BY_AGENT_ID = concat!(list_users!(), " AND m.agent_id = ?1 ORDER BY u.username");

    FIND_BY_ID = concat!(find_user!(), " WHERE m.agent_id = ?1 AND v.id = ?2");

    FIND_BY_USERNAME = concat!(find_user!(), " WHERE m.agent_id = ?1 AND v.username = ?2");

    /// Granted again, it is as it was granted last. Nobody is given another organization's machine, whatever was looked up
    /// before.
    GRANT = "INSERT INTO machine_grants (machine_id, user_id, machine_role, granted_by, granted_at, expires_at)
         SELECT m.id, v.id, ?3, ?4, ?5, ?6 FROM machines m JOIN users v ON v.organization_id = m.organization_id AND v.deleted_at IS NULL
         WHERE m.id = ?1 AND v.id = ?2
         ON CONFLICT (machine_id, user_id) DO UPDATE SET machine_role = excluded.machine_role, granted_by = excluded.granted_by,
           granted_at = excluded.granted_at, expires_at = excluded.expires_at";

    REVOKE = "DELETE FROM machine_grants WHERE machine_id = ?1 AND user_id = ?2";

    /// What somebody was lent, in the form of `/v1`.
    LENT = concat!("SELECT json_object('machine_id', 'mch_' || g.machine_id, 'agent_id', m.agent_id, 'access_level', 'full') AS body
         FROM machine_grants g JOIN machines m ON m.id = g.machine_id WHERE g.user_id = ?1 AND ", unexpired!(), " ORDER BY g.machine_id");

    REVOKE_ALL = "DELETE FROM machine_grants WHERE user_id = ?1";
}

/// How a machine is lent.
#[derive(Debug)]
pub struct Terms<'a> {
    pub machine_role: Option<MachineRole>,
    pub expires_at: Option<&'a str>,
    pub now: &'a str,
}

/// Everybody of the machine's organization who may use it, by name. To be shown only to somebody with access.
pub fn list_users(agent_id: &str) -> Query<UserRow> {
    Query::new(LIST_BY_AGENT_ID, [agent_id.into()])
}

/// Somebody of the organization of a machine, by id or else by name.
pub fn find_borrower(agent_id: &str, user_id: Option<&str>, username: Option<&str>) -> Query<Borrower> {
    match user_id {
        Some(id) => Query::new(FIND_BY_ID, [agent_id.into(), id.into()]),
        None => Query::new(FIND_BY_USERNAME, [agent_id.into(), username.unwrap_or_default().into()]),
    }
}

/// Lends a machine.
pub fn grant(control: &MachineControl, borrower: &Borrower, terms: &Terms) -> Query<Nothing> {
    Query::new(
        GRANT,
        [
            control.id().into(),
            (&borrower.id).into(),
            terms.machine_role.map_or("", MachineRole::as_str).into(),
            control.caller().id().into(),
            terms.now.into(),
            terms.expires_at.into(),
        ],
    )
}

/// Ends a grant, if there is one.
pub fn revoke(control: &MachineControl, borrower: &Borrower) -> Query<Nothing> {
    Query::new(REVOKE, [control.id().into(), (&borrower.id).into()])
}

/// The machines that somebody was lent, to be shown only to who may see all of the account.
pub fn lent(user: &ObjectId) -> Query<BodyRow> {
    Query::new(LENT, [user.into()])
}

/// Ends all that an account was lent.
pub fn delete_all(user: &ObjectId) -> Query<Nothing> {
    Query::new(REVOKE_ALL, [user.into()])
}

#[cfg(test)]
mod tests;
