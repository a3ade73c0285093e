//! What comes from somewhere by itself, over a real database.
use serde_json::{Value, json};

use super::*;
use crate::platform::db::{Nothing, Query};
use crate::testing::{TestDb, id};

const NOW: &str = "2026-01-02T00:00:00.000Z";

fn acme() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db
}

fn organization() -> ObjectId {
    id("acme").parse().unwrap()
}

/// The same as [`run`], statement by statement.
fn syncs(db: &TestDb, source: SyncSource) -> Outcome {
    let (organization, config) = (organization(), Config::of_a_test());
    let mut outcome = Outcome::default();
    let types = db.run(store::types(&organization, source));
    for of in &types {
        let field = key_field(&of.definition).unwrap();
        if let Some(gone) = store::gone(&organization, source, of, field) {
            db.run(gone);
        }
        let rows = db.run(store::differing(&organization, source, of, field, ""));
        let next = db.run(objects::next_number()).remove(0).id;
        let place = |id| Place {
            sealing: &config.sealing,
            organization: &organization,
            id,
        };
        let entries = prepare(&of.definition, rows, next, place, &mut outcome);
        let origin = Origin {
            organization: &organization,
            type_id: of.id,
            key_field: Some(field),
            source: source.as_str(),
            now: NOW,
        };
        for query in bulk::write(origin, &entries) {
            db.run(query);
        }
        if let Some(changes) = of.changes {
            db.run(store::looked_at(&organization, source, changes));
        }
    }
    outcome
}

/// What things of a type are, by name.
fn things(db: &TestDb, slug: &str) -> Vec<Value> {
    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(deserialize_with = "crate::platform::db::json")]
        data: Value,
    }
    let sql = "SELECT o.data FROM inventory_objects o JOIN inventory_types t ON t.id = o.type_id WHERE t.slug = ?1 ORDER BY o.name";
    let rows: Vec<Row> = db.run(Query::new(sql, [slug.into()]));
    rows.into_iter().map(|row| row.data).collect()
}

fn words(db: &TestDb, slug: &str, field: &str) -> Vec<String> {
    let word = |thing: Value| thing[field].as_str().unwrap_or_default().to_owned();
    things(db, slug).into_iter().map(word).collect()
}

/// What has changed and was not looked at.
fn stale(db: &TestDb) -> Vec<SyncSource> {
    db.run(store::stale(10)).into_iter().map(|of| of.source).collect()
}

/// The provider has listed these instances, all but some.
fn listed(db: &TestDb, instances: &[(&str, &str)], left_out: i64) {
    let acme = id("acme");
    db.execute(&format!(
        "INSERT OR IGNORE INTO clouds (organization_id, key_sealed, key_set_at, key_set_by) VALUES ('{acme}', 'k', '{NOW}', 'ann');
         DELETE FROM instances"
    ));
    for (host, power) in instances {
        db.execute(&format!(
            "INSERT INTO instances (organization_id, id, host, label, region, plan, os, address, power_status, tags)
             VALUES ('{acme}', 'id of {host}', '{host}', '{host}', 'mel', 'small', 'Debian', '192.0.2.1', '{power}', '[\"{host}\",\"eu\"]')"
        ));
    }
    db.execute(&format!("UPDATE clouds SET listed_at = '{NOW}', left_out = {left_out}"));
}

/// A runner has these services.
fn tells(db: &TestDb, services: &[&str]) {
    db.execute(&format!(
        "INSERT OR IGNORE INTO runners (machine_id, left_out, told_at) VALUES ('{}', 0, '{NOW}')",
        id("runner")
    ));
    db.execute("DELETE FROM services");
    for name in services {
        db.execute(&format!(
            "INSERT INTO services (machine_id, name, organization_id, deployable, deployed, body)
             VALUES ('{}', '{name}', '{}', 1, 0, '{{}}')",
            id("runner"),
            id("acme")
        ));
    }
}

