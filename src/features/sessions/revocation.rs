//! Ending what was opened by right and is no longer: an account, a role, a group, a grant, a sign-in or a machine's key was
//! withdrawn, and the terminals opened and the commands sent by it end at once. The rows say which relays to ask; what a relay has, and whether it may
//! have it, it finds out itself (`authority.rs`). The next request is refused anyway, as each reads the account anew.
use futures_util::future::join_all;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::authority::{may_have, may_reach};
use crate::auth::account_store::is_active;
use crate::features::machines::predicates::may_sudo;
use crate::platform::context::App;
use crate::platform::db::{Query, statements};
use crate::platform::error::ApiError;
use crate::platform::log;

/// Most relays asked in one go; the scheduled handler asks the rest, and relays ask by themselves from time to time. Each is a
/// request, of which the platform allows a thousand.
const AT_ONCE: i64 = 500;

/// The machines with something of a table, as far as this condition on it says that it lives, whose owner may no longer have it.
macro_rules! orphaned {
    ($table:literal, $lives:literal, $may:expr) => {
        concat!(
            "SELECT s.machine_id FROM ",
            $table,
            " s JOIN users u ON u.id = s.user_id
             JOIN organizations o ON o.id = u.organization_id JOIN machines m ON m.id = s.machine_id
             WHERE ",
            $lives,
            " AND NOT (",
            is_active!(),
            " AND ",
            $may,
            " AND (s.sudo = 0 OR ",
            may_sudo!(),
            "))"
        )
    };
}

/// Terminals and commands alike, each with this condition more.
macro_rules! orphans {
    ($more:literal) => {
        concat!(
            orphaned!("terminal_sessions", "s.status = 'active'", may_have!()),
            $more,
            " UNION ",
            orphaned!("commands", "s.finished_at IS NULL", may_reach!()),
            $more
        )
    };
}

statements! {
    ORPHANS_OF_ORGANIZATION = concat!(orphans!(" AND s.organization_id = ?1"), " LIMIT ?2");

    ORPHANS_ANYWHERE = concat!(orphans!(""), " LIMIT ?1");

    /// Where people of an organization have terminals open.
    MACHINES_OF_ORGANIZATION = "SELECT DISTINCT machine_id FROM terminal_sessions WHERE organization_id = ?1 AND status = 'active' LIMIT ?2";

    /// Where an account has terminals open, or on their way, commands that have not ended, and invitations to terminals of others.
    MACHINES_OF_USER = "SELECT machine_id FROM terminal_sessions WHERE user_id = ?1 AND status = 'active'
         UNION SELECT machine_id FROM commands WHERE user_id = ?1 AND finished_at IS NULL
         UNION SELECT machine_id FROM session_shares WHERE user_id = ?1 LIMIT ?2";
}

