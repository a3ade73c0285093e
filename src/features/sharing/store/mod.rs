//! SQL of shared sessions.
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use super::access::{Inviting, LinkAccess, ShareControl, SharingControl};
use super::predicates::stands;
use super::row::{FoundSession, GuestRow, Invitee, LinkRow, ShareRow};
use crate::auth::account_store::is_active;
use crate::features::machines::predicates::{manages, reaches};
use crate::platform::db::{Nothing, Query, statements};
use crate::platform::random::{self, NoRandomness};
use crate::platform::secrets;

/// People and links of one session. Who shows something to so many wants another tool.
pub const MAX_SHARES: i64 = 50;

/// Random bytes of a link's token: nobody guesses one.
const BYTES: usize = 24;

/// A [`ShareRow`] of a session whose row is ?1.
macro_rules! shares {
    () => {
        concat!(
            "SELECT h.id, h.user_id, v.username, h.link, h.can_type, h.created_at, h.expires_at
             FROM session_shares h LEFT JOIN users v ON v.id = h.user_id WHERE h.session = ?1 AND ",
            stands!()
        )
    };
}

/// [`GuestRow`]s of the caller (?1).
macro_rules! guest_rows {
    () => {
        concat!(
            "SELECT h.id, s.session_id, s.machine_id, m.agent_id, m.name AS machine_name, s.organization_id, s.username AS owner,
               h.can_type, h.created_at, h.expires_at
             FROM session_shares h JOIN users u ON u.id = h.user_id AND u.organization_id = h.organization_id
             JOIN terminal_sessions s ON s.id = h.session AND s.status = 'active'
             JOIN machines m ON m.id = s.machine_id AND m.status <> 'revoked' WHERE h.user_id = ?1 AND ",
            stands!()
        )
    };
}

/// Somebody of the organization of a session (?2) of the caller's (?1).
macro_rules! find_invitee {
    () => {
        concat!(
            "SELECT u.id, u.username, u.id = s.user_id AS owns FROM terminal_sessions s
             JOIN users u ON u.organization_id = s.organization_id JOIN organizations o ON o.id = u.organization_id
             WHERE s.user_id = ?1 AND s.session_id = ?2 AND s.status = 'active' AND ",
            is_active!()
        )
    };
}

/// SQL: what is shared of a session (`s`) is less than may be (?7), without what its condition on `h` leaves out.
macro_rules! has_room {
    ($but:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM session_shares h WHERE h.session = s.id ",
            $but,
            ") < ?7"
        )
    };
}

