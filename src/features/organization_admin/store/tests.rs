use std::collections::BTreeSet;

use serde::Deserialize;

use super::*;
use crate::auth::account_store::find_caller;
use crate::features::machines::store::end as machines_end;
use crate::features::organizations::access::OrganizationControl;
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
        db.request(&machine, &user, "approved", None);
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

fn end(db: &TestDb) -> OrganizationEnd {
    let root = db.caller("root");
    let found = db.run(organizations::find(root.id(), "acme"));
    OrganizationControl::decide(root, found).unwrap().end().unwrap()
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
    db.run(organizations::enable(&end(&db)));
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
        ("access_requests", 2),
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
    db.run(machines_end::revoke_all(&end, NOW));
    let doomed = db.run(machines_end::find_some(&end));
    assert_eq!(doomed.len(), 1);
    let (sessions, machines) = machines_end::delete_some(&end, &doomed).unwrap();
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
