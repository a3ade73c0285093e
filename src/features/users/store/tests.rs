use protocol::api::auth::Role;
use serde::de::DeserializeOwned;

use super::delete::delete;
use super::home::find_home;
use super::*;
use crate::features::accounts::store::insert::{NewUser, insert_user};
use crate::features::groups::store::members;
use crate::features::users::access::UserAccess;
use crate::platform::db::now;
use crate::testing::TestDb;

/// An organization with two administrators and a user, and another one.
fn db() -> TestDb {
    let db = TestDb::new();
    for (name, organization, role) in [
        ("admin", "acme", "company_admin"),
        ("second", "acme", "company_admin"),
        ("ann", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        db.user(name, organization, role);
    }
    db
}

fn control(db: &TestDb, caller: &str, user: &str) -> UserControl {
    let (caller, user) = (db.caller(caller), db.caller(user));
    let found = db.run(find(caller.id(), &UserKey::Id(user.id().clone())));
    UserAccess::decide(caller, found).unwrap().control().unwrap()
}

fn run<T: DeserializeOwned>(db: &TestDb, queries: impl IntoIterator<Item = Query<T>>) {
    for query in queries {
        db.run(query);
    }
}

fn row(db: &TestDb, name: &str) -> UserRow {
    let id = db.caller(name).id().clone();
    let found = db.run(find(db.caller("root").id(), &UserKey::Id(id)));
    found.into_iter().next().unwrap().user
}

fn names(db: &TestDb, caller: &str, filter: Filter) -> Vec<String> {
    let caller = db.caller(caller);
    let rows = db.run(list(caller.id(), &filter, Page::Everything));
    let total = db.run(count(caller.id(), &filter)).remove(0).total;
    assert_eq!(total, rows.len() as u64);
    rows.into_iter().map(|row| row.user.username).collect()
}

#[test]
fn people_are_listed_by_organization_in_order_and_searched() {
    let db = db();
    db.execute("UPDATE users SET first_name = 'Anna', last_name = 'Smith' WHERE username = 'ann'");
    let search = |text: &str| Filter {
        search: Some(text.to_owned()),
        ..Filter::default()
    };
    let tenant = |slug: &str| Filter {
        tenant_id: Some(slug.to_owned()),
        ..Filter::default()
    };
    let role = |role: &str| Filter {
        role: Some(role.to_owned()),
        ..Filter::default()
    };
    assert_eq!(names(&db, "admin", Filter::default()), ["admin", "second", "ann"]);
    assert_eq!(names(&db, "admin", role("user")), ["ann"]);
    assert_eq!(names(&db, "admin", role("viewer")), Vec::<String>::new());
    assert_eq!(names(&db, "admin", search("NA SM")), ["ann"]);
    assert_eq!(names(&db, "admin", search("second@")), ["second"]);
    assert_eq!(names(&db, "admin", search("100%")), Vec::<String>::new());
    assert_eq!(
        names(&db, "admin", tenant("evil")),
        ["admin", "second", "ann"],
        "not an administrator's to choose"
    );
    assert_eq!(names(&db, "root", tenant("evil")), ["eve"]);
    assert_eq!(names(&db, "root", Filter::default()), ["root"]);
    db.execute("UPDATE users SET deleted_at = 'x' WHERE username = 'second'");
    assert_eq!(names(&db, "admin", Filter::default()), ["admin", "ann"]);
}

#[test]
fn an_account_is_named_by_its_id_or_its_number() {
    assert_eq!(UserKey::parse("7"), Some(UserKey::Number(7)));
    let digits = "1".repeat(24);
    assert_eq!(UserKey::parse(&digits), Some(UserKey::Id(digits.parse().unwrap())));
    for bad in ["", "-1", "x", "99999999999999999999", "0123456789ABCDEF01234567"] {
        assert_eq!(UserKey::parse(bad), None, "{bad}");
    }
    let db = db();
    let ann = row(&db, "ann");
    let found = db
        .run(find(db.caller("admin").id(), &UserKey::Number(ann.int_id)))
        .remove(0);
    assert_eq!(found.user.id, ann.id);
    assert!(
        db.run(find(db.caller("eve").id(), &UserKey::Number(ann.int_id)))
            .is_empty()
    );
}

#[test]
fn a_change_leaves_alone_what_it_does_not_name() {
    let db = db();
    db.execute("UPDATE users SET email_verified = 1, first_name = 'Ann' WHERE username = 'ann'");
    let control = control(&db, "admin", "ann");
    let change = Change {
        last_name: Some("Smith"),
        machine_role: Some("allow_sudo"),
        ..Change::default()
    };
    db.run(update(&control, &change, &now()));
    let ann = row(&db, "ann");
    assert_eq!(
        (
            ann.first_name.as_str(),
            ann.last_name.as_str(),
            ann.machine_role.as_str()
        ),
        ("Ann", "Smith", "allow_sudo")
    );
    assert!(ann.email_verified && ann.enabled);
    let change = Change {
        email: Some("new@example.org"),
        ..Change::default()
    };
    db.run(update(&control, &change, &now()));
    let ann = row(&db, "ann");
    assert_eq!((ann.email.as_str(), ann.email_verified), ("new@example.org", false));
}

#[test]
fn disabling_ends_tokens_and_enabling_begins_the_time_anew() {
    let db = db();
    let control = control(&db, "admin", "ann");
    let enabled = |enabled| Change {
        enabled: Some(enabled),
        ..Change::default()
    };
    let version = |n: i64| db.count(&format!("users WHERE username = 'ann' AND token_version = {n}"));
    db.run(update(&control, &enabled(true), "2026-02-01T00:00:00.000Z"));
    assert_eq!(version(0), 1);
    db.run(update(&control, &enabled(false), "2026-02-02T00:00:00.000Z"));
    assert!(!row(&db, "ann").enabled && version(1) == 1);
    db.run(update(&control, &enabled(false), "2026-02-03T00:00:00.000Z"));
    assert_eq!(db.count("users WHERE disabled_at = '2026-02-02T00:00:00.000Z'"), 1);
    db.run(update(&control, &enabled(true), "2026-02-04T00:00:00.000Z"));
    assert!(row(&db, "ann").enabled && version(1) == 1);
    assert_eq!(db.count("users WHERE active_at = '2026-02-04T00:00:00.000Z'"), 1);
}

#[test]
fn the_last_administrator_of_an_organization_stays() {
    let db = db();
    let acme = db.caller("admin").organization_id().clone();
    assert!(db.try_run(keep_an_admin(&acme)).is_ok());
    db.execute("UPDATE users SET disabled_at = 'x' WHERE username = 'second'");
    assert!(db.try_run(keep_an_admin(&acme)).is_ok());
    for sql in ["role = 'user'", "disabled_at = 'x'", "deleted_at = 'x'", "pending = 1"] {
        db.execute("SAVEPOINT before");
        db.execute(&format!("UPDATE users SET {sql} WHERE username = 'admin'"));
        let refused = db.try_run(keep_an_admin(&acme)).unwrap_err();
        assert!(refused.contains("'refused by acme'"), "{refused}");
        db.execute("ROLLBACK TO before");
    }
}

#[test]
fn groups_are_named_by_id_or_name_within_one_organization() {
    let db = db();
    db.group("ops", "acme", &[], &[]);
    db.group("dev", "acme", &["ann"], &[]);
    db.group("theirs", "evil", &[], &[]);
    let acme = db.caller("ann").organization_id().clone();
    let found = db.run(find_groups(&acme, r#"["OPS", "theirs", "nothing"]"#));
    assert_eq!(
        found.iter().map(|group| group.given.as_str()).collect::<Vec<_>>(),
        ["OPS"]
    );
    let ids = serde_json::to_string(&[&found[0].id]).unwrap();
    run(
        &db,
        members::set_of_user(db.caller("ann").id(), &ids, &ids, "2026-02-01T00:00:00.000Z"),
    );
    let groups: Vec<String> = row(&db, "ann").groups.into_iter().map(|group| group.name).collect();
    assert_eq!(groups, ["ops"]);
    assert_eq!(db.count("groups WHERE updated_at = '2026-02-01T00:00:00.000Z'"), 1);
}

#[test]
fn who_is_deleted_leaves_nothing_that_proves_the_account_and_their_machines_to_an_administrator() {
    let db = db();
    for (name, owner) in [("web", "ann"), ("db", "ann"), ("theirs", "eve")] {
        db.machine(name, owner);
    }
    db.machine("mine", "admin");
    db.execute(
        "UPDATE machines SET host_id = 'h', registration_token_hash = name, registration_token_sealed = 'x' WHERE name = 'web';
         UPDATE machines SET name = 'web', host_id = 'h' WHERE name = 'mine'",
    );
    db.group("ops", "acme", &["ann"], &[]);
    db.grant("theirs", "ann", "", None);
    db.request("theirs", "ann", "approved", None);
    db.execute("INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix, created_at) SELECT 'k', id, 'k', 'k', 'k', '' FROM users WHERE username = 'ann'");
    run(&db, delete(&control(&db, "second", "ann"), &now()));

    let admin = db.caller("admin").id().clone();
    assert_eq!(db.count(&format!("machines WHERE owner_id = '{admin}'")), 3);
    assert_eq!(db.count("machines WHERE name LIKE 'web-%' AND host_id IS NULL"), 1);
    assert_eq!(db.count("machines WHERE registration_token_hash IS NOT NULL"), 0);
    for table in ["api_keys", "machine_grants", "access_requests", "group_members"] {
        assert_eq!(db.count(table), 0, "{table}");
    }
    assert_eq!(
        db.count(
            "users WHERE username = 'ann' AND deleted_at IS NOT NULL AND token_version = 1 AND password_hash = ''"
        ),
        1
    );
    assert_eq!(names(&db, "admin", Filter::default()), ["admin", "second"]);
}

#[test]
fn a_machine_stays_whose_where_no_administrator_is_left_to_take_it() {
    let db = db();
    db.machine("web", "ann");
    let ann = db.caller("ann").id().clone();
    let control = control(&db, "root", "ann");
    db.execute("UPDATE users SET disabled_at = 'x' WHERE role = 'company_admin'");
    run(&db, delete(&control, &now()));
    assert_eq!(db.count(&format!("machines WHERE owner_id = '{ann}'")), 1);
}

#[test]
fn a_new_account_waits_for_its_owner_unless_it_has_a_password() {
    let db = db();
    let admin = db.caller("admin");
    let home = db
        .run(find_home(admin.id(), Some("evil"), "ANN", "ann@example.org"))
        .remove(0);
    assert!(home.id == *admin.organization_id() && home.username_taken && home.email_taken);
    let home = db
        .run(find_home(
            db.caller("root").id(),
            Some("evil"),
            "new",
            "ann@example.org",
        ))
        .remove(0);
    assert!(home.id == *db.caller("eve").organization_id() && !home.username_taken && !home.email_taken);
    assert!(
        db.run(find_home(db.caller("root").id(), Some("nowhere"), "new", "x"))
            .is_empty()
    );
    for (n, hash) in ["", "hash"].into_iter().enumerate() {
        let id = format!("{n:024x}").parse().unwrap();
        let new = NewUser {
            id: &id,
            organization: &home.id,
            username: &format!("new-{n}"),
            email: &format!("new-{n}@example.org"),
            password_hash: hash,
            role: Role::User,
            machine_role: "",
            first_name: "",
            last_name: "",
            display_name: "",
            api_key_hash: &format!("new {n}"),
            api_key_sealed: "",
            invited_by: admin.id(),
            now: &now(),
        };
        db.run(insert_user(&new));
        let found = db
            .run(find(db.caller("eve").id(), &UserKey::Id(id.clone())))
            .remove(0)
            .user;
        let pending = hash.is_empty();
        assert_eq!(
            (found.pending, found.enabled, found.must_reset_password),
            (pending, !pending, !pending)
        );
    }
}
