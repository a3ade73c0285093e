//! How machines do, and whether they are there: real agents that are measured when somebody looks.
use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::redact::is_recent;
use crate::support::stack::Stack;
use crate::support::wait::eventually;

async fn machine(owner: &Account, agent: &Agent) -> Value {
    let path = format!("/api/machines/{}", agent.agent_id);
    owner.get(&path).await.ok()["machine"].clone()
}

#[tokio::test]
async fn the_first_look_answers_what_is_known_and_has_the_machine_measured_behind_the_answer() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&owner, "looked-at").await;
    let first = eventually("the figures of its beginning", async || {
        let machine = machine(&owner, &agent).await;
        machine["metrics_at"].is_string().then_some(machine)
    })
    .await;
    assert!(is_recent(&first["metrics_at"]));
    // Without another reason than that somebody looked: every 30 seconds would be too late for this.
    eventually("fresh figures", async || {
        let machine = machine(&owner, &agent).await;
        (machine["metrics_at"] != first["metrics_at"]).then_some(())
    })
    .await;
    let listed = owner.get("/api/machines").await.ok();
    assert!(is_recent(&listed["machines"][0]["metrics_at"]), "{listed:#}");
    assert!(listed["machines"][0]["memory_percent"].as_f64().expect("a number") > 0.0);
}

#[tokio::test]
async fn a_page_that_shows_a_machine_has_it_measured_every_few_seconds() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&owner, "on-a-screen").await;
    let path = format!("/api/machines/{}?live=true", agent.agent_id);
    let mut seen = BTreeSet::new();
    eventually("several measurements", async || {
        let machine = owner.get(&path).await.ok();
        seen.extend(machine["metrics_at"].as_str().map(str::to_owned));
        (seen.len() > 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whoever_asks_learns_that_a_machine_fell_silent() {
    // Agents give a sign of life every 20 seconds.
    let stack = Stack::start(&[("OFFLINE_AFTER_SECONDS", "22")]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "frozen").await;
    agent.signal("STOP");
    agent.becomes("offline").await;
    eventually("the list to follow", async || {
        let listed = owner.get("/api/machines?status=offline").await.ok();
        (listed["total"] == 1).then_some(())
    })
    .await;
    agent.signal("CONT");
    agent.becomes("online").await;
}