/// Whose terminals may have lost their right.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// Those on machines of an organization: a group, a machine or the organization itself changed.
    Organization(&'a ObjectId),
    /// All of an organization's: from where its people may come has changed.
    EverybodyOf(&'a ObjectId),
    /// Those of one account, which itself changed, or one of its sign-ins or rights.
    User(&'a ObjectId),
    /// All, for the scheduled handler, which ends what could not be ended when it lost its right.
    Anyone,
}

#[derive(Debug, Deserialize)]
pub(super) struct Machine {
    machine_id: ObjectId,
}

/// Ends the terminals and commands that nobody may have any more, once what withdraws them is written. A relay that cannot be asked now is
/// asked again by the scheduled handler.
pub async fn withdraw(app: &App, whose: Whose<'_>) -> Result<(), ApiError> {
    let machines = app.db()?.run(machines(whose)).await?;
    let asked = machines
        .iter()
        .map(async |machine| app.relay(&machine.machine_id)?.recheck().await);
    for error in join_all(asked).await.into_iter().filter_map(Result::err) {
        log::error(&format!("a relay could not look at its rights: {}", error.cause()));
    }
    Ok(())
}

/// The machines whose relays are asked.
pub(super) fn machines(whose: Whose) -> Query<Machine> {
    match whose {
        Whose::Organization(id) => Query::new(ORPHANS_OF_ORGANIZATION, [id.into(), AT_ONCE.into()]),
        Whose::EverybodyOf(id) => Query::new(MACHINES_OF_ORGANIZATION, [id.into(), AT_ONCE.into()]),
        Whose::User(id) => Query::new(MACHINES_OF_USER, [id.into(), AT_ONCE.into()]),
        Whose::Anyone => Query::new(ORPHANS_ANYWHERE, [AT_ONCE.into()]),
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

    /// How many relays are asked, whoever's change it is.
    fn asked(db: &TestDb) -> usize {
        let acme = db.caller("ann").organization_id().clone();
        let counts = [Whose::Organization(&acme), Whose::Anyone].map(|whose| db.run(machines(whose)).len());
        assert!(counts.iter().all(|count| *count == counts[0]));
        counts[0]
    }

    #[test]
    fn a_relay_is_asked_when_the_last_way_to_its_machine_is_gone() {
        let db = db();
        assert_eq!(asked(&db), 0);
        db.grant("web", "bob", "", None);
        db.execute("DELETE FROM group_members");
        assert_eq!(asked(&db), 0, "the grant is left");
        db.execute("UPDATE machine_grants SET expires_at = '2026-01-01T00:00:00.000Z'");
        assert_eq!(asked(&db), 1, "the grant has expired");
    }

    #[test]
    fn a_relay_is_asked_about_commands_that_have_not_ended() {
        let db = db();
        db.execute("DELETE FROM terminal_sessions");
        db.command("cmd_1", "bob", "web");
        let bob = db.caller("bob");
        let of_user = |db: &TestDb| db.run(machines(Whose::User(bob.id()))).len();
        assert_eq!((asked(&db), of_user(&db)), (0, 1));
        db.execute("DELETE FROM group_members");
        assert_eq!((asked(&db), of_user(&db)), (1, 1));
        db.execute("UPDATE commands SET finished_at = 'x'");
        assert_eq!((asked(&db), of_user(&db)), (0, 0));
    }

    #[test]
    fn a_relay_is_asked_when_the_account_or_its_organization_is_gone() {
        for sql in [
            "UPDATE users SET disabled_at = 'x' WHERE username = 'bob'",
            "UPDATE users SET deleted_at = 'x' WHERE username = 'bob'",
            "UPDATE organizations SET disabled_at = 'x'",
        ] {
            let db = db();
            db.execute(sql);
            assert_eq!(asked(&db), 1, "{sql}");
        }
    }

    #[test]
    fn a_relay_is_asked_when_privileges_are_withdrawn() {
        let db = db();
        db.execute("UPDATE machines SET allow_sudo = 1; UPDATE users SET machine_role = 'allow_sudo'; UPDATE terminal_sessions SET sudo = 1");
        assert_eq!(asked(&db), 0);
        db.grant("web", "bob", "non_sudo", None);
        assert_eq!(asked(&db), 1, "the grant counts before the account's role");
        db.execute("UPDATE terminal_sessions SET sudo = 0");
        assert_eq!(asked(&db), 0);
    }

    #[test]
    fn a_relay_is_asked_when_the_permission_for_another_host_is_withdrawn() {
        let db = db();
        db.execute(
            "UPDATE terminal_sessions SET ssh_host = 'h', ssh_right = 'instances.ssh'; DELETE FROM group_members;
             INSERT INTO roles (id, organization_id, name, created_at) SELECT 100, organization_id, 'ssh', 'x' FROM users
               WHERE username = 'bob';
             INSERT INTO role_permissions VALUES (100, 'instances.ssh');
             INSERT INTO user_roles SELECT id, 100 FROM users WHERE username = 'bob'",
        );
        assert_eq!(asked(&db), 0, "nobody has to reach the runner");
        db.execute("DELETE FROM user_roles");
        assert_eq!(asked(&db), 1);
    }

    #[test]
    fn each_relay_with_terminals_of_an_account_is_asked_once_whatever_of_it_changed() {
        let db = db();
        db.session("s2", "bob", "web");
        let bob = db.caller("bob");
        assert_eq!(db.run(machines(Whose::User(bob.id()))).len(), 1);
        db.execute("UPDATE terminal_sessions SET status = 'closed'");
        assert!(db.run(machines(Whose::User(bob.id()))).is_empty());
    }

    #[test]
    fn each_relay_with_terminals_of_an_organization_is_asked_when_its_networks_change() {
        let db = db();
        let acme = db.caller("ann").organization_id().clone();
        let everybody = |db: &TestDb| db.run(machines(Whose::EverybodyOf(&acme))).len();
        db.session("s2", "ann", "web");
        assert_eq!(everybody(&db), 1);
        db.execute("UPDATE terminal_sessions SET status = 'closed'");
        assert_eq!(everybody(&db), 0);
    }
}
