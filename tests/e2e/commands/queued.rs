//! `"when_online": true`: a command waits for its machine, and starts once at most, whatever restarts in between.
use std::fs;

use serde_json::json;

use super::{becomes, cancel, read, run, send};
use crate::support::account::Account;
use crate::support::agent::{Agent, folder_for_shells};
use crate::support::stack::Stack;
use crate::support::wait::eventually;

async fn online(stack: &Stack) -> (Account, Agent) {
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "waited-for").await;
    (owner, agent)
}

#[tokio::test]
async fn a_command_waits_for_its_machine_and_runs_once_however_often_the_edge_restarts() {
    let stack = Stack::start(&[]).await;
    let (owner, agent) = online(&stack).await;
    let folder = folder_for_shells();
    let file = folder.path().join("runs");
    agent.kill();
    agent.becomes("offline").await;
    let command = format!("echo once >> {}; cat {0}", file.display());
    let id = send(&owner, &agent, json!({"command": command, "when_online": true})).await;
    assert_eq!(read(&owner, &id).await["status"], "queued");
    stack.kill();
    stack.start_again().await;
    assert_eq!(read(&owner, &id).await["status"], "queued");
    agent.start().await;
    let command = becomes(&owner, &id, "completed").await;
    assert_eq!(command["stdout"], "once\n");
    stack.drop_relay(&agent.machine_id);
    agent.becomes("online").await;
    assert_eq!(read(&owner, &id).await["stdout"], "once\n", "it is kept");
    assert_eq!(fs::read_to_string(file).expect("it ran"), "once\n");
}

#[tokio::test]
async fn a_result_that_the_edge_could_not_take_comes_when_it_is_back() {
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
    stack.kill();
    fs::write(&go_on, "").expect("ours");
    stack.start_again().await;
    let command = becomes(&owner, &id, "completed").await;
    assert_eq!(
        (&command["stdout"], &command["exit_code"]),
        (&json!("kept\n"), &json!(0))
    );
}

#[tokio::test]
async fn a_command_that_ran_when_its_agent_died_is_unknown_and_does_not_run_again() {
    let stack = Stack::shared().await;
    let (owner, agent) = online(stack).await;
    let folder = folder_for_shells();
    let file = folder.path().join("runs");
    let command = format!("echo once >> {}; exec sleep 30", file.display());
    let id = send(&owner, &agent, json!({"command": command, "when_online": true})).await;
    eventually("the command to run", async || file.exists().then_some(())).await;
    agent.kill();
    agent.start().await;
    let command = becomes(&owner, &id, "unknown").await;
    assert_eq!(command["output_available"], true);
    assert!(command["error"].as_str().expect("words").contains("not known"));
    // Whatever would have been run by then has run before this.
    run(&owner, &agent, "true").await;
    assert_eq!(fs::read_to_string(file).expect("it ran"), "once\n");
}

#[tokio::test]
async fn a_command_that_waits_is_called_off_and_one_whose_sender_may_no_longer_does_not_start() {
    let stack = Stack::shared().await;
    let (owner, agent) = online(stack).await;
    agent.kill();
    agent.becomes("offline").await;
    let body = json!({"command": "true", "when_online": true});
    let cancelled = send(&owner, &agent, body.clone()).await;
    assert_eq!(cancel(&owner, &cancelled).await.ok()["status"], "cancelled");

    let key = owner.post("/api/api-keys", json!({"name": "a program"})).await.ok();
    let program = Account {
        token: key["key"].as_str().expect("a key").to_owned(),
        ..owner.clone()
    };
    let withdrawn = send(&program, &agent, body).await;
    let path = format!("/api/api-keys/{}", key["id"].as_str().expect("an id"));
    owner.delete(&path).await.ok();
    let command = becomes(&owner, &withdrawn, "cancelled").await;
    assert_eq!(command["error"], "the right to it was withdrawn");
    agent.start().await;
    run(&owner, &agent, "true").await;
    assert_eq!(read(&owner, &withdrawn).await["sent_at"], json!(null));
}
