use protocol::api::sessions::{SessionStatus, TerminalSession};

use super::*;
use crate::features::machines::{Key, store as machines};
use crate::features::sessions::access::SessionAccess;
use crate::http::page::Page;
use crate::platform::db::Count;
use crate::testing::TestDb;

/// `ann` and `bob` with a session each on the first of `ann`'s machines, `eve` with one on her own elsewhere.
fn db() -> TestDb {
    let db = TestDb::new();
    for (name, organization, role) in [
        ("admin", "acme", "company_admin"),
        ("ann", "acme", "user"),
        ("bob", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        db.user(name, organization, role);
    }
    for (n, (owner, name)) in [("ann", "alpha"), ("eve", "gamma"), ("ann", "beta")]
        .into_iter()
        .enumerate()
    {
        let new = machines::NewMachine {
            id: format!("{n:024x}").parse().unwrap(),
            agent_id: format!("{n:012x}").parse().unwrap(),
            request: protocol::api::machines::CreateMachine {
                name: name.into(),
                ..Default::default()
            },
            token_hash: format!("hash {n}"),
            token_sealed: String::new(),
            now: "2026-01-01T00:00:00.000Z".into(),
        };
        db.run(machines::insert(&db.caller(owner), &new).unwrap());
    }
    for (session, user, machine) in [
        ("s-ann", "ann", "alpha"),
        ("s-bob", "bob", "alpha"),
        ("s-eve", "eve", "gamma"),
    ] {
        db.session(session, user, machine);
    }
    db
}

fn listed(db: &TestDb, caller: &str, mine: bool, tenant_id: Option<&str>) -> Vec<String> {
    let filter = Filter {
        mine,
        tenant: tenant_id.map(str::to_owned),
        status: Some(SessionStatus::Active),
        ..Filter::default()
    };
    names(db, caller, &filter)
}

/// Everything on one page.
const ALL: Page = Page::One { page: 1, limit: 1000 };

fn names(db: &TestDb, caller: &str, filter: &Filter) -> Vec<String> {
    let (list, count) = list(db.caller(caller).id(), filter, ALL);
    let (rows, count) = (db.run(list), db.run(count));
    assert_eq!(Count::of(&count), rows.len() as u64);
    let mut names: Vec<String> = rows.into_iter().map(|row| row.session_id.to_string()).collect();
    names.sort();
    names
}

fn control(db: &TestDb, caller: &str, session: &str) -> Result<SessionControl, String> {
    let found = db.run(find(db.caller(caller).id(), session));
    SessionControl::of_active(found).map_err(|error| format!("{error:?}"))
}

fn access(db: &TestDb, caller: &str, agent_id: &str) -> MachineAccess {
    let caller = db.caller(caller);
    let found = db.run(machines::find(caller.id(), &Key::AgentId(agent_id.into())));
    MachineAccess::decide(caller, found).unwrap()
}

fn opened(db: &TestDb, caller: &str, agent_id: &str, session: &str) -> bool {
    let access = access(db, caller, agent_id);
    let client = Client {
        address: "::1".into(),
        user_agent: "Firefox on Android".into(),
        source: "ui".into(),
    };
    let new = NewSession {
        id: crate::platform::random::object_id().unwrap(),
        session_id: &session.parse().unwrap(),
        source: "cli",
        os: None,
        client: &client,
        size: Size { cols: 100, rows: 50 },
        now: "2026-01-02T00:00:00.000Z",
        attach_until: None,
    };
    !db.run(open(&access, &new)).is_empty()
}

#[test]
fn people_list_their_own_sessions_and_administrators_those_of_all() {
    let db = db();
    for (caller, mine, tenant_id, expected) in [
        ("ann", false, None, vec!["s-ann"]),
        ("ann", false, Some("evil"), vec!["s-ann"]),
        ("admin", false, None, vec!["s-ann", "s-bob"]),
        ("admin", false, Some("evil"), vec!["s-ann", "s-bob"]),
        ("admin", true, None, vec![]),
        ("eve", true, None, vec!["s-eve"]),
        ("root", false, None, vec!["s-ann", "s-bob", "s-eve"]),
        ("root", false, Some("evil"), vec!["s-eve"]),
        ("root", true, None, vec![]),
    ] {
        assert_eq!(
            listed(&db, caller, mine, tenant_id),
            expected,
            "{caller} {mine} {tenant_id:?}"
        );
    }
}

#[test]
fn a_session_is_ended_by_whoever_opened_it_or_manages_its_machine() {
    let db = db();
    for caller in ["bob", "ann", "admin", "root"] {
        assert!(control(&db, caller, "s-bob").is_ok(), "{caller}");
    }
    assert!(control(&db, "bob", "s-ann").unwrap_err().contains("Not authorized"));
    assert!(control(&db, "eve", "s-ann").unwrap_err().contains("Session not found"));
    assert!(
        control(&db, "ann", "no such")
            .unwrap_err()
            .contains("Session not found")
    );
}

#[test]
fn a_session_that_was_ended_is_neither_listed_nor_found_again() {
    let db = db();
    let session = control(&db, "bob", "s-bob").unwrap();
    db.run(close(&session, "2026-01-02T00:00:00.000Z"));
    assert!(listed(&db, "bob", false, None).is_empty());
    assert!(control(&db, "bob", "s-bob").unwrap_err().contains("Session not found"));
}

#[test]
fn a_session_is_opened_again_by_the_same_account_on_the_same_machine_only() {
    let db = db();
    db.run(close(
        &control(&db, "ann", "s-ann").unwrap(),
        "2026-01-02T00:00:00.000Z",
    ));
    assert!(!opened(&db, "admin", "000000000000", "s-ann"));
    assert!(!opened(&db, "root", "000000000001", "s-eve"));
    assert!(!opened(&db, "ann", "000000000002", "s-ann"));
    assert!(listed(&db, "ann", false, None).is_empty());
    assert!(opened(&db, "ann", "000000000000", "s-ann"));
    assert!(opened(&db, "ann", "000000000000", "s-new"));
    assert_eq!(listed(&db, "ann", false, None), ["s-ann", "s-new"]);
}

#[test]
fn a_name_that_another_organization_uses_is_free() {
    let db = db();
    assert!(opened(&db, "eve", "000000000001", "s-ann"));
    assert_eq!(listed(&db, "eve", true, None), ["s-ann", "s-eve"]);
    db.run(close(
        &control(&db, "eve", "s-ann").unwrap(),
        "2026-01-02T00:00:00.000Z",
    ));
    assert_eq!(listed(&db, "eve", true, None), ["s-eve"]);
    assert_eq!(listed(&db, "ann", false, None), ["s-ann"]);
}

#[test]
fn a_session_shows_who_opened_it_with_what() {
    let db = db();
    assert!(opened(&db, "ann", "000000000000", "s-new"));
    let rows = db.run(list(db.caller("ann").id(), &Filter::default(), ALL).0);
    let session = TerminalSession::from(rows.into_iter().find(|row| row.session_id.as_str() == "s-new").unwrap());
    assert_eq!(
        (
            session.machine_name.as_str(),
            session.username.as_str(),
            session.source.as_str()
        ),
        ("alpha", "ann", "cli")
    );
    assert_eq!(
        (session.browser.as_str(), session.os.as_str(), session.os_info.as_str()),
        ("Firefox", "Android", "Android")
    );
    assert_eq!(
        (session.cols, session.rows, session.ip_address.as_str()),
        (100, 50, "::1")
    );
    assert_eq!(
        (session.started_at, session.ended_at, session.command_count),
        (session.created_at, None, 0)
    );
}

#[test]
fn a_session_that_ends_is_noted_for_the_log_once_with_how_long_it_was_and_why() {
    let db = db();
    let control = control(&db, "ann", "s-ann").unwrap();
    for _ in 0..2 {
        db.run(close(&control, "2026-01-01T01:00:30.000Z"));
    }
    let entry = "session_ends WHERE organization_id = (SELECT id FROM organizations WHERE slug = 'acme')
        AND username = 'ann' AND source = 'ui' AND details ->> 'machine' = 'alpha'
        AND details ->> 'session_id' = 's-ann' AND details ->> 'reason' = 'terminated' AND details ->> 'seconds' = 3630
        AND machine_id = (SELECT id FROM machines WHERE name = 'alpha')";
    assert_eq!((db.count(entry), db.count("session_ends")), (1, 1));
    db.execute("UPDATE terminal_sessions SET last_activity = 'x'; DELETE FROM terminal_sessions");
    assert_eq!(db.count("session_ends"), 1);
}

#[test]
fn a_list_is_narrowed_by_state_machine_account_and_time() {
    let db = db();
    db.run(close(
        &control(&db, "ann", "s-ann").unwrap(),
        "2026-01-02T00:00:00.000Z",
    ));
    let of = |caller: &str, change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        names(&db, caller, &filter)
    };
    assert_eq!(of("admin", |_| {}), ["s-ann", "s-bob"]);
    assert_eq!(
        of("admin", |filter| filter.status = Some(SessionStatus::Active)),
        ["s-bob"]
    );
    assert_eq!(
        of("admin", |filter| filter.status = Some(SessionStatus::Closed)),
        ["s-ann"]
    );
    assert_eq!(
        of("root", |filter| filter.machine = Some("000000000001".into())),
        ["s-eve"]
    );
    assert_eq!(
        of("root", |filter| filter.machine = Some(format!("{:024x}", 0))),
        ["s-ann", "s-bob"]
    );
    assert_eq!(
        of("admin", |filter| filter.machine = Some("000000000001".into())),
        [""; 0],
        "of another organization"
    );
    assert_eq!(
        of("admin", |filter| filter.user = Some(crate::testing::id("bob"))),
        ["s-bob"]
    );
    assert_eq!(
        of("admin", |filter| filter.from = Some("2026-01-01T00:00:00.001Z".into())),
        [""; 0]
    );
    assert_eq!(
        of("admin", |filter| filter.until = Some("2026-01-01T00:00:00.000Z".into())),
        [""; 0]
    );
    assert_eq!(of("ann", |_| {}), ["s-ann"]);
    assert_eq!(of("ann", |filter| filter.owned = true), ["s-ann", "s-bob"]);
    assert_eq!(of("bob", |filter| filter.owned = true), ["s-bob"]);
}