#[test]
fn servers_are_what_the_provider_says_and_what_people_wrote_stays() {
    let db = acme();
    listed(&db, &[("web", "running"), ("db", "rebooting")], 0);
    assert_eq!(syncs(&db, SyncSource::VultrInventory), Outcome::default());
    let web = json!({"hostname": "web", "ip_address": "192.0.2.1", "region": "mel", "plan": "small", "os": "Debian", "power_status": "running",
        "vultr_id": "id of web", "vultr_label": "web", "vultr_tags": ["web", "eu"]});
    assert_eq!(things(&db, "server")[1], web);
    assert_eq!(words(&db, "server", "power_status"), ["unknown", "running"]);
    db.execute(
        "UPDATE inventory_objects SET data = json_set(data, '$.notes', 'mine', '$.plan', 'not so') WHERE name = 'web';
         INSERT INTO inventory_tags (organization_id, name, created_at) SELECT id, 'prod', created_at FROM organizations;
         INSERT INTO inventory_object_tags SELECT g.id, o.id FROM inventory_tags g, inventory_objects o WHERE o.name = 'web'",
    );
    listed(&db, &[("web", "stopped")], 0);
    syncs(&db, SyncSource::VultrInventory);
    let mut changed = web;
    changed["power_status"] = json!("stopped");
    changed["notes"] = json!("mine");
    assert_eq!(things(&db, "server"), [changed]);
    assert_eq!(db.count("inventory_object_tags"), 1);
    // The same again writes nothing.
    db.execute("UPDATE inventory_objects SET updated_at = 'then'");
    syncs(&db, SyncSource::VultrInventory);
    let written: Vec<Nothing> = db.run(Query::new(
        "SELECT 1 FROM inventory_objects WHERE updated_at <> 'then'",
        [],
    ));
    assert!(written.is_empty());
}

#[test]
fn servers_go_when_a_whole_list_has_them_no_more_and_those_made_by_hand_stay() {
    let db = acme();
    db.execute(&format!(
        "INSERT INTO inventory_objects (organization_id, type_id, name, data, search, created_at, updated_at)
         SELECT organization_id, id, 'rack', '{{\"hostname\":\"rack\"}}', 'rack', '{NOW}', '{NOW}' FROM inventory_types WHERE slug = 'server'"
    ));
    listed(&db, &[("web", "running")], 0);
    syncs(&db, SyncSource::VultrInventory);
    assert_eq!(words(&db, "server", "hostname"), ["rack", "web"]);
    listed(&db, &[], 3);
    syncs(&db, SyncSource::VultrInventory);
    assert_eq!(words(&db, "server", "hostname"), ["rack", "web"]);
    // The key was removed: nothing is known.
    db.execute("DELETE FROM clouds");
    syncs(&db, SyncSource::VultrInventory);
    assert_eq!(words(&db, "server", "hostname"), ["rack", "web"]);
    listed(&db, &[], 0);
    syncs(&db, SyncSource::VultrInventory);
    assert_eq!(words(&db, "server", "hostname"), ["rack"]);
}

#[test]
fn a_server_made_by_hand_is_the_instance_of_its_name_from_then_on() {
    let db = acme();
    db.execute(&format!(
        "INSERT INTO inventory_objects (organization_id, type_id, name, data, search, created_at, updated_at)
         SELECT organization_id, id, 'web', '{{\"hostname\":\"web\",\"notes\":\"mine\"}}', 'web', '{NOW}', '{NOW}' FROM inventory_types WHERE slug = 'server'"
    ));
    listed(&db, &[("web", "running")], 0);
    syncs(&db, SyncSource::VultrInventory);
    assert_eq!(words(&db, "server", "notes"), ["mine"]);
    assert_eq!(words(&db, "server", "vultr_id"), ["id of web"]);
}

#[test]
fn services_that_no_runner_has_any_more_are_missing_until_one_has_them_again() {
    let db = acme();
    db.machine("runner", "ann");
    tells(&db, &["web", "db"]);
    syncs(&db, SyncSource::ServiceDiscovery);
    assert_eq!(
        things(&db, "service")[1],
        json!({"name": "web", "service_dir": "/services/web", "status": "available"})
    );
    for (services, status) in [
        (&["web"][..], ["missing", "available"]),
        (&["db", "web"], ["available"; 2]),
        (&[], ["missing"; 2]),
    ] {
        tells(&db, services);
        syncs(&db, SyncSource::ServiceDiscovery);
        assert_eq!(words(&db, "service", "status"), status, "{services:?}");
    }
}

