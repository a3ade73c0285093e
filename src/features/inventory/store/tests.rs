//! Types and the permissions that are made with them, and who sees, finds and changes which things.
mod from_before;

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use protocol::api::inventory::types::{Definition, InventoryType, SyncSource};
use protocol::ids::ObjectId;
use serde_json::{Value, json};

use super::*;
use crate::features::inventory::access::{Create, Edit, Known, ObjectAccess, TypeAccess};
use crate::features::inventory::row::FoundObject;
use crate::features::inventory::value::{self, Checked, Place};
use crate::features::inventory::wanted::Wanted;
use crate::http::page::PageQuery;
use crate::platform::config::Config;
use crate::platform::db::Exists;
use crate::testing::{TestDb, id, published};

const NOW: &str = "2026-01-02T00:00:00.000Z";

fn user(name: &str) -> ObjectId {
    id(name).parse().unwrap()
}

/// An organization with an administrator, and somebody who has one role.
fn acme() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.execute(
        "INSERT INTO roles (id, organization_id, name, created_at) SELECT 100, id, 'ops', created_at FROM organizations;
         INSERT INTO roles (id, organization_id, name, created_at) SELECT 101, id, 'dev', created_at FROM organizations;
         INSERT INTO user_roles SELECT id, 100 FROM users WHERE username = 'bob'",
    );
    db
}

fn allow(db: &TestDb, codename: &str) {
    db.execute(&format!("INSERT INTO role_permissions VALUES (100, '{codename}')"));
}

fn of_type(db: &TestDb, name: &str, slug: &str) -> FoundType {
    db.run(find_type(&user(name), slug)).remove(0)
}

fn checked(db: &TestDb, slug: &str, id: i64, data: Value) -> Checked {
    let config = Config::of_a_test();
    let organization = user("acme");
    let place = Place {
        sealing: &config.sealing,
        organization: &organization,
        id,
    };
    let data = data.as_object().unwrap().clone();
    value::new(&of_type(db, "ann", slug).definition, data, None, &place).unwrap()
}

/// Makes a thing, as an administrator.
fn make(db: &TestDb, slug: &str, data: Value) -> Result<i64, String> {
    let number = db.run(objects::next_number()).remove(0).id;
    let access = TypeAccess::<Create>::decide(db.caller("ann"), vec![of_type(db, "ann", slug)], slug).unwrap();
    let (keep, insert) = objects::insert(&access, number, &checked(db, slug, number, data), NOW);
    db.try_run(keep)?;
    Ok(db.run(insert).remove(0).id)
}

fn found(db: &TestDb, name: &str, slug: &str, number: i64) -> Vec<FoundObject> {
    db.run(objects::find(&user(name), slug, &number.to_string()))
}

fn may(db: &TestDb, name: &str, slug: &str, number: i64) -> BTreeSet<String> {
    found(db, name, slug, number).remove(0).may.into_iter().collect()
}

/// What a list has, by number, and how many it says there are; nothing if the caller may see none.
fn listed(db: &TestDb, name: &str, slug: &str, address: &str) -> Option<(Vec<i64>, u64)> {
    let page: PageQuery = crate::http::query::read(address).unwrap();
    let wanted = Wanted::read(crate::http::query::read(address).unwrap(), &page, address).unwrap();
    let (whole, rows) = list::list(&user(name), slug, &wanted);
    let whole = whole.map(|whole| db.run(whole)).unwrap_or_default();
    let rows = db.run(rows);
    let known = whole.iter().chain(&rows).find(|row| row.body.is_none()).unwrap();
    let number = |body: &String| serde_json::from_str::<Value>(body).unwrap()["id"].as_i64().unwrap();
    let numbers = rows.iter().filter_map(|row| row.body.as_ref()).map(number).collect();
    known.sees.then_some((numbers, known.total))
}

