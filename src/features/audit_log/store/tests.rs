use super::*;
use crate::audit::{Action, Event, Resource, record};
use crate::features::audit_log::filter::LogQuery;
use crate::testing::TestDb;

fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.user("eve", "other", "company_admin");
    let of = |name: &str, action, resource| db.caller(name).event(action, resource);
    for event in [
        of("ann", Action::Login, Resource::Auth),
        of("bob", Action::Login, Resource::Auth),
        of("bob", Action::MachineAccess, Resource::Terminal)
            .on("0a1b")
            .detail("reason", "Überprüfung"),
        of("eve", Action::Login, Resource::Auth),
        of("ann", Action::MachineDeleted, Resource::Machine)
            .on("m1")
            .detail("agent_id", "0a1b"),
        of("bob", Action::Denied, Resource::Unknown).failed(403, "Not authorized"),
        Event::of(Action::LoginFailed, Resource::Auth)
            .claimed_by("nobody")
            .failed(401, "Invalid credentials"),
    ] {
        db.run(record(&event));
    }
    db
}

fn selection(scope: &Scope, pairs: &[(&str, &str)]) -> Selection {
    let query: LogQuery = serde_json::from_value(pairs.iter().copied().collect()).unwrap();
    Selection::new(scope, &query.filter().unwrap()).unwrap()
}

/// The numbers of the entries that are found, newest first; the walk must find the same.
fn found(db: &TestDb, scope: &Scope, pairs: &[(&str, &str)]) -> Vec<i64> {
    let selection = selection(scope, pairs);
    let numbers = |query| {
        let rows: Vec<LogRow> = db.run(query);
        rows.into_iter().map(|row| row.stored.entry.int_id).collect::<Vec<_>>()
    };
    let list = numbers(selection.list(-1, 0));
    let mut walk = numbers(selection.walk(0, i64::from(u32::MAX), 100));
    walk.reverse();
    assert_eq!(list, walk, "{pairs:?}");
    assert_eq!(
        db.run(selection.count()).remove(0).total,
        list.len() as u64,
        "{pairs:?}"
    );
    list
}

fn acme(db: &TestDb) -> Scope {
    Scope::Organization(db.caller("ann").organization_id().to_string())
}

#[test]
fn one_organization_reads_its_own_entries_only() {
    let db = db();
    assert_eq!(found(&db, &acme(&db), &[]), [6, 5, 3, 2, 1]);
    let other = Scope::Organization(db.caller("eve").organization_id().to_string());
    assert_eq!(found(&db, &other, &[]), [4]);
    assert_eq!(found(&db, &Scope::Organization(String::new()), &[]), [7]);
    assert_eq!(found(&db, &Scope::Everywhere, &[]), [7, 6, 5, 4, 3, 2, 1]);
    let bob = db.caller("bob").id().to_string();
    assert!(found(&db, &other, &[("user_id", &bob)]).is_empty());
    assert!(found(&db, &other, &[("action", "denied")]).is_empty());
}