#[test]
fn a_page_of_a_list_is_a_part_of_it_and_the_newest_come_first() {
    let db = db();
    db.execute("UPDATE terminal_sessions SET started_at = '2026-01-03T00:00:00.000Z' WHERE session_id = 's-bob'");
    let page = |page| {
        let (list, count) = list(db.caller("root").id(), &Filter::default(), Page::One { page, limit: 2 });
        let names: Vec<String> = db.run(list).into_iter().map(|row| row.session_id.to_string()).collect();
        (names, Count::of(&db.run(count)))
    };
    let (first, total) = page(1);
    assert_eq!((first[0].as_str(), first.len(), total), ("s-bob", 2, 3));
    assert_eq!((page(2).0.len(), page(3).0.len()), (1, 0));
}

#[test]
fn those_who_reach_a_machine_list_what_runs_and_ran_there() {
    let db = db();
    let caller = db.caller("ann");
    let found = db.run(machines::find(caller.id(), &Key::AgentId("000000000000".into())));
    let access = MachineAccess::decide(caller, found).unwrap();
    db.run(close(
        &control(&db, "ann", "s-ann").unwrap(),
        "2026-01-02T00:00:00.000Z",
    ));
    for (active, expected) in [(true, vec!["s-bob"]), (false, vec!["s-ann", "s-bob"])] {
        let (list, count) = of_machine(&access, active, ALL);
        let mut names: Vec<String> = db.run(list).into_iter().map(|row| row.session_id.to_string()).collect();
        names.sort();
        assert_eq!(names, expected);
        assert_eq!(Count::of(&db.run(count)), expected.len() as u64);
    }
}

