//! SQL of the tokens that open one session's socket, and of whoever comes in by them.
use protocol::api::sessions::SessionStatus;
use protocol::ids::{AgentId, ObjectId, SessionId};
use protocol::relay_contract::SignIn;
use protocol::terminal::limits::SessionLimits;
use serde::Deserialize;

use crate::auth::caller::Caller;
use crate::features::machines::predicates::may_sudo;
use crate::features::organizations::access::session_limits;
use crate::platform::db::{Nothing, Query, flag, json, statements};
use crate::platform::secrets;

statements! {
    /// A session that found no room has no token.
    KEEP = "INSERT INTO session_tokens (digest, session, user_id, sign_in, token_version, key_until, expires_at)
         SELECT ?1, s.id, ?3, ?4, ?5, ?6, ?7 FROM terminal_sessions s WHERE s.id = ?2";

    /// Of a token (?1) that is good now (?2) for a session (?3).
    FIND = "SELECT s.machine_id, t.user_id, u.username, t.sign_in, t.token_version, t.key_until
         FROM session_tokens t JOIN terminal_sessions s ON s.id = t.session JOIN users u ON u.id = t.user_id
         WHERE t.digest = ?1 AND t.expires_at > ?2 AND s.session_id = ?3";

    /// Somebody (?3) comes into a session (?1) of their own on a machine (?2).
    COME_IN = concat!(
        "UPDATE terminal_sessions SET openings = openings + 1, attach_until = NULL, last_activity = ?4
         WHERE session_id = ?1 AND machine_id = ?2 AND user_id = ?3 AND status = 'active'
           -- One on another host is opened where that is asked for, or it would become a shell of the machine.
           AND ssh_host IS NULL
         RETURNING openings, cols, rows,
           (SELECT m.agent_id FROM machines m WHERE m.id = terminal_sessions.machine_id) AS agent_id,
           (SELECT o.record_sessions FROM organizations o WHERE o.id = terminal_sessions.organization_id) AS records,
           (SELECT ", may_sudo!(), " FROM users u, machines m WHERE u.id = ?3 AND m.id = ?2) AS may_sudo,
           (SELECT ", session_limits!(), " FROM organizations o WHERE o.id = terminal_sessions.organization_id) AS limits"
    );

    STATUS = "SELECT status FROM terminal_sessions WHERE session_id = ?1 AND machine_id = ?2 AND user_id = ?3";

    /// Names that we made are of one session, unless somebody took one for their own later.
    MACHINE_OF = "SELECT s.machine_id FROM terminal_sessions s WHERE s.session_id = ?1 ORDER BY s.started_at, s.id LIMIT 1";

    PURGE = "DELETE FROM session_tokens WHERE digest IN (SELECT digest FROM session_tokens WHERE expires_at <= ?1 LIMIT ?2)";

    END_WAITING = "UPDATE terminal_sessions SET status = 'closed', ended_at = ?1, attach_until = NULL, close_reason = 'never_started'
         WHERE id IN (SELECT id FROM terminal_sessions WHERE attach_until <= ?1 AND status = 'active' LIMIT ?2)";
}

/// Who was given a token, and by what.
#[derive(Debug, Deserialize)]
pub struct Holder {
    /// Where the session is.
    pub machine_id: ObjectId,
    pub user_id: ObjectId,
    pub username: String,
    sign_in: String,
    token_version: Option<i64>,
    key_until: Option<u64>,
}

impl Holder {
    /// What it was given by, for the relay.
    pub fn proof(&self) -> SignIn {
        SignIn {
            sign_in: self.sign_in.clone(),
            token_version: self.token_version,
            until: self.key_until,
            // Whoever brings the token says it.
            address: String::new(),
        }
    }
}

/// A session that somebody came into.
#[derive(Debug, Deserialize)]
pub struct CameIn {
    /// How often it was opened, this time included.
    pub openings: u32,
    pub agent_id: AgentId,
    pub cols: u16,
    pub rows: u16,
    /// Whether sessions of its organization are recorded.
    #[serde(deserialize_with = "flag")]
    pub records: bool,
    /// Whether a shell that starts for it may gain privileges.
    #[serde(deserialize_with = "flag")]
    pub may_sudo: bool,
    /// What it may do.
    #[serde(deserialize_with = "json")]
    pub limits: SessionLimits,
}

/// Whether a session is over.
#[derive(Debug, Deserialize)]
pub struct StatusRow {
    pub status: SessionStatus,
}

/// Where a session is.
#[derive(Debug, Deserialize)]
pub struct MachineRow {
    pub machine_id: ObjectId,
}

/// Keeps the digest of a token for a session's row that `caller` has opened.
pub fn keep(token: &str, session: &ObjectId, caller: &Caller, expires_at: &str) -> Query<Nothing> {
    let proof = caller.relay_proof();
    let until = proof.until.and_then(|until| i64::try_from(until).ok());
    Query::new(
        KEEP,
        [
            secrets::digest(token).into(),
            session.into(),
            caller.id().into(),
            proof.sign_in.into(),
            proof.token_version.into(),
            until.into(),
            expires_at.into(),
        ],
    )
}

