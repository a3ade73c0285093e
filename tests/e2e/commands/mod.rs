//! `/api/machines/{agent_id}/command` and `/api/commands`: anybody, somebody who may not, and somebody who may.
mod attached;
mod frames;
mod many;
mod policy;
mod queued;
mod restarts;
mod script;
mod secrets;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Answer};
use crate::support::agent::{Agent, World};
use crate::support::published::Published;
use crate::support::redact::{is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::wait::eventually;

fn path(agent: &Agent) -> String {
    format!("/api/machines/{}/command", agent.agent_id)
}

/// Sends a command and does not wait for it.
async fn send(caller: &Account, agent: &Agent, body: Value) -> String {
    let sent = caller.post(&path(agent), body).await.ok();
    sent["command_id"].as_str().expect("an id").to_owned()
}

/// Sends a command and waits for its result.
async fn run(caller: &Account, agent: &Agent, command: &str) -> Value {
    let body = json!({"command": command, "wait": true, "timeout_seconds": 60});
    caller.post(&path(agent), body).await.ok()
}

async fn read(caller: &Account, id: &str) -> Value {
    caller.get(&format!("/api/commands/{id}")).await.ok()
}

/// Waits until a command is as far as this.
async fn becomes(caller: &Account, id: &str, status: &str) -> Value {
    eventually(&format!("{id} to be {status}"), async || {
        let command = read(caller, id).await;
        (command["status"] == status).then_some(command)
    })
    .await
}

async fn cancel(caller: &Account, id: &str) -> Answer {
    caller.post(&format!("/api/commands/{id}/cancel"), json!({})).await
}

#[tokio::test]
async fn an_answer_that_waits_has_what_the_command_wrote() {
    let world = World::shared().await;
    let command = "echo out-$((40+2)); echo err >&2; exit 5";
    let mut answer = run(&world.owner, &world.agent, command).await;
    let data = take(&mut answer, "data");
    assert_eq!(take(&mut answer, "message"), "Command sent");
    assert_eq!(data, answer, "both forms at once");
    let id = take(&mut answer, "command_id");
    assert!(take(&mut answer, "duration_ms").is_u64());
    assert_eq!(
        answer,
        json!({
            "command": command, "status": "completed", "stdout": "out-42\n", "stderr": "err\n", "exit_code": 5,
            "truncated": false,
        })
    );
    let mut kept = read(&world.owner, id.as_str().expect("an id")).await;
    assert_eq!(take(&mut kept, "command_id"), id);
    for time in ["created_at", "sent_at", "finished_at"] {
        assert!(is_recent(&take(&mut kept, time)), "{time}");
    }
    assert!(take(&mut kept, "duration_ms").is_u64());
    assert_eq!(
        kept,
        json!({
            "batch_id": null, "session_id": null, "agent_id": world.agent.agent_id, "machine_id": world.agent.machine_id,
            "machine_name": "shared", "user_id": world.owner.id, "username": world.owner.username, "source": "api",
            "command": command, "allow_sudo": false, "status": "completed", "exit_code": 5, "signal": null, "error": null,
            "decided_by": null, "decided_at": null, "decision_reason": null, "truncated": false, "output_available": true, "stdout": "out-42\n", "stderr": "err\n",
        })
    );
}

#[tokio::test]
async fn an_answer_that_does_not_wait_comes_at_once_and_the_senders_terminal_hears_of_the_result() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "heard").await;
    let mut client = Published::connect(&owner, &agent, "&session_id=session_command_api").await;
    client.wait_frame("session_ready").await;
    let body = json!({"command": "echo heard-$((1+1))"});
    let mut answer = owner.post(&path(&agent), body).await.ok();
    take(&mut answer, "data");
    let id = take(&mut answer, "command_id");
    assert_eq!(
        answer,
        json!({"message": "Command sent", "command": "echo heard-$((1+1))", "status": "sent"})
    );
    assert_eq!(
        client.wait_frame("command_output").await,
        json!({
            "type": "command_output", "command_id": id, "stdout": "heard-2\n", "stderr": "", "exit_code": 0, "completed": true,
        })
    );
}

#[tokio::test]
async fn a_command_whose_time_is_up_is_killed_and_one_with_much_output_says_that_there_was_more() {
    let world = World::shared().await;
    let body = json!({"command": "echo begun; sleep 300", "wait": true, "timeout_seconds": 1});
    let answer = world.owner.post(&path(&world.agent), body).await.ok();
    assert_eq!(
        (
            &answer["status"],
            &answer["stdout"],
            &answer["exit_code"],
            &answer["error"]
        ),
        (
            &json!("timeout"),
            &json!("begun\n"),
            &json!(null),
            &json!("it ran out of time and was killed")
        )
    );
    let answer = run(&world.owner, &world.agent, "head -c 200000 /dev/zero | tr '\\0' x").await;
    let stdout = answer["stdout"].as_str().expect("text");
    assert_eq!((stdout.len(), &answer["truncated"]), (96 * 1024, &json!(true)));
}

