use proptest::prelude::*;
use serde_json::json;

use super::*;

fn entry(int_id: i64) -> ChainedEntry {
    ChainedEntry {
        int_id,
        id: format!("{int_id:024x}"),
        organization_id: "1".repeat(24),
        user_id: None,
        username: "änn".into(),
        action: "login".into(),
        resource: "auth".into(),
        resource_id: None,
        status: "success".into(),
        response_status: 200,
        method: "POST".into(),
        endpoint: "/api/login".into(),
        ip_address: "192.0.2.1".into(),
        user_agent: "test".into(),
        source: "ui".into(),
        error: None,
        details: json!({"b": [1, {"d": null, "c": true}], "a": "\"x\""}),
        created_at: "2026-01-01T00:00:00.000Z".into(),
    }
}

/// Entries 1 to `count`, sealed.
fn sealed(count: i64) -> Vec<(ChainedEntry, Option<String>)> {
    let mut head = GENESIS.to_owned();
    (1..=count)
        .map(|int_id| {
            let entry = entry(int_id);
            head = seal(&head, &entry);
            (entry, Some(head.clone()))
        })
        .collect()
}

fn walk(entries: &[(ChainedEntry, Option<String>)]) -> ChainReport {
    let mut chain = Chain::default();
    for (entry, hash) in entries {
        chain.push(entry, hash.as_deref());
    }
    chain.report()
}

/// Where a walk says that it broke.
fn broken(entries: &[(ChainedEntry, Option<String>)]) -> Option<i64> {
    walk(entries).broken_at.map(|broken| broken.int_id)
}

#[test]
fn the_seal_is_the_documented_one() {
    // Computed apart from this program, from the description of `seal`.
    assert_eq!(
        seal(GENESIS, &entry(1)),
        "9b744f6d1c54d724598ddb8da91d9df79db44c5c1376780214e91e822cf2f662"
    );
}

