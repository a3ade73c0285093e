//! What those see of a command who look at a terminal of its machine, while it runs.
use std::fs;

use protocol::api::commands::CommandStatus;
use protocol::terminal::viewer::ToViewer;
use serde_json::{Value, json};

use super::{path, read, send};
use crate::support::account::Account;
use crate::support::agent::{Agent, folder_for_shells};
use crate::support::published::Published;
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::Viewer;

/// What a viewer was told that a command has written while it runs.
fn seen(viewer: &Viewer) -> String {
    let part = |message: &ToViewer| match message {
        ToViewer::CommandRunning { stdout, .. } => Some(stdout.clone()),
        _ => None,
    };
    viewer.messages.iter().filter_map(part).collect()
}

/// The frames that a client got of a command.
fn outputs(client: &Published, id: &str) -> Vec<Value> {
    let of = |frame: &&Value| frame["type"] == "command_output" && frame["command_id"] == id;
    client.frames.iter().filter(of).cloned().collect()
}

fn said(frames: &[Value]) -> String {
    let parts = frames.iter().filter(|frame| frame["completed"] == false);
    parts.map(|frame| frame["stdout"].as_str().expect("text")).collect()
}

#[tokio::test]
async fn what_a_command_writes_is_seen_by_all_who_are_attached_to_the_machine_while_it_runs() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "seen").await;
    let borrower = join(stack, &owner, "user").await;
    let grant = format!("/api/machines/{}/access/grant", agent.agent_id);
    owner.post(&grant, json!({"user_id": borrower.id})).await.ok();
    let mut viewer = Viewer::attached(&borrower, &agent, "session_seen_viewer").await;
    let mut clients = Vec::new();
    for (account, session) in [(&owner, "session_seen_owner"), (&borrower, "session_seen_other")] {
        let mut client = Published::connect(account, &agent, &format!("&session_id={session}")).await;
        client.wait_frame("session_ready").await;
        clients.push(client);
    }
    let folder = folder_for_shells();
    let go = ["half", "whole"].map(|name| folder.path().join(name));
    let wait = |at: usize| format!("until [ -e {} ]; do sleep 0.05; done", go[at].display());
    let command = format!(
        "echo f''irst; {}; echo s''econd; {}; echo l''ast; exit 4",
        wait(0),
        wait(1)
    );
    let id = send(&owner, &agent, json!({"command": command})).await;

    viewer.wait("the first line", |viewer| seen(viewer) == "first\n").await;
    for client in &mut clients {
        client
            .wait("the first line", |client| said(&outputs(client, &id)) == "first\n")
            .await;
    }
    fs::write(&go[0], "").expect("ours");
    viewer
        .wait("the second line", |viewer| seen(viewer) == "first\nsecond\n")
        .await;
    let ToViewer::CommandRunning { by, command: label, .. } = viewer
        .messages
        .iter()
        .find(|message| matches!(message, ToViewer::CommandRunning { .. }))
        .expect("there is one")
    else {
        panic!("it is one")
    };
    assert_eq!(by, &owner.username);
    assert!(command.starts_with(label.as_str()) && !label.is_empty(), "{label}");
    fs::write(&go[1], "").expect("ours");
    viewer
        .wait("the end", |viewer| {
            viewer.saw(|message| {
                matches!(message, ToViewer::CommandEnded { status: CommandStatus::Completed, exit_code: Some(4), stdout, .. }
                    if stdout == "first\nsecond\nlast\n")
            })
        })
        .await;
    for client in &mut clients {
        client
            .wait("the end", |client| {
                outputs(client, &id)
                    .last()
                    .is_some_and(|frame| frame["completed"] == true)
            })
            .await;
        let frames = outputs(client, &id);
        assert_eq!(
            frames.last(),
            Some(&json!({
                "type": "command_output", "command_id": id, "stdout": "first\nsecond\nlast\n", "stderr": "", "exit_code": 4,
                "completed": true,
            }))
        );
        let parts: Vec<&Value> = frames.iter().filter_map(|frame| frame.get("part")).collect();
        assert_eq!(
            parts,
            (0..parts.len())
                .map(|part| json!(part))
                .collect::<Vec<_>>()
                .iter()
                .collect::<Vec<_>>()
        );
        assert!(!client.text.contains("first"), "it is no part of a terminal's output");
    }
    assert!(!String::from_utf8_lossy(viewer.output()).contains("first"));
    assert_eq!(read(&owner, &id).await["stdout"], "first\nsecond\nlast\n");
}

#[tokio::test]
async fn a_viewer_that_reads_nothing_holds_up_no_command_and_no_other_viewer() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "stalled").await;
    // It does not read its socket any more.
    let _stalled = Viewer::attached(&owner, &agent, "session_stalled").await;
    let mut viewer = Viewer::attached(&owner, &agent, "session_live").await;
    let body = json!({
        "command": "for i in $(seq 20); do head -c 8000 /dev/zero | tr '\\0' x; sleep 0.1; done",
        "wait": true, "timeout_seconds": 60,
    });
    let answer = owner.post(&path(&agent), body).await.ok();
    assert_eq!(answer["status"], "completed");
    viewer
        .wait("the end", |viewer| {
            viewer.saw(|message| matches!(message, ToViewer::CommandEnded { .. }))
        })
        .await;
    assert!(!seen(&viewer).is_empty());
    viewer.run("echo al''ive", "alive").await;
}