#[tokio::test]
async fn a_command_that_runs_is_called_off_by_its_sender() {
    let world = World::shared().await;
    let id = send(&world.owner, &world.agent, json!({"command": "echo begun; sleep 300"})).await;
    becomes(&world.owner, &id, "sent").await;
    assert_eq!(cancel(&world.owner, &id).await.status, 200);
    let command = becomes(&world.owner, &id, "cancelled").await;
    assert_eq!(command["error"], "it was cancelled");
    let again = cancel(&world.owner, &id).await.ok();
    assert_eq!(again["status"], "cancelled");
}

#[tokio::test]
async fn nobody_runs_or_reads_a_command_without_a_right_to_the_machine() {
    let world = World::shared().await;
    let id = send(&world.owner, &world.agent, json!({"command": "true"})).await;
    let (read, body) = (format!("/api/commands/{id}"), json!({"command": "true"}));
    let anybody = &world.owner.anonymous;
    let answer = anybody.ask(Method::POST, &path(&world.agent), Some(body.clone())).await;
    assert_eq!(answer.refusal().0, 401);

    let stranger = Account::new(world.stack).await;
    let answer = stranger.post(&path(&world.agent), body.clone()).await.refusal();
    assert_eq!(answer, (404, "Machine not found".to_owned()));
    let answer = stranger.get(&read).await.refusal();
    assert_eq!(answer, (404, "Command not found".to_owned()));

    let colleague = join(world.stack, &world.owner, "user").await;
    for refusal in [
        colleague.post(&path(&world.agent), body).await.refusal(),
        colleague.get(&read).await.refusal(),
        cancel(&colleague, &id).await.refusal(),
    ] {
        assert_eq!(refusal, (403, "Not authorized".to_owned()));
    }
}

#[tokio::test]
async fn a_borrower_runs_commands_and_calls_off_only_their_own() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "lent").await;
    let borrower = join(stack, &owner, "user").await;
    let grant = format!("/api/machines/{}/access/grant", agent.agent_id);
    owner.post(&grant, json!({"user_id": borrower.id})).await.ok();
    let theirs = send(&owner, &agent, json!({"command": "sleep 300"})).await;
    assert_eq!(read(&borrower, &theirs).await["command"], "sleep 300");
    assert_eq!(cancel(&borrower, &theirs).await.status, 403);
    let own = send(&borrower, &agent, json!({"command": "sleep 301"})).await;
    becomes(&borrower, &own, "sent").await;

    let listed = borrower
        .get(&format!("/api/commands?agent_id={}", agent.agent_id))
        .await
        .ok();
    let texts: Vec<&Value> = listed["commands"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|command| &command["command"])
        .collect();
    assert_eq!(
        (texts, &listed["total"]),
        (vec![&json!("sleep 301"), &json!("sleep 300")], &json!(2))
    );

    // What was lent is taken back: their command ends, and the owner's goes on.
    let revoke = format!("/api/machines/{}/access/revoke", agent.agent_id);
    owner.post(&revoke, json!({"user_id": borrower.id})).await.ok();
    let ended = becomes(&owner, &own, "cancelled").await;
    assert_eq!(ended["error"], "the right to it was withdrawn");
    assert_eq!(read(&owner, &theirs).await["status"], "sent");
}

#[tokio::test]
async fn bounds_are_named_and_a_machine_that_is_offline_says_so() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::enrolled(&owner, "away", &owner.anonymous.url).await;
    for (body, field) in [
        (json!({}), "command"),
        (json!({"command": " "}), "command"),
        (json!({"command": "x".repeat(65_537)}), "command"),
        (json!({"command": "id", "timeout_seconds": 301}), "timeout_seconds"),
    ] {
        let answer = owner.post(&path(&agent), body).await;
        assert_eq!(
            (answer.status, &answer.body["fields"][0]["field"]),
            (400, &json!(field))
        );
    }
    let answer = owner.post(&path(&agent), json!({"command": "id"})).await;
    assert_eq!(answer.body["code"], "agent_offline");
    assert_eq!(answer.refusal(), (503, "agent not connected".to_owned()));
    assert_eq!(owner.get("/api/commands").await.ok()["total"], 0);
}

#[tokio::test]
async fn the_log_says_who_ran_what_and_has_no_secret_of_it() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "logged").await;
    for command in ["/bin/echo hunter2", "PASSWORD=hunter2 true"] {
        run(&owner, &agent, command).await;
    }
    let log = owner.get("/api/audit?action=command_executed").await.ok();
    let entries = log["entries"].as_array().expect("entries");
    let programs: Vec<&Value> = entries.iter().map(|entry| &entry["details"]["program"]).collect();
    assert_eq!(programs, [&json!(null), &json!("/bin/echo")]);
    assert!(entries.iter().all(|entry| {
        entry["details"]["command_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("cmd_"))
    }));
    assert!(!log.to_string().contains("hunter2"));
}
