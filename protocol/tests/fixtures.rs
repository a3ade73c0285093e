//! The samples in `fixtures/` are the wire format: the browser's tests read the same files. Here every sample decodes
//! and encodes back to itself, and every message has one.
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use bytes::Bytes;
use protocol::api::machines::Machine;
use protocol::ids::StreamId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::published::{FromClient, ToClient};
use protocol::terminal::sessions_v1;
use protocol::terminal::viewer::{FromViewer, ToViewer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The `type` of a message and the list of all of them. A variant that is missing here does not compile.
macro_rules! messages {
    ($enum:ident { $($variant:ident: $name:literal,)* }) => {
        impl Message for $enum {
            const TYPES: &'static [&'static str] = &[$($name),*];

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }
        }
    };
}

trait Message {
    const TYPES: &'static [&'static str];
    fn name(&self) -> &'static str;
}

messages!(FromViewer {
    Hello: "hello",
    Resize: "resize",
    Ping: "ping",
});
messages!(ToViewer {
    Attached: "attached",
    Agent: "agent",
    ResumeInput: "resume_input",
    Snapshot: "snapshot",
    Gap: "gap",
    Resized: "resized",
    CommandRunning: "command_running",
    CommandEnded: "command_ended",
    Presence: "presence",
    Exit: "exit",
    Error: "error",
    Disconnect: "disconnect",
    Pong: "pong",
});
messages!(FromAgent {
    Hello: "hello",
    Report: "report",
    Opened: "opened",
    SshConnected: "ssh_connected",
    OpenFailed: "open_failed",
    Exited: "exited",
    Missing: "missing",
    Snapshot: "snapshot",
    Screen: "screen",
    Running: "running",
    Ran: "ran",
    RunFailed: "run_failed",
    Notice: "notice",
    Commands: "commands",
    Heartbeat: "heartbeat",
    Described: "described",
    History: "history",
    Logins: "logins",
    Catalog: "catalog",
    Service: "service",
    Jobs: "jobs",
    JobOutput: "job_output",
    JobEnded: "job_ended",
    Ping: "ping",
});
messages!(ToAgent {
    Welcome: "welcome",
    Watch: "watch",
    Thresholds: "thresholds",
    RotateKey: "rotate_key",
    Policies: "policies",
    CommandsStored: "commands_stored",
    LoginsStored: "logins_stored",
    CatalogStored: "catalog_stored",
    Service: "service",
    Job: "job",
    JobStored: "job_stored",
    CancelJob: "cancel_job",
    ForgetJob: "forget_job",
    Open: "open",
    OpenInput: "open_input",
    CloseInput: "close_input",
    Resize: "resize",
    Read: "read",
    Snapshot: "snapshot",
    Screen: "screen",
    Report: "report",
    Describe: "describe",
    Run: "run",
    Collect: "collect",
    Close: "close",
    Forget: "forget",
    Pong: "pong",
});
type SessionsFromClient = sessions_v1::FromClient;
type SessionsToClient = sessions_v1::ToClient;
messages!(SessionsFromClient {
    Auth: "auth",
    Input: "input",
    Resize: "resize",
    Ping: "ping",
});
messages!(SessionsToClient {
    Output: "output",
    Error: "error",
    Disconnect: "disconnect",
    Pong: "pong",
});
messages!(ToClient {
    SessionReady: "session_ready",
    Output: "output",
    CommandStarted: "command_started",
    CommandOutput: "command_output",
    Error: "error",
    Disconnect: "disconnect",
    Pong: "pong",
});

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The samples of a folder as (`type` according to the file name, text).
fn samples(folder: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let kind = name.split('.').next().unwrap().to_owned();
            (kind, read(&format!("{folder}/{name}")))
        })
        .collect()
}

fn check<M: Message + Serialize + DeserializeOwned + PartialEq + Debug>(folder: &str) {
    let mut seen = BTreeSet::new();
    for (kind, text) in samples(folder) {
        let message: M = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{folder}/{kind}: {error}"));
        let sample: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(message.name(), kind, "{folder}: the file is named after the type");
        assert_eq!(serde_json::to_value(&message).unwrap(), sample, "{folder}/{kind}");
        let again: M = serde_json::from_str(&serde_json::to_string(&message).unwrap()).unwrap();
        assert_eq!(again, message);
        seen.insert(message.name());
    }
    assert_eq!(
        seen,
        M::TYPES.iter().copied().collect(),
        "{folder}: every message has a sample"
    );
}

