//! The text of a command may hold a password: it is in no log, whatever becomes of the command.
use serde_json::json;

use super::{path, run};
use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::published::Published;
use crate::support::stack::Stack;

/// Nothing else writes this.
const SECRET: &str = "hunter2-of-the-secrets-test";

#[tokio::test]
async fn a_password_in_a_command_gets_into_no_log_of_edge_and_agent_and_no_fact_of_the_machine() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "discreet").await;
    let secret = |text: &str| text.replace("SECRET", SECRET);

    // One that ends well, one that is not found, one that is killed, and one that writes it.
    for command in [
        "true SECRET",
        "no-such-program SECRET",
        "kill -9 $$ # SECRET",
        "echo SECRET >&2; exit 7",
    ] {
        run(&owner, &agent, &secret(command)).await;
    }
    let body = json!({"command": secret("sleep 300 # SECRET"), "wait": true, "timeout_seconds": 1});
    assert_eq!(owner.post(&path(&agent), body).await.ok()["status"], "timeout");
    // Refused: their errors do not repeat it.
    for bad in [
        json!({"command": secret("SECRET\0")}),
        json!({"command": secret("SECRET"), "timeout_seconds": 301}),
        json!({"command": secret("SECRET").repeat(2500)}),
        json!({"command": [secret("SECRET")]}),
    ] {
        let answer = owner.post(&path(&agent), bad).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.to_string().contains(SECRET), "{}", answer.body);
    }
    // In a terminal's socket: taken, and refused.
    let mut client = Published::connect(&owner, &agent, "&session_id=session_discreet").await;
    client.wait_frame("session_ready").await;
    client
        .say(json!({"type": "command", "command": secret("true SECRET")}))
        .await;
    client
        .wait("its end", |client| {
            client.frames.iter().any(|frame| frame["completed"] == true)
        })
        .await;
    client
        .say(json!({"type": "command", "command": secret("SECRET\0")}))
        .await;
    assert!(!client.wait_frame("error").await.to_string().contains(SECRET));
    // The agent notes and tells it again after a restart of both.
    stack.kill();
    stack.start_again().await;
    agent.becomes("online").await;
    run(&owner, &agent, "true").await;

    for (name, log) in [("the edge", stack.log()), ("the agent", agent.log())] {
        assert!(!log.contains(SECRET), "the log of {name} has it: {log}");
    }
    let audit = owner.get("/api/audit?limit=200").await.ok();
    assert!(!audit.to_string().contains(SECRET), "{audit}");
    let machine = owner.get(&format!("/api/machines/{}", agent.agent_id)).await.ok();
    assert!(!machine.to_string().contains(SECRET), "{machine}");
}