#[test]
fn every_organization_has_the_types_of_the_repository() {
    let db = acme();
    db.user("cas", "other", "company_admin");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory-types");
    let mut slugs = BTreeSet::new();
    for file in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut value: Value = serde_saphyr::from_str(&text).unwrap();
        let slug = value
            .as_object_mut()
            .unwrap()
            .remove("slug")
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(file.file_stem().unwrap().to_str().unwrap(), slug);
        let definition: Definition = serde_json::from_value(value).unwrap();
        let mut faults = protocol::api::validate::Faults::default();
        protocol::api::validate::Validate::validate(&definition, &mut faults);
        assert_eq!(faults.into_vec(), [], "{slug}");
        for name in ["ann", "cas"] {
            let stored = of_type(&db, name, &slug);
            let said = serde_json::to_value(&definition).unwrap();
            assert_eq!(
                serde_json::from_str::<Value>(&stored.stored).unwrap(),
                said,
                "{slug}: a migration brings what has changed"
            );
            assert!(stored.is_builtin);
        }
        slugs.insert(slug);
    }
    let bodies: Vec<InventoryType> = db
        .run(types(&user("ann")))
        .iter()
        .map(|row| published(&row.body))
        .collect();
    assert_eq!(
        bodies.iter().map(|body| body.slug.clone()).collect::<BTreeSet<_>>(),
        slugs
    );
    let server = bodies.iter().find(|body| body.slug == "server").unwrap();
    assert_eq!(server.sync.as_ref().unwrap().source, SyncSource::VultrInventory);
}

#[test]
fn a_type_of_the_product_changes_for_all_with_its_row() {
    let db = acme();
    allow(&db, "inventory.user.view");
    db.execute(
        "UPDATE inventory_builtin_types SET definition = json_set(definition, '$.label', 'Person', '$.actions', json('[{\"name\":\"greet\",\"label\":\"Greet\"}]'))
         WHERE slug = 'user'",
    );
    let labels = "SELECT 1 FROM inventory_permissions WHERE codename IN ('inventory.user.view', 'inventory.user.greet')
                  AND label IN ('View Persons', 'Greet (Person)')";
    let known: Vec<Exists> = db.run(Query::of(labels, Vec::new()));
    assert_eq!(known.len(), 2);
    assert_eq!(db.count("role_permissions"), 1);
}

fn rack(fields: Value, actions: Value) -> Definition {
    serde_json::from_value(json!({"label": "Rack", "fields": fields, "actions": actions})).unwrap()
}

fn suffixes(db: &TestDb, slug: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Row {
        suffix: String,
    }
    let sql = "SELECT g.suffix FROM inventory_permissions g JOIN inventory_types t ON t.id = g.type_id WHERE t.slug = ?1 ORDER BY g.id";
    let rows: Vec<Row> = db.run(Query::new(sql, [slug.into()]));
    rows.into_iter().map(|row| row.suffix).collect()
}

#[test]
fn permissions_come_and_go_with_types_and_their_actions() {
    let db = acme();
    let name = json!([{"name": "name", "type": "string", "label": "Name"}]);
    let action = json!([{"name": "blink", "label": "Blink", "type": "script"}]);
    let first = rack(name.clone(), action);
    assert_eq!(db.run(insert_type(&db.caller("ann"), "rack", &first, NOW)).len(), 1);
    assert!(db.try_run(insert_type(&db.caller("ann"), "rack", &first, NOW)).is_err());
    assert_eq!(suffixes(&db, "rack"), ["view", "create", "edit", "delete", "blink"]);
    allow(&db, "inventory.rack.blink");
    allow(&db, "inventory.rack.view");
    let secret = json!([{"name": "name", "type": "string", "label": "Name"}, {"name": "code", "type": "secret", "label": "Code"}]);
    let before = of_type(&db, "ann", "rack");
    assert_eq!(db.run(update_type(&before, &rack(secret, json!([])), NOW)).len(), 1);
    assert!(db.run(update_type(&before, &rack(name, json!([])), NOW)).is_empty());
    assert_eq!(suffixes(&db, "rack"), ["view", "create", "edit", "delete", "reveal"]);
    assert_eq!(db.count("role_permissions"), 1);
    make(&db, "rack", json!({"name": "a"})).unwrap();
    let [keep, _] = delete_type(&before);
    assert!(db.try_run(keep).is_err());
    db.execute("DELETE FROM inventory_objects");
    for query in delete_type(&before) {
        db.run(query);
    }
    assert!(suffixes(&db, "rack").is_empty() && db.count("role_permissions") == 0);
}

#[test]
fn an_organization_has_so_many_types() {
    let db = acme();
    let definition = rack(json!([{"name": "name", "type": "string"}]), json!([]));
    for number in 0..MAX_TYPES - 5 {
        assert_eq!(
            db.run(insert_type(&db.caller("ann"), &format!("t{number}"), &definition, NOW))
                .len(),
            1
        );
    }
    assert!(
        db.run(insert_type(&db.caller("ann"), "more", &definition, NOW))
            .is_empty()
    );
}

