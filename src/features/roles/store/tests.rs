use super::*;
use crate::features::roles::access::RoleAccess;
use crate::testing::World;

fn world() -> World {
    let world = World::new();
    for (name, organization, role) in [
        ("admin", "acme", "company_admin"),
        ("ann", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        world.user(name, organization, role);
    }
    world
}

fn make(world: &World, caller: &str, name: &str, codenames: &[&str]) -> Result<FoundRole, String> {
    let caller = world.caller(caller);
    for query in insert(&caller, name, "", codenames, "2026-01-01T00:00:00.000Z") {
        world.try_run(query)?;
    }
    Ok(world.run(find_by_name(caller.id(), name)).remove(0))
}

fn names(world: &World, caller: &str) -> Vec<String> {
    let roles = world.run(list(world.caller(caller).id()));
    roles.into_iter().map(|role| role.name).collect()
}

fn control(world: &World, id: i64) -> RoleControl {
    let admin = world.caller("admin");
    let found = world.run(find(admin.id(), id));
    RoleAccess::decide(admin, found).unwrap().control("no").unwrap()
}

#[test]
fn roles_belong_to_an_organization_where_a_name_exists_once() {
    let world = world();
    let ops = make(&world, "admin", "Ops", &["users.view", "costs.view"]).unwrap();
    assert_eq!(ops.permissions.len(), 2);
    assert!(
        make(&world, "admin", "OPS", &[])
            .unwrap_err()
            .contains("UNIQUE constraint failed")
    );
    make(&world, "eve", "ops", &[]).unwrap();
    assert_eq!(names(&world, "ann"), ["super-admin", "Ops"]);
    for (caller, sees) in [("ann", true), ("eve", false), ("root", true)] {
        assert_eq!(
            world.run(find(world.caller(caller).id(), ops.id)).len(),
            usize::from(sees),
            "{caller}"
        );
    }
}

#[test]
fn the_system_role_counts_the_administrators_and_others_those_who_have_them() {
    let world = world();
    let ops = make(&world, "admin", "ops", &[]).unwrap();
    let count = |id: i64| world.run(find(world.caller("admin").id(), id)).remove(0).user_count;
    let system = world.run(list(world.caller("admin").id())).remove(0);
    assert!(system.is_system);
    assert_eq!((count(system.id), count(ops.id)), (1, 0));
    world.execute("UPDATE users SET role = 'company_admin' WHERE username = 'ann'");
    world.execute(
        "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE r.name = 'ops' AND u.username = 'ann'",
    );
    assert_eq!((count(system.id), count(ops.id)), (2, 1));
    let admin = world.caller("admin");
    let found = world.run(find(admin.id(), system.id));
    assert!(RoleAccess::decide(admin, found).unwrap().control("no").is_err());
}

#[test]
fn a_change_replaces_what_it_names() {
    let world = world();
    let ops = make(&world, "admin", "ops", &["users.view"]).unwrap();
    for query in update(
        &control(&world, ops.id),
        Some("Operators"),
        None,
        Some(&["costs.view", "jobs.cancel"]),
    ) {
        world.run(query);
    }
    let changed = world.run(find(world.caller("admin").id(), ops.id)).remove(0);
    assert_eq!((changed.name.as_str(), changed.permissions.len()), ("Operators", 2));
    for query in update(&control(&world, ops.id), None, Some("those who operate"), None) {
        world.run(query);
    }
    let changed = world.run(find(world.caller("admin").id(), ops.id)).remove(0);
    assert_eq!(
        (changed.description.as_str(), changed.permissions.len()),
        ("those who operate", 2)
    );
}

#[test]
fn a_role_that_somebody_has_is_not_deleted() {
    let world = world();
    let ops = make(&world, "admin", "ops", &["users.view"]).unwrap();
    world.execute(
        "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE r.name = 'ops' AND u.username = 'ann'",
    );
    let [keep, _] = delete(&control(&world, ops.id));
    assert!(world.try_run(keep).unwrap_err().contains("'refused by ops'"));
    world.execute("DELETE FROM user_roles");
    for query in delete(&control(&world, ops.id)) {
        world.run(query);
    }
    assert_eq!(
        (names(&world, "admin"), world.count("role_permissions")),
        (vec!["super-admin".to_owned()], 0)
    );
}

#[test]
fn roles_are_given_by_number_within_one_organization() {
    let world = world();
    let (ops, theirs) = (
        make(&world, "admin", "ops", &[]).unwrap(),
        make(&world, "eve", "theirs", &[]).unwrap(),
    );
    let acme = world.caller("ann").organization_id().clone();
    let given = world.run(given(&acme, &[ops.id, theirs.id, 999]));
    assert_eq!(given.into_iter().map(|role| role.name).collect::<Vec<_>>(), ["ops"]);
}
