use super::*;
use crate::features::machines::access::MachineAccess;
use crate::features::machines::store::{self as machines, Key};
use crate::testing::{TestDb, id};

const NOW: &str = "2026-02-01T00:00:00.000Z";
const PAST: &str = "2020-01-01T00:00:00.000Z";
const FUTURE: &str = "2999-01-01T00:00:00.000Z";

/// `web` of `ann`'s in `acme`, where `admin` administers and `bob` and `cid` are; `eve` administers `evil`; `root` is a super
/// administrator elsewhere.
fn db() -> TestDb {
    let db = TestDb::new();
    for (name, organization, role) in [
        ("admin", "acme", "company_admin"),
        ("ann", "acme", "user"),
        ("bob", "acme", "user"),
        ("cid", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        db.user(name, organization, role);
    }
    db.machine("web", "ann");
    db
}

fn agent_id() -> String {
    id("web")[..12].to_owned()
}

fn access(db: &TestDb, caller: &str) -> Result<MachineAccess, u16> {
    let caller = db.caller(caller);
    let found = db.run(machines::find(caller.id(), &Key::AgentId(agent_id())));
    MachineAccess::decide(caller, found).map_err(|error| error.status().as_u16())
}

fn control(db: &TestDb) -> MachineControl {
    access(db, "ann").unwrap().control().unwrap()
}

fn borrower(db: &TestDb, name: &str) -> Borrower {
    db.run(find_borrower(&agent_id(), None, Some(name))).remove(0)
}

/// Each person's ways, and that they are those who reach the machine: the list must not know better than the predicate.
fn ways(db: &TestDb) -> Vec<(String, Vec<String>)> {
    let rows = db.run(list_users(&agent_id()));
    for name in ["admin", "ann", "bob", "cid"] {
        let listed = rows.iter().any(|row| row.username == name);
        assert_eq!(access(db, name).is_ok(), listed, "{name}");
    }
    for row in &rows {
        assert!(!row.ways.is_empty(), "{row:?}");
        assert_eq!(access(db, &row.username).unwrap().may_sudo(), row.may_sudo, "{row:?}");
    }
    rows.into_iter().map(|row| (row.username, row.ways)).collect()
}

fn ways_of(db: &TestDb, name: &str) -> Vec<String> {
    let all = ways(db);
    all.into_iter()
        .find(|(who, _)| who == name)
        .map(|(_, ways)| ways)
        .unwrap_or_default()
}

#[test]
fn a_machine_is_reached_by_its_owner_and_administrators_and_nobody_else_by_default() {
    let db = db();
    let expected = [("admin", "admin"), ("ann", "owner")];
    assert_eq!(
        ways(&db),
        expected.map(|(name, way)| (name.to_owned(), vec![way.to_owned()]))
    );
    assert_eq!(access(&db, "bob").unwrap_err(), 403);
    assert_eq!(access(&db, "eve").unwrap_err(), 404);
    assert!(access(&db, "root").is_ok());
}

#[test]
fn every_way_to_a_machine_works_alone_and_ends_alone() {
    let db = db();
    db.group("ops", "acme", &["bob"], &["web"]);
    db.group("dev", "acme", &["bob"], &["web"]);
    db.grant("web", "bob", "", Some(FUTURE));
    assert_eq!(ways_of(&db, "bob"), ["direct", "group:ops", "group:dev"]);

    // Leaving a group leaves the grant and the other group, and so on: one way after the other, in every order.
    let ends = [
        "DELETE FROM machine_grants",
        "DELETE FROM group_members WHERE group_id = (SELECT id FROM groups WHERE name = 'ops')",
        "DELETE FROM groups WHERE name = 'dev'",
    ];
    for first in 0..3 {
        for second in (0..3).filter(|second| *second != first) {
            let db = self::db();
            db.group("ops", "acme", &["bob"], &["web"]);
            db.group("dev", "acme", &["bob"], &["web"]);
            db.grant("web", "bob", "", None);
            let last = 3 - first - second;
            db.execute(ends[first]);
            assert_eq!(ways_of(&db, "bob").len(), 2);
            db.execute(ends[second]);
            assert_eq!(ways_of(&db, "bob").len(), 1);
            db.execute(ends[last]);
            assert_eq!(access(&db, "bob").unwrap_err(), 403);
        }
    }
}

#[test]
fn a_machine_taken_out_of_a_group_is_no_longer_reached_by_it() {
    let db = db();
    db.group("ops", "acme", &["bob"], &["web"]);
    assert_eq!(ways_of(&db, "bob"), ["group:ops"]);
    db.execute("DELETE FROM group_machines");
    assert!(ways_of(&db, "bob").is_empty());
}

#[test]
fn a_grant_counts_until_its_time() {
    let db = db();
    db.grant("web", "bob", "", Some(PAST));
    db.grant("web", "cid", "", Some(FUTURE));
    assert!(ways_of(&db, "bob").is_empty());
    assert_eq!(ways_of(&db, "cid"), ["direct"]);
    // Also before the scheduled handler removes it.
    assert_eq!(access(&db, "ann").unwrap().found().machine.granted_to, ["cid"]);
}

#[test]
fn an_approved_request_is_listed_as_a_way_with_its_end() {
    let db = db();
    db.request("web", "bob", "approved", Some(FUTURE));
    db.request("web", "cid", "approved", Some(PAST));
    assert_eq!(ways_of(&db, "bob"), ["request"]);
    assert!(ways_of(&db, "cid").is_empty());
    let row = |db: &TestDb| {
        let rows = db.run(list_users(&agent_id())).into_iter();
        rows.filter(|row| row.username == "bob").collect::<Vec<_>>().remove(0)
    };
    let end = |row: &UserRow| row.expires_at.map(crate::platform::db::stored);
    let found = row(&db);
    assert_eq!(found.granted_by.as_deref(), Some("ann"));
    assert!(found.granted_at.is_some());
    assert_eq!(end(&found).as_deref(), Some(FUTURE));
    // One without an end is the longer one, and what was granted counts first.
    db.request("web", "bob", "approved", None);
    assert_eq!(
        (ways_of(&db, "bob"), end(&row(&db))),
        (vec!["request".to_owned()], None)
    );
    db.grant("web", "bob", "", Some(FUTURE));
    assert_eq!(ways_of(&db, "bob"), ["direct", "request"]);
    assert_eq!(end(&row(&db)).as_deref(), Some(FUTURE));
}

#[test]
fn a_grant_given_again_is_as_it_was_given_last() {
    let db = db();
    db.execute("UPDATE machines SET allow_sudo = 1");
    let bob = borrower(&db, "bob");
    let terms = |machine_role, expires_at| Terms {
        machine_role,
        expires_at,
        now: NOW,
    };
    db.run(grant(
        &control(&db),
        &bob,
        &terms(Some(MachineRole::AllowSudo), Some(FUTURE)),
    ));
    assert!(access(&db, "bob").unwrap().may_sudo());
    db.run(grant(&control(&db), &bob, &terms(None, None)));
    assert!(!access(&db, "bob").unwrap().may_sudo());
    let row = db
        .run(list_users(&agent_id()))
        .into_iter()
        .find(|row| row.username == "bob")
        .unwrap();
    assert_eq!(row.granted_by.as_deref(), Some("ann"));
    assert_eq!(row.granted_at.map(crate::platform::db::stored).as_deref(), Some(NOW));
    assert_eq!(row.expires_at, None);
    assert_eq!(db.count("machine_grants"), 1);
    db.run(revoke(&control(&db), &bob));
    db.run(revoke(&control(&db), &bob));
    assert!(access(&db, "bob").is_err());
}

#[test]
fn what_somebody_was_lent_is_told_while_it_is() {
    let db = db();
    let bob = borrower(&db, "bob");
    let lent_now = || -> Vec<serde_json::Value> {
        let rows = db.run(lent(&bob.id)).into_iter();
        rows.map(|row| serde_json::from_str(&row.body).unwrap()).collect()
    };
    assert!(lent_now().is_empty());
    for (expires_at, counts) in [(None, true), (Some(FUTURE), true), (Some(PAST), false)] {
        let terms = Terms {
            machine_role: None,
            expires_at,
            now: NOW,
        };
        db.run(grant(&control(&db), &bob, &terms));
        let expected = serde_json::json!({"machine_id": format!("mch_{}", id("web")), "agent_id": agent_id(), "access_level": "full"});
        assert_eq!(lent_now(), Vec::from_iter(counts.then_some(expected)), "{expires_at:?}");
    }
}

#[test]
fn a_machine_is_lent_only_within_its_organization() {
    let db = db();
    assert!(borrower(&db, "ann").owns && !borrower(&db, "BOB").owns);
    for name in ["eve", "root", "nobody"] {
        assert!(
            db.run(find_borrower(&agent_id(), None, Some(name))).is_empty(),
            "{name}"
        );
        assert!(
            db.run(find_borrower(&agent_id(), Some(&id(name)), Some("bob")))
                .is_empty(),
            "{name}"
        );
    }
    let eve = Borrower {
        id: id("eve").parse().unwrap(),
        username: "eve".into(),
        owns: false,
    };
    let terms = Terms {
        machine_role: None,
        expires_at: None,
        now: NOW,
    };
    db.run(grant(&control(&db), &eve, &terms));
    assert_eq!(db.count("machine_grants"), 0);
    db.execute("UPDATE users SET deleted_at = 'x' WHERE username = 'bob'");
    assert!(db.run(find_borrower(&agent_id(), None, Some("bob"))).is_empty());
}
