//! SQL of terminal sessions.
use protocol::ids::{ObjectId, SessionId};
use protocol::terminal::Size;
use serde::Deserialize;

use super::access::SessionControl;
use super::row::{FoundSession, SessionRow};
use crate::features::machines::access::MachineAccess;
use crate::features::machines::predicates::manages;
use crate::features::organizations::access::OrganizationEnd;
use crate::http::client::{self, Client};
use crate::platform::db::{Nothing, Query, flag, statements};

statements! {
    /// The newest 1000 active sessions that the caller (?1) may list. Each branch answers from an index of its own: one's own
    /// sessions (also an administrator's, if ?2 asks for no more), those of one organization (?3, or an administrator's
    /// own), and all of them for a super administrator who names none.
    LIST_ACTIVE = "WITH listed (id) AS (
           SELECT s.id FROM users u JOIN terminal_sessions s ON s.user_id = u.id AND s.status = 'active'
             WHERE u.id = ?1 AND (?2 OR u.role = 'user')
           UNION ALL
           SELECT s.id FROM users u JOIN terminal_sessions s ON s.status = 'active' AND s.organization_id =
               CASE u.role WHEN 'super_admin' THEN (SELECT id FROM organizations WHERE slug = ?3) ELSE u.organization_id END
             WHERE u.id = ?1 AND NOT ?2 AND (u.role = 'company_admin' OR (u.role = 'super_admin' AND ?3 IS NOT NULL))
           UNION ALL
           SELECT s.id FROM users u JOIN terminal_sessions s ON s.status = 'active'
             WHERE u.id = ?1 AND NOT ?2 AND u.role = 'super_admin' AND ?3 IS NULL
         )
         SELECT s.*, m.agent_id, m.name AS machine_name FROM listed JOIN terminal_sessions s ON s.id = listed.id
         JOIN machines m ON m.id = s.machine_id ORDER BY s.started_at DESC, s.id DESC LIMIT 1000";

    /// Whoever opened a session may end it, and whoever manages its machine. A super administrator, to whom organizations
    /// may show sessions of the same name, ends that of their own first.
    FIND_ACTIVE = concat!(
        "SELECT s.session_id, s.machine_id, s.organization_id, (s.user_id = u.id OR ", manages!(), ") AS may_close
         FROM users u JOIN terminal_sessions s ON (s.organization_id = u.organization_id OR u.role = 'super_admin')
         JOIN machines m ON m.id = s.machine_id WHERE u.id = ?1 AND s.session_id = ?2 AND s.status = 'active'
         ORDER BY s.organization_id = u.organization_id DESC, s.id DESC"
    );

    /// Opens a session, or opens it again. Another account's, or one on another machine, stays as it is and gives no row.
    OPEN = "INSERT INTO terminal_sessions
         (id, session_id, organization_id, machine_id, user_id, username, source, started_at, last_activity, browser, os, user_agent,
          ip_address, cols, rows, sudo)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (session_id, organization_id) DO UPDATE SET status = 'active', ended_at = NULL, close_reason = NULL,
           openings = openings + 1,
           last_activity = excluded.last_activity, source = excluded.source, browser = excluded.browser, os = excluded.os,
           user_agent = excluded.user_agent, ip_address = excluded.ip_address,
           -- A shell that runs keeps what it was started with.
           sudo = CASE status WHEN 'active' THEN sudo ELSE excluded.sudo END
         WHERE user_id = excluded.user_id AND machine_id = excluded.machine_id
         RETURNING openings, (SELECT o.record_sessions FROM organizations o WHERE o.id = organization_id) AS records";

    CLOSE = "UPDATE terminal_sessions SET status = 'closed', ended_at = ?2, last_activity = ?2, close_reason = 'terminated'
         WHERE session_id = ?1 AND machine_id = ?3 AND status = 'active'";

    /// The sessions on machines that enrolled with the key of an account.
    CLOSE_ON_ENROLLED = "UPDATE terminal_sessions SET status = 'closed', ended_at = ?2, last_activity = ?2, close_reason = 'access_revoked'
         WHERE status = 'active' AND machine_id IN (SELECT id FROM machines WHERE owner_id = ?1 AND enrolled_by_key = 1)";

    /// The longest closed first.
    PURGE = "DELETE FROM terminal_sessions WHERE id IN
           (SELECT id FROM terminal_sessions WHERE status = 'closed' AND ended_at < ?1 ORDER BY ended_at LIMIT ?2)";

    DELETE_OF_PEOPLE = "DELETE FROM terminal_sessions WHERE user_id IN (SELECT id FROM users WHERE organization_id = ?1)";
}

/// A session to be opened.
#[derive(Debug)]
pub struct NewSession<'a> {
    pub id: ObjectId,
    pub session_id: &'a SessionId,
    pub source: &'a str,
    /// The client's operating system, if it said better than its `User-Agent`.
    pub os: Option<&'a str>,
    pub client: &'a Client,
    pub size: Size,
    pub now: &'a str,
}

/// A session that was opened.
#[derive(Debug, Deserialize)]
pub struct Opened {
    /// How often it was, this time included.
    pub openings: u32,
    /// Whether sessions of its organization are recorded.
    #[serde(deserialize_with = "flag")]
    pub records: bool,
}

/// The active sessions that the caller may list, newest first.
pub fn list_active(caller: &ObjectId, mine: bool, tenant_id: Option<&str>) -> Query<SessionRow> {
    let tenant_id = tenant_id.filter(|text| !text.is_empty());
    Query::new(LIST_ACTIVE, [caller.into(), mine.into(), tenant_id.into()])
}

/// One active session, if the caller may know of it. The text may be anything.
pub fn find_active(caller: &ObjectId, session_id: &str) -> Query<FoundSession> {
    Query::new(FIND_ACTIVE, [caller.into(), session_id.into()])
}

/// Opens a session on a machine. No row means that the name is another account's or another machine's of the organization.
pub fn open(access: &MachineAccess, new: &NewSession) -> Query<Opened> {
    let (found, caller) = (access.found(), access.caller());
    Query::new(
        OPEN,
        [
            (&new.id).into(),
            new.session_id.into(),
            (&found.organization_id).into(),
            (&found.machine.id).into(),
            caller.id().into(),
            caller.username().into(),
            new.source.into(),
            new.now.into(),
            client::browser(&new.client.user_agent).into(),
            new.os
                .unwrap_or_else(|| client::operating_system(&new.client.user_agent))
                .into(),
            new.client.user_agent.as_str().into(),
            new.client.address.as_str().into(),
            i64::from(new.size.cols).into(),
            i64::from(new.size.rows).into(),
            access.may_sudo().into(),
        ],
    )
}

/// Ends a session whose shell is to be hung up.
pub fn close(control: &SessionControl, now: &str) -> Query<Nothing> {
    Query::new(CLOSE, [control.session().into(), now.into(), control.machine().into()])
}

/// Ends the sessions on the machines that enrolled with the key of `owner`, who are shut out in the same batch, behind this.
pub fn close_on_enrolled(owner: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(CLOSE_ON_ENROLLED, [owner.into(), now.into()])
}

/// Removes some of the sessions that were closed before `before`.
pub fn purge(before: &str, most: i64) -> Query<Nothing> {
    Query::new(PURGE, [before.into(), most.into()])
}

/// Removes the sessions of an organization's people, wherever they are.
pub fn delete_of_people(end: &OrganizationEnd) -> Query<Nothing> {
    Query::new(DELETE_OF_PEOPLE, [end.id().into()])
}

#[cfg(test)]
mod tests;