#[test]
fn what_is_unique_stays_so_and_counts_are_kept() {
    let db = acme();
    let first = make(&db, "server", json!({"hostname": "alpha"})).unwrap();
    assert!(
        make(&db, "server", json!({"hostname": "alpha"}))
            .unwrap_err()
            .contains("refused by")
    );
    make(&db, "server", json!({"hostname": ""})).unwrap();
    make(&db, "server", json!({"hostname": ""})).unwrap();
    let taken = db.run(objects::taken(
        of_type(&db, "ann", "server").id,
        0,
        "{\"hostname\":\"alpha\"}",
    ));
    assert_eq!(
        taken.iter().map(|taken| taken.field.as_str()).collect::<Vec<_>>(),
        ["hostname"]
    );
    assert_eq!(of_type(&db, "ann", "server").object_count, 3);
    let access: ObjectAccess<Edit> = Known::decide(db.caller("ann"), found(&db, "ann", "server", first), "server")
        .unwrap()
        .with()
        .unwrap();
    let same = checked(&db, "server", first, json!({"hostname": "alpha", "region": "mel"}));
    let (unique, read, update) = objects::update(&access, &same, NOW);
    db.run(unique);
    db.run(read);
    db.run(update);
    let (_, read, _) = objects::update(&access, &same, NOW);
    assert!(db.try_run(read).is_err(), "somebody has changed it since it was read");
    db.execute(&format!("DELETE FROM inventory_objects WHERE id = {first}"));
    assert_eq!(of_type(&db, "ann", "server").object_count, 2);
    assert_eq!(make(&db, "server", json!({"hostname": "alpha"})).unwrap(), first + 3);
}

#[test]
fn rights_come_from_rules_then_tags_then_roles() {
    let db = acme();
    let number = make(&db, "server", json!({"hostname": "alpha"})).unwrap();
    let all: BTreeSet<String> = ["view", "edit", "delete", "ssh", "refresh", "stop", "destroy"]
        .map(str::to_owned)
        .into();
    assert_eq!(may(&db, "ann", "server", number), all);
    assert!(may(&db, "bob", "server", number).is_empty());
    allow(&db, "inventory.server.view");
    assert_eq!(may(&db, "bob", "server", number), BTreeSet::from(["view".to_owned()]));
    db.execute(&format!(
        "INSERT INTO inventory_tags (id, organization_id, name, created_at) SELECT 1, id, 'web', created_at FROM organizations;
         INSERT INTO inventory_object_tags VALUES (1, {number});
         INSERT INTO inventory_tag_permissions (tag_id, role_id, permission) VALUES (1, 100, 'ssh'), (1, 101, 'delete')"
    ));
    assert_eq!(
        may(&db, "bob", "server", number),
        BTreeSet::from(["ssh".to_owned(), "view".to_owned()])
    );
    db.execute(&format!(
        "INSERT INTO inventory_acl (object_id, role_id, permission, effect) VALUES ({number}, 100, 'ssh', 'deny'), ({number}, 100, 'ssh', 'allow'),
         ({number}, 100, 'edit', 'allow'), ({number}, 101, 'delete', 'allow'), ({number}, 100, 'view', 'deny')"
    ));
    assert_eq!(may(&db, "bob", "server", number), BTreeSet::from(["edit".to_owned()]));
    assert_eq!(may(&db, "ann", "server", number), all);
}

#[test]
fn another_organizations_things_are_not_there() {
    let db = acme();
    db.user("cas", "other", "super_admin");
    let number = make(&db, "server", json!({"hostname": "alpha"})).unwrap();
    let seen = found(&db, "cas", "server", number).remove(0);
    assert!(seen.object.is_none() && seen.may.iter().all(|right| right != "create"));
    assert_eq!(listed(&db, "cas", "server", ""), Some((Vec::new(), 0)));
    assert!(Known::decide(db.caller("cas"), found(&db, "cas", "server", number), "server").is_err());
}