#[test]
fn each_filter_narrows_and_all_of_them_together() {
    let db = db();
    let bob = db.caller("bob").id().to_string();
    for (pairs, expected) in [
        (vec![("user_id", bob.as_str())], vec![6, 3, 2]),
        (vec![("user_id", "2")], vec![6, 3, 2]),
        (vec![("user_id", "77")], vec![]),
        (vec![("username", "BOB")], vec![6, 3, 2]),
        (vec![("action", "login")], vec![2, 1]),
        (vec![("action", "connect")], vec![3]),
        (vec![("action", "delete")], vec![5]),
        (vec![("resource", "auth")], vec![2, 1]),
        (vec![("status", "failure")], vec![6]),
        (vec![("severity", "info")], vec![3, 2, 1]),
        (vec![("severity", "warning")], vec![6]),
        (vec![("severity", "critical")], vec![5]),
        (vec![("severity", "critical"), ("action", "delete")], vec![5]),
        (vec![("severity", "info"), ("action", "delete")], vec![]),
        (vec![("severity", "critical"), ("user_id", bob.as_str())], vec![]),
        (vec![("source", "cli")], vec![]),
        (vec![("machine_id", "0a1b")], vec![5, 3]),
        (vec![("machine_id", "m1")], vec![5]),
        (vec![("q", "0A1B")], vec![5, 3]),
        (vec![("q", "not auth")], vec![6]),
        (vec![("q", "%")], vec![]),
        (vec![("from", "2000-01-01"), ("to", "2000-12-31")], vec![]),
        (vec![("from", "2000-01-01"), ("to", "9999-12-30")], vec![6, 5, 3, 2, 1]),
        (
            vec![("user_id", bob.as_str()), ("action", "login"), ("status", "success")],
            vec![2],
        ),
        (vec![("user_id", bob.as_str()), ("action", "delete")], vec![]),
    ] {
        assert_eq!(found(&db, &acme(&db), &pairs), expected, "{pairs:?}");
    }
}

#[test]
fn filters_work_across_all_organizations() {
    let db = db();
    assert_eq!(found(&db, &Scope::Everywhere, &[("action", "login")]), [4, 2, 1]);
    assert_eq!(found(&db, &Scope::Everywhere, &[("username", "nobody")]), [7]);
}

#[test]
fn an_entry_is_published_with_everything_that_was_recorded() {
    let db = db();
    let rows = db.run(selection(&acme(&db), &[("action", "machine_access")]).list(1, 0));
    let entry = AuditEntry::from(rows.into_iter().next().unwrap());
    assert_eq!(entry.tenant_id, "acme");
    assert_eq!(entry.entry.details, serde_json::json!({"reason": "Überprüfung"}));
    assert_eq!(
        (entry.resource_type.as_str(), entry.browser.as_str()),
        ("terminal", "Unknown")
    );
    assert!(entry.agrees());
}

#[test]
fn the_severity_that_is_shown_is_the_one_that_is_found() {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    for action in Action::ALL {
        let event = db.caller("ann").event(*action, Resource::Unknown);
        db.run(record(&event));
        db.run(record(&event.failed(403, "Not authorized")));
    }
    db.execute(
        "INSERT INTO audit_log SELECT NULL, 'later' || int_id, organization_id, user_id, username, 'of a later version', resource,
         resource_id, status, response_status, method, endpoint, ip_address, user_agent, source, error, details, created_at, hash, mac
         FROM audit_log WHERE int_id <= 2",
    );
    let mut found = 0;
    for scope in [acme(&db), Scope::Everywhere] {
        for severity in ["info", "warning", "critical"] {
            let rows = db.run(selection(&scope, &[("severity", severity)]).list(-1, 0));
            assert!(!rows.is_empty(), "{severity}");
            for row in rows {
                let entry = AuditEntry::from(row);
                assert_eq!(entry.severity.as_str(), severity, "{entry:?}");
                found += 1;
            }
        }
    }
    assert_eq!(found, 2 * db.count("audit_log"), "each has one severity");
}

#[test]
fn entries_of_one_severity_are_found_by_an_index() {
    let db = TestDb::new();
    let plan = db.plan(LIST_BY_SEVERITY);
    assert!(
        plan.contains("audit_log_by_action (organization_id=? AND action=?)"),
        "{plan}"
    );
    assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{plan}");
}

#[test]
fn organizations_are_listed_by_name() {
    let db = db();
    let names: Vec<String> = db.run(tenants("")).into_iter().map(|tenant| tenant.tenant_id).collect();
    assert_eq!(names, ["acme", "other"]);
    assert_eq!(db.run(tenants("acme")).remove(0).tenant_id, "other", "behind one");
    let own = db.caller("eve").organization_id().to_string();
    assert_eq!(db.run(tenant(&own)).remove(0).tenant_id, "other");
    assert_eq!(db.run(organization("other")).remove(0).id, own);
}
