//! What an object has stored, and attached to its sockets, is read by the versions after it: the names in it stay.
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::relay::{Memory, Record};

fn stays<T: Serialize + DeserializeOwned>(stored: Value) {
    let read: T = serde_json::from_value(stored.clone()).unwrap_or_else(|error| panic!("{error}: {stored}"));
    let again = serde_json::to_value(read).unwrap();
    assert!(keeps(&again, &stored), "{again}\n{stored}");
}

/// Whether all that was stored is still there, under its names. What a version has added, the one before passes over.
fn keeps(again: &Value, stored: &Value) -> bool {
    match (again, stored) {
        (Value::Object(again), Value::Object(stored)) => stored
            .iter()
            .all(|(name, value)| again.get(name).is_some_and(|again| keeps(again, value))),
        _ => again == stored,
    }
}

fn session(phase: Value) -> Value {
    json!({
        "record": "session", "stream": 1, "session_id": "sess_1", "owner": "000000000000000000000002", "username": "ada",
        "size": {"cols": 80, "rows": 24}, "allow_sudo": false, "keep_ms": 86400000, "empty_since": null, "phase": phase,
        "commands": [3], "opening": 2,
    })
}

fn viewer(awaits: Value) -> Value {
    json!({
        "socket": "viewer",
        "context": {
            "machine": "000000000000000000000001", "agent_id": "0123456789ab", "user": "000000000000000000000002",
            "username": "ada", "sign_in": "s1", "session": "sess_1", "size": {"cols": 80, "rows": 24}, "dialect": "stream",
            "can_type": true, "allow_sudo": false,
        },
        "since": 1000, "input": 2, "awaits": awaits, "typed": 0,
    })
}

#[test]
fn records_keep_the_names_they_were_stored_with() {
    stays::<Record>(json!({
        "record": "machine", "machine": "000000000000000000000001", "agent_id": "0123456789ab", "next_stream": 3,
    }));
    stays::<Record>(json!({
        "record": "machine", "machine": "000000000000000000000001", "agent_id": "0123456789ab", "next_stream": 3,
        "online": true, "recheck_at": 9,
    }));
    for phase in [
        json!({"phase": "opening"}),
        json!({"phase": "running"}),
        json!({"phase": "ended", "end": 7, "status": {"code": 0, "signal": null}}),
        json!({"phase": "lost"}),
    ] {
        stays::<Record>(session(phase));
    }
    for place in [
        json!({"place": "connected"}),
        json!({"place": "cut", "acked": 7}),
        json!({"place": "adrift"}),
    ] {
        stays::<Record>(json!({
            "record": "reader", "input": 2, "stream": 1, "viewer": "0000000000000000000000000000beef", "can_type": true,
            "place": place,
        }));
    }
}

#[test]
fn a_session_of_a_version_without_commands_has_none() {
    let mut stored = session(json!({"phase": "running"}));
    stored.as_object_mut().unwrap().remove("commands");
    let read: Record = serde_json::from_value(stored).unwrap();
    let Record::Session(read) = read else {
        panic!("{read:?}")
    };
    assert!(read.commands.is_empty());
}

#[test]
fn commands_keep_the_names_they_were_stored_with() {
    let order = json!({
        "username": "ada", "command": "uptime", "timeout_seconds": 300, "allow_sudo": false, "script": false,
    });
    let answer_to = json!({
        "answer_to": "edge", "user": "000000000000000000000002", "until": 9, "when_online": true,
    });
    for progress in [
        json!({"progress": "waiting", "order": order}),
        json!({"progress": "sent", "order": order, "journal": "0".repeat(32), "at": 7, "stop": null}),
        json!({"progress": "sent", "order": null, "journal": null, "at": 7, "stop": "cancelled"}),
        json!({"progress": "sent", "order": null, "journal": null, "at": 7, "stop": "access_revoked"}),
    ] {
        stays::<Record>(json!({
            "record": "command", "stream": 3, "command_id": "cmd_000000000000000000000003", "answer_to": answer_to,
            "progress": progress,
        }));
    }
    stays::<Record>(json!({
        "record": "command", "stream": 3, "command_id": "cmd_00000000000000000000000100000003",
        "answer_to": {"answer_to": "session", "session": 1},
        "progress": {"progress": "sent", "order": null, "journal": null, "at": 7, "stop": null},
    }));
    stays::<Record>(json!({
        "record": "command", "stream": 3, "command_id": "cmd_00000000000000000000000100000003",
        "label": {"by": "ada", "command": "uptime"},
        "answer_to": {"answer_to": "session", "session": 1},
        "progress": {"progress": "sent", "order": null, "journal": null, "at": 7, "stop": null, "ended": true},
    }));
}

#[test]
fn sockets_keep_the_names_that_were_attached_to_them() {
    let metrics = json!({
        "cpu_percent": 1.5, "memory_percent": 2.5, "disk_percent": 3.5, "network_inbound": 4.5, "network_outbound": 5.5,
        "uptime_seconds": 6,
    });
    stays::<Memory>(json!({
        "socket": "agent",
        "context": {"machine": "000000000000000000000001", "agent_id": "0123456789ab"},
        "greeted": true, "latest": metrics, "written": [metrics, 1000], "last_seen": 2000,
    }));
    stays::<Memory>(json!({
        "socket": "agent",
        "context": {"machine": "000000000000000000000001", "agent_id": "0123456789ab"},
        "greeted": true, "pulled": true, "latest": metrics, "measured_at": 1500, "health": "warning", "written": null,
        "watches": [{"every": 30, "until": 9000}], "last_seen": 2000,
    }));
    for awaits in [
        json!({"awaits": "shell", "received": null}),
        json!({"awaits": "picture", "gap_from": 7}),
        json!({"awaits": "nothing", "acked": 7}),
    ] {
        stays::<Memory>(viewer(awaits));
    }
}
