use protocol::api::sessions::TerminalSession;

use super::*;
use crate::features::machines::{Key, store as machines};
use crate::testing::World;

/// `ann` and `bob` with a session each on the first of `ann`'s machines, `eve` with one on her own elsewhere.
fn world() -> World {
    let world = World::new();
    for (name, organization, role) in [
        ("admin", "acme", "company_admin"),
        ("ann", "acme", "user"),
        ("bob", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        world.user(name, organization, role);
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
        world.run(machines::insert(&world.caller(owner), &new).unwrap());
    }
    for (session, user, machine) in [
        ("s-ann", "ann", "alpha"),
        ("s-bob", "bob", "alpha"),
        ("s-eve", "eve", "gamma"),
    ] {
        world.session(session, user, machine);
    }
    world
}

fn listed(world: &World, caller: &str, mine: bool, tenant_id: Option<&str>) -> Vec<String> {
    let rows = world.run(list_active(world.caller(caller).id(), mine, tenant_id));
    let mut names: Vec<String> = rows.into_iter().map(|row| row.session_id.to_string()).collect();
    names.sort();
    names
}

fn control(world: &World, caller: &str, session: &str) -> Result<SessionControl, String> {
    let found = world.run(find_active(world.caller(caller).id(), session));
    SessionControl::decide(found).map_err(|error| format!("{error:?}"))
}

fn opened(world: &World, caller: &str, agent_id: &str, session: &str) -> bool {
    let caller = world.caller(caller);
    let found = world.run(machines::find(caller.id(), &Key::AgentId(agent_id.into())));
    let access = MachineAccess::decide(caller, found).unwrap();
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
    };
    !world.run(open(&access, &new)).is_empty()
}

#[test]
fn people_list_their_own_sessions_and_administrators_those_of_all() {
    let world = world();
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
            listed(&world, caller, mine, tenant_id),
            expected,
            "{caller} {mine} {tenant_id:?}"
        );
    }
}

#[test]
fn a_session_is_ended_by_whoever_opened_it_or_manages_its_machine() {
    let world = world();
    for caller in ["bob", "ann", "admin", "root"] {
        assert!(control(&world, caller, "s-bob").is_ok(), "{caller}");
    }
    assert!(control(&world, "bob", "s-ann").unwrap_err().contains("Not authorized"));
    assert!(
        control(&world, "eve", "s-ann")
            .unwrap_err()
            .contains("Session not found")
    );
    assert!(
        control(&world, "ann", "no such")
            .unwrap_err()
            .contains("Session not found")
    );
}

#[test]
fn a_session_that_was_ended_is_neither_listed_nor_found_again() {
    let world = world();
    let session = control(&world, "bob", "s-bob").unwrap();
    world.run(close(&session, "2026-01-02T00:00:00.000Z"));
    assert!(listed(&world, "bob", false, None).is_empty());
    assert!(
        control(&world, "bob", "s-bob")
            .unwrap_err()
            .contains("Session not found")
    );
}

#[test]
fn a_session_is_opened_again_by_the_same_account_on_the_same_machine_only() {
    let world = world();
    world.run(close(
        &control(&world, "ann", "s-ann").unwrap(),
        "2026-01-02T00:00:00.000Z",
    ));
    assert!(!opened(&world, "admin", "000000000000", "s-ann"));
    assert!(!opened(&world, "root", "000000000001", "s-eve"));
    assert!(!opened(&world, "ann", "000000000002", "s-ann"));
    assert!(listed(&world, "ann", false, None).is_empty());
    assert!(opened(&world, "ann", "000000000000", "s-ann"));
    assert!(opened(&world, "ann", "000000000000", "s-new"));
    assert_eq!(listed(&world, "ann", false, None), ["s-ann", "s-new"]);
}

#[test]
fn a_name_that_another_organization_uses_is_free() {
    let world = world();
    assert!(opened(&world, "eve", "000000000001", "s-ann"));
    assert_eq!(listed(&world, "eve", true, None), ["s-ann", "s-eve"]);
    world.run(close(
        &control(&world, "eve", "s-ann").unwrap(),
        "2026-01-02T00:00:00.000Z",
    ));
    assert_eq!(listed(&world, "eve", true, None), ["s-eve"]);
    assert_eq!(listed(&world, "ann", false, None), ["s-ann"]);
}

#[test]
fn a_session_shows_who_opened_it_with_what() {
    let world = world();
    assert!(opened(&world, "ann", "000000000000", "s-new"));
    let rows = world.run(list_active(world.caller("ann").id(), true, None));
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
fn a_session_that_ends_is_in_the_log_once_with_how_long_it_was_and_why() {
    let world = world();
    let control = control(&world, "ann", "s-ann").unwrap();
    for _ in 0..2 {
        world.run(close(&control, "2026-01-01T01:00:30.000Z"));
    }
    let entry = "audit_log WHERE action = 'session_ended' AND organization_id = (SELECT id FROM organizations WHERE slug = 'acme')
        AND username = 'ann' AND source = 'ui' AND resource = 'terminal' AND response_status = 0 AND details ->> 'machine' = 'alpha'
        AND details ->> 'session_id' = 's-ann' AND details ->> 'reason' = 'terminated' AND details ->> 'seconds' = 3630
        AND resource_id = (SELECT id FROM machines WHERE name = 'alpha')";
    assert_eq!((world.count(entry), world.count("audit_log")), (1, 1));
    world.execute("UPDATE terminal_sessions SET last_activity = 'x'; DELETE FROM terminal_sessions");
    assert_eq!(world.count("audit_log"), 1);
}
