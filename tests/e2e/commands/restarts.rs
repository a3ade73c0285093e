//! Edge and agent are restarted at bad moments: no result is lost, and what was called off stays so.
use std::fs;

use serde_json::{Value, json};

use super::{becomes, cancel, path, read, send};
use crate::support::account::{self, Account};
use crate::support::agent::{Agent, folder_for_shells};
use crate::support::stack::Stack;
use crate::support::wait::eventually;

async fn online(stack: &Stack) -> (Account, Agent) {
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "restarted").await;
    (owner, agent)
}

/// The one command that was sent to anything of the owner's.
async fn only(owner: &Account) -> Value {
    let listed = owner.get("/api/commands").await.ok();
    let [command] = &listed["commands"].as_array().expect("a list")[..] else {
        panic!("one command: {listed}")
    };
    command.clone()
}

#[tokio::test]
async fn the_result_that_a_request_waited_for_when_the_edge_went_away_is_read_afterwards() {
    let stack = Stack::start(&[]).await;
    let (owner, agent) = online(&stack).await;
    let folder = folder_for_shells();
    let (begun, go_on) = (folder.path().join("begun"), folder.path().join("go-on"));
    let command = format!(
        "touch {}; until [ -e {} ]; do sleep 0.05; done; echo kept",
        begun.display(),
        go_on.display()
    );
    let request = owner.request(reqwest::Method::POST, &path(&agent));
    let waiting = request.json(&json!({"command": command, "wait": true})).send();
    let waiting = tokio::spawn(waiting);
    eventually("the command to run", async || begun.exists().then_some(())).await;
    stack.kill();
    assert!(
        waiting.await.expect("it ends").is_err(),
        "nobody is left who could answer"
    );
    fs::write(&go_on, "").expect("ours");
    stack.start_again().await;
    let id = only(&owner).await["command_id"].as_str().expect("an id").to_owned();
    let command = becomes(&owner, &id, "completed").await;
    assert_eq!(command["stdout"], "kept\n");
}

#[tokio::test]
async fn a_result_comes_though_the_machines_object_and_all_its_sockets_are_dropped_while_it_runs() {
    let stack = Stack::start(&[]).await;
    let (owner, agent) = online(&stack).await;
    let folder = folder_for_shells();
    let (begun, go_on) = (folder.path().join("begun"), folder.path().join("go-on"));
    let command = format!(
        "touch {}; until [ -e {} ]; do sleep 0.05; done; echo kept",
        begun.display(),
        go_on.display()
    );
    let id = send(&owner, &agent, json!({"command": command})).await;
    eventually("the command to run", async || begun.exists().then_some(())).await;
    stack.drop_relay(&agent.machine_id);
    fs::write(&go_on, "").expect("ours");
    let command = becomes(&owner, &id, "completed").await;
    assert_eq!(
        (&command["stdout"], &command["exit_code"]),
        (&json!("kept\n"), &json!(0))
    );
}

#[tokio::test]
async fn a_command_that_was_called_off_is_killed_though_the_edge_restarts_before_its_agent_hears_of_it() {
    let stack = Stack::start(&[]).await;
    let (owner, agent) = online(&stack).await;
    let folder = folder_for_shells();
    let (begun, never) = (folder.path().join("begun"), folder.path().join("never"));
    let command = format!("touch {}; sleep 300; touch {}", begun.display(), never.display());
    let id = send(&owner, &agent, json!({"command": command})).await;
    eventually("the command to run", async || begun.exists().then_some(())).await;
    // The agent hears nothing from here on; its command runs.
    agent.signal("STOP");
    assert_eq!(cancel(&owner, &id).await.status, 200);
    stack.kill();
    stack.start_again().await;
    assert_eq!(read(&owner, &id).await["status"], "sent");
    agent.signal("CONT");
    let command = becomes(&owner, &id, "cancelled").await;
    assert_eq!(command["error"], "it was cancelled");
    assert!(!never.exists());
}

#[tokio::test]
async fn a_command_that_is_refused_changes_nothing() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::enrolled(&owner, "away", &owner.anonymous.url).await;
    let entries = async || {
        let log = owner.get("/api/audit?action=command_executed").await.ok();
        log["entries"].as_array().map(Vec::len)
    };
    let stranger = Account::new(stack).await;
    let colleague = crate::support::team::join(stack, &owner, "user").await;
    for (caller, body, status) in [
        (&owner, json!({"command": "id"}), 503),
        (&owner, json!({"command": " "}), 400),
        (&owner, json!({"command": "id", "timeout_seconds": 0}), 400),
        (&stranger, json!({"command": "id"}), 404),
        (&colleague, json!({"command": "id"}), 403),
    ] {
        let answer: account::Answer = caller.post(&path(&agent), body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
    }
    assert_eq!(owner.get("/api/commands").await.ok()["total"], 0);
    assert_eq!(entries().await, Some(0));
    let shown = owner.get(&format!("/api/machines/{}/logs", agent.agent_id)).await.ok();
    assert_eq!(shown["total"], 0);
}
