//! Credentials that a service gives out, over a real database.
use serde_json::json;

use super::*;
use crate::platform::config::Config;
use crate::platform::db::{Nothing, Query};
use crate::testing::{TestDb, id};

const NOW: &str = "2026-01-02T00:00:00.000Z";
const TAG: &str = "svc:web";

fn organization() -> ObjectId {
    id("acme").parse().unwrap()
}

/// The same as [`keep`], statement by statement: how many were written.
fn keeps(db: &TestDb, outputs: &Value) -> usize {
    let (organization, config) = (organization(), Config::of_a_test());
    let given: Vec<Given> = outputs
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|output| Given::read("web", output))
        .collect();
    let of = db.run(store::of_type(&organization)).remove(0);
    let known = db.run(store::known(&organization, TAG));
    let next = db.run(objects::next_number()).remove(0).id;
    let place = |id| Place {
        sealing: &config.sealing,
        organization: &organization,
        id,
    };
    let entries = prepare(&of.definition, &given, &known, next, place).unwrap();
    let origin = Origin {
        organization: &organization,
        type_id: of.id,
        key_field: None,
        source: SOURCE,
        now: NOW,
    };
    db.run(store::add_tag(&organization, TAG, NOW));
    let written = bulk::write(origin, &entries)
        .into_iter()
        .map(|query| db.run(query).len());
    let written: usize = written.sum();
    let new: Vec<i64> = entries
        .iter()
        .filter(|entry| entry.read_at.is_none())
        .map(|entry| entry.id)
        .collect();
    for query in store::tagged(&organization, TAG, &new) {
        db.run(query);
    }
    written
}

/// Those that are there, by name: username and value.
fn kept(db: &TestDb) -> Vec<(String, String, String)> {
    let (organization, config) = (organization(), Config::of_a_test());
    let known = db.run(store::known(&organization, TAG)).into_iter();
    let text =
        |data: &Map<String, Value>, field: &str| data.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let open = |known: KnownCredential| {
        let place = Place {
            sealing: &config.sealing,
            organization: &organization,
            id: known.id,
        };
        let value = config
            .sealing
            .open(&place.associated(VALUE), &known.secrets[VALUE])
            .unwrap();
        (
            text(&known.data, "name"),
            text(&known.data, "username"),
            value.expose().to_owned(),
        )
    };
    known.map(open).collect()
}

fn acme() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db
}

#[test]
fn credentials_are_kept_sealed_with_a_tag_of_their_service_and_each_once() {
    let db = acme();
    let outputs = json!([
        {"name": "db", "type": "credential", "label": "Database", "value": "hunter2", "username": "root"},
        {"name": "pin", "type": "credential", "value": 1234, "credential_type": "token"},
        {"name": "home", "type": "url", "value": "https://example.org"},
        {"type": "credential", "value": "nameless"},
        {"name": "empty", "type": "credential", "value": ""},
        "text",
    ]);
    assert_eq!(keeps(&db, &outputs), 2);
    let pair = |name: &str, username: &str, value: &str| (name.to_owned(), username.to_owned(), value.to_owned());
    let expected = [pair("web — Database", "root", "hunter2"), pair("web — pin", "", "1234")];
    assert_eq!(kept(&db), expected);
    let clear = "SELECT 1 FROM inventory_objects WHERE instr(data || search || secrets, 'hunter2') > 0";
    assert!(db.run::<Nothing>(Query::new(clear, [])).is_empty());
    let tag = "SELECT 1 FROM inventory_tags WHERE name = 'svc:web' AND color = '#e8984a'";
    assert_eq!(db.run::<Nothing>(Query::new(tag, [])).len(), 1);
    // The same again changes nothing.
    assert_eq!(keeps(&db, &outputs), 0);
    assert_eq!(
        (db.count("inventory_objects"), db.count("inventory_object_tags")),
        (2, 2)
    );
}

#[test]
fn a_credential_that_is_given_out_anew_is_the_same_thing_with_what_people_wrote() {
    let db = acme();
    keeps(&db, &json!([{"name": "db", "type": "credential", "value": "old"}]));
    db.execute("UPDATE inventory_objects SET data = json_set(data, '$.notes', 'mine')");
    let twice = json!([{"name": "db", "type": "credential", "value": "first"}, {"name": "db", "type": "credential", "value": "last"}]);
    assert_eq!(keeps(&db, &twice), 1);
    assert_eq!(kept(&db), [("web — db".to_owned(), String::new(), "last".to_owned())]);
    let notes = "SELECT 1 FROM inventory_objects WHERE data ->> 'notes' = 'mine'";
    assert_eq!(db.run::<Nothing>(Query::new(notes, [])).len(), 1);
    // What is given out no more stays.
    assert_eq!(keeps(&db, &json!([])), 0);
    assert_eq!(db.count("inventory_objects"), 1);
}

#[test]
fn without_room_for_its_tag_a_credential_does_not_stay() {
    let db = acme();
    db.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
         INSERT INTO inventory_tags (organization_id, name, created_at) SELECT '{}', 'tag ' || i, '{NOW}' FROM n",
        id("acme")
    ));
    keeps(&db, &json!([{"name": "db", "type": "credential", "value": "old"}]));
    assert_eq!(db.count("inventory_objects"), 0);
    assert!(!is_kept(
        &[Given::read("web", &json!({"name": "db", "type": "credential", "value": "x"})).unwrap()],
        &[]
    ));
}
