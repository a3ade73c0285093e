//! What things may be, and what is stored of them.
use serde_json::json;

use super::*;
use crate::platform::config::Config;

fn definition() -> Definition {
    serde_json::from_value(json!({"label": "Rack", "fields": [
        {"name": "hostname", "type": "string", "required": true, "searchable": true},
        {"name": "os", "type": "enum", "options": ["linux", "bsd"], "searchable": true},
        {"name": "height", "type": "integer"},
        {"name": "live", "type": "boolean"},
        {"name": "since", "type": "datetime", "readonly": true},
        {"name": "password", "type": "secret"},
        {"name": "more", "type": "json"},
        {"name": "notes", "type": "text"}
    ]}))
    .unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn in_place<T>(run: impl FnOnce(&Place<'_>) -> T) -> T {
    let config = Config::of_a_test();
    let organization = "0".repeat(24).parse().unwrap();
    run(&Place {
        sealing: &config.sealing,
        organization: &organization,
        id: 7,
    })
}

fn made(data: Value) -> Result<Checked, ApiError> {
    in_place(|place| new(&definition(), object(data), None, place))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_is_required_is_there_and_what_the_type_does_not_know_is_kept() {
    let error = made(json!({"os": "linux"})).unwrap_err();
    assert_eq!(error.text(), "Missing required field: hostname");
    assert_eq!(error.fields()[0].field, "data.hostname");
    let empty = made(json!({"hostname": "", "rack": [1, 2]})).unwrap();
    assert_eq!(parsed(&empty.data), json!({"hostname": "", "rack": [1, 2]}));
    assert_eq!(empty.name, "#7");
}

#[test]
fn a_value_is_of_its_fields_type_and_a_text_becomes_one() {
    let good = made(json!({"hostname": "Alpha", "os": "bsd", "height": "42", "live": "false", "since": "2026-01-31T12:00:00+01:00"})).unwrap();
    assert_eq!(
        parsed(&good.data),
        json!({"hostname": "Alpha", "os": "bsd", "height": 42, "live": false, "since": "2026-01-31T12:00:00+01:00"})
    );
    assert_eq!((good.name.as_str(), good.search.as_str()), ("Alpha", "alpha bsd"));
    for (field, value, words) in [
        ("hostname", json!(5), "must be a text"),
        ("hostname", json!("a\nb"), "must not contain control characters"),
        ("hostname", json!("x".repeat(1001)), "must have at most 1000 characters"),
        ("os", json!("dos"), "must be one of linux, bsd"),
        ("height", json!(1.5), "must be a whole number"),
        ("height", json!("tall"), "must be a whole number"),
        ("live", json!(1), "must be true or false"),
        (
            "since",
            json!("yesterday"),
            "must be a time such as 2026-01-31T12:00:00Z",
        ),
        ("password", json!({}), "must be a text"),
        ("notes", json!("a\0b"), "must be a text without NUL"),
    ] {
        let mut data = json!({"hostname": "a"});
        data[field] = value;
        let error = made(data).unwrap_err();
        assert_eq!(error.fields()[0].field, format!("data.{field}"));
        assert_eq!(error.fields()[0].message, words, "{field}");
    }
    let error = made(json!({"hostname": "a", "more": "x".repeat(MAX_DATA)})).unwrap_err();
    assert_eq!(error.text(), "data must have at most 32768 bytes as JSON");
}

#[test]
fn a_secret_is_sealed_for_its_place_and_a_mask_stands_for_it() {
    let made = made(json!({"hostname": "a", "password": "hunter2"})).unwrap();
    assert_eq!(parsed(&made.data)["password"], MASK);
    assert!(!made.secrets.contains("hunter2") && !made.search.contains("hunter2"));
    let secrets: BTreeMap<String, String> = serde_json::from_str(&made.secrets).unwrap();
    in_place(|place| {
        let open = |field: &str| place.sealing.try_open(&place.associated(field), &secrets["password"]);
        assert_eq!(open("password").unwrap().expose(), "hunter2");
        assert!(open("notes").is_none());
    });
}

#[test]
fn a_change_leaves_what_it_does_not_name_and_a_secret_whose_mask_it_sends() {
    let before = made(json!({"hostname": "a", "password": "hunter2", "since": "2026-01-01T00:00:00Z"})).unwrap();
    let secrets: BTreeMap<String, String> = serde_json::from_str(&before.secrets).unwrap();
    let data = object(parsed(&before.data));
    let change =
        |change: Value| in_place(|place| changed(&definition(), &data, secrets.clone(), object(change), None, place));
    let kept = change(json!({"password": MASK, "height": 3, "since": "2027-01-01T00:00:00Z"})).unwrap();
    assert_eq!(kept.secrets, before.secrets);
    assert_eq!(
        parsed(&kept.data),
        json!({"hostname": "a", "password": MASK, "since": "2026-01-01T00:00:00Z", "height": 3})
    );
    for gone in [json!({"password": ""}), json!({"password": null})] {
        assert_eq!(change(gone).unwrap().secrets, "{}");
    }
    let other = change(json!({"password": "other"})).unwrap();
    assert!(other.secrets != before.secrets && parsed(&other.data)["password"] == MASK);
    assert!(made_of_mask().is_err());
}

fn made_of_mask() -> Result<Checked, ApiError> {
    made(json!({"hostname": "a", "password": MASK}))
}

#[test]
fn a_name_beside_the_data_is_the_field_of_that_name() {
    let with_name: Definition =
        serde_json::from_value(json!({"label": "X", "fields": [{"name": "name", "type": "string", "required": true}]}))
            .unwrap();
    let of = |definition: &Definition, data: Value| {
        in_place(|place| new(definition, object(data), Some("b".to_owned()), place)).map(|made| parsed(&made.data))
    };
    assert_eq!(of(&with_name, json!({})).unwrap(), json!({"name": "b"}));
    assert_eq!(of(&with_name, json!({"name": "a"})).unwrap(), json!({"name": "a"}));
    assert_eq!(
        of(&definition(), json!({"hostname": "a"})).unwrap(),
        json!({"hostname": "a"})
    );
}
