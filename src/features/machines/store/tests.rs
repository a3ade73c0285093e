use protocol::api::machines::{Machine, MachineStatus};
use serde_json::json;

use super::*;
use crate::features::machines::access::MachineAccess;
use crate::testing::TestDb;

fn new_machine(n: usize, name: &str) -> NewMachine {
    NewMachine {
        id: format!("{n:024x}").parse().unwrap(),
        agent_id: format!("{n:012x}").parse().unwrap(),
        request: CreateMachine {
            name: name.into(),
            tags: vec!["web".into(), format!("n{n}")],
            ..CreateMachine::default()
        },
        token_hash: format!("hash {n}"),
        token_sealed: format!("sealed {n}"),
        now: "2026-01-01T00:00:00.000Z".into(),
    }
}

/// An organization with an administrator, and two users who own `alpha` and `beta`; another one with `gamma`; and a super
/// administrator.
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
    for (n, (owner, name)) in [("ann", "alpha"), ("bob", "beta"), ("eve", "gamma")]
        .into_iter()
        .enumerate()
    {
        db.run(insert(&db.caller(owner), &new_machine(n, name)).unwrap());
    }
    db
}

fn names(db: &TestDb, caller: &str, filter: Filter) -> Vec<String> {
    let rows = db.run(list(db.caller(caller).id(), &filter, Page::Everything));
    let count = db.run(count(db.caller(caller).id(), &filter));
    assert_eq!(count[0].total, rows.len() as u64);
    rows.into_iter().map(|row| row.machine.name).collect()
}

fn access(db: &TestDb, caller: &str, agent_id: &str) -> Result<MachineAccess, String> {
    let caller = db.caller(caller);
    let found = db.run(find(caller.id(), &Key::AgentId(agent_id.into())));
    MachineAccess::decide(caller, found).map_err(|error| format!("{error:?}"))
}

#[test]
fn everybody_lists_what_they_reach() {
    let db = db();
    for (caller, expected) in [
        ("ann", vec!["alpha"]),
        ("bob", vec!["beta"]),
        ("admin", vec!["alpha", "beta"]),
        ("eve", vec!["gamma"]),
        ("root", vec![]),
    ] {
        assert_eq!(names(&db, caller, Filter::default()), expected, "{caller}");
    }
}

#[test]
fn only_a_super_administrator_lists_another_organization() {
    let db = db();
    let of = |caller| {
        names(
            &db,
            caller,
            Filter {
                tenant_id: Some("acme".into()),
                ..Filter::default()
            },
        )
    };
    assert_eq!(of("root"), ["alpha", "beta"]);
    assert_eq!(of("eve"), ["gamma"]);
}

#[test]
fn a_list_is_narrowed_by_text_status_and_tag() {
    let db = db();
    db.execute("UPDATE machines SET description = 'Serves MAIL', status = 'online' WHERE name = 'beta'");
    let by = |filter| names(&db, "admin", filter);
    assert_eq!(
        by(Filter {
            search: Some("ALPH".into()),
            ..Filter::default()
        }),
        ["alpha"]
    );
    assert_eq!(
        by(Filter {
            search: Some("mail".into()),
            ..Filter::default()
        }),
        ["beta"]
    );
    assert_eq!(
        by(Filter {
            status: Some("online".into()),
            ..Filter::default()
        }),
        ["beta"]
    );
    assert_eq!(
        by(Filter {
            tag: Some("n0".into()),
            ..Filter::default()
        }),
        ["alpha"]
    );
    assert_eq!(
        by(Filter {
            tag: Some("n".into()),
            ..Filter::default()
        }),
        [""; 0]
    );
    assert_eq!(
        by(Filter {
            search: Some("%".into()),
            ..Filter::default()
        }),
        [""; 0]
    );
    assert_eq!(
        by(Filter {
            search: Some(String::new()),
            ..Filter::default()
        }),
        ["alpha", "beta"]
    );
}

#[test]
fn a_list_comes_in_pages_and_an_end() {
    let db = db();
    let page = |page| {
        let rows = db.run(list(
            db.caller("admin").id(),
            &Filter::default(),
            Page::One { page, limit: 1 },
        ));
        rows.into_iter().map(|row| row.machine.name).collect::<Vec<_>>()
    };
    assert_eq!(
        (page(1), page(2), page(3)),
        (vec!["alpha".to_owned()], vec!["beta".to_owned()], vec![])
    );
}

#[test]
fn a_machine_is_managed_by_its_owner_and_administrators_and_hidden_from_other_organizations() {
    let db = db();
    let alpha = "000000000000";
    for caller in ["ann", "admin", "root"] {
        assert!(access(&db, caller, alpha).unwrap().control().is_ok(), "{caller}");
    }
    assert!(access(&db, "bob", alpha).unwrap_err().contains("Not authorized"));
    let hidden = access(&db, "eve", alpha).unwrap_err();
    assert!(hidden.contains("Machine not found"));
    assert_eq!(hidden, access(&db, "ann", "ffffffffffff").unwrap_err());
    assert_eq!(hidden, access(&db, "ann", "no such name").unwrap_err());
}

