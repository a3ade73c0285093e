//! The script of a new machine: it runs once, when the machine is first enrolled.
use std::fs;

use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::agent::{Agent, folder_for_shells};
use crate::support::stack::Stack;
use crate::support::wait::eventually;

/// A machine with a script, enrolled.
async fn enrolled(owner: &Account, script: &str) -> Agent {
    let body = json!({"name": "scripted", "custom_script": script, "deploy_application": true});
    let created = owner.post("/api/machines", body).await.ok();
    let token = created["registration_token"].as_str().expect("a token").to_owned();
    Agent::with_token(owner, &created, token, &owner.anonymous.url).await
}

/// The commands with the source `script`.
async fn scripts(owner: &Account) -> Vec<Value> {
    let listed = owner.get("/api/commands").await.ok();
    let all = listed["commands"].as_array().expect("a list").clone();
    all.into_iter()
        .filter(|command| command["source"] == "script")
        .collect()
}

#[tokio::test]
async fn a_new_machine_runs_its_script_once_and_says_so_meanwhile() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let folder = folder_for_shells();
    let (runs, go_on) = (folder.path().join("runs"), folder.path().join("go-on"));
    let script = format!(
        "echo run >> {}\nuntil [ -e {} ]; do sleep 0.05; done\necho deployed as $(id -un)\nfalse\necho never",
        runs.display(),
        go_on.display()
    );
    let agent = enrolled(&owner, &script).await;
    let [waiting] = &scripts(&owner).await[..] else {
        panic!("one script")
    };
    assert_eq!(waiting["status"], "queued");
    agent.launch();
    agent.becomes("executing_script").await;
    let listed = owner.get("/api/machines?status=executing_script").await.ok();
    assert_eq!(
        (&listed["total"], &listed["machines"][0]["is_connected"]),
        (&json!(1), &json!(true))
    );
    fs::write(&go_on, "").expect("ours");
    agent.becomes("online").await;
    let [command] = &scripts(&owner).await[..] else {
        panic!("one script")
    };
    assert_eq!(
        (&command["status"], &command["exit_code"]),
        (&json!("completed"), &json!(1))
    );
    let id = command["command_id"].as_str().expect("an id");
    let read = owner.get(&format!("/api/commands/{id}")).await.ok();
    let stdout = read["stdout"].as_str().expect("text");
    assert!(
        stdout.starts_with("deployed as ") && !stdout.contains("root") && !stdout.contains("never"),
        "{stdout}"
    );

    // Enrolled again, it is not run again.
    let path = format!("/api/machines/{}/registration-token", agent.agent_id);
    let issued = owner.post(&path, json!({})).await.ok();
    let token = issued["registration_token"].as_str().expect("a token");
    agent.kill();
    agent
        .try_configure(&owner.anonymous.url, token)
        .await
        .expect("it enrols");
    agent.start().await;
    eventually("a command to run there", async || {
        let body = json!({"command": "true", "wait": true});
        let answer = owner
            .post(&format!("/api/machines/{}/command", agent.agent_id), body)
            .await;
        (answer.status == 200).then_some(())
    })
    .await;
    assert_eq!(scripts(&owner).await.len(), 1);
    assert_eq!(fs::read_to_string(runs).expect("it ran"), "run\n");
}
