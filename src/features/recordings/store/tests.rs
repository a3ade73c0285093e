//! Who sees which recordings, and what becomes of them.
use protocol::api::recordings::Recording;

use super::*;
use crate::features::recordings::access::RecordingAccess;
use crate::testing::{TestDb, id};

/// `ann` administers acme, where bob has a machine `web` and a session on it was recorded; cid is a colleague, and eve a stranger.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.user("cid", "acme", "user");
    db.user("eve", "other", "company_admin");
    db.machine("web", "bob");
    recorded(&db, "r1", "2026-01-02T00:00:00.000Z");
    db
}

fn recorded(db: &TestDb, name: &str, ended_at: &str) {
    db.execute(&format!(
        "INSERT INTO recordings (id, organization_id, machine_id, agent_id, machine_name, session_id, stream, user_id, username, state,
           started_at, ended_at, expires_at, duration_ms, output_bytes, size_bytes, cols, rows, exit_code)
         SELECT '{}', m.organization_id, m.id, m.agent_id, m.name, 's1', 1, m.owner_id, 'bob', 'complete',
           '2026-01-01T00:00:00.000Z', '{ended_at}', '2026-04-01T00:00:00.000Z', 1500, 10, 20, 80, 24, 0 FROM machines m",
        id(name)
    ));
}

fn found(db: &TestDb, caller: &str) -> Result<RecordingAccess, u16> {
    let caller = db.caller(caller);
    let rows = db.run(find(caller.id(), &id("r1").parse().unwrap()));
    RecordingAccess::decide(caller, rows).map_err(|error| error.status().as_u16())
}

/// What somebody is answered who looks at it, and who wants to delete it.
fn answers(db: &TestDb, caller: &str) -> (u16, u16) {
    let see = found(db, caller).map_or_else(|status| status, |_| 200);
    let delete = found(db, caller).and_then(|access| access.control().map_err(|error| error.status().as_u16()));
    (see, delete.map_or_else(|status| status, |_| 200))
}

#[test]
fn whoever_reaches_the_machine_sees_and_whoever_manages_it_deletes() {
    let db = db();
    assert_eq!(answers(&db, "ann"), (200, 200));
    assert_eq!(answers(&db, "bob"), (200, 200));
    assert_eq!(answers(&db, "cid"), (403, 403));
    assert_eq!(answers(&db, "eve"), (404, 404));
    db.grant("web", "cid", "", None);
    assert_eq!(answers(&db, "cid"), (200, 403));
}

#[test]
fn what_is_left_of_a_machine_that_is_gone_is_the_administrators() {
    let db = db();
    db.execute("DELETE FROM machines");
    assert_eq!(answers(&db, "ann"), (200, 200));
    assert_eq!(answers(&db, "bob"), (403, 403));
    let ann = db.caller("ann");
    let (rows, count) = list_of_organization(ann.id(), 50, 0);
    assert_eq!((db.run(rows).len(), db.run(count)[0].total), (1, 1));
}

#[test]
fn an_address_is_good_when_the_account_is_gone() {
    let db = db();
    let file = || db.run(read(&id("r1").parse().unwrap())).remove(0).username;
    assert_eq!(file(), "bob");
    db.execute("DELETE FROM machines; DELETE FROM users WHERE username = 'bob'");
    assert_eq!(file(), "bob");
}

#[test]
fn a_recording_that_runs_is_not_deleted() {
    let db = db();
    db.execute("UPDATE recordings SET state = 'recording', ended_at = NULL, expires_at = NULL");
    assert_eq!(answers(&db, "bob"), (200, 409));
}

