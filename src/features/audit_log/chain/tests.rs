use super::*;
use crate::audit::{Action, Event, Resource, record};
use crate::testing::{TestDb, audit_key};

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

/// Seals as [`seal_organization`] does; the reason if it cannot.
fn seal_all(db: &TestDb, organization: &str) -> Option<&'static str> {
    for (take, entry) in session_ends::write(&db.run(session_ends::waiting(organization))) {
        db.run(take);
        db.run(entry);
    }
    let seals = seals(db, organization);
    let broken = seals.broken;
    write(db, organization, seals);
    broken
}

fn seals(db: &TestDb, organization: &str) -> Seals {
    let (head, last, entries) = waiting_of(organization);
    let (head, last, entries) = (db.run(head), db.run(last), db.run(entries));
    Seals::of(&audit_key(), organization, head.first(), last.first(), &entries)
}

fn write(db: &TestDb, organization: &str, seals: Seals) {
    if let Some((seal, head)) = seals.write(&audit_key(), organization).unwrap() {
        db.run(seal);
        db.run(head);
    }
}

/// Walks as [`verify`] does.
fn walked(db: &TestDb, organization: &str) -> ChainReport {
    let (key, head) = (audit_key(), db.run(head(organization)).into_iter().next());
    let mut walk = Walk::new(&key, organization, head, None);
    walk.over(&db.run(page(organization, 0)));
    walk.end()
}

