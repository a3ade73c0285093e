//! A machine that was copied together with its agent: two agents with one key.
use std::fs;

use serde_json::json;

use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::process::{Process, scratch};
use crate::support::program;
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

#[tokio::test]
async fn a_copy_of_a_machine_that_is_there_is_refused_and_people_are_told() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&owner, "copied").await;
    let mut viewer = Viewer::attached(&owner, &agent, "in-use").await;
    viewer.run("echo here-$((40+2))", "here-42").await;

    let copy = tempfile::tempdir_in(scratch()).expect("a folder");
    let there = |name: &str| copy.path().join(name);
    let original = agent.file("agent.yaml");
    let folder = original.parent().and_then(|path| path.to_str()).expect("a folder");
    for name in ["agent.key", "agent.host-id"] {
        fs::copy(agent.file(name), there(name)).expect("a copy");
    }
    let config = fs::read_to_string(&original).expect("a configuration");
    let config = config.replace(folder, copy.path().to_str().expect("UTF-8"));
    fs::write(there("agent.yaml"), config).expect("a copy");
    let config = there("agent.yaml");
    let args = ["start", "--config", config.to_str().expect("UTF-8")];
    let second = Process::start(&program("VSAY_AGENT_BIN", "vsay-agent"), &args, &there("agent.log"));

    eventually("the copy to say what to do", async || {
        let log = fs::read_to_string(there("agent.log")).unwrap_or_default();
        log.contains("--new-identity").then_some(())
    })
    .await;
    let path = format!("/api/machines/{}", agent.agent_id);
    let machine = owner.get(&path).await.ok();
    assert_eq!(machine["status"], "online");
    assert!(machine["duplicate"]["at"].is_string(), "{machine:#}");
    let entries = owner.get("/api/audit?action=agent_duplicate").await.ok();
    assert_eq!(
        (&entries["total"], &entries["logs"][0]["details"]["machine"]),
        (&json!(1), &json!("copied"))
    );
    // Whoever works on the first noticed nothing.
    viewer.run("echo still-$((40+2))", "still-42").await;

    // When the first is gone without a word, as behind a network that swallows everything, the second takes over.
    drop(second);
    agent.signal("STOP");
    let second = Process::start(&program("VSAY_AGENT_BIN", "vsay-agent"), &args, &there("agent.log"));
    eventually("the second to take over", async || {
        let log = fs::read_to_string(there("agent.log")).unwrap_or_default();
        log.contains("the link stands").then_some(())
    })
    .await;
    drop(second);
    agent.signal("CONT");
}