#[test]
fn accounts_are_users_until_they_are_deleted() {
    let db = acme();
    db.user("bob", "acme", "user");
    db.user("eve", "other", "user");
    db.execute(
        "INSERT INTO roles (organization_id, name, created_at) SELECT o.id, value, o.created_at FROM organizations o, json_each('[\"ops\",\"dev\"]') WHERE o.slug = 'acme';
         INSERT INTO user_roles SELECT u.id, r.id FROM users u JOIN roles r ON r.name IN ('ops', 'dev') WHERE u.username = 'bob';
         UPDATE users SET pending = 1, first_name = 'Bob', last_name = 'Smith' WHERE username = 'bob'",
    );
    assert_eq!(syncs(&db, SyncSource::UserSync), Outcome::default());
    assert_eq!(words(&db, "user", "username"), ["ann", "bob"]);
    assert_eq!(words(&db, "user", "role"), ["super-admin", "dev, ops"]);
    assert_eq!(words(&db, "user", "status"), ["active", "invited"]);
    assert_eq!(words(&db, "user", "display_name"), ["", "Bob Smith"]);
    db.execute("UPDATE users SET disabled_at = 'x', display_name = ' Bobby ' WHERE username = 'bob'");
    syncs(&db, SyncSource::UserSync);
    assert_eq!(words(&db, "user", "status"), ["active", "inactive"]);
    assert_eq!(words(&db, "user", "display_name"), ["", "Bobby"]);
    db.execute("UPDATE users SET deleted_at = 'x' WHERE username = 'bob'");
    syncs(&db, SyncSource::UserSync);
    assert_eq!(words(&db, "user", "username"), ["ann"]);
}

/// A job has ended that has deployed something.
fn deployed(db: &TestDb, number: u32, service: &str, more: &str) {
    db.execute(&format!(
        "INSERT INTO jobs (id, organization_id, service, action, status, started_at, username) SELECT '{number:08x}', id, '{service}', 'deploy',
           'running', '{NOW}', 'ann' FROM organizations WHERE slug = 'acme';
         UPDATE jobs SET deployment_id = 'release {number}', status = 'completed', finished_at = '{NOW}'{more} WHERE id = '{number:08x}'"
    ));
}

#[test]
fn deployments_are_entered_once_with_where_they_are_and_stay() {
    let db = acme();
    listed(&db, &[("web", "running")], 0);
    syncs(&db, SyncSource::VultrInventory);
    deployed(&db, 1, "web", "");
    deployed(&db, 2, "db", ", status = 'failed', directory = 'eu'");
    deployed(&db, 3, "other", ", deployment_id = NULL");
    deployed(
        &db,
        4,
        "other",
        ", object_id = (SELECT id FROM inventory_objects WHERE name = 'web')",
    );
    assert_eq!(syncs(&db, SyncSource::DeploymentSync), Outcome::default());
    assert_eq!(
        things(&db, "deployment")
            .iter()
            .find(|thing| thing["job_id"] == "00000001"),
        Some(
            &json!({"service_name": "web", "deployment_id": "release 1", "hostname": "web", "ip_address": "192.0.2.1", "status": "completed",
            "deployed_by": "ann", "job_id": "00000001", "started_at": NOW, "finished_at": NOW})
        )
    );
    let mut of: Vec<(String, String)> = words(&db, "deployment", "job_id")
        .into_iter()
        .zip(words(&db, "deployment", "hostname"))
        .collect();
    of.sort();
    let expected = [("00000001", "web"), ("00000002", "web"), ("00000004", "web")]
        .map(|(job, host)| (job.to_owned(), host.to_owned()));
    assert_eq!(of, expected);
    listed(&db, &[], 0);
    db.execute("DELETE FROM jobs WHERE id = '00000001'");
    syncs(&db, SyncSource::DeploymentSync);
    assert_eq!(words(&db, "deployment", "hostname"), ["web"; 3]);
}