#[test]
fn json_is_hashed_in_one_form() {
    let mut text = String::new();
    canonical(&entry(1).details, &mut text);
    assert_eq!(text, r#"{"a":"\"x\"","b":[1,{"c":true,"d":null}]}"#);
}

#[test]
fn a_chain_that_nobody_touched_is_valid() {
    let mut entries = sealed(4);
    assert_eq!(walk(&[]).head, GENESIS);
    entries.push((entry(5), None));
    entries.push((entry(9), None));
    let report = walk(&entries);
    assert!(report.valid);
    assert_eq!((report.entries, report.unsealed), (4, 2));
    assert_eq!(Some(&report.head), entries[3].1.as_ref());
}

#[test]
fn what_was_removed_added_reordered_or_unsealed_is_found_at_its_place() {
    let whole = sealed(5);
    let mut entries = whole.clone();
    entries.remove(2);
    assert_eq!(broken(&entries), Some(4), "removed");

    let mut entries = whole.clone();
    entries.remove(0);
    assert_eq!(broken(&entries), Some(2), "the first removed");

    let mut entries = whole.clone();
    entries.swap(1, 2);
    assert_eq!(broken(&entries), Some(3), "reordered");

    let mut entries = whole.clone();
    entries.insert(3, whole[2].clone());
    assert_eq!(broken(&entries), Some(3), "repeated");

    let mut entries = whole.clone();
    entries[2].1 = None;
    assert_eq!(broken(&entries), Some(3), "unsealed");
}

#[test]
fn a_walk_goes_on_behind_an_entry() {
    let entries = sealed(5);
    let mut chain = Chain::after(2, entries[1].1.as_deref().unwrap());
    for (entry, hash) in &entries[2..] {
        chain.push(entry, hash.as_deref());
    }
    assert_eq!(chain.report().entries, 3);
}

#[test]
fn an_entry_is_published_flat_and_read_back() {
    let published = AuditEntry {
        entry: entry(7),
        tenant_id: "acme".into(),
        resource_type: "auth".into(),
        severity: Severity::Info,
        request_body: None,
        browser: "Firefox".into(),
        os: "Linux".into(),
        timestamp: "2026-01-01T00:00:00.000Z".into(),
        hash: None,
    };
    let value = serde_json::to_value(&published).unwrap();
    assert_eq!((&value["int_id"], &value["tenant_id"]), (&json!(7), &json!("acme")));
    let back: AuditEntry = serde_json::from_value(value).unwrap();
    assert!(back == published && back.agrees());
    // An export of before there were these fields is still proof.
    let mut old = serde_json::to_value(&published).unwrap();
    for field in ["severity", "request_body"] {
        old.as_object_mut().unwrap().remove(field).unwrap();
    }
    assert_eq!(serde_json::from_value::<AuditEntry>(old).unwrap(), published);
    assert_eq!(seal(GENESIS, &back.entry), seal(GENESIS, &entry(7)));
    let forged = AuditEntry {
        timestamp: "2025-01-01T00:00:00.000Z".into(),
        ..published
    };
    assert!(!forged.agrees());
}

#[test]
fn times_are_read_as_people_write_them() {
    let read = |text: &str| parse_time(text).map(|time| time.to_rfc3339());
    assert_eq!(read("2026-01-02").as_deref(), Some("2026-01-02T00:00:00+00:00"));
    assert_eq!(
        read("2026-01-02T03:04:05+01:00").as_deref(),
        Some("2026-01-02T02:04:05+00:00")
    );
    for local in ["2026-01-02T03:04", "2026-01-02T03:04:00", "2026-01-02T03:04:00.000"] {
        assert_eq!(read(local).as_deref(), Some("2026-01-02T03:04:00+00:00"), "{local}");
    }
    for bad in [
        "",
        "yesterday",
        "2026-13-01",
        "2026-01-02T",
        "2026-01-02T25:00",
        "1767312000",
    ] {
        assert!(read(bad).is_none(), "{bad}");
    }
}

type Change = (&'static str, fn(&mut ChainedEntry));

/// One change to each field.
const CHANGES: [Change; 18] = [
    ("int_id", |entry| entry.int_id += 100),
    ("id", |entry| entry.id.push('0')),
    ("organization_id", |entry| entry.organization_id.clear()),
    ("user_id", |entry| entry.user_id = Some(String::new())),
    ("username", |entry| entry.username = "bob".into()),
    ("action", |entry| entry.action = "logout".into()),
    ("resource", |entry| entry.resource = "user".into()),
    ("resource_id", |entry| entry.resource_id = Some("x".into())),
    ("status", |entry| entry.status = "failure".into()),
    ("response_status", |entry| entry.response_status = 401),
    ("method", |entry| entry.method = "GET".into()),
    ("endpoint", |entry| entry.endpoint.push('x')),
    ("ip_address", |entry| entry.ip_address = "192.0.2.2".into()),
    ("user_agent", |entry| entry.user_agent.clear()),
    ("source", |entry| entry.source = "cli".into()),
    ("error", |entry| entry.error = Some(String::new())),
    ("details", |entry| entry.details["b"][1]["c"] = json!(false)),
    ("created_at", |entry| {
        entry.created_at = "2026-01-01T00:00:00.001Z".into()
    }),
];

proptest! {
    #[test]
    fn a_change_to_any_field_of_any_entry_is_found_there(at in 0_usize..6, change in 0_usize..CHANGES.len()) {
        let mut entries = sealed(6);
        let (name, apply) = CHANGES[change];
        apply(&mut entries[at].0);
        let expected = entries[at].0.int_id;
        prop_assert_eq!(broken(&entries), Some(expected), "{}", name);
    }

    #[test]
    fn moving_text_from_one_field_to_the_next_changes_the_seal(username in ".{1,8}", split in 0_usize..8) {
        let (head, tail) = username.split_at(username.char_indices().map(|(at, _)| at).nth(split).unwrap_or(0));
        let one = ChainedEntry { username: username.clone(), action: String::new(), ..entry(1) };
        let other = ChainedEntry { username: head.to_owned(), action: tail.to_owned(), ..entry(1) };
        prop_assert_eq!(seal(GENESIS, &one) == seal(GENESIS, &other), tail.is_empty());
    }
}
