//! `command` frames of the published socket: written down as commands are that the API takes.
use serde_json::{Value, json};

use super::{becomes, cancel, read};
use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::published::Published;
use crate::support::redact::is_recent;
use crate::support::stack::Stack;
use crate::support::wait::eventually;

const SESSION: &str = "vscode_frames";

async fn connect(owner: &Account, agent: &Agent) -> Published {
    let mut client = Published::connect(owner, agent, &format!("&session_id={SESSION}")).await;
    client.wait_frame("session_ready").await;
    client
}

/// Has a command run, and answers its name.
async fn ask(client: &mut Published, command: &str) -> String {
    client.say(json!({"type": "command", "command": command})).await;
    let is_it = |frame: &&Value| frame["type"] == "command_started" && frame["command"] == command;
    client
        .wait("the command to start", |client| {
            client.frames.iter().any(|frame| is_it(&frame))
        })
        .await;
    let started = client.frames.iter().find(is_it).expect("there is one");
    started["command_id"].as_str().expect("an id").to_owned()
}

/// A command, once the directory has heard of it.
async fn known(owner: &Account, id: &str, status: &str) -> Value {
    eventually("the command to be written down", async || {
        let answer = owner.get(&format!("/api/commands/{id}")).await;
        (answer.status == 200).then_some(())
    })
    .await;
    becomes(owner, id, status).await
}

#[tokio::test]
async fn a_command_of_a_frame_is_among_those_that_were_sent_in_the_log_and_in_the_audit_log() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let masks = json!({"command_masks": ["--password *"]});
    owner.put("/api/organization", masks).await.ok();
    let agent = Agent::new(&owner, "framed").await;
    let mut client = connect(&owner, &agent).await;
    let text = "/bin/echo --password hunter2; exit 3";
    let id = ask(&mut client, text).await;
    let command = known(&owner, &id, "completed").await;
    for (field, expected) in [
        ("session_id", json!(SESSION)),
        ("source", json!("vscode")),
        ("command", json!(text)),
        ("username", json!(owner.username)),
        ("exit_code", json!(3)),
        ("allow_sudo", json!(false)),
        ("output_available", json!(true)),
        ("stdout", json!("--password hunter2\n")),
    ] {
        assert_eq!(command[field], expected, "{field}");
    }
    for time in ["created_at", "sent_at", "finished_at"] {
        assert!(is_recent(&command[time]), "{time}");
    }

    let logs = format!("/api/machines/{}/logs", agent.agent_id);
    let row = eventually("a row of the log", async || {
        let page = owner.get(&logs).await.ok();
        page["logs"].get(0).cloned()
    })
    .await;
    for (field, expected) in [
        ("command_id", json!(id)),
        ("session_id", json!(SESSION)),
        ("source", json!("vscode")),
        ("username", json!(owner.username)),
        ("exit_code", json!(3)),
    ] {
        assert_eq!(row[field], expected, "{field}");
    }
    assert!(!row.to_string().contains("hunter2"), "it is masked: {row}");

    let log = owner.get("/api/audit?action=command_executed").await.ok();
    let entries = log["entries"].as_array().expect("entries");
    let [entry] = &entries[..] else {
        panic!("one entry: {log}")
    };
    assert_eq!(
        (
            &entry["details"]["command_id"],
            &entry["details"]["program"],
            &entry["source"],
            &entry["username"]
        ),
        (
            &json!(id),
            &json!("/bin/echo"),
            &json!("vscode"),
            &json!(owner.username)
        )
    );
    assert!(!log.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_command_of_a_frame_is_written_down_once_whatever_restarts_and_can_be_called_off() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "reframed").await;
    let mut client = connect(&owner, &agent).await;
    let id = ask(&mut client, "echo begun; sleep 300").await;
    stack.kill();
    stack.start_again().await;
    agent.becomes("online").await;
    known(&owner, &id, "sent").await;
    assert_eq!(cancel(&owner, &id).await.status, 200);
    let ended = known(&owner, &id, "cancelled").await;
    assert_eq!(
        (&ended["stdout"], &ended["error"]),
        (&json!("begun\n"), &json!("it was cancelled"))
    );
    assert_eq!(owner.get("/api/commands").await.ok()["total"], 1);
    let log = owner.get("/api/audit?action=command_executed").await.ok();
    assert_eq!(log["entries"].as_array().map(Vec::len), Some(1), "{log}");

    // Whoever asked hears of it all the same.
    let mut client = connect(&owner, &agent).await;
    let output = client.wait_frame("command_output").await;
    assert_eq!(
        (&output["command_id"], &output["completed"]),
        (&json!(id), &json!(true))
    );
    assert_eq!(read(&owner, &id).await["status"], "cancelled");
}

#[tokio::test]
async fn a_command_of_a_frame_that_was_refused_is_written_down_nowhere() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "unframed").await;
    let mut client = connect(&owner, &agent).await;
    for bad in [json!({"type": "command"}), json!({"type": "command", "command": " "})] {
        client.say(bad).await;
    }
    client
        .wait("both to be refused", |client| {
            client.frames.iter().filter(|frame| frame["type"] == "error").count() == 2
        })
        .await;
    // What would have been written down by then has been before this.
    let id = ask(&mut client, "true").await;
    known(&owner, &id, "completed").await;
    assert_eq!(owner.get("/api/commands").await.ok()["total"], 1);
    let log = owner.get("/api/audit?action=command_executed").await.ok();
    assert_eq!(log["entries"].as_array().map(Vec::len), Some(1), "{log}");
}