/// Takes each field away and gives each a wrong type: what still decodes must be one of `optional`, written `type.field`.
fn check_refusals<M: Message + DeserializeOwned + Debug>(folder: &str, optional: &[&str]) {
    for (kind, text) in samples(folder) {
        let Value::Object(sample) = serde_json::from_str(&text).unwrap() else {
            panic!("{folder}/{kind}: an object")
        };
        for field in sample.keys() {
            let mut without = sample.clone();
            without.remove(field);
            let decoded = serde_json::from_value::<M>(Value::Object(without));
            assert_eq!(
                decoded.is_ok(),
                optional.contains(&&*format!("{kind}.{field}")),
                "{folder}/{kind} without {field}"
            );
            let mut wrong = sample.clone();
            // A list of anything is what outputs are; of all other fields it is the wrong type.
            wrong.insert(
                field.clone(),
                if field == "outputs" { json!(true) } else { json!([true]) },
            );
            let decoded = serde_json::from_value::<M>(Value::Object(wrong));
            assert!(decoded.is_err(), "{folder}/{kind} with a bad {field}: {decoded:?}");
        }
    }
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"type":null}"#,
        r#"{"type":"unheard"}"#,
        r#"{"type":"ping""#,
        "\u{0}",
    ] {
        assert!(serde_json::from_str::<M>(text).is_err(), "{folder}: {text}");
    }
}

#[test]
fn every_message_has_a_sample_that_survives_decoding_and_encoding() {
    check::<FromViewer>("from_viewer");
    check::<ToViewer>("to_viewer");
    check::<FromAgent>("from_agent");
    check::<ToAgent>("to_agent");
    check::<ToClient>("to_client");
    check::<SessionsFromClient>("sessions_from_client");
    check::<SessionsToClient>("sessions_to_client");
}

#[test]
fn a_message_with_a_missing_or_mistyped_field_is_refused() {
    check_refusals::<FromViewer>("from_viewer", &["hello.commands", "hello.presence", "hello.received"]);
    check_refusals::<ToViewer>(
        "to_viewer",
        &[
            "attached.sized_by",
            "command_ended.error",
            "command_ended.exit_code",
            "command_ended.signal",
            "exit.code",
            "exit.reason",
            "exit.signal",
            "resized.by",
        ],
    );
    check_refusals::<FromAgent>(
        "from_agent",
        &[
            "exited.code",
            "exited.reason",
            "exited.signal",
            "hello.journal",
            "hello.policies",
            "hello.pulled_metrics",
            "job_ended.code",
            "job_ended.note",
            "job_ended.outputs",
            "job_ended.signal",
            "job_output.deployment_id",
            "notice.input",
            "ran.code",
            "ran.duration_ms",
            "ran.signal",
            "run_failed.reason",
            "ssh_connected.trusted",
        ],
    );
    check_refusals::<ToAgent>(
        "to_agent",
        &[
            "job.number",
            "job.playbook",
            "job.vault_password",
            "open.limits",
            "open.ssh",
            "run.limits",
            "run.approval",
            "run.script",
            "run.session_id",
            "welcome.command_log",
            "welcome.command_output",
            "welcome.logins",
            "welcome.policies",
            "service.after",
            "service.version",
            "welcome.pulled_metrics",
            "welcome.thresholds",
        ],
    );
    let optional = [
        "command_output.error",
        "command_output.exit_code",
        "command_output.part",
        "command_output.truncated",
        "disconnect.exit_code",
    ];
    check_refusals::<ToClient>("to_client", &optional);
    check_refusals::<SessionsFromClient>("sessions_from_client", &[]);
    check_refusals::<SessionsToClient>("sessions_to_client", &["disconnect.exit_code"]);
}

