use protocol::api::groups::{Group, GroupChanged, GroupDetail, GroupList, GroupMachine, GroupMember};
use protocol::api::machines::MachineStatus;

use super::*;
use crate::features::groups::access::GroupAccess;
use crate::features::groups::body;
use crate::testing::{TestDb, id, published};

const NOW: &str = "2026-02-01T00:00:00.000Z";

/// `acme` with an administrator, `bob`, `cid` and the machines `web` and `db`; `evil` with an administrator and `gamma`; a
/// super administrator. `acme` has the group `ops` of `bob` and `web`, and an empty one; `evil` has `spies`.
fn db() -> TestDb {
    let db = TestDb::new();
    for (name, organization, role) in [
        ("admin", "acme", "company_admin"),
        ("bob", "acme", "user"),
        ("cid", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        db.user(name, organization, role);
    }
    for (machine, owner) in [("web", "admin"), ("db", "admin"), ("gamma", "eve")] {
        db.machine(machine, owner);
    }
    db.group("ops", "acme", &["bob"], &["web"]);
    db.group("Empty", "acme", &[], &[]);
    db.group("spies", "evil", &["eve"], &["gamma"]);
    db
}

fn object(name: &str) -> ObjectId {
    id(name).parse().unwrap()
}

fn access(db: &TestDb, caller: &str, group: &str) -> Result<GroupAccess, ApiError> {
    let caller = db.caller(caller);
    let found = db.run(find(caller.id(), &object(group)));
    GroupAccess::decide(caller, found)
}

fn control(db: &TestDb) -> GroupControl {
    access(db, "admin", "ops").unwrap().control().unwrap()
}

fn names(db: &TestDb, caller: &str, filter: &Filter) -> Vec<String> {
    let caller = object(caller);
    let rows = db.run(list(&caller, filter, Page::Everything));
    assert_eq!(db.run(count(&caller, filter))[0].total, rows.len() as u64);
    rows.iter().map(|row| published::<Group>(&row.body).name).collect()
}

fn run(db: &TestDb, pair: Pair) {
    db.run(pair.0);
    db.run(pair.1);
}

fn of(tenant_id: &str, search: &str) -> Filter {
    Filter {
        search: Some(search.into()),
        tenant_id: Some(tenant_id.into()),
    }
}

#[test]
fn everybody_lists_the_groups_of_their_organization_and_a_super_administrator_those_of_any() {
    let db = db();
    for caller in ["admin", "bob", "cid"] {
        assert_eq!(names(&db, caller, &Filter::default()), ["Empty", "ops"], "{caller}");
        assert_eq!(names(&db, caller, &of("evil", "")), ["Empty", "ops"], "{caller}");
    }
    assert_eq!(names(&db, "eve", &of("acme", "")), ["spies"]);
    assert_eq!(names(&db, "root", &of("acme", "")), ["Empty", "ops"]);
    assert_eq!(names(&db, "root", &of("nowhere", "")), [""; 0]);
    assert_eq!(names(&db, "bob", &of("", "EMPT")), ["Empty"]);
    assert_eq!(names(&db, "bob", &of("", "%")), [""; 0]);
}

#[test]
fn groups_come_in_pages() {
    let db = db();
    let page = Page::One { page: 2, limit: 1 };
    let rows = db.run(list(&object("bob"), &Filter::default(), page));
    assert_eq!(published::<Group>(&rows[0].body).name, "ops");
    let rows = db.run(members::list(
        &object("bob"),
        &object("ops"),
        Page::One { page: 2, limit: 1 },
    ));
    assert!(rows.is_empty());
}

#[test]
fn a_group_is_seen_in_its_organization_and_changed_by_administrators() {
    let db = db();
    for (caller, sees, changes) in [
        ("admin", true, true),
        ("root", true, true),
        ("bob", true, false),
        ("cid", true, false),
        ("eve", false, false),
    ] {
        let access = access(&db, caller, "ops");
        assert_eq!(access.is_ok(), sees, "{caller}");
        assert_eq!(access.is_ok_and(|access| access.control().is_ok()), changes, "{caller}");
        let seen = db.run(members::list(&object(caller), &object("ops"), Page::Everything));
        assert_eq!(!seen.is_empty(), sees, "{caller}");
        let seen = db.run(machines::list(&object(caller), &object("ops"), Page::Everything));
        assert_eq!(!seen.is_empty(), sees, "{caller}");
    }
    let unknown = access(&db, "eve", "none").unwrap_err();
    assert_eq!(
        format!("{unknown:?}"),
        format!("{:?}", access(&db, "eve", "ops").unwrap_err())
    );
}

#[test]
fn a_group_shows_who_and_what_is_in_it() {
    let db = db();
    let group: Group = published(&access(&db, "bob", "ops").unwrap().group().body);
    assert_eq!((group.name.as_str(), group.tenant_id.as_str()), ("ops", "acme"));
    assert_eq!((group.member_count, group.machine_count), (1, 1));
    assert_eq!(group.member_ids, [object("bob")]);
    assert_eq!(group.machine_ids[0].as_str(), &id("web")[..12]);
    let rows = db.run(members::list(&object("bob"), &object("ops"), Page::Everything));
    let member: GroupMember = published(&rows[0].body);
    assert_eq!(
        (member.username.as_str(), member.email.as_str(), member.enabled),
        ("bob", "bob@example.org", true)
    );
    let rows = db.run(machines::list(&object("bob"), &object("ops"), Page::Everything));
    let machine: GroupMachine = published(&rows[0].body);
    assert_eq!((machine.name.as_str(), machine.status), ("web", MachineStatus::Pending));
}

#[test]
fn nothing_of_another_organization_is_found_for_a_group_or_gets_into_it() {
    let db = db();
    let people = ["bob", "cid", "eve", "root"].map(object);
    let found = db.run(members::find(&object("ops"), people.iter().map(ObjectId::as_str)).unwrap());
    assert_eq!(found.len(), 2);
    let (gamma, web) = (id("gamma"), id("web"));
    let named = [gamma.as_str(), &gamma[..12], web.as_str(), &web[..12]];
    let found = db.run(machines::find(&object("ops"), named).unwrap());
    assert_eq!(
        found.iter().map(|machine| machine.name.as_str()).collect::<Vec<_>>(),
        ["web"]
    );

    let eve = Person {
        id: object("eve"),
        username: "eve".into(),
    };
    let gamma = Host {
        id: object("gamma"),
        agent_id: id("gamma")[..12].parse().unwrap(),
        name: "gamma".into(),
    };
    run(&db, members::add(&control(&db), &[eve], NOW).unwrap());
    run(&db, machines::add(&control(&db), &[gamma], NOW).unwrap());
    let access = access(&db, "bob", "ops").unwrap();
    let group = access.group();
    assert_eq!((group.member_ids.len(), group.machine_ids.len()), (1, 1));
}

#[test]
fn a_group_is_made_of_what_its_organization_has() {
    let db = db();
    let made = |caller: &str, tenant: Option<&str>| {
        let (chosen, people, machines) = ingredients(
            &object(caller),
            tenant,
            &[id("bob"), id("eve"), id("bob")],
            &[id("web"), id("gamma")[..12].to_owned()],
        )
        .unwrap();
        let chosen = db.run(chosen).into_iter().next().map(|row| row.id);
        (chosen, db.run(people).len(), db.run(machines).len())
    };
    assert_eq!(made("admin", Some("evil")), (Some(object("acme")), 1, 1));
    assert_eq!(made("eve", None), (Some(object("evil")), 1, 1));
    assert_eq!(made("root", None), (Some(object("platform")), 0, 0));
    assert_eq!(made("root", Some("acme")), (Some(object("acme")), 1, 1));
    assert_eq!(made("root", Some("nowhere")), (None, 0, 0));
}

#[test]
fn one_organization_has_a_name_once_whatever_its_case() {
    let db = db();
    let (first, second) = (object("a"), object("b"));
    let new = |id, organization| NewGroup {
        id,
        organization_id: organization,
        name: "OPS",
        description: "",
        now: NOW,
    };
    let (acme, evil) = (object("acme"), object("evil"));
    let admin = db.caller("admin");
    let refused = db.try_run(insert(&admin, &new(&first, &acme)).unwrap());
    assert!(
        refused
            .unwrap_err()
            .contains("UNIQUE constraint failed: groups.organization_id, groups.name")
    );
    assert!(insert(&admin, &new(&first, &evil)).is_err(), "another organization's");
    assert!(
        insert(&db.caller("bob"), &new(&first, &acme)).is_err(),
        "no administrator"
    );
    db.run(insert(&db.caller("root"), &new(&second, &evil)).unwrap());
    let renamed = update(&control(&db), "empty", "", NOW);
    assert!(db.try_run(renamed).is_err());
}

#[test]
fn who_is_put_into_a_group_twice_is_in_it_once_and_can_be_taken_out() {
    let db = db();
    let cid = Person {
        id: object("cid"),
        username: "cid".into(),
    };
    for _ in 0..2 {
        run(
            &db,
            members::add(&control(&db), std::slice::from_ref(&cid), NOW).unwrap(),
        );
        let access = access(&db, "bob", "ops").unwrap();
        let group: Group = published(&access.group().body);
        assert_eq!(group.member_ids.len(), 2);
        assert_eq!(group.updated_at.to_rfc3339(), "2026-02-01T00:00:00+00:00");
    }
    run(&db, members::remove(&control(&db), &cid.id, NOW));
    run(&db, machines::remove(&control(&db), &object("web"), NOW));
    let access = access(&db, "bob", "ops").unwrap();
    let group = access.group();
    assert_eq!(group.member_ids, [object("bob")]);
    assert_eq!(group.machine_ids.len(), 0);
}

#[test]
fn a_deleted_group_takes_no_person_and_no_machine_along() {
    let db = db();
    db.run(delete(&control(&db)));
    assert!(access(&db, "admin", "ops").is_err());
    assert_eq!((db.count("users"), db.count("machines")), (5, 3));
    assert_eq!((db.count("group_members"), db.count("group_machines")), (1, 1));
}

#[test]
fn what_sql_publishes_is_what_the_types_of_the_bodies_say() {
    let db = db();
    db.execute("UPDATE groups SET description = 'say \"hi\" \\ \u{1}\n\u{2028}ü😀', updated_at = '2026-02-01T12:34:56.120Z' WHERE name = 'ops'");
    db.execute("UPDATE users SET disabled_at = '2026-02-01T00:00:00.000Z', first_name = 'Bob' WHERE username = 'bob'");
    let page = Page::One { page: 1, limit: 2 };
    let rows = db.run(list(&object("bob"), &Filter::default(), page));
    let listed: GroupList = published(&body::list(&rows, 2, page).0);
    let [empty, ops] = &listed.groups[..] else {
        panic!("{listed:?}")
    };
    assert_eq!(
        (listed.total, listed.page, listed.limit, listed.total_pages),
        (2, 1, 2, 1)
    );
    assert_eq!(
        serde_json::to_value(ops).unwrap(),
        serde_json::json!({
            "id": id("ops"), "name": "ops", "description": "say \"hi\" \\ \u{1}\n\u{2028}ü😀", "tenant_id": "acme",
            "tenant_name": "acme", "keycloak_id": "", "member_count": 1, "machine_count": 1, "member_ids": [id("bob")],
            "machine_ids": [&id("web")[..12]], "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-02-01T12:34:56.120Z",
        })
    );
    assert_eq!((empty.member_ids.len(), empty.machine_ids.len()), (0, 0));

    let access = access(&db, "admin", "ops").unwrap();
    let detail: GroupDetail = published(&body::detail(&access.group().body).0);
    assert_eq!((&detail.group, &detail.flat), (ops, ops));
    let read = db.run(read(&object("ops"))).remove(0);
    let changed: GroupChanged = published(&body::changed("Done", &[("added_count", 3)], &read.body).0);
    assert_eq!(
        (&changed.group, changed.added_count, changed.total_machines),
        (ops, Some(3), None)
    );

    let rows = db.run(members::list(&object("bob"), &object("ops"), Page::Everything));
    assert_eq!(
        serde_json::to_value(published::<GroupMember>(&rows[0].body)).unwrap(),
        serde_json::json!({
            "id": id("bob"), "user_id": id("bob"), "username": "bob", "email": "bob@example.org", "first_name": "Bob",
            "last_name": "", "role": "user", "machine_role": "", "enabled": false, "added_at": "2026-01-01T00:00:00Z",
        })
    );
    let rows = db.run(machines::list(&object("bob"), &object("ops"), Page::Everything));
    assert_eq!(
        serde_json::to_value(published::<GroupMachine>(&rows[0].body)).unwrap(),
        serde_json::json!({
            "id": id("web"), "agent_id": &id("web")[..12], "name": "web", "status": "pending", "added_at": "2026-01-01T00:00:00Z",
        })
    );
}
