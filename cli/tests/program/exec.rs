//! Commands without a terminal, followed to their ends.
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{Edge, within};

const ID: &str = "cmd_00000000000000000000000a";

/// What the edge says of a command.
fn said(change: Value) -> String {
    let mut detail = json!({
        "command_id": ID, "batch_id": null, "session_id": null, "agent_id": "0123456789ab",
        "machine_id": "00000000000000000000000b", "machine_name": "web", "user_id": "00000000000000000000000c",
        "username": "ann", "source": "api", "command": "id", "allow_sudo": false, "status": "sent", "exit_code": null,
        "signal": null, "error": null, "decided_by": null, "decided_at": null, "decision_reason": null,
        "truncated": false, "duration_ms": null, "created_at": "2026-01-01T00:00:00Z", "sent_at": null,
        "finished_at": null, "output_available": false, "stdout": "", "stderr": "",
    });
    let fields = change.as_object().unwrap().clone();
    detail.as_object_mut().unwrap().extend(fields);
    detail.to_string()
}

fn sent() -> String {
    json!({"command": "id", "command_id": ID, "status": "sent"}).to_string()
}

fn waits() -> Value {
    json!({"status": "awaiting_approval", "error": "tee needs approval: approval_required_commands of the machine has it"})
}

#[tokio::test]
async fn what_a_command_wrote_and_its_exit_status_are_ours() {
    let edge = Edge::start().await;
    let child = edge
        .vsay(&["exec", "--timeout", "9", "web", "ls", "-l"])
        .spawn()
        .unwrap();
    edge.list().await;
    let (line, body) = edge.answer(&sent()).await;
    assert!(
        line.starts_with("POST /api/machines/") && line.contains("/command "),
        "{line}"
    );
    let asked: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        asked,
        json!({"command": "ls -l", "wait": false, "timeout_seconds": 9, "when_online": false})
    );
    edge.answer(&said(json!({}))).await;
    let (line, _) = edge
        .answer(&said(
            json!({"status": "completed", "exit_code": 3, "stdout": "out\n", "stderr": "err\n"}),
        ))
        .await;
    assert!(line.starts_with(&format!("GET /api/commands/{ID} ")), "{line}");
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
}

#[tokio::test]
async fn a_command_that_needs_approval_is_waited_for_until_somebody_has_decided() {
    for (decided, status, words) in [
        (
            json!({"status": "completed", "exit_code": 0, "stdout": "ran\n", "decided_by": "ada"}),
            0,
            "ada approved it.\n",
        ),
        (
            json!({"status": "rejected", "error": "ada rejected it: not today", "decided_by": "ada"}),
            126,
            "vsay: ada rejected it: not today\n",
        ),
        (
            json!({"status": "expired", "error": "nobody approved it in time"}),
            125,
            "vsay: nobody approved it in time\n",
        ),
    ] {
        let edge = Edge::start().await;
        let mut child = edge.vsay(&["exec", "web", "tee x"]).spawn().unwrap();
        edge.list().await;
        edge.answer(&sent()).await;
        edge.answer(&said(waits())).await;
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        within("what it waits for", err.read_line(&mut line)).await.unwrap();
        assert_eq!(
            line,
            "tee needs approval: approval_required_commands of the machine has it. \
             It waits for an administrator to approve it, for 24 hours at most.\n"
        );
        edge.answer(&said(waits())).await;
        if status == 0 {
            edge.answer(&said(json!({"status": "queued", "decided_by": "ada"})))
                .await;
        }
        edge.answer(&said(decided)).await;
        let mut rest = String::new();
        within(
            "the end of what is said",
            tokio::io::AsyncReadExt::read_to_string(&mut err, &mut rest),
        )
        .await
        .unwrap();
        assert_eq!(rest, words, "it says once what it waits for");
        let output = within("the end", child.wait_with_output()).await.unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(output.stdout, if status == 0 { &b"ran\n"[..] } else { b"" });
    }
}

#[tokio::test]
async fn our_own_failures_are_not_taken_for_the_commands() {
    let edge = Edge::start().await;
    std::fs::remove_file(edge.config()).unwrap();
    let child = edge.vsay(&["exec", "web", "id"]).spawn().unwrap();
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(output.stderr, b"vsay: not signed in; run: vsay login <URL>\n");
}