#[test]
fn a_list_has_a_window_and_a_count() {
    let db = db();
    recorded(&db, "r2", "2026-01-03T00:00:00.000Z");
    let bob = db.caller("bob");
    let agent_id = id("web")[..12].to_owned();
    let list = |limit, skip| {
        let (rows, count) = list_of_machine(bob.id(), &agent_id, limit, skip);
        (db.run(rows), db.run(count)[0].total)
    };
    assert_eq!((list(50, 0).0.len(), list(50, 0).1), (2, 2));
    assert_eq!((list(1, 0).0.len(), list(1, 0).1), (1, 2));
    assert_eq!((list(50, 2).0.len(), list(50, 2).1), (0, 2));
    let body = Recording::from(&list(1, 0).0[0]);
    assert_eq!(
        (body.duration_seconds, body.tenant_id.as_str(), body.can_delete),
        (1.5, "acme", true)
    );
    assert!(body.s3_key.starts_with("recordings/"));
}

#[test]
fn what_was_recorded_of_a_session_is_for_those_who_may_see_it_oldest_first() {
    let db = db();
    recorded(&db, "r0", "2026-01-03T00:00:00.000Z");
    db.execute(&format!(
        "UPDATE recordings SET started_at = '2025-12-31T00:00:00.000Z' WHERE id = '{}'",
        id("r0")
    ));
    recorded(&db, "elsewhere", "2026-01-03T00:00:00.000Z");
    db.execute(&format!(
        "UPDATE recordings SET session_id = 's2' WHERE id = '{}'",
        id("elsewhere")
    ));
    let list = |who: &str, window| {
        let (machine, session) = (id("web").parse().unwrap(), "s1".parse().unwrap());
        let (rows, count) = list_of_session(db.caller(who).id(), &machine, &session, window);
        let ids: Vec<String> = db.run(rows).into_iter().map(|row| row.id.to_string()).collect();
        (ids, db.run(count)[0].total)
    };
    assert_eq!(list("bob", (10, 0)), (vec![id("r0"), id("r1")], 2));
    assert_eq!(list("ann", (1, 1)), (vec![id("r1")], 2));
    for nobody in ["cid", "eve"] {
        assert_eq!(list(nobody, (10, 0)), (Vec::new(), 0), "{nobody}");
    }
    db.grant("web", "cid", "", None);
    assert_eq!(list("cid", (10, 0)).1, 2);
    db.execute("DELETE FROM machines");
    assert_eq!((list("ann", (10, 0)).1, list("bob", (10, 0)).1), (2, 0));
}

#[test]
fn what_is_kept_follows_the_setting_of_the_organization() {
    let db = db();
    let expires = || db.count("recordings WHERE expires_at = '2026-01-12T00:00:00.000Z'");
    db.execute("UPDATE organizations SET recording_days = 10 WHERE slug = 'acme'");
    assert_eq!(expires(), 1);
    db.execute("UPDATE organizations SET recording_days = 0 WHERE slug = 'acme'");
    assert_eq!(db.count("recordings WHERE expires_at IS NULL"), 1);
    assert!(db.run(expired("2099-01-01T00:00:00.000Z", 10)).is_empty());
}

#[test]
fn only_what_has_expired_is_removed() {
    let db = db();
    let early = db.run(expired("2026-03-31T23:59:59.999Z", 10));
    assert!(early.is_empty());
    let due = db.run(expired("2026-04-01T00:00:00.000Z", 10)).remove(0);
    // The setting was changed meanwhile.
    db.run(delete_expired(&due, "2026-03-31T00:00:00.000Z"));
    assert_eq!(db.count("recordings"), 1);
    db.run(delete_expired(&due, "2026-04-01T00:00:00.000Z"));
    assert_eq!(db.count("recordings"), 0);
}

#[test]
fn a_machine_that_is_deleted_ends_its_recordings_and_an_organization_takes_them_along() {
    let db = db();
    db.execute("UPDATE recordings SET state = 'recording', ended_at = NULL, expires_at = NULL");
    db.execute("DELETE FROM machines");
    assert_eq!(
        db.count("recordings WHERE state = 'interrupted' AND ended_at IS NOT NULL AND expires_at > ended_at"),
        1
    );
    db.execute("DELETE FROM users WHERE organization_id = (SELECT id FROM organizations WHERE slug = 'acme')");
    db.execute("DELETE FROM organizations WHERE slug = 'acme'");
    assert_eq!(db.run(expired("2099-01-01T00:00:00.000Z", 10)).len(), 1);
}
