//! `POST /api/commands`: one command on many machines.
use serde_json::{Value, json};

use super::becomes;
use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::stack::Stack;
use crate::support::wait::eventually;

#[tokio::test]
async fn each_machine_is_answered_for_itself_and_each_result_comes_when_it_is_there() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let stranger = Account::new(stack).await;
    let (one, two) = (Agent::new(&owner, "one").await, Agent::new(&owner, "two").await);
    let away = Agent::enrolled(&owner, "away", &owner.anonymous.url).await;
    let theirs = Agent::enrolled(&stranger, "theirs", &owner.anonymous.url).await;
    let ids = [&one, &away, &theirs, &two, &one].map(|agent| agent.agent_id.as_str());
    let body = json!({"command": "echo $((6*7))", "agent_ids": ids});
    let answer = owner.post("/api/commands", body).await;
    assert_eq!(answer.status, 201);
    let batch = answer.ok();
    let targets: Vec<Value> = batch["targets"].as_array().expect("targets").clone();
    let summary: Vec<Value> = targets
        .iter()
        .map(|target| {
            json!([
                target["agent_id"],
                target["machine_name"],
                target["status"],
                target["error"]
            ])
        })
        .collect();
    assert_eq!(
        summary,
        [
            json!([one.agent_id, "one", "sent", null]),
            json!([away.agent_id, "away", null, "agent not connected"]),
            json!([theirs.agent_id, "", null, "Machine not found"]),
            json!([two.agent_id, "two", "sent", null]),
        ],
        "one that is named twice is meant once"
    );
    for target in targets.iter().filter(|target| target["status"] == "sent") {
        let id = target["command_id"].as_str().expect("an id");
        assert_eq!(becomes(&owner, id, "completed").await["stdout"], "42\n");
    }
    let path = format!("/api/commands?batch_id={}", batch["batch_id"].as_str().expect("an id"));
    let listed = owner.get(&path).await.ok();
    assert_eq!(listed["total"], 2);
    assert_eq!(stranger.get(&path).await.ok()["total"], 0);
}

#[tokio::test]
async fn a_tag_names_machines_and_those_that_are_away_may_be_waited_for() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let here = Agent::new(&owner, "here").await;
    let away = Agent::enrolled(&owner, "away", &owner.anonymous.url).await;
    Agent::enrolled(&owner, "untagged", &owner.anonymous.url).await;
    for agent in [&here, &away] {
        let path = format!("/api/machines/{}", agent.agent_id);
        owner.put(&path, json!({"tags": ["prod"]})).await.ok();
    }
    let body = json!({"command": "true", "tag": "prod", "when_online": true});
    let batch = owner.post("/api/commands", body).await.ok();
    let statuses: Vec<Value> = batch["targets"]
        .as_array()
        .expect("targets")
        .iter()
        .map(|target| json!([target["machine_name"], target["status"]]))
        .collect();
    assert_eq!(statuses, [json!(["away", "queued"]), json!(["here", "sent"])]);
    away.start().await;
    let path = format!("/api/commands?batch_id={}", batch["batch_id"].as_str().expect("an id"));
    eventually("both to have run", async || {
        let listed = owner.get(&format!("{path}&status=completed")).await.ok();
        (listed["total"] == 2).then_some(())
    })
    .await;

    let nobody = owner
        .post("/api/commands", json!({"command": "true", "tag": "test"}))
        .await
        .ok();
    assert_eq!(nobody["targets"], json!([]));
    for (body, field) in [
        (json!({"command": "true"}), "agent_ids"),
        (
            json!({"command": "true", "agent_ids": vec!["0123456789ab"; 51]}),
            "agent_ids",
        ),
        (json!({"tag": "prod"}), "command"),
    ] {
        let answer = owner.post("/api/commands", body).await;
        assert_eq!(
            (answer.status, &answer.body["fields"][0]["field"]),
            (400, &json!(field))
        );
    }
}