#[test]
fn bounds_hold_in_every_message_that_carries_a_bounded_value() {
    let refused = |text: &str| {
        serde_json::from_str::<FromViewer>(text)
            .err()
            .or(serde_json::from_str::<ToAgent>(text).err())
            .unwrap()
    };
    for (cols, rows) in [(0, 24), (80, 0), (1001, 24), (80, 1001), (-1, 24), (65616, 24)] {
        let error = refused(&format!(
            r#"{{"type":"resize","stream":1,"cols":{cols},"rows":{rows}}}"#
        ))
        .to_string();
        assert!(error.contains("1 to 1000"), "{cols}x{rows}: {error}");
    }
    let hello = |viewer: &str, received: &str| {
        format!(r#"{{"type":"hello","protocol":1,"viewer":"{viewer}","received":{received},"cols":80,"rows":24}}"#)
    };
    let viewer = "0".repeat(32);
    assert!(serde_json::from_str::<FromViewer>(&hello(&viewer, "18446744073709551615")).is_ok());
    for (viewer, received) in [
        ("", "null"),
        (&*viewer, "-1"),
        (&*viewer, "0.5"),
        (&"G".repeat(32), "null"),
    ] {
        assert!(
            serde_json::from_str::<FromViewer>(&hello(viewer, received)).is_err(),
            "{viewer} {received}"
        );
    }
}

#[test]
fn the_published_client_frames_mean_what_their_samples_say() {
    for (kind, text) in samples("from_client") {
        let meaning = FromClient::decode(&text).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let sample: Value = serde_json::from_str(&text).unwrap();
        match (kind.as_str(), meaning) {
            ("input", FromClient::Input(bytes)) => {
                let typed = sample.get("input").or(sample.get("data")).unwrap();
                assert_eq!(std::str::from_utf8(&bytes).unwrap(), typed.as_str().unwrap());
            }
            ("resize", FromClient::Resize(size)) => {
                assert_eq!(json!({"cols": size.cols, "rows": size.rows, "type": "resize"}), sample);
            }
            ("ping", FromClient::Ping) => {}
            (
                "command",
                FromClient::Command {
                    command,
                    timeout_seconds,
                },
            ) => {
                assert_eq!(command, sample["command"]);
                assert_eq!(
                    timeout_seconds,
                    sample["timeout_seconds"].as_u64().map_or(300, |n| n as u32)
                );
            }
            ("port_connect", FromClient::Unsupported(name)) => assert_eq!(name, kind),
            (kind, other) => panic!("{kind} means {other:?}"),
        }
    }
}

#[test]
fn every_body_of_the_rest_api_survives_decoding_and_encoding() {
    let machine: Machine = serde_json::from_str(&read("api/machine.json")).unwrap();
    let sample: Value = serde_json::from_str(&read("api/machine.json")).unwrap();
    assert_eq!(serde_json::to_value(&machine).unwrap(), sample);
}

#[derive(Deserialize)]
struct FrameSample {
    name: String,
    kind: String,
    stream: u32,
    offset: u64,
    payload_hex: String,
    hex: String,
}

#[derive(Deserialize)]
struct BadFrame {
    name: String,
    hex: String,
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn every_binary_sample_decodes_to_what_it_says_and_encodes_back() {
    let samples: Vec<FrameSample> = serde_json::from_str(&read("frames.json")).unwrap();
    let mut kinds = BTreeSet::new();
    for sample in samples {
        let bytes = unhex(&sample.hex);
        let frame =
            Frame::decode(Bytes::from(bytes.clone())).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        let kind = match frame.kind {
            Kind::Output => "output",
            Kind::Input => "input",
            Kind::Ack => "ack",
            Kind::Credit => "credit",
            Kind::Snapshot => "snapshot",
        };
        assert_eq!(kind, sample.kind, "{}", sample.name);
        assert_eq!(
            (frame.stream, frame.offset),
            (StreamId(sample.stream), sample.offset),
            "{}",
            sample.name
        );
        assert_eq!(frame.payload(), unhex(&sample.payload_hex), "{}", sample.name);
        let again = Frame::new(frame.kind, frame.stream, frame.offset, frame.payload());
        assert_eq!(&again.bytes()[..], bytes, "{}", sample.name);
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 5, "every kind has a sample: {kinds:?}");
}

#[test]
fn every_bad_binary_sample_is_refused() {
    let samples: Vec<BadFrame> = serde_json::from_str(&read("bad_frames.json")).unwrap();
    assert!(!samples.is_empty());
    for sample in samples {
        assert!(
            Frame::decode(Bytes::from(unhex(&sample.hex))).is_err(),
            "{}",
            sample.name
        );
    }
}