/// Whoever can write to the database directly also removes what stands in the way.
fn tamper(db: &TestDb, sql: &str) {
    db.execute("DROP TRIGGER IF EXISTS audit_log_is_not_changed; DROP TRIGGER IF EXISTS audit_log_is_not_deleted");
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
    let db = db();
    let acme = organization(&db, "ann");
    let (first, second) = (seals(&db, &acme), seals(&db, &acme));
    write(&db, &acme, first);
    let before = walked(&db, &acme);
    write(&db, &acme, second);
    assert_eq!(walked(&db, &acme), before);
    assert_eq!((before.valid, before.entries), (true, 6));
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

/// The seals of an organization's entries as anybody computes them who can write to the database: they need no key.
fn seal_as_an_attacker(db: &TestDb, organization: &str) {
    let mut hash = GENESIS.to_owned();
    for row in db.run(page(organization, 0)) {
        let entry = row.entry();
        hash = seal(&hash, &entry);
        db.execute(&format!(
            "UPDATE audit_log SET hash = '{hash}' WHERE int_id = {}",
            entry.int_id
        ));
    }
}

const INSERTED: &str = "INSERT INTO audit_log SELECT NULL, 'forged', organization_id, user_id, username, 'login', resource,
    resource_id, status, response_status, method, endpoint, ip_address, user_agent, source, error, details, created_at, NULL, mac
    FROM audit_log WHERE int_id = 4";

#[test]
fn nothing_is_sealed_that_this_server_did_not_write() {
    for (tampering, at) in [
        // Emptied, and changed or not.
        (
            "UPDATE audit_log SET username = 'nobody', hash = NULL WHERE int_id = 4",
            4,
        ),
        ("UPDATE audit_log SET hash = NULL WHERE int_id = 4", 4),
        (
            "UPDATE audit_log SET username = 'nobody', hash = NULL WHERE int_id = 8",
            8,
        ),
        (
            "UPDATE audit_log SET username = 'nobody', hash = NULL; DELETE FROM audit_heads",
            1,
        ),
        (
            "UPDATE audit_log SET username = 'nobody', hash = NULL WHERE int_id >= 4",
            4,
        ),
        // Written by somebody else: with another one's code, or with none.
        (INSERTED, 9),
        (&INSERTED.replace("mac", "NULL"), 9),
        (
            &format!(
                "DELETE FROM audit_log WHERE int_id = 6; {}",
                INSERTED.replace("NULL, 'f", "6, 'f").replace("mac", "NULL")
            ),
            6,
        ),
        // Removed, with what would show it.
        ("DELETE FROM audit_log WHERE int_id = 8", 9),
        ("DELETE FROM audit_log WHERE int_id >= 4; DELETE FROM audit_heads", 9),
        (
            "DELETE FROM audit_log WHERE int_id = 4; UPDATE audit_log SET hash = NULL WHERE int_id > 4",
            8,
        ),
        (
            "UPDATE audit_heads SET int_id = 2, hash = (SELECT hash FROM audit_log WHERE int_id = 2)",
            2,
        ),
    ] {
        let db = db();
        let acme = organization(&db, "ann");
        assert_eq!(seal_all(&db, &acme), None);
        tamper(&db, tampering);
        // What the server's own job does about it, again and again.
        db.run(record(&db.caller("bob").event(Action::Logout, Resource::Auth)));
        let reasons = [seal_all(&db, &acme), seal_all(&db, &acme)];
        assert!(reasons.iter().all(Option::is_some), "{tampering}: {reasons:?}");
        let report = walked(&db, &acme);
        assert_eq!(report.broken_at.map(|broken| broken.int_id), Some(at), "{tampering}");
    }
}

#[test]
fn seals_that_somebody_computes_are_not_this_servers() {
    for tampering in [
        "UPDATE audit_log SET username = 'nobody' WHERE int_id = 4",
        "DELETE FROM audit_log WHERE int_id = 4",
        "DELETE FROM audit_log WHERE int_id = 4; DELETE FROM audit_heads",
        INSERTED,
        &INSERTED.replace("mac", "NULL"),
    ] {
        let db = db();
        let acme = organization(&db, "ann");
        seal_all(&db, &acme);
        tamper(&db, tampering);
        seal_as_an_attacker(&db, &acme);
        seal_all(&db, &acme);
        assert!(walked(&db, &acme).broken_at.is_some(), "{tampering}");
    }
}

#[test]
fn what_an_older_version_wrote_goes_on_and_is_counted() {
    let db = db();
    let acme = organization(&db, "ann");
    // Before: no codes, no heads; two entries waited for their seals.
    tamper(&db, "UPDATE audit_log SET mac = NULL");
    seal_as_an_attacker(&db, &acme);
    db.execute("UPDATE audit_log SET hash = NULL WHERE int_id > 5");
    db.run(record(&db.caller("bob").event(Action::Logout, Resource::Auth)));
    assert_eq!(seal_all(&db, &acme), None);
    let report = walked(&db, &acme);
    assert_eq!((report.valid, report.entries, report.unauthenticated), (true, 7, 6));
    // From then on an entry without a code is a break, and those before are held by the head.
    db.execute(&INSERTED.replace("mac", "NULL"));
    assert!(seal_all(&db, &acme).is_some());
    assert_eq!(walked(&db, &acme).broken_at.map(|broken| broken.int_id), Some(10));
}

#[test]
fn the_end_of_a_session_becomes_an_entry_once() {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.machine("alpha", "ann");
    db.session("s1", "ann", "alpha");
    let acme = organization(&db, "ann");
    db.execute(
        "UPDATE terminal_sessions SET status = 'closed', ended_at = '2026-01-01T01:00:00.000Z', close_reason = 'exit'",
    );
    let twice = db.run(session_ends::waiting(&acme));
    seal_all(&db, &acme);
    for (take, entry) in session_ends::write(&twice) {
        db.run(take);
        db.run(entry);
    }
    seal_all(&db, &acme);
    let report = walked(&db, &acme);
    assert_eq!((report.valid, report.entries, report.unauthenticated), (true, 1, 0));
    let rows = db.run(page(&acme, 0));
    let entry = rows[0].entry();
    assert_eq!((entry.action.as_str(), entry.source.as_str()), ("session_ended", "ui"));
    assert_eq!((entry.username.as_str(), entry.response_status), ("ann", 0));
    assert_eq!(entry.details["seconds"], 3600);
    assert_eq!(db.count("session_ends"), 0);
}

#[test]
fn every_text_that_a_client_can_send_reads_back_as_it_was_authenticated() {
    let db = TestDb::new();
    for text in [
        "a\0b",
        "\u{1}\u{7f}\r\n\t",
        "\u{FFFD}\u{10FFFF}\u{200D}",
        "'\"\\",
        "é\u{301}",
        "\u{2028}",
    ] {
        let event = Event::of(Action::LoginFailed, Resource::Auth)
            .claimed_by(text)
            .on(text)
            .detail(text, text)
            .detail("numbers", serde_json::json!([u64::MAX, i64::MIN, 0.1, 1e300]))
            .failed(401, text);
        db.run(record(&event));
    }
    assert_eq!(seal_all(&db, ""), None);
    let report = walked(&db, "");
    assert!(report.valid, "{report:?}");
    assert_eq!(report.entries, 6);
}

#[test]
fn a_walk_begins_behind_a_sealed_entry_of_the_same_organization() {
    let db = db();
    let (acme, other) = (organization(&db, "ann"), organization(&db, "eve"));
    seal_all(&db, &acme);
    let begin = db.run(sealed(&acme, 4)).remove(0);
    let (key, head) = (audit_key(), db.run(head(&acme)).into_iter().next());
    let mut walk = Walk::new(&key, &acme, head, Some(begin));
    walk.over(&db.run(page(&acme, 4)));
    let report = walk.end();
    assert_eq!((report.valid, report.entries), (true, 3));
    assert!(db.run(sealed(&other, 4)).is_empty());
    assert!(db.run(sealed(&other, 3)).is_empty(), "not sealed yet");
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
