//! A machine's key that is replaced while people work on it, and with the agent killed in between.
use std::fs;

use reqwest::Method;
use serde_json::json;

use crate::support::account::{Account, send};
use crate::support::agent::Agent;
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::Viewer;
use crate::support::wait::{eventually, within};

/// How often the agent is killed while it replaces its key.
const KILLS: usize = 8;

fn path(agent: &Agent) -> String {
    format!("/api/machines/{}/rotate-key", agent.agent_id)
}

/// The key that the edge knows.
fn key(stack: &Stack, agent: &Agent) -> String {
    let rows = stack.sql(&format!(
        "SELECT agent_public_key AS key FROM machines WHERE agent_id = '{}'",
        agent.agent_id
    ));
    rows[0]["key"].as_str().expect("a key").to_owned()
}

async fn replaced(stack: &Stack, agent: &Agent, before: &str) {
    eventually("another key", async || (key(stack, agent) != before).then_some(())).await;
}

#[tokio::test]
async fn a_machine_gets_a_new_key_while_somebody_works_on_it_and_the_old_one_opens_nothing() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "rotated").await;
    let mut viewer = Viewer::attached(&owner, &agent, "rotated-1").await;
    viewer.run("echo one", "one").await;
    let (before, old) = (key(stack, &agent), fs::read(agent.file("agent.key")).expect("a key"));

    let asked = owner.post(&path(&agent), json!({})).await;
    assert_eq!(
        (asked.status, &asked.body["message"]),
        (202, &json!("The agent was asked to make a new key"))
    );
    replaced(stack, &agent, &before).await;
    viewer.run("echo two-$((40+2))", "two-42").await;
    agent.becomes("online").await;
    eventually("the new key to be in its place", async || {
        let new = fs::read(agent.file("agent.key")).expect("a key");
        (new != old && !agent.file("agent.key.next").exists()).then_some(())
    })
    .await;
    let log = owner.get("/api/audit?action=machine_key_rotated").await.ok();
    assert_eq!(
        (&log["total"], &log["logs"][0]["details"]["machine"]),
        (&json!(1), &json!("rotated"))
    );
    assert_eq!(
        owner.get("/api/audit?action=machine_key_rotation_asked").await.ok()["total"],
        1
    );

    // Somebody who has a copy of the old one.
    agent.kill();
    fs::write(agent.file("agent.key"), old).expect("it is ours");
    agent.launch();
    eventually("the old key to be refused", async || {
        agent.log().contains("the edge refuses this machine (401").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_is_killed_while_it_replaces_its_key_comes_back() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "killed").await;
    let next = agent.file("agent.key.next");
    for round in 0..KILLS {
        let (known, kept) = (key(stack, &agent), fs::read(agent.file("agent.key")).expect("a key"));
        eventually("the agent to be there and asked", async || {
            let asked = owner.post(&path(&agent), json!({})).await;
            (asked.status == 202).then_some(())
        })
        .await;
        // As soon as one of its steps shows, from the first to the last. No pause: each is over in a moment.
        let step = async {
            loop {
                let is_done = fs::read(agent.file("agent.key")).expect("a key") != kept;
                let reached = match round % 4 {
                    0 => true,
                    1 => next.exists(),
                    2 => key(stack, &agent) != known,
                    _ => is_done,
                };
                if reached || is_done {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        within("a step of the replacement", step).await;
        agent.kill();
        agent.start().await;
    }
    let last = key(stack, &agent);
    eventually("the agent to be asked once more", async || {
        let asked = owner.post(&path(&agent), json!({})).await;
        (asked.status == 202).then_some(())
    })
    .await;
    replaced(stack, &agent, &last).await;
    agent.becomes("online").await;
}

#[tokio::test]
async fn only_who_manages_a_machine_that_is_there_has_its_key_replaced() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (colleague, stranger) = (join(stack, &owner, "user").await, Account::new(stack).await);
    let agent = Agent::enrolled(&owner, "managed", &stack.url).await;
    let before = key(stack, &agent);
    let answer = owner.anonymous.ask(Method::POST, &path(&agent), Some(json!({}))).await;
    assert_eq!(answer.refusal().0, 401);
    assert_eq!(colleague.post(&path(&agent), json!({})).await.refusal().0, 403);
    assert_eq!(
        stranger.post(&path(&agent), json!({})).await.refusal(),
        (404, "Machine not found".to_owned())
    );
    let offline = owner.post(&path(&agent), json!({})).await;
    assert_eq!(offline.body["code"], "machine_offline");
    assert_eq!(offline.refusal().0, 409);
    // Whoever has the key, and was not asked, replaces nothing.
    let request = owner.anonymous.request(Method::GET, "/agent/connect");
    let request = request.header("x-vsay-next-key", &before).bearer_auth("no token");
    assert_eq!(send(request).await.refusal().0, 401);
    assert_eq!(key(stack, &agent), before);
}