#[test]
fn what_does_not_fit_is_said_and_keeps_nothing_else_out() {
    let db = acme();
    listed(&db, &[("a\u{7}b", "running"), ("web", "running")], 0);
    let outcome = syncs(&db, SyncSource::VultrInventory);
    assert_eq!(words(&db, "server", "hostname"), ["web"]);
    let warning = outcome.warning().unwrap();
    assert!(
        warning.starts_with("[Warning: 1 could not be entered in the inventory: a"),
        "{warning}"
    );
    assert_eq!(Outcome::default().warning(), None);
}

#[test]
fn whatever_changes_is_noted_until_it_was_looked_at() {
    let db = acme();
    db.machine("runner", "ann");
    db.execute("DELETE FROM inventory_stale");
    let changes: [(&str, SyncSource); 7] = [
        ("UPDATE users SET first_name = 'Ann'", SyncSource::UserSync),
        ("UPDATE users SET last_login_at = 'x'", SyncSource::UserSync),
        (
            "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r",
            SyncSource::UserSync,
        ),
        ("DELETE FROM user_roles", SyncSource::UserSync),
        ("UPDATE roles SET name = 'root'", SyncSource::UserSync),
        (
            "UPDATE users SET password_hash = password_hash, role = 'user'",
            SyncSource::UserSync,
        ),
        ("UPDATE users SET deleted_at = 'x'", SyncSource::UserSync),
    ];
    for (sql, source) in changes {
        db.execute(sql);
        assert_eq!(stale(&db), [source], "{sql}");
        syncs(&db, source);
        assert!(stale(&db).is_empty(), "{sql}");
    }
    db.execute("UPDATE users SET active_at = 'x', password_hash = 'other'");
    assert!(stale(&db).is_empty());
    tells(&db, &["web"]);
    assert_eq!(stale(&db), [SyncSource::ServiceDiscovery]);
    syncs(&db, SyncSource::ServiceDiscovery);
    listed(&db, &[("web", "running")], 0);
    assert_eq!(stale(&db), [SyncSource::VultrInventory]);
    syncs(&db, SyncSource::VultrInventory);
    deployed(&db, 1, "web", "");
    assert_eq!(stale(&db), [SyncSource::DeploymentSync]);
    let seen = db.run(store::stale_of_machine(&id("runner").parse().unwrap()));
    assert_eq!(seen.len(), 1);
    // What changes while it is looked at is looked at again.
    db.run(store::looked_at(&organization(), SyncSource::DeploymentSync, 1));
    assert!(stale(&db).is_empty());
    deployed(&db, 2, "web", "");
    deployed(&db, 3, "web", "");
    db.run(store::looked_at(&organization(), SyncSource::DeploymentSync, 1));
    assert_eq!(stale(&db), [SyncSource::DeploymentSync]);
    db.execute(
        "DELETE FROM jobs; DELETE FROM machines; DELETE FROM clouds; DELETE FROM users; DELETE FROM organizations",
    );
    assert!(stale(&db).is_empty());
}

#[test]
fn jobs_stay_when_what_they_were_about_goes() {
    let db = acme();
    listed(&db, &[("web", "running"), ("db", "running")], 0);
    syncs(&db, SyncSource::VultrInventory);
    for (number, name) in [(1, "web"), (2, "db")] {
        deployed(
            &db,
            number,
            name,
            &format!(", type_slug = 'server', object_id = (SELECT id FROM inventory_objects WHERE name = '{name}')"),
        );
    }
    let about = || {
        let rows: Vec<Nothing> = db.run(Query::new("SELECT 1 FROM jobs WHERE object_id IS NOT NULL", []));
        let of_type: Vec<Nothing> = db.run(Query::new("SELECT 1 FROM jobs WHERE type_slug IS NOT NULL", []));
        (rows.len(), of_type.len())
    };
    assert_eq!(about(), (2, 2));
    db.execute("DELETE FROM inventory_objects WHERE name = 'web'");
    assert_eq!(about(), (1, 2));
    db.execute("DELETE FROM inventory_types WHERE slug = 'server'");
    assert_eq!(about(), (0, 0));
    assert_eq!(db.count("jobs"), 2);
}