#[test]
fn a_session_is_seen_by_whoever_opened_it_or_reaches_its_machine() {
    let db = db();
    let sees = |caller: &str| SessionAccess::decide(db.run(find(db.caller(caller).id(), "s-ann"))).map(drop);
    assert!(sees("bob").unwrap_err().text().contains("Not authorized"));
    assert!(sees("eve").unwrap_err().text().contains("Session not found"));
    for caller in ["ann", "admin", "root"] {
        assert!(sees(caller).is_ok(), "{caller}");
    }
    db.execute(&format!(
        "INSERT INTO machine_grants VALUES ('{:024x}', '{}', '', 'ann', '2026-01-01T00:00:00.000Z', NULL)",
        0,
        crate::testing::id("bob")
    ));
    assert!(sees("bob").is_ok());
    assert!(control(&db, "bob", "s-ann").is_err(), "to see it is not to end it");
}

#[test]
fn a_name_is_given_and_taken_away() {
    let db = db();
    let control = control(&db, "ann", "s-ann").unwrap();
    for name in ["nightly", ""] {
        db.run(rename(&control, &format!(" {name} ")));
        assert_eq!(db.run(find(db.caller("ann").id(), "s-ann"))[0].row.name, name);
    }
    assert_eq!(db.count("terminal_sessions WHERE name <> ''"), 0);
}

/// Why there is no session, by the code and the words.
fn refusal(db: &TestDb, caller: &str, session: &str) -> (u16, String) {
    let access = access(db, caller, "000000000000");
    let error = db.run(reached(&access, &session.parse().unwrap())).remove(0).error();
    (error.status().as_u16(), error.text().to_owned())
}

