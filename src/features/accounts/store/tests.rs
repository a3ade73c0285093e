//! The SQL of accounts.
use protocol::api::auth::Role;

use super::insert::{NewAccount, insert_account};
use super::*;
use crate::features::organizations::store::{NewOrganization, insert};
use crate::testing::TestDb;

const NOW: &str = "2026-01-01T00:00:00.000Z";

fn sign_up(db: &TestDb, n: usize, username: &str, email: &str) -> Result<i64, String> {
    let id: ObjectId = format!("{n:024x}").parse().unwrap();
    let (organization, role) = insert(&NewOrganization {
        id: &id,
        slug: &format!("slug-{n}"),
        name: username,
        description: "",
        now: NOW,
    });
    db.try_run(organization)?;
    db.try_run(role)?;
    db.try_run(insert_account(&NewAccount {
        id: &id,
        organization_id: &id,
        username,
        email,
        community: true,
        password_hash: "hash",
        role: Role::CompanyAdmin,
        first_name: "",
        last_name: "",
        email_verified: false,
        api_key_hash: &format!("key {n}"),
        api_key_sealed: "sealed",
        now: NOW,
        last_login_at: None,
    }))?;
    Ok(db.run(find_account(&id)).remove(0).int_id)
}

#[test]
fn accounts_are_numbered_and_found_by_name_or_mail_address() {
    let db = TestDb::new();
    assert_eq!(sign_up(&db, 1, "Ann", "ann@example.org"), Ok(1));
    assert_eq!(sign_up(&db, 2, "bob", "bob@example.org"), Ok(2));
    for name in ["Ann", "ANN", "ann", "ann@example.org", "Ann@Example.org"] {
        let account = db.run(find_logins(name)).remove(0);
        assert_eq!(
            (account.int_id, account.tenant_id.as_str(), account.role),
            (1, "slug-1", Role::CompanyAdmin),
            "{name}"
        );
        assert_eq!(
            account.roles[0].name, "super-admin",
            "the role that stands for administrators"
        );
    }
    assert!(db.run(find_logins("nobody")).is_empty());
}

#[test]
fn a_username_and_a_community_mail_address_exist_once() {
    let db = TestDb::new();
    sign_up(&db, 1, "ann", "ann@example.org").unwrap();
    let taken = db.run(find_taken("ANN", "ann@example.org", "slug-1")).remove(0);
    assert!(taken.username && taken.email && taken.slug);
    let free = db.run(find_taken("bob", "bob@example.org", "slug-2")).remove(0);
    assert!(!free.username && !free.email && !free.slug);
    for (n, username, email) in [(2, "ANN", "x@example.org"), (3, "bob", "ann@example.org")] {
        let error = sign_up(&db, n, username, email).unwrap_err();
        assert!(error.contains("UNIQUE constraint failed"), "{error}");
    }
}

#[test]
fn accounts_that_do_not_stand_cannot_sign_in() {
    for sql in [
        "UPDATE users SET disabled_at = 'x'",
        "UPDATE users SET deleted_at = 'x'",
        "UPDATE users SET pending = 1",
        "UPDATE organizations SET disabled_at = 'x'",
    ] {
        let db = TestDb::new();
        sign_up(&db, 1, "ann", "ann@example.org").unwrap();
        db.execute(sql);
        assert!(db.run(find_logins("ann")).is_empty(), "{sql}");
        assert!(db.run(find_logins("ann@example.org")).is_empty(), "{sql}");
    }
}

#[test]
fn accounts_with_one_mail_address_are_in_the_order_of_their_last_use_and_not_too_many() {
    let db = TestDb::new();
    for n in 0..MAX_ACCOUNTS + 2 {
        db.user(&format!("ann{n}"), &format!("org{n}"), "user");
    }
    db.execute("UPDATE users SET email = 'ann@example.org'");
    db.run(touch_login(db.caller("ann3").id(), "2026-01-02T00:00:00.000Z"));
    let found = db.run(find_logins("ann@example.org"));
    assert_eq!((found.len(), found[0].username.as_str()), (MAX_ACCOUNTS, "ann3"));
    let ids = [db.caller("ann5").id().clone(), db.caller("ann3").id().clone()];
    let found = db.run(find_accounts(&ids.each_ref()));
    assert_eq!(
        found.iter().map(|row| row.username.as_str()).collect::<Vec<_>>(),
        ["ann3", "ann5"]
    );
}

#[test]
fn an_account_comes_with_its_groups_and_roles_and_what_they_allow() {
    let db = TestDb::new();
    db.user("ann", "acme", "user");
    db.user("bob", "other", "user");
    db.group("ops", "acme", &["ann"], &[]);
    db.execute(
        "INSERT INTO roles (organization_id, name, created_at) SELECT organization_id, 'dev', 'x' FROM users WHERE username = 'ann';
         INSERT INTO role_permissions SELECT id, 'users.view' FROM roles WHERE name = 'dev';
         INSERT INTO user_roles SELECT u.id, d.id FROM users u, roles d WHERE u.username = 'ann' AND d.name = 'dev'",
    );
    let ann = db.run(find_account(db.caller("ann").id())).remove(0);
    assert_eq!(ann.groups[0].name, "ops");
    assert_eq!((ann.roles.len(), ann.roles[0].name.as_str()), (1, "dev"));
    assert_eq!(ann.permissions, ["users.view"]);
    let bob = db.run(find_account(db.caller("bob").id())).remove(0);
    assert!(bob.groups.is_empty() && bob.roles.is_empty() && bob.permissions.is_empty());
}
