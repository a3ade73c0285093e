use super::*;
use crate::audit::{Action, Event, Resource, record};
use crate::testing::TestDb;

/// Acme, where `ann` and `bob` have done three things each in turn, and another organization with two entries in between.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.user("eve", "other", "company_admin");
    for (n, name) in ["ann", "bob", "eve", "ann", "bob", "eve", "ann", "bob"]
        .into_iter()
        .enumerate()
    {
        let event = db.caller(name).event(Action::GroupCreated, Resource::Group);
        db.run(record(&event.on(n).detail("name", "o'ps \"1\"").detail("n", n as i64)));
    }
    db
}

fn organization(db: &TestDb, of: &str) -> String {
    db.caller(of).organization_id().to_string()
}

/// Seals as [`seal_organization`] does.
fn seal_all(db: &TestDb, organization: &str) {
    let (head, entries) = waiting_of(organization);
    let (head, entries) = (db.run(head), db.run(entries));
    db.run(seals(head.first(), &entries).unwrap());
}

/// Walks as [`verify`] does.
fn walked(db: &TestDb, organization: &str) -> ChainReport {
    let mut chain = Chain::default();
    walk(&mut chain, &db.run(page(organization, 0)));
    chain.report()
}

/// Whoever can write to the database directly also removes what stands in the way.
fn tamper(db: &TestDb, sql: &str) {
    db.execute("DROP TRIGGER audit_log_is_not_changed; DROP TRIGGER audit_log_is_not_deleted");
    db.execute(sql);
}

#[test]
fn each_organization_has_a_chain_of_its_own() {
    let db = db();
    let (acme, other) = (organization(&db, "ann"), organization(&db, "eve"));
    assert_eq!(db.run(Query::<Waiting>::new(WAITING, [10_i64.into()])).len(), 2);
    seal_all(&db, &acme);
    let report = walked(&db, &acme);
    assert_eq!((report.valid, report.entries, report.unsealed), (true, 6, 0));
    let report = walked(&db, &other);
    assert_eq!((report.valid, report.entries, report.unsealed), (true, 0, 2));
    assert_eq!(db.run(Query::<Waiting>::new(WAITING, [10_i64.into()])).len(), 1);
}

#[test]
fn what_comes_later_is_sealed_behind_what_is_sealed() {
    let db = db();
    let acme = organization(&db, "ann");
    seal_all(&db, &acme);
    let before = walked(&db, &acme);
    db.run(record(&db.caller("bob").event(Action::Logout, Resource::Auth)));
    let waiting = walked(&db, &acme);
    assert_eq!(
        (waiting.valid, waiting.unsealed, &waiting.head),
        (true, 1, &before.head)
    );
    seal_all(&db, &acme);
    let after = walked(&db, &acme);
    assert_eq!((after.valid, after.entries), (true, 7));
    assert_ne!(after.head, before.head);
}

#[test]
fn two_who_seal_at_the_same_time_write_the_same() {
    let (one, two) = (db(), db());
    let acme = organization(&one, "ann");
    // The same entries, ids and times in both.
    for db in [&one, &two] {
        tamper(
            db,
            "UPDATE audit_log SET id = 'id' || int_id, created_at = '2026-01-01T00:00:00.000Z'",
        );
    }
    let (head, entries) = waiting_of(&acme);
    let (head, entries) = (one.run(head), one.run(entries));
    one.run(seals(head.first(), &entries).unwrap());
    one.run(seals(head.first(), &entries).unwrap());
    seal_all(&one, &acme);
    seal_all(&two, &acme);
    assert_eq!(walked(&one, &acme), walked(&two, &acme));
    assert_eq!(walked(&one, &acme).entries, 6);
}

#[test]
fn tampering_is_found_at_the_entry() {
    // Acme's entries have the numbers 1, 2, 4, 5, 7 and 8.
    for (sql, at) in [
        ("UPDATE audit_log SET username = 'nobody' WHERE int_id = 4", 4),
        ("UPDATE audit_log SET details = '{}' WHERE int_id = 4", 4),
        ("UPDATE audit_log SET details = 'no JSON' WHERE int_id = 4", 4),
        ("UPDATE audit_log SET error = '' WHERE int_id = 4", 4),
        ("UPDATE audit_log SET hash = 'x' WHERE int_id = 4", 4),
        ("UPDATE audit_log SET hash = NULL WHERE int_id = 4", 4),
        ("DELETE FROM audit_log WHERE int_id = 4", 5),
        ("DELETE FROM audit_log WHERE int_id = 1", 2),
        ("UPDATE audit_log SET organization_id = '' WHERE int_id = 4", 5),
        (
            "UPDATE audit_log SET organization_id = (SELECT organization_id FROM audit_log WHERE int_id = 1) WHERE int_id = 3",
            3,
        ),
        ("UPDATE audit_log SET int_id = 6 + 100 WHERE int_id = 4", 5),
    ] {
        let db = db();
        let (acme, other) = (organization(&db, "ann"), organization(&db, "eve"));
        seal_all(&db, &acme);
        seal_all(&db, &other);
        tamper(&db, sql);
        let report = walked(&db, &acme);
        assert_eq!(report.broken_at.map(|broken| broken.int_id), Some(at), "{sql}");
    }
}

#[test]
fn sealing_does_not_cover_tampering_up() {
    let db = db();
    let acme = organization(&db, "ann");
    seal_all(&db, &acme);
    tamper(
        &db,
        "UPDATE audit_log SET username = 'nobody', hash = NULL WHERE int_id = 4",
    );
    seal_all(&db, &acme);
    assert_eq!(walked(&db, &acme).broken_at.map(|broken| broken.int_id), Some(4));
}

#[test]
fn a_walk_begins_behind_a_sealed_entry_of_the_same_organization() {
    let db = db();
    let (acme, other) = (organization(&db, "ann"), organization(&db, "eve"));
    seal_all(&db, &acme);
    let sealed = db.run(hash_of(&acme, 4)).remove(0);
    let mut chain = Chain::after(4, &sealed.hash);
    walk(&mut chain, &db.run(page(&acme, 4)));
    let report = chain.report();
    assert_eq!((report.valid, report.entries), (true, 3));
    assert!(db.run(hash_of(&other, 4)).is_empty());
    assert!(db.run(hash_of(&other, 3)).is_empty(), "not sealed yet");
}

#[test]
fn entries_of_no_organization_have_a_chain_too() {
    let db = TestDb::new();
    db.run(record(
        &Event::of(Action::LoginFailed, Resource::Auth)
            .claimed_by("nobody")
            .failed(401, "Invalid credentials"),
    ));
    seal_all(&db, "");
    assert_eq!(walked(&db, "").entries, 1);
}
