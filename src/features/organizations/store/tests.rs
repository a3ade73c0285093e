use std::collections::BTreeSet;

use super::*;
use crate::auth::account_store::find_caller;
use crate::testing::{TestDb, id};

const NOW: &str = "2026-02-01T00:00:00.000Z";

/// `acme` and `evil` with everything an organization can have, and `root`, a super administrator elsewhere.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("root", "platform", "super_admin");
    for organization in ["acme", "evil"] {
        let of = |name: &str| format!("{organization}-{name}");
        let (admin, user, machine) = (of("admin"), of("user"), of("machine"));
        db.user(&admin, organization, "company_admin");
        db.user(&user, organization, "user");
        db.machine(&machine, &admin);
        db.group(&of("group"), organization, &[&user], &[&machine]);
        db.grant(&machine, &user, "", None);
        db.session(&of("session"), &user, &machine);
        db.execute(&format!(
            "INSERT INTO roles (organization_id, name, created_at) VALUES ('{}', 'custom', '');
             INSERT INTO role_permissions SELECT id, 'users.view' FROM roles WHERE name = 'custom' AND organization_id = '{0}';
             INSERT INTO user_roles SELECT '{user}', id FROM roles WHERE name = 'custom' AND organization_id = '{0}';
             INSERT INTO recovery_codes VALUES ('{user}', 'hash', NULL);
             INSERT INTO mailed_tokens VALUES ('token of {user}', '{user}', 'reset', '', '', NULL);
             INSERT INTO otp_challenges (user_id, code_sealed, opened, expires_at) VALUES ('{user}', '', '', '');
             INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix, created_at) VALUES ('key of {user}', '{user}', 'k', '{user}', 'k', '');
             UPDATE users SET invited_by = '{root}' WHERE id = '{user}'",
            id(organization),
            user = id(&user),
            root = id("root"),
        ));
    }
    // Somebody elsewhere was invited by somebody of acme, and somebody of acme has a session elsewhere.
    db.execute(&format!(
        "UPDATE users SET invited_by = '{}' WHERE username = 'evil-admin'",
        id("acme-admin")
    ));
    db.session("abroad", "acme-user", "evil-machine");
    db
}

fn control(db: &TestDb, caller: &str, organization: &str) -> Result<OrganizationControl, u16> {
    let caller = db.caller(caller);
    let found = db.run(find(caller.id(), organization));
    OrganizationControl::decide(caller, found).map_err(|error| error.status().as_u16())
}

fn end(db: &TestDb) -> OrganizationEnd {
    control(db, "root", "acme").unwrap().end().unwrap()
}

#[test]
fn an_organization_is_found_by_row_or_slug_by_those_who_administer_it() {
    let db = db();
    for name in [id("acme"), "acme".to_owned()] {
        assert!(control(&db, "root", &name).is_ok());
        assert!(control(&db, "acme-admin", &name).is_ok());
        assert_eq!(control(&db, "acme-user", &name).unwrap_err(), 404);
        assert_eq!(control(&db, "evil-admin", &name).unwrap_err(), 404);
    }
    assert_eq!(control(&db, "root", "nowhere").unwrap_err(), 404);
    assert!(db.run(find_own(db.caller("acme-user").id())).is_empty());
    assert_eq!(db.run(find_own(db.caller("acme-admin").id()))[0].slug, "acme");

    db.execute(&format!(
        "UPDATE organizations SET slug = '{}' WHERE slug = 'evil'",
        id("acme")
    ));
    assert_eq!(
        control(&db, "root", &id("acme")).unwrap().organization().slug,
        "acme",
        "a row comes before a slug"
    );
}

#[test]
fn nobody_ends_their_own_organization_or_the_platforms_or_without_being_a_super_administrator() {
    let db = db();
    let ends = |caller, organization| control(&db, caller, organization).unwrap().end().map(|_| ());
    assert!(ends("root", "acme").is_ok());
    assert_eq!(ends("acme-admin", "acme").unwrap_err().status().as_u16(), 403);
    assert_eq!(ends("root", "platform").unwrap_err().status().as_u16(), 409);
    db.execute("UPDATE organizations SET slug = 'super-admin' WHERE slug = 'evil'");
    assert!(
        ends("root", "super-admin").is_ok(),
        "a name is no protection: anybody may take it"
    );
    db.execute("INSERT INTO setup SELECT 1, id, '' FROM organizations WHERE slug = 'acme'");
    assert_eq!(ends("root", "acme").unwrap_err().status().as_u16(), 409);
}

#[test]
fn organizations_are_listed_by_slug_for_super_administrators() {
    let db = db();
    let names = |search: &str, page| {
        let (rows, count) = list(&db.caller("root"), Some(search), page).unwrap();
        let rows: Vec<String> = db.run(rows).into_iter().map(|row| row.slug).collect();
        (rows.join(" "), db.run(count)[0].total)
    };
    assert_eq!(names("", Page::Everything), ("acme evil platform".to_owned(), 3));
    assert_eq!(names("", Page::One { page: 2, limit: 2 }), ("platform".to_owned(), 3));
    assert_eq!(names("AC", Page::Everything), ("acme".to_owned(), 1));
    assert!(list(&db.caller("acme-admin"), None, Page::Everything).is_err());
}