#[test]
fn a_list_is_sorted_narrowed_and_counted() {
    let db = acme();
    let make = |data| make(&db, "server", data).unwrap();
    let b = make(json!({"hostname": "Beta", "region": "mel", "ip_address": "10.0.0.2"}));
    let a = make(json!({"hostname": "alpha", "region": "mel", "ip_address": "10.0.0.1"}));
    let c = make(json!({"hostname": "c%", "region": "syd"}));
    db.execute(&format!(
        "INSERT INTO inventory_tags (id, organization_id, name, created_at) SELECT 1, id, 'web', created_at FROM organizations;
         INSERT INTO inventory_object_tags VALUES (1, {a}), (1, {c})"
    ));
    for (address, expected) in [
        ("", vec![c, a, b]),
        ("order=asc", vec![b, a, c]),
        ("sort=hostname", vec![b, a, c]),
        ("sort=hostname&order=desc", vec![c, a, b]),
        ("search=BET", vec![b]),
        ("search=10.0.0", vec![a, b]),
        ("search=%25", vec![c]),
        ("search=_", vec![]),
        ("tag=web", vec![c, a]),
        ("tag=web&sort=hostname", vec![a, c]),
        ("tag=none", vec![]),
        ("f.region=mel", vec![a, b]),
        ("f.region=mel&tag=web", vec![a]),
        ("f.region=mel&f.hostname=Beta&search=beta", vec![b]),
        ("f.region=mel&sort=ip_address&order=desc", vec![b, a]),
    ] {
        let total = expected.len() as u64;
        assert_eq!(
            listed(&db, "ann", "server", address),
            Some((expected, total)),
            "{address}"
        );
    }
    assert_eq!(listed(&db, "ann", "server", "per_page=1&page=2"), Some((vec![a], 3)));
    assert_eq!(
        listed(&db, "ann", "server", "per_page=1&page=2&tag=web"),
        Some((vec![a], 2))
    );
    assert_eq!(listed(&db, "bob", "server", ""), None);
    assert_eq!(listed(&db, "bob", "server", "search=a"), None);
}

#[test]
fn lists_read_no_more_than_they_show() {
    let db = acme();
    for address in ["", "order=asc", "sort=hostname", "sort=hostname&order=desc"] {
        let page: PageQuery = crate::http::query::read(address).unwrap();
        let wanted = Wanted::read(crate::http::query::read(address).unwrap(), &page, address).unwrap();
        let (_, rows) = list::list(&user("ann"), "server", &wanted);
        let plan = db.plan(rows.sql);
        // What rules and tags let people see is sorted: it is what somebody has said of single things.
        // What rules and tags let people see is sorted, and so are the tags of each: there are few of both.
        let of_all = plan.split("UNION ALL").next().unwrap();
        assert_eq!(of_all.matches("USE TEMP B-TREE").count(), 1, "{address}: {plan}");
    }
}

/// Who may see what, worked out the slow way, in the published order.
fn reference(rules: &[(i64, &str)], tagged: bool, tag_allows: bool, role_allows: bool) -> bool {
    let ruled = |effect: &str| rules.iter().any(|(role, of)| *role == 100 && *of == effect);
    if ruled("deny") {
        return false;
    }
    ruled("allow") || tagged && tag_allows || role_allows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn lists_numbers_and_single_looks_agree_with_the_published_order(
        things in proptest::collection::vec((proptest::collection::vec((100..=101i64, prop_oneof![Just("allow"), Just("deny")]), 0..3), any::<bool>()), 1..8),
        tag_allows in any::<bool>(), role_allows in any::<bool>(),
    ) {
        let db = acme();
        db.execute("INSERT INTO inventory_tags (id, organization_id, name, created_at) SELECT 1, id, 'web', created_at FROM organizations");
        if tag_allows {
            db.execute("INSERT INTO inventory_tag_permissions (tag_id, role_id, permission) VALUES (1, 100, 'view')");
        }
        if role_allows {
            allow(&db, "inventory.server.view");
        }
        let mut expected = Vec::new();
        for (index, (rules, tagged)) in things.iter().enumerate() {
            let number = make(&db, "server", json!({"hostname": format!("h{index}")})).unwrap();
            for (role, effect) in rules {
                db.execute(&format!("INSERT INTO inventory_acl (object_id, role_id, permission, effect) VALUES ({number}, {role}, 'view', '{effect}')"));
            }
            if *tagged {
                db.execute(&format!("INSERT INTO inventory_object_tags VALUES (1, {number})"));
            }
            let sees = reference(rules, *tagged, tag_allows, role_allows);
            prop_assert_eq!(may(&db, "bob", "server", number).contains("view"), sees);
            if sees {
                expected.insert(0, number);
            }
        }
        let answer = (role_allows || !expected.is_empty()).then(|| (expected.clone(), expected.len() as u64));
        prop_assert_eq!(listed(&db, "bob", "server", ""), answer.clone());
        prop_assert_eq!(listed(&db, "bob", "server", "search=h"), answer.clone());
        let mut upwards = answer;
        if let Some((numbers, _)) = &mut upwards { numbers.reverse(); }
        prop_assert_eq!(listed(&db, "bob", "server", "order=asc"), upwards.clone());
        prop_assert_eq!(listed(&db, "bob", "server", "sort=hostname"), upwards);
    }
}
