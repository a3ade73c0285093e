use super::*;
use crate::features::roles::access::RoleAccess;
use crate::testing::TestDb;

fn db() -> TestDb {
    let db = TestDb::new();
    for (name, organization, role) in [
        ("admin", "acme", "company_admin"),
        ("ann", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        db.user(name, organization, role);
    }
    db
}

fn make(db: &TestDb, caller: &str, name: &str, codenames: &[&str]) -> Result<FoundRole, String> {
    let caller = db.caller(caller);
    let id = db.run(next_number()).remove(0).id;
    db.try_run(insert(&caller, id, name, "", "2026-01-01T00:00:00.000Z"))?;
    let codenames: Vec<String> = codenames.iter().map(|name| (*name).to_owned()).collect();
    db.run(allow_if_made(id, &codenames));
    Ok(db.run(find(caller.id(), id)).remove(0))
}

fn names(db: &TestDb, caller: &str) -> Vec<String> {
    let roles = db.run(list(db.caller(caller).id()));
    roles.into_iter().map(|role| role.name).collect()
}

fn control(db: &TestDb, id: i64) -> RoleControl {
    let admin = db.caller("admin");
    let found = db.run(find(admin.id(), id));
    RoleAccess::decide(admin, found).unwrap().control("no").unwrap()
}

#[test]
fn roles_belong_to_an_organization_where_a_name_exists_once() {
    let db = db();
    let ops = make(&db, "admin", "Ops", &["users.view", "costs.view"]).unwrap();
    assert_eq!(ops.permissions.len(), 2);
    assert!(
        make(&db, "admin", "OPS", &[])
            .unwrap_err()
            .contains("UNIQUE constraint failed")
    );
    make(&db, "eve", "ops", &[]).unwrap();
    assert_eq!(names(&db, "ann"), ["super-admin", "Ops"]);
    for (caller, sees) in [("ann", true), ("eve", false), ("root", true)] {
        assert_eq!(
            db.run(find(db.caller(caller).id(), ops.id)).len(),
            usize::from(sees),
            "{caller}"
        );
    }
}

#[test]
fn the_system_role_counts_the_administrators_and_others_those_who_have_them() {
    let db = db();
    let ops = make(&db, "admin", "ops", &[]).unwrap();
    let count = |id: i64| db.run(find(db.caller("admin").id(), id)).remove(0).user_count;
    let system = db.run(list(db.caller("admin").id())).remove(0);
    assert!(system.is_system);
    assert_eq!((count(system.id), count(ops.id)), (1, 0));
    db.execute("UPDATE users SET role = 'company_admin' WHERE username = 'ann'");
    db.execute(
        "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE r.name = 'ops' AND u.username = 'ann'",
    );
    assert_eq!((count(system.id), count(ops.id)), (2, 1));
    let admin = db.caller("admin");
    let found = db.run(find(admin.id(), system.id));
    assert!(RoleAccess::decide(admin, found).unwrap().control("no").is_err());
}

#[test]
fn a_change_replaces_what_it_names() {
    let db = db();
    let ops = make(&db, "admin", "ops", &["users.view"]).unwrap();
    for query in update(
        &control(&db, ops.id),
        Some("Operators"),
        None,
        Some(&["costs.view".to_owned(), "jobs.cancel".to_owned()]),
    ) {
        db.run(query);
    }
    let changed = db.run(find(db.caller("admin").id(), ops.id)).remove(0);
    assert_eq!((changed.name.as_str(), changed.permissions.len()), ("Operators", 2));
    for query in update(&control(&db, ops.id), None, Some("those who operate"), None) {
        db.run(query);
    }
    let changed = db.run(find(db.caller("admin").id(), ops.id)).remove(0);
    assert_eq!(
        (changed.description.as_str(), changed.permissions.len()),
        ("those who operate", 2)
    );
}

#[test]
fn a_role_that_somebody_has_is_not_deleted() {
    let db = db();
    let ops = make(&db, "admin", "ops", &["users.view"]).unwrap();
    db.execute(
        "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE r.name = 'ops' AND u.username = 'ann'",
    );
    let [keep, _] = delete(&control(&db, ops.id));
    assert!(db.try_run(keep).unwrap_err().contains("'refused by ops'"));
    db.execute("DELETE FROM user_roles");
    for query in delete(&control(&db, ops.id)) {
        db.run(query);
    }
    assert_eq!(
        (names(&db, "admin"), db.count("role_permissions")),
        (vec!["super-admin".to_owned()], 0)
    );
}

#[test]
fn roles_are_given_by_number_within_one_organization() {
    let db = db();
    let (ops, theirs) = (
        make(&db, "admin", "ops", &[]).unwrap(),
        make(&db, "eve", "theirs", &[]).unwrap(),
    );
    let acme = db.caller("ann").organization_id().clone();
    let (given, foreign) = given(&acme, &[ops.id, theirs.id, 999]);
    let given = db.run(given);
    assert_eq!(db.run(foreign).len(), 1);
    let (_, none) = super::given(&acme, &[ops.id, 999]);
    assert!(db.run(none).is_empty(), "a number of nobody's");
    assert_eq!(given.into_iter().map(|role| role.name).collect::<Vec<_>>(), ["ops"]);
}

#[test]
fn a_number_is_given_once_and_who_comes_second_changes_nothing() {
    let db = db();
    let (admin, eve) = (db.caller("admin"), db.caller("eve"));
    let id = db.run(next_number()).remove(0).id;
    let now = "2026-01-01T00:00:00.000Z";
    assert_eq!(db.run(insert(&admin, id, "Ops", "", now)).len(), 1);
    for (caller, name) in [(&eve, "Ops"), (&admin, "Ops"), (&admin, "Dev")] {
        assert!(db.run(insert(caller, id, name, "", now)).is_empty(), "{name}");
        db.run(allow_if_made(id, &["users.view".to_owned()]));
    }
    assert_eq!(db.count("role_permissions"), 0);
    db.execute("DELETE FROM roles WHERE name = 'Ops'");
    assert!(db.run(next_number()).remove(0).id > id, "never again");
}