statements! {
    /// An active session (?2) that the caller (?1) may know of. A super administrator, to whom organizations may show sessions of the
    /// same name, means that of their own first.
    FIND_SESSION = concat!(
        "SELECT s.id, s.session_id, s.machine_id, m.agent_id, m.name AS machine_name, s.organization_id,
           (s.user_id = u.id AND ", reaches!(), ") AS may_share, (s.user_id = u.id OR ", manages!(), ") AS controls
         FROM users u JOIN terminal_sessions s ON (s.organization_id = u.organization_id OR u.role = 'super_admin')
         JOIN machines m ON m.id = s.machine_id WHERE u.id = ?1 AND s.session_id = ?2 AND s.status = 'active'
         ORDER BY s.organization_id = u.organization_id DESC, s.id DESC"
    );

    INVITEE_BY_ID = concat!(find_invitee!(), " AND u.id = ?3");

    INVITEE_BY_NAME = concat!(find_invitee!(), " AND u.username = ?3");

    /// Invited again, they are invited as they were last. Nobody is invited to a session that is over, or from elsewhere, whatever was
    /// looked up before.
    INVITE = concat!(
        "INSERT INTO session_shares (id, session, organization_id, machine_id, user_id, can_type, created_at, expires_at)
         SELECT ?1, s.id, s.organization_id, s.machine_id, u.id, ?4, ?5, ?6 FROM terminal_sessions s
         JOIN users u ON u.id = ?3 AND u.organization_id = s.organization_id AND u.id <> s.user_id
         WHERE s.id = ?2 AND s.status = 'active' AND ", has_room!("AND h.user_id IS NOT ?3"), "
         ON CONFLICT (session, user_id) DO UPDATE SET can_type = excluded.can_type, created_at = excluded.created_at,
           expires_at = excluded.expires_at, link = NULL, removed_at = NULL"
    );

    MAKE_LINK = concat!(
        "INSERT INTO session_shares (id, session, organization_id, machine_id, digest, can_type, created_at, expires_at)
         SELECT ?1, s.id, s.organization_id, s.machine_id, ?3, ?4, ?5, ?6 FROM terminal_sessions s
         WHERE s.id = ?2 AND s.status = 'active' AND ", has_room!("")
    );

    /// The oldest first.
    LIST = concat!(shares!(), " ORDER BY h.created_at, h.id");

    FIND = concat!(shares!(), " AND h.id = ?2");

    FIND_OF_PERSON = concat!(shares!(), " AND h.user_id = ?2");

    /// Somebody who came by a link is remembered as sent away.
    REMOVE = "UPDATE session_shares SET removed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?1 AND session = ?2";

    /// A link takes along whoever came by it.
    DELETE = "DELETE FROM session_shares WHERE id = ?1 AND session = ?2";

    /// A link by the digest of its token (?2), for the caller (?1).
    FIND_LINK = concat!(
        "SELECT h.id, h.session, s.session_id, s.machine_id, m.name AS machine_name, s.username AS owner, s.user_id = u.id AS owns,
           EXISTS (SELECT 1 FROM session_shares p WHERE p.session = h.session AND p.user_id = u.id AND p.removed_at IS NOT NULL) AS removed
         FROM session_shares h JOIN users u ON u.id = ?1 AND u.organization_id = h.organization_id
         JOIN terminal_sessions s ON s.id = h.session AND s.status = 'active' JOIN machines m ON m.id = s.machine_id
         WHERE h.digest = ?2 AND ", stands!()
    );

    /// By a link (?2) somebody (?3) gets what it gives, unless they have as much.
    JOIN = "INSERT INTO session_shares (id, session, organization_id, machine_id, user_id, link, can_type, created_at, expires_at)
         SELECT ?1, l.session, l.organization_id, l.machine_id, u.id, l.id, l.can_type, ?4, l.expires_at
         FROM session_shares l JOIN terminal_sessions s ON s.id = l.session AND s.status = 'active'
         JOIN users u ON u.id = ?3 AND u.organization_id = l.organization_id AND u.id <> s.user_id
         WHERE l.id = ?2 AND l.digest IS NOT NULL AND l.expires_at > ?4
           AND (SELECT COUNT(*) FROM session_shares h WHERE h.session = s.id AND h.user_id IS NOT ?3) < ?5
         ON CONFLICT (session, user_id) DO UPDATE SET can_type = excluded.can_type, created_at = excluded.created_at,
           expires_at = excluded.expires_at, link = excluded.link
         WHERE removed_at IS NULL AND (expires_at <= excluded.created_at OR excluded.can_type > can_type)";

    /// The newest invitation first.
    LIST_OF_GUEST = concat!(guest_rows!(), " ORDER BY h.created_at DESC, h.id DESC");

    FIND_OF_GUEST = concat!(guest_rows!(), " AND h.id = ?2");

    FIND_OF_GUEST_BY_SESSION = concat!(guest_rows!(), " AND h.session = ?2");
}

/// As what somebody is invited, and for how long.
#[derive(Debug)]
pub struct Terms<'a> {
    pub can_type: bool,
    pub expires_at: Option<&'a str>,
    pub now: &'a str,
}

/// One active session, if the caller may know of it. The text may be anything.
pub fn find_session(caller: &ObjectId, session_id: &str) -> Query<FoundSession> {
    Query::new(FIND_SESSION, [caller.into(), session_id.into()])
}

