//! Ending what was opened by right and is no longer: an account, a role, a group, a grant or a sign-in was withdrawn, and the
//! terminals opened by it end at once. The next request is refused anyway, as each reads the account anew.
use futures_util::future::join_all;
use protocol::ids::{ObjectId, SessionId};
use protocol::relay_contract::{Revoke, SignIns};
use serde::Deserialize;

use crate::auth::account_store::is_active;
use crate::features::machines::predicates::{may_sudo, reaches};
use crate::platform::context::App;
use crate::platform::db::{Query, statements};
use crate::platform::error::ApiError;
use crate::platform::log;

/// Most sessions ended in one go; the scheduled handler ends the rest. Each is a request to a machine's relay, of which the
/// platform allows a thousand.
const AT_ONCE: i64 = 500;

/// An active session whose owner may no longer have it.
macro_rules! orphaned {
    () => {
        concat!(
            "SELECT s.session_id, s.machine_id FROM terminal_sessions s JOIN users u ON u.id = s.user_id
             JOIN organizations o ON o.id = u.organization_id JOIN machines m ON m.id = s.machine_id
             WHERE s.status = 'active' AND NOT (",
            is_active!(),
            " AND (m.organization_id = u.organization_id OR u.role = 'super_admin') AND ",
            reaches!(),
            " AND (s.sudo = 0 OR ",
            may_sudo!(),
            "))"
        )
    };
}

statements! {
    ORPHANS_OF_ORGANIZATION = concat!(orphaned!(), " AND s.organization_id = ?1 LIMIT ?2");

    ORPHANS_OF_USER = concat!(orphaned!(), " AND s.user_id = ?1 LIMIT ?2");

    ORPHANS_ANYWHERE = concat!(orphaned!(), " LIMIT ?1");

    /// Where an account has terminals open.
    MACHINES_OF_USER = "SELECT DISTINCT machine_id FROM terminal_sessions WHERE user_id = ?1 AND status = 'active' LIMIT ?2";
}

/// Whose sessions may have lost their right.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// Those on machines of an organization: a group, a machine or the organization itself changed.
    Organization(&'a ObjectId),
    /// Those of one account.
    User(&'a ObjectId),
    /// All, for the scheduled handler, which ends what could not be ended when it lost its right.
    Anyone,
}

/// An active session whose owner may no longer have it.
#[derive(Debug, Deserialize)]
struct Orphan {
    session_id: SessionId,
    machine_id: ObjectId,
}

#[derive(Debug, Deserialize)]
struct Machine {
    machine_id: ObjectId,
}

/// Ends the sessions whose owners may no longer have them. What a relay cannot end now is tried again by the scheduled
/// handler.
pub async fn end_orphans(app: &App, whose: Whose<'_>) -> Result<(), ApiError> {
    let orphans = app.db()?.run(orphans(whose)).await?;
    let ends = orphans
        .iter()
        .map(async |orphan| app.relay(&orphan.machine_id)?.revoke_session(&orphan.session_id).await);
    log_failures(join_all(ends).await);
    Ok(())
}

/// Disconnects the terminals that an account opened by some of its sign-ins. Their shells stay, for the account may sign in
/// again.
pub async fn end_sign_ins(app: &App, user: &ObjectId, sign_ins: SignIns) -> Result<(), ApiError> {
    let machines = app.db()?.run(machines(user)).await?;
    let revoke = Revoke {
        user: user.clone(),
        sign_ins,
    };
    let ends = machines
        .iter()
        .map(async |machine| app.relay(&machine.machine_id)?.revoke(&revoke).await);
    log_failures(join_all(ends).await);
    Ok(())
}

fn orphans(whose: Whose) -> Query<Orphan> {
    match whose {
        Whose::Organization(id) => Query::new(ORPHANS_OF_ORGANIZATION, [id.into(), AT_ONCE.into()]),
        Whose::User(id) => Query::new(ORPHANS_OF_USER, [id.into(), AT_ONCE.into()]),
        Whose::Anyone => Query::new(ORPHANS_ANYWHERE, [AT_ONCE.into()]),
    }
}

fn machines(user: &ObjectId) -> Query<Machine> {
    Query::new(MACHINES_OF_USER, [user.into(), AT_ONCE.into()])
}

fn log_failures(results: Vec<Result<(), ApiError>>) {
    for error in results.into_iter().filter_map(Result::err) {
        log::error(&format!("a terminal could not be ended: {}", error.cause()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    /// `bob` has a session on `web`, a machine of `ann`'s, which a group lets him reach.
    fn db() -> TestDb {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("bob", "acme", "user");
        db.machine("web", "ann");
        db.group("ops", "acme", &["bob"], &["web"]);
        db.session("s1", "bob", "web");
        db
    }

    fn ended(db: &TestDb) -> usize {
        let acme = db.caller("ann").organization_id().clone();
        let bob = db.caller("bob").id().clone();
        let counts =
            [Whose::Organization(&acme), Whose::User(&bob), Whose::Anyone].map(|whose| db.run(orphans(whose)).len());
        assert!(counts.iter().all(|count| *count == counts[0]));
        counts[0]
    }

    #[test]
    fn a_session_ends_with_the_last_way_to_its_machine() {
        let db = db();
        assert_eq!(ended(&db), 0);
        db.grant("web", "bob", "", None);
        db.execute("DELETE FROM group_members");
        assert_eq!(ended(&db), 0, "the grant is left");
        db.execute("UPDATE machine_grants SET expires_at = '2026-01-01T00:00:00.000Z'");
        assert_eq!(ended(&db), 1, "the grant has expired");
    }

    #[test]
    fn a_session_ends_with_its_account_or_the_accounts_organization() {
        for sql in [
            "UPDATE users SET disabled_at = 'x' WHERE username = 'bob'",
            "UPDATE users SET deleted_at = 'x' WHERE username = 'bob'",
            "UPDATE organizations SET disabled_at = 'x'",
        ] {
            let db = db();
            db.execute(sql);
            assert_eq!(ended(&db), 1, "{sql}");
        }
    }

    #[test]
    fn a_session_with_privileges_ends_when_they_are_withdrawn() {
        let db = db();
        db.execute("UPDATE machines SET allow_sudo = 1; UPDATE users SET machine_role = 'allow_sudo'; UPDATE terminal_sessions SET sudo = 1");
        assert_eq!(ended(&db), 0);
        db.grant("web", "bob", "non_sudo", None);
        assert_eq!(ended(&db), 1, "the grant counts before the account's role");
        db.execute("UPDATE terminal_sessions SET sudo = 0");
        assert_eq!(ended(&db), 0);
    }

    #[test]
    fn machines_with_open_terminals_are_found() {
        let db = db();
        db.session("s2", "bob", "web");
        let bob = db.caller("bob");
        assert_eq!(db.run(machines(bob.id())).len(), 1);
        db.execute("UPDATE terminal_sessions SET status = 'closed'");
        assert!(db.run(machines(bob.id())).is_empty());
    }
}
