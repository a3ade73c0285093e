//! How machines do, and whether they are there: real agents that are measured when somebody looks.
use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

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

#[tokio::test]
async fn what_was_measured_is_a_history_for_those_who_reach_the_machine() {
    let stack = Stack::shared().await;
    let (owner, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let agent = Agent::new(&owner, "remembered").await;
    let path = format!("/api/machines/{}/metrics", agent.agent_id);
    let history = eventually("a sample of the history", async || {
        // Somebody looks, so what was kept comes.
        machine(&owner, &agent).await;
        let history = owner.get(&format!("{path}?hours=1")).await.ok();
        (history["samples"].as_array()?.len() == 1).then_some(history)
    })
    .await;
    assert_eq!(
        (&history["agent_id"], &history["step_seconds"]),
        (&json!(agent.agent_id), &json!(60))
    );
    let sample = &history["samples"][0];
    assert!(is_recent(&sample["at"]), "{sample:#}");
    assert!(sample["memory_percent"].as_f64().expect("a number") > 0.0);
    for field in ["cpu_percent", "disk_percent", "network_inbound", "network_outbound"] {
        assert!(sample[field].is_f64(), "{field}: {sample:#}");
    }
    assert_eq!(
        owner.get(&path).await.ok()["step_seconds"],
        240,
        "a day, if nobody says"
    );
    for hours in ["0", "169"] {
        let refused = owner.get(&format!("{path}?hours={hours}")).await.refusal();
        assert_eq!((refused.0, refused.1.contains("hours")), (400, true), "{refused:?}");
    }
    assert_eq!(
        stranger.get(&path).await.refusal(),
        (404, "Machine not found".to_owned())
    );
    assert_eq!(owner.anonymous.ask(Method::GET, &path, None).await.status, 401);
}

#[tokio::test]
async fn a_machine_at_a_threshold_says_so_and_the_log_keeps_when() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&owner, "judged").await;
    let path = format!("/api/machines/{}", agent.agent_id);
    let set = async |warning: u8, critical: u8| {
        // The processor and the disk of the computer of the tests may be busy and full.
        let never = json!({"warning": 100, "critical": 100});
        let thresholds = json!({"cpu": never, "disk": never, "memory": {"warning": warning, "critical": critical}});
        owner.put(&path, json!({"thresholds": thresholds})).await.ok()
    };
    let becomes = async |health: &str| {
        let what = format!("the machine to be {health}");
        eventually(&what, async || {
            (machine(&owner, &agent).await["health"] == health).then_some(())
        })
        .await;
        let listed = async || owner.get("/api/machines").await.ok()["machines"][0]["health"] == health;
        eventually("the list to follow", async || listed().await.then_some(())).await;
    };
    set(100, 100).await;
    becomes("healthy").await;
    let refused = owner
        .put(&path, json!({"thresholds": {"memory": {"warning": 9, "critical": 8}}}))
        .await
        .refusal();
    assert_eq!(
        (refused.0, refused.1.contains("thresholds.memory.warning")),
        (400, true),
        "{refused:?}"
    );

    let changed = set(1, 100).await;
    assert_eq!(
        changed["machine"]["thresholds"]["memory"],
        json!({"warning": 1, "critical": 100})
    );
    becomes("warning").await;
    set(1, 1).await;
    becomes("critical").await;
    let stats = owner.get("/api/dashboard/stats").await.ok();
    assert_eq!(
        (&stats["critical_count"], &stats["warning_count"]),
        (&json!(1), &json!(0))
    );
    set(100, 100).await;
    becomes("healthy").await;

    let entries = owner.get("/api/audit?action=machine_health").await.ok();
    let seen: Vec<_> = entries["logs"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            assert_eq!(entry["details"]["agent_id"], json!(agent.agent_id), "{entry:#}");
            assert!(entry["details"]["memory_percent"].as_f64().expect("a number") > 0.0);
            format!(
                "{} after {}",
                entry["details"]["health"].as_str().expect("a word"),
                entry["details"]["before"].as_str().expect("a word")
            )
        })
        .collect();
    // What came before the test set thresholds may be anything.
    let told = [
        "healthy after critical",
        "critical after warning",
        "warning after healthy",
    ];
    assert_eq!(seen[..3], told, "the newest first");
}