/// Whose token it is, if it is good for this session. The text may be anything.
pub fn find(token: &str, session: &SessionId, now: &str) -> Query<Holder> {
    let digest = secrets::digest(token);
    Query::new(FIND, [digest.into(), now.into(), session.into()])
}

/// Lets somebody into a session of their own. No row means that it is over, or none.
pub fn come_in(session: &SessionId, machine: &ObjectId, user: &ObjectId, now: &str) -> Query<CameIn> {
    Query::new(COME_IN, [session.into(), machine.into(), user.into(), now.into()])
}

/// Whether a session of somebody's own is over.
pub fn status(session: &SessionId, machine: &ObjectId, user: &ObjectId) -> Query<StatusRow> {
    Query::new(STATUS, [session.into(), machine.into(), user.into()])
}

/// The machine of a session with a name of our making.
pub fn machine_of(session: &SessionId) -> Query<MachineRow> {
    Query::new(MACHINE_OF, [session.into()])
}

/// Removes some of the tokens that expired by then.
pub fn purge(until: &str, most: i64) -> Query<Nothing> {
    Query::new(PURGE, [until.into(), most.into()])
}

/// Ends some of the sessions that nobody came to in time.
pub fn end_waiting(now: &str, most: i64) -> Query<Nothing> {
    Query::new(END_WAITING, [now.into(), most.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    const NOW: &str = "2026-01-01T00:30:00.000Z";
    const LATER: &str = "2026-01-01T01:00:00.000Z";

    /// `ann`'s session `s1` on `web`, that waits until [`LATER`], with a token.
    fn db() -> TestDb {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.user("bob", "acme", "company_admin");
        db.machine("web", "ann");
        db.machine("other", "ann");
        db.session("s1", "ann", "web");
        db.session("s2", "ann", "web");
        db.execute(&format!(
            "UPDATE terminal_sessions SET attach_until = '{LATER}' WHERE session_id = 's1'"
        ));
        let session = id("s1").parse().unwrap();
        db.run(keep("a token", &session, &db.caller("ann"), LATER));
        db
    }

    fn object(name: &str) -> ObjectId {
        id(name).parse().unwrap()
    }

    fn session(name: &str) -> SessionId {
        name.parse().unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_session_until_its_time_as_often_as_it_is_used() {
        let db = db();
        let good = |token: &str, name: &str, now: &str| {
            let found = db.run(find(token, &session(name), now));
            let whose = |holder: &Holder| (holder.user_id.clone(), holder.machine_id.clone());
            found
                .first()
                .is_some_and(|holder| whose(holder) == (object("ann"), object("web")))
        };
        for _ in 0..2 {
            assert!(good("a token", "s1", NOW));
        }
        for (token, name, now) in [("another", "s1", NOW), ("a token", "s2", NOW), ("a token", "s1", LATER)] {
            assert!(!good(token, name, now), "{token} {name} {now}");
        }
        db.run(purge(LATER, 10));
        assert_eq!(db.count("session_tokens"), 0);
    }

    #[test]
    fn the_token_itself_is_not_in_the_database() {
        let columns = "digest || session || user_id || sign_in || expires_at";
        assert_eq!(
            db().count(&format!("session_tokens WHERE instr({columns}, 'a token')")),
            0
        );
    }

    #[test]
    fn only_whose_it_is_comes_into_a_session_that_runs() {
        let db = db();
        let enter = |machine: &str, user: &str| db.run(come_in(&session("s1"), &object(machine), &object(user), NOW));
        assert!(enter("web", "bob").is_empty());
        assert!(enter("other", "ann").is_empty());
        let came = enter("web", "ann").remove(0);
        assert_eq!((came.openings, came.cols, came.rows, came.may_sudo), (2, 80, 24, false));
        assert_eq!(
            db.count("terminal_sessions WHERE attach_until IS NOT NULL"),
            0,
            "it waits no more"
        );
        db.execute("UPDATE terminal_sessions SET status = 'closed'");
        assert!(enter("web", "ann").is_empty());
        let status = db.run(status(&session("s1"), &object("web"), &object("ann")));
        assert_eq!(status[0].status, SessionStatus::Closed);
    }

    #[test]
    fn a_session_that_nobody_came_to_in_time_is_over() {
        let db = db();
        db.run(end_waiting(NOW, 10));
        assert_eq!(db.count("terminal_sessions WHERE status = 'active'"), 2);
        for _ in 0..2 {
            db.run(end_waiting(LATER, 10));
            assert_eq!(
                db.count("terminal_sessions WHERE status = 'active' AND session_id = 's2'"),
                1
            );
            assert_eq!(
                db.count("terminal_sessions WHERE close_reason = 'never_started' AND session_id = 's1'"),
                1
            );
        }
    }

    #[test]
    fn tokens_go_with_their_session() {
        let db = db();
        db.execute("DELETE FROM terminal_sessions");
        assert_eq!(db.count("session_tokens"), 0);
    }
}