/// Whom the caller could invite to a session of theirs, by id or else by name.
pub fn find_invitee(
    caller: &ObjectId,
    session_id: &str,
    user_id: Option<&str>,
    username: Option<&str>,
) -> Query<Invitee> {
    let (sql, who) = match user_id {
        Some(id) => (INVITEE_BY_ID, id),
        None => (INVITEE_BY_NAME, username.unwrap_or_default()),
    };
    Query::new(sql, [caller.into(), session_id.into(), who.into()])
}

/// Invites somebody, if there is room.
pub fn invite(
    inviting: &Inviting,
    invitee: &Invitee,
    terms: &Terms,
) -> Result<(Query<Nothing>, Query<ShareRow>), NoRandomness> {
    let session = inviting.control().id();
    let args = [
        (&random::object_id()?).into(),
        session.into(),
        (&invitee.id).into(),
        terms.can_type.into(),
        terms.now.into(),
        terms.expires_at.into(),
        MAX_SHARES.into(),
    ];
    let found = Query::new(FIND_OF_PERSON, [session.into(), (&invitee.id).into()]);
    Ok((Query::new(INVITE, args), found))
}

/// The token of a new link.
pub fn mint() -> Result<Secret, NoRandomness> {
    random::hex::<BYTES>().map(Secret::from)
}

/// Makes a link, if there is room. It has to end some time.
pub fn make_link(
    inviting: &Inviting,
    token: &Secret,
    terms: &Terms,
) -> Result<(Query<Nothing>, Query<ShareRow>), NoRandomness> {
    let (id, session) = (random::object_id()?, inviting.control().id());
    let args = [
        (&id).into(),
        session.into(),
        secrets::digest(token.expose()).into(),
        terms.can_type.into(),
        terms.now.into(),
        terms.expires_at.into(),
        MAX_SHARES.into(),
    ];
    let found = Query::new(FIND, [session.into(), (&id).into()]);
    Ok((Query::new(MAKE_LINK, args), found))
}

/// With whom a session is shared.
pub fn list(control: &SharingControl) -> Query<ShareRow> {
    Query::new(LIST, [control.id().into()])
}

/// One invitation or link of a session. The text may be anything.
pub fn find(control: &SharingControl, share: &str) -> Query<ShareRow> {
    Query::new(FIND, [control.id().into(), share.into()])
}

/// Ends an invitation or a link.
pub fn end(control: &ShareControl) -> Query<Nothing> {
    let sql = match control.share().link {
        Some(_) => REMOVE,
        None => DELETE,
    };
    Query::new(sql, [(&control.share().id).into(), control.control().id().into()])
}

/// A link by its token, which may be anything.
pub fn find_link(caller: &ObjectId, token: &Secret) -> Query<LinkRow> {
    Query::new(FIND_LINK, [caller.into(), secrets::digest(token.expose()).into()])
}

/// Accepts a link, and reads what that has given.
pub fn join(link: &LinkAccess, now: &str) -> Result<(Query<Nothing>, Query<GuestRow>), NoRandomness> {
    let (of, caller) = (link.link(), link.caller().id());
    let args = [
        (&random::object_id()?).into(),
        (&of.id).into(),
        caller.into(),
        now.into(),
        MAX_SHARES.into(),
    ];
    let found = Query::new(FIND_OF_GUEST_BY_SESSION, [caller.into(), (&of.session).into()]);
    Ok((Query::new(JOIN, args), found))
}

/// What is shared with the caller.
pub fn list_of_guest(caller: &ObjectId) -> Query<GuestRow> {
    Query::new(LIST_OF_GUEST, [caller.into()])
}

/// One invitation of the caller's. The text may be anything.
pub fn find_of_guest(caller: &ObjectId, share: &str) -> Query<GuestRow> {
    Query::new(FIND_OF_GUEST, [caller.into(), share.into()])
}

#[cfg(test)]
mod tests;
