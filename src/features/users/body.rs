//! From an account's row to the bodies that show it.
use protocol::api::access::MachineRole;
use protocol::api::users::Person;

use super::row::UserRow;
use crate::features::accounts::body::{display_name, groups, roles};

/// The account as those see it who may see the users.
pub fn person(row: UserRow) -> Person {
    let (groups, group_ids) = groups(row.groups);
    Person {
        display_name: display_name(&row.display_name, &row.first_name, &row.last_name),
        machine_role_name: MachineRole::parse(&row.machine_role)
            .map_or("", MachineRole::label)
            .to_owned(),
        roles: roles(row.roles),
        groups,
        group_ids,
        id: row.id,
        int_id: row.int_id,
        username: row.username,
        email: row.email,
        first_name: row.first_name,
        last_name: row.last_name,
        avatar_url: row.avatar_url,
        tenant_id: row.tenant_id,
        tenant_name: row.tenant_name,
        role: row.role,
        machine_role: row.machine_role,
        email_verified: row.email_verified,
        enabled: row.enabled,
        is_active: row.enabled,
        pending: row.pending,
        keycloak_id: String::new(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_login: row.last_login_at,
        last_login_at: row.last_login_at,
        invite_accepted_at: row.invite_accepted_at,
        must_reset_password: Some(row.must_reset_password),
        mfa_enabled: Some(row.mfa_enabled),
    }
}

/// The account as everybody else in its organization sees it.
pub fn colleague(row: UserRow) -> Person {
    Person {
        last_login: None,
        last_login_at: None,
        invite_accepted_at: None,
        must_reset_password: None,
        mfa_enabled: None,
        ..person(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::users::store;
    use crate::testing::TestDb;

    fn row(db: &TestDb, name: &str) -> UserRow {
        let id = db.caller(name).id().clone();
        db.run(store::find(&id, &store::UserKey::Id(id.clone()))).remove(0).user
    }

    fn db() -> TestDb {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("bob", "acme", "user");
        db.group("zoo", "acme", &["bob"], &[]);
        db.group("alpha", "acme", &["bob"], &[]);
        db.execute(
            "INSERT INTO roles (organization_id, name, created_at) SELECT organization_id, 'ops', created_at FROM users WHERE username = 'bob';
             INSERT INTO role_permissions SELECT id, 'users.view' FROM roles WHERE name = 'ops';
             INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE u.username = 'bob' AND r.name = 'ops'",
        );
        db
    }

    #[test]
    fn a_person_is_shown_with_groups_and_roles_in_order() {
        let db = db();
        let bob = person(row(&db, "bob"));
        assert_eq!(bob.groups, ["alpha", "zoo"]);
        assert_eq!(bob.group_ids.len(), 2);
        assert_eq!(
            bob.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
            ["ops"]
        );
        assert_eq!((bob.enabled, bob.is_active, bob.mfa_enabled), (true, true, Some(false)));
        let ann = person(row(&db, "ann"));
        assert_eq!(
            ann.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
            ["super-admin"]
        );
    }

    #[test]
    fn a_colleague_sees_less() {
        let db = db();
        db.execute("UPDATE users SET last_login_at = '2026-01-02T00:00:00.000Z'");
        let bob = row(&db, "bob");
        assert!(person(bob.clone()).last_login.is_some());
        let seen = colleague(bob);
        assert_eq!(
            (seen.last_login, seen.last_login_at, seen.mfa_enabled),
            (None, None, None)
        );
    }

    #[test]
    fn people_are_called_what_they_chose_or_by_their_names() {
        let db = db();
        assert_eq!(person(row(&db, "bob")).display_name, None);
        db.execute("UPDATE users SET first_name = 'Bob', last_name = 'Smith'");
        assert_eq!(person(row(&db, "bob")).display_name.as_deref(), Some("Bob Smith"));
        db.execute("UPDATE users SET display_name = 'Bobby'");
        assert_eq!(person(row(&db, "bob")).display_name.as_deref(), Some("Bobby"));
    }
}