#[test]
fn the_next_session_of_a_person_who_has_as_many_as_may_be_is_refused_in_words() {
    let db = db();
    db.execute("UPDATE organizations SET max_user_sessions = 2 WHERE slug = 'acme'");
    assert!(opened(&db, "ann", "000000000000", "two"));
    assert!(!opened(&db, "ann", "000000000002", "three"), "on another machine, too");
    assert_eq!(
        refusal(&db, "ann", "three"),
        (
            409,
            "You have 2 terminal sessions running, and this organization lets one person have 2: end one of yours first".to_owned()
        )
    );
    assert_eq!(db.count("terminal_sessions WHERE session_id = 'three'"), 0);
    // One that runs is opened again, whatever else runs; others are not in the way; those that ended do not count.
    assert!(opened(&db, "ann", "000000000000", "two") && opened(&db, "admin", "000000000000", "another"));
    db.execute("UPDATE terminal_sessions SET status = 'closed', ended_at = 'x' WHERE session_id = 's-ann'");
    assert!(opened(&db, "ann", "000000000000", "three"));
    assert!(
        !opened(&db, "ann", "000000000000", "s-ann"),
        "one that ended takes a place again"
    );
}

#[test]
fn the_next_session_of_an_organization_that_has_as_many_as_may_be_is_refused_in_words() {
    let db = db();
    db.execute("UPDATE organizations SET max_sessions = 3 WHERE slug = 'acme'");
    // The last place is taken once, whoever else wants it.
    assert!(opened(&db, "admin", "000000000000", "three"));
    assert!(!opened(&db, "ann", "000000000000", "four"));
    let (status, words) = refusal(&db, "ann", "four");
    assert_eq!(status, 409);
    assert!(
        words.contains("lets 3 terminal sessions run") && words.contains("max_sessions"),
        "{words}"
    );
    assert!(
        opened(&db, "eve", "000000000001", "elsewhere"),
        "another organization has its own"
    );
    db.execute("UPDATE organizations SET max_sessions = 0");
    assert!(opened(&db, "ann", "000000000000", "four"));
    let (status, words) = refusal(&db, "ann", "five");
    assert!(
        status == 409 && words.contains("try again"),
        "one ended between the two questions: {words}"
    );
}

#[test]
fn somebody_elses_name_is_refused_as_such_whether_there_is_room_or_not() {
    let db = db();
    db.execute("UPDATE organizations SET max_user_sessions = 1");
    assert!(!opened(&db, "ann", "000000000000", "s-bob"));
    assert_eq!(refusal(&db, "ann", "s-bob").0, 403);
}

#[test]
fn a_machine_is_found_with_what_its_own_organization_grants_sessions() {
    let db = db();
    db.execute(
        "UPDATE organizations SET terminal_idle_minutes = 5, max_processes = 100, max_memory_mb = 64 WHERE slug = 'evil'",
    );
    let limits = access(&db, "root", "000000000001").found().limits;
    assert_eq!(
        (limits.idle_minutes, limits.max_processes, limits.max_memory_mb),
        (5, 100, 64)
    );
    assert!(access(&db, "ann", "000000000000").found().limits.is_none());
}

#[test]
fn a_session_on_another_host_never_becomes_a_shell_of_the_machine_nor_the_other_way_round() {
    let db = db();
    let ann = access(&db, "ann", "000000000000");
    let (organization, runner) = (&ann.found().organization_id, &ann.found().machine.id);
    let on_host = |session: &str, hostname: &str, user: Option<&str>| {
        let client = Client::default();
        let on = OnHost {
            organization,
            runner,
            hostname,
            user,
            permission: "instances.ssh",
            thing: None,
        };
        let session = session.parse().unwrap();
        let new = NewSession {
            id: crate::platform::random::object_id().unwrap(),
            session_id: &session,
            source: "cli",
            os: None,
            client: &client,
            size: Size::default(),
            now: "2026-01-02T00:00:00.000Z",
            attach_until: None,
        };
        let opened = !db.run(open_on_host(ann.caller(), &on, &new)).is_empty();
        let reached = db.run(reached_on_host(ann.caller(), &on, &session)).remove(0);
        assert_eq!(
            opened,
            reached.error().status() == 409,
            "what is taken is no matter of room"
        );
        opened
    };
    assert!(on_host("there", "web-1", None) && on_host("there", "web-1", None));
    assert!(!on_host("there", "web-2", None) && !on_host("there", "web-1", Some("deploy")));
    assert!(!opened(&db, "ann", "000000000000", "there"));
    assert!(!on_host("s-ann", "web-1", None), "that is a shell of the machine");
    db.execute("UPDATE terminal_sessions SET status = 'closed'");
    assert!(!opened(&db, "ann", "000000000000", "there") && on_host("there", "web-1", None));
    let (list, _) = list(ann.caller().id(), &Filter::default(), ALL);
    let row = db
        .run(list)
        .into_iter()
        .find(|row| row.session_id.as_str() == "there")
        .unwrap();
    assert_eq!(TerminalSession::from(row).target.as_deref(), Some("web-1"));
}
