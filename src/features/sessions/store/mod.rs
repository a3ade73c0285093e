//! SQL of terminal sessions.
mod host;
mod limit;
mod list;
pub mod over;
pub mod token;

use protocol::ids::{ObjectId, SessionId};
use protocol::terminal::Size;
use serde::Deserialize;

use super::access::SessionControl;
use super::row::FoundSession;
use crate::auth::caller::Caller;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::predicates::{manages, reaches};
use crate::features::organizations::access::OrganizationEnd;
use crate::http::client::{self, Client};
use crate::platform::db::{Arg, Nothing, Query, flag, statements};

pub use host::OnHost;
pub use limit::{Reached, reached, reached_on_host};
pub use list::{Filter, list, of_machine};

use limit::has_room;

/// SQL: a [`SessionRow`](super::row::SessionRow) of a session (`s`), its machine (`m`) and whoever opened it (`w`).
macro_rules! shown {
    () => {
        "s.id, s.session_id, s.name, m.agent_id, s.machine_id, m.name AS machine_name, m.ip_address AS machine_host, s.user_id, s.username,
         COALESCE(NULLIF(trim(w.first_name || ' ' || w.last_name), ''), s.username) AS full_name, w.email, s.source, s.status, s.started_at,
         s.ended_at, s.last_activity, s.close_reason, s.browser, s.os, s.user_agent, s.ip_address, s.cols, s.rows, s.ssh_host, s.ssh_user,
         (SELECT COUNT(*) FROM command_logs c WHERE c.machine_id = s.machine_id AND c.session_id = s.session_id) AS commands"
    };
}
use shown;

statements! {
    /// Whoever opened a session may see and end it; so may whoever reaches its machine see it, and whoever manages that end it. To a super
    /// administrator organizations may show sessions of the same name: that of their own comes first.
    FIND = concat!(
        "SELECT ", shown!(), ", s.organization_id, s.user_id = u.id AS is_own, (s.user_id = u.id OR ", reaches!(), ") AS may_see,
           (s.user_id = u.id OR ", manages!(), ") AS may_control
         FROM users u JOIN terminal_sessions s ON (s.organization_id = u.organization_id OR u.role = 'super_admin')
         JOIN machines m ON m.id = s.machine_id JOIN users w ON w.id = s.user_id WHERE u.id = ?1 AND s.session_id = ?2
         ORDER BY s.organization_id = u.organization_id DESC, s.id DESC"
    );

    RENAME = "UPDATE terminal_sessions SET name = ?2 WHERE id = ?1 AND name <> ?2";

    /// Opens a session, or opens it again. Another account's, or one on another machine or host, stays as it is and gives no row; so does
    /// one for which there is no room. As this is one statement, of two who take the last place one gets it.
    OPEN = concat!(
        "INSERT INTO terminal_sessions
         (id, session_id, organization_id, machine_id, user_id, username, source, started_at, last_activity, browser, os, user_agent,
          ip_address, cols, rows, sudo, attach_until, ssh_host, ssh_user, ssh_right, ssh_object)
         SELECT ?1, ?2, o.id, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20 FROM organizations o
         WHERE o.id = ?3 AND ", has_room!(), "
         ON CONFLICT (session_id, organization_id) DO UPDATE SET status = 'active', ended_at = NULL, close_reason = NULL,
           openings = openings + 1, attach_until = excluded.attach_until,
           last_activity = excluded.last_activity, source = excluded.source, browser = excluded.browser, os = excluded.os,
           user_agent = excluded.user_agent, ip_address = excluded.ip_address,
           -- A shell that runs keeps what it was started with.
           sudo = CASE status WHEN 'active' THEN sudo ELSE excluded.sudo END, ssh_right = excluded.ssh_right,
           ssh_object = excluded.ssh_object
         WHERE user_id = excluded.user_id AND machine_id = excluded.machine_id
           -- What leads to another host never leads to a shell of the machine, and the other way round.
           AND ssh_host IS excluded.ssh_host AND ssh_user IS excluded.ssh_user
         RETURNING openings, (SELECT o.record_sessions FROM organizations o WHERE o.id = organization_id) AS records"
    );

    CLOSE = "UPDATE terminal_sessions SET status = 'closed', ended_at = ?2, last_activity = ?2, close_reason = 'terminated'
         WHERE session_id = ?1 AND machine_id = ?3 AND status = 'active'";

    /// The sessions on machines that enrolled with the key of an account.
    CLOSE_ON_ENROLLED = "UPDATE terminal_sessions SET status = 'closed', ended_at = ?2, last_activity = ?2, close_reason = 'access_revoked'
         WHERE status = 'active' AND machine_id IN (SELECT id FROM machines WHERE owner_id = ?1 AND enrolled_by_key = 1)";

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
    /// Until when it waits for its client; nothing if that is here.
    pub attach_until: Option<&'a str>,
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

/// One session, if the caller may know of it. The text may be anything.
pub fn find(caller: &ObjectId, session_id: &str) -> Query<FoundSession> {
    Query::new(FIND, [caller.into(), session_id.into()])
}

/// Gives a session a name, or takes it away.
pub fn rename(control: &SessionControl, name: &str) -> Query<Nothing> {
    Query::new(RENAME, [(&control.row().id).into(), name.trim().into()])
}

/// Opens a session on a machine. No row means that the name is another account's or another machine's of the organization, or that
/// there is no room: [`reached`] tells.
pub fn open(access: &MachineAccess, new: &NewSession) -> Query<Opened> {
    let found = access.found();
    let place = (&found.organization_id, &found.machine.id, access.may_sudo());
    Query::new(OPEN, opening(access.caller(), place, None, new))
}

/// Opens a session on another host, for whoever was found to have the permission. No row means the same: [`reached_on_host`] tells.
pub fn open_on_host(caller: &Caller, on: &OnHost, new: &NewSession) -> Query<Opened> {
    Query::new(
        OPEN,
        opening(caller, (on.organization, on.runner, false), Some(on), new),
    )
}

fn opening(
    caller: &Caller,
    (organization, machine, sudo): (&ObjectId, &ObjectId, bool),
    on: Option<&OnHost>,
    new: &NewSession,
) -> [Arg; 20] {
    [
        (&new.id).into(),
        new.session_id.into(),
        organization.into(),
        machine.into(),
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
        sudo.into(),
        new.attach_until.into(),
        on.map(|on| on.hostname).into(),
        on.and_then(|on| on.user).into(),
        on.map(|on| on.permission).into(),
        on.and_then(|on| on.thing).into(),
    ]
}

/// Ends a session whose shell is to be hung up.
pub fn close(control: &SessionControl, now: &str) -> Query<Nothing> {
    Query::new(CLOSE, [control.session().into(), now.into(), control.machine().into()])
}

/// Ends the sessions on the machines that enrolled with the key of `owner`, who are shut out in the same batch, behind this.
pub fn close_on_enrolled(owner: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(CLOSE_ON_ENROLLED, [owner.into(), now.into()])
}

/// Removes the sessions of an organization's people, wherever they are.
pub fn delete_of_people(end: &OrganizationEnd) -> Query<Nothing> {
    Query::new(DELETE_OF_PEOPLE, [end.id().into()])
}

#[cfg(test)]
mod tests;