#[test]
fn one_owner_cannot_have_two_machines_of_one_name() {
    let db = db();
    let again = |owner: &str| db.try_run(insert(&db.caller(owner), &new_machine(9, " alpha ")).unwrap());
    assert!(
        again("ann")
            .unwrap_err()
            .contains("UNIQUE constraint failed: machines.owner_id, machines.name")
    );
    assert!(again("bob").is_ok());
}

#[test]
fn every_column_comes_back_in_the_field_of_its_name() {
    let db = db();
    db.execute(
        "UPDATE machines SET description = 'd', hostname = 'h', os = 'o', ip_address = 'i', status = 'revoked', is_connected = 1,
         linux_user = 'l', allow_sudo = 1, deploy_application = 0, metadata = '{\"k\":\"v\"}', agent_version = 'a', cpu_percent = 1.5,
         memory_percent = 2.5, disk_percent = 3.5, network_inbound = 4.5, network_outbound = 5.5, uptime_seconds = 93784,
         last_active = '2026-01-02T00:00:00.000Z', metrics_at = '2026-01-04T00:00:00.000Z', health = 'warning',
         thresholds = '{\"cpu\":{\"warning\":1,\"critical\":2}}', command_policy = '{\"blocked_commands\":[\"rm\"]}', revoked_at = '2026-01-03T00:00:00Z', custom_script = 's' WHERE name = 'alpha'",
    );
    let access = access(&db, "ann", "000000000000").unwrap();
    let found = access.found();
    assert_eq!(
        (found.custom_script.as_str(), found.registration_token_sealed.as_deref()),
        ("s", Some("sealed 0"))
    );
    let machine = serde_json::to_value(Machine::from(found.machine.clone())).unwrap();
    assert_eq!(
        machine,
        json!({
            "id": "000000000000000000000000", "agent_id": "000000000000", "name": "alpha", "description": "d", "hostname": "h",
            "os": "o", "ip_address": "i", "status": "revoked", "is_connected": true, "cpu_percent": 1.5, "memory_percent": 2.5,
            "disk_percent": 3.5, "network_rx_bytes": 4_500_000, "network_tx_bytes": 5_500_000, "uptime": "1d 2h 3m",
            "uptime_seconds": 93784, "last_active": "2026-01-02T00:00:00Z",
            "resource_stats": {"cpu_percent": 1.5, "memory_percent": 2.5, "disk_percent": 3.5, "network_inbound": 4.5,
                "network_outbound": 5.5, "uptime_seconds": 93784},
            "metrics_at": "2026-01-04T00:00:00Z", "health": null,
            "thresholds": {"cpu": {"warning": 1, "critical": 2}, "memory": {"warning": 85, "critical": 95},
                "disk": {"warning": 80, "critical": 90}},
            "command_policy": {"allowed_commands": [], "blocked_commands": ["rm"], "approval_required_commands": []},
            "metadata": {"k": "v"}, "tenant_id": "acme", "org_id": "acme", "owner_id": db.caller("ann").id(), "group_ids": [],
            "allowed_users": ["ann"], "tags": ["web", "n0"], "linux_user": "l", "allow_sudo": true, "deploy_application": false,
            "agent_version": "a", "revoked": true, "revoked_at": "2026-01-03T00:00:00Z", "created_at": "2026-01-01T00:00:00Z"
        })
    );
}

#[test]
fn deleting_a_machine_takes_its_sessions_along() {
    let db = db();
    db.session("s1", "ann", "alpha");
    let control = access(&db, "ann", "000000000000").unwrap().control().unwrap();
    db.run(end::revoke(&control, "2026-01-02T00:00:00.000Z"));
    let revoked = access(&db, "ann", "000000000000").unwrap();
    assert_eq!(revoked.found().machine.status, MachineStatus::Revoked);
    let (sessions, machine) = end::delete(&control);
    db.run(sessions);
    db.run(machine);
    assert!(access(&db, "ann", "000000000000").is_err());
    assert_eq!(db.count("terminal_sessions"), 0);
}

#[test]
fn what_a_change_does_not_name_stays_and_facts_of_people_count_before_the_agents() {
    let db = db();
    let change = |change: serde_json::Value| {
        let control = access(&db, "ann", "000000000000").unwrap().control().unwrap();
        db.try_run(update(&control, &serde_json::from_value(change).unwrap()).unwrap())
    };
    db.execute(r#"UPDATE machines SET metadata = '{"cpu_cores":"8","rack":"1"}' WHERE name = 'alpha'"#);
    change(json!({"name": " alef ", "metadata": {"rack": "7", "room": "b"}})).unwrap();
    let machine = |db: &TestDb| access(db, "ann", "000000000000").unwrap().found().machine.clone();
    let changed = machine(&db);
    assert_eq!((changed.name.as_str(), changed.tags.len()), ("alef", 2));
    assert_eq!(
        json!(changed.metadata),
        json!({"cpu_cores": "8", "rack": "7", "room": "b"})
    );

    change(json!({"tags": ["db"], "description": "x", "metadata": {}})).unwrap();
    let changed = machine(&db);
    assert_eq!((changed.name.as_str(), changed.description.as_str()), ("alef", "x"));
    assert_eq!(
        json!([changed.tags, changed.metadata]),
        json!([["db"], {"cpu_cores": "8", "rack": "1"}])
    );

    db.machine("taken", "ann");
    assert!(change(json!({"name": "taken"})).unwrap_err().contains("UNIQUE"));
}