#[test]
fn an_organization_counts_its_own() {
    let db = db();
    db.execute("UPDATE users SET deleted_at = 'x' WHERE username = 'acme-user'");
    db.execute("UPDATE machines SET status = 'online'");
    let control = control(&db, "root", "acme").unwrap();
    assert_eq!(
        (control.organization().user_count, control.organization().machine_count),
        (1, 1)
    );
    let row = db.run(stats(&control, "2026-01-01T00:00:00.000Z")).remove(0);
    assert_eq!((row.admins, row.online, row.groups, row.sessions), (1, 1, 1, 1));
    let row = db.run(stats(&control, "2026-01-01T00:00:00.001Z")).remove(0);
    assert_eq!(row.sessions, 0);
}

#[test]
fn settings_are_kept() {
    let db = db();
    let control = control(&db, "acme-admin", "acme").unwrap();
    let new = Changeable {
        name: "Acme Inc".into(),
        description: "d".into(),
        otp: OtpPolicy::On,
        otp_minutes: 60,
        admins_create_machines: true,
        inactive_days: 0,
    };
    db.run(update(&control, &new, NOW));
    let row = db.run(read(control.id())).remove(0);
    assert_eq!(Changeable::from(&row), new);
    assert_eq!(crate::platform::db::stored(row.updated_at), NOW);
}

#[test]
fn where_only_administrators_make_machines_others_may_not() {
    let db = db();
    let may = |name| db.run(may_create_machines(db.caller(name).id()))[0].allowed;
    assert!(may("acme-user") && may("acme-admin"));
    db.execute("UPDATE organizations SET admins_create_machines = 1 WHERE slug = 'acme'");
    assert!(!may("acme-user") && may("acme-admin") && may("evil-user"));
}

#[test]
fn a_disabled_organization_shuts_its_people_out_until_it_is_enabled() {
    let db = db();
    // Whether an account is active, and its token version.
    let account = |name: &str| format!("{:?}", db.run(find_caller(&id(name).parse().unwrap(), "")));
    let before = account("evil-user");
    let (disable, end_tokens) = disable(&end(&db), NOW);
    db.run(disable);
    db.run(end_tokens);
    for name in ["acme-user", "acme-admin"] {
        let text = account(name);
        assert!(
            text.contains("is_active: false") && text.contains("token_version: 1"),
            "{text}"
        );
    }
    assert_eq!(account("evil-user"), before);
    db.run(enable(&end(&db)));
    let text = account("acme-user");
    assert!(
        text.contains("is_active: true") && text.contains("token_version: 1"),
        "old tokens stay dead: {text}"
    );
}

#[test]
fn deleting_an_organization_leaves_nothing_of_it_and_everything_of_others() {
    let db = db();
    let tables = [
        ("users", 5),
        ("machines", 2),
        ("groups", 2),
        ("group_members", 2),
        ("group_machines", 2),
        ("machine_grants", 2),
        ("terminal_sessions", 3),
        ("user_roles", 2),
        ("role_permissions", 2),
        ("recovery_codes", 2),
        ("mailed_tokens", 2),
        ("otp_challenges", 2),
        ("api_keys", 2),
    ];
    for (table, count) in tables {
        assert_eq!(db.count(table), count, "{table}");
    }
    db.execute("UPDATE users SET avatar_url = 'https://example.org/' || username WHERE username LIKE '%user'");
    let end = end(&db);
    db.run(revoke_machines(&end, NOW));
    let doomed = db.run(machines(&end));
    assert_eq!(doomed.len(), 1);
    let (sessions, machines) = delete_machines(&end, &doomed).unwrap();
    db.run(sessions);
    db.run(machines);
    let (sessions, users, organization) = delete(&end);
    db.run(sessions);
    let gone: Vec<String> = db.run(users).into_iter().filter_map(|gone| gone.avatar_url).collect();
    assert_eq!(gone, ["https://example.org/acme-user"]);
    db.run(organization);
    for (table, count) in tables {
        let left = if table == "users" { 3 } else { count / 2 };
        assert_eq!(db.count(table), left, "{table}");
    }
    assert_eq!(db.count("organizations WHERE slug = 'acme'"), 0);
    assert_eq!(db.count("roles"), 3);
    assert_eq!(db.count("machines WHERE status = 'revoked'"), 0);
}

#[test]
fn whatever_refers_to_an_organization_or_its_people_goes_with_them_or_is_deleted_by_name() {
    #[derive(Debug, Deserialize)]
    struct Reference {
        child: String,
        target: String,
        on_delete: String,
    }
    const REFERENCES: &str =
        "SELECT t.name || '.' || f.\"from\" AS child, f.\"table\" AS target, f.on_delete FROM sqlite_schema t
         JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'";
    let kept: BTreeSet<String> = TestDb::new()
        .run(Query::<Reference>::new(REFERENCES, []))
        .into_iter()
        .filter(|reference| !["CASCADE", "SET NULL"].contains(&reference.on_delete.as_str()))
        .map(|reference| format!("{} -> {}", reference.child, reference.target))
        .collect();
    // A new table that belongs here wants ON DELETE CASCADE.
    let by_name = [
        "machines.organization_id -> organizations",
        "machines.owner_id -> users",
        // Of the one organization that is never deleted.
        "setup.organization_id -> organizations",
        "terminal_sessions.machine_id -> machines",
        "terminal_sessions.organization_id -> organizations",
        "terminal_sessions.user_id -> users",
        "users.organization_id -> organizations",
    ];
    assert_eq!(kept.iter().map(String::as_str).collect::<Vec<_>>(), by_name);
}
