//! What is typed at the prompt of a machine becomes rows that a team can search, each once, whatever restarts meanwhile.
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::account::{Account, send};
use crate::support::agent::{Agent, folder_for_shells};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{allow, join};
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

/// A machine whose account has a real bash, with the folder that its agent keeps things in.
async fn machine(owner: &Account, name: &str) -> (Agent, TempDir) {
    let agent = Agent::enrolled(owner, name, &owner.anonymous.url).await;
    let folder = folder_for_shells();
    agent.keeps_things_in(folder.path());
    agent.logs_in_with("/bin/bash");
    agent.start().await;
    (agent, folder)
}

/// The rows of a machine, once there are so many.
async fn rows(reader: &Account, agent: &Agent, count: usize) -> Vec<Value> {
    let path = format!("/api/machines/{}/logs", agent.agent_id);
    let what = format!("{count} commands in the log of {}", agent.name);
    eventually(&what, async || {
        let logs = reader.get(&path).await.ok()["logs"].as_array().cloned()?;
        (logs.len() >= count).then_some(logs)
    })
    .await
}

fn commands(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["command"].as_str().expect("text")).collect()
}

#[tokio::test]
async fn a_typed_command_is_a_row_for_those_who_reach_the_machine() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (agent, _folder) = machine(&owner, "logged").await;
    let mut viewer = Viewer::attached(&owner, &agent, "cli-logged").await;
    viewer.run("cd /tmp; echo o''ne; (exit 3)", "one").await;
    let mut rows = rows(&owner, &agent, 1).await;
    let mut row = rows.remove(0);
    assert!(hex(take(&mut row, "id").as_str().expect("an id"), 24));
    let key = take(&mut row, "key").as_u64().expect("a key");
    assert!(is_recent(&take(&mut row, "timestamp")));
    assert!(take(&mut row, "duration_ms").as_u64().is_some());
    assert!(take(&mut row, "ip_address").is_string());
    let recording = take(&mut row, "recording_id");
    let range =
        [take(&mut row, "output_from"), take(&mut row, "output_to")].map(|offset| offset.as_u64().expect("an offset"));
    let output = &viewer.output()[range[0] as usize..range[1] as usize];
    assert!(String::from_utf8_lossy(output).contains("one\r\n"), "{output:?}");
    let expected = json!({
        "command": "cd /tmp; echo o''ne; (exit 3)", "command_text": "whole", "seen": "announced", "user_id": owner.id, "username": owner.username,
        "success": false, "source": "cli", "session_id": "cli-logged", "machine_id": agent.machine_id, "machine_name": "logged",
        "agent_id": agent.agent_id, "browser": "Unknown", "os_info": "Unknown", "command_id": null,
        "outcome": "exited", "exit_code": 3, "output": "", "output_available": true, "output_truncated": false,
        "recording_at_ms": null, "missing": 0, "policy": null
    });
    assert!(take(&mut row, "cwd").as_str().expect("a path").starts_with('/'));
    assert_eq!(row, expected);

    // A part of a recording is stored some seconds after it was written.
    let detail = format!("/api/command-logs/{key}");
    let log = eventually("what it wrote", async || {
        let log = owner.get(&detail).await.ok()["log"].clone();
        (log["output_available"] == true && log["output"] != "").then_some(log)
    })
    .await;
    assert_eq!(log["output"], String::from_utf8_lossy(output).as_ref());
    assert_eq!(
        (&log["output_truncated"], &log["recording_id"]),
        (&json!(false), &recording)
    );
    let recorded = owner
        .get(&format!("/api/recordings/{}", recording.as_str().expect("an id")))
        .await
        .ok();
    assert_eq!(recorded["recording"]["session_id"], "cli-logged");
    assert!(log["recording_at_ms"].as_u64().is_some());

    let search = |path: &str, query: &str| format!("{path}?{query}");
    let of_machine = format!("/api/machines/{}/logs/search", agent.agent_id);
    for path in [of_machine.as_str(), "/api/command-logs"] {
        for (query, count) in [
            ("q=O''NE", 1),
            ("q=ec", 1),
            ("q=nowhere", 0),
            ("exit_code=3&success=false", 1),
            ("success=true", 0),
        ] {
            let page = owner.get(&search(path, query)).await.ok();
            assert_eq!(
                (&page["total"], &page["complete"]),
                (&json!(count), &json!(true)),
                "{path} {query}"
            );
        }
        let page = owner.get(&search(path, &format!("after={key}"))).await.ok();
        assert_eq!((&page["logs"], &page["newest"]), (&json!([]), &json!(key)));
    }

    // Nobody, a stranger, a colleague without rights, and one with them.
    let of_machine = format!("/api/machines/{}/logs", agent.agent_id);
    let (stranger, colleague) = (Account::new(stack).await, join(stack, &owner, "user").await);
    for path in [of_machine.as_str(), "/api/command-logs"] {
        let answer = send(owner.anonymous.request(Method::GET, path)).await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(
        stranger.get(&of_machine).await.refusal(),
        (404, "Machine not found".into())
    );
    assert_eq!(stranger.get("/api/command-logs?q=one").await.ok()["total"], 0);
    assert_eq!(
        colleague.get(&of_machine).await.refusal(),
        (403, "Not authorized".into())
    );
    assert_eq!(colleague.get("/api/command-logs").await.status, 403);
    assert_eq!(stranger.get(&detail).await.refusal(), (404, "Command not found".into()));
    assert_eq!(colleague.get(&detail).await.refusal(), (403, "Not authorized".into()));
    allow(&owner, &colleague, &["system.audit_log"]).await;
    assert_eq!(colleague.get("/api/command-logs").await.ok()["total"], 1);
}

#[tokio::test]
async fn what_was_sent_is_a_row_once_it_has_ended_without_what_is_masked() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (agent, _folder) = machine(&owner, "sent").await;
    let masks = json!({"command_masks": ["--password *"]});
    owner.put("/api/organization", masks).await.ok();
    let path = format!("/api/machines/{}/command", agent.agent_id);
    let command = json!({"command": "false --password hunter2", "wait": true});
    let sent = owner.post(&path, command).await.ok();
    let row = rows(&owner, &agent, 1).await.remove(0);
    let expected = json!([
        "false --password ****",
        "whole",
        "exited",
        1,
        "api",
        owner.username,
        "",
        false
    ]);
    let names = [
        "command",
        "command_text",
        "outcome",
        "exit_code",
        "source",
        "username",
        "session_id",
        "output_available",
    ];
    assert_eq!(Value::from_iter(names.map(|name| row[name].clone())), expected);
    assert_eq!(row["command_id"], sent["command_id"]);
}

#[tokio::test]
async fn a_row_is_there_once_whatever_restarts_at_a_bad_moment() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let (agent, _folder) = machine(&owner, "restarted").await;
    let mut viewer = Viewer::attached(&owner, &agent, "restarts").await;
    viewer.run("echo f''irst", "first").await;
    rows(&owner, &agent, 1).await;
    // It ends while the edge is gone.
    viewer.run("echo be''gun; sleep 2; true second", "begun").await;
    stack.kill();
    stack.start_again().await;
    agent.becomes("online").await;
    rows(&owner, &agent, 2).await;
    stack.evict(&agent.machine_id);
    let mut viewer = Viewer::attached(&owner, &agent, "restarts").await;
    viewer.run("echo t''hird", "third").await;
    rows(&owner, &agent, 3).await;
    // The agent is killed while one runs.
    viewer.run("echo f''ourth; sleep 60", "fourth").await;
    agent.kill();
    agent.becomes("offline").await;
    agent.start().await;
    let found = rows(&owner, &agent, 4).await;
    let expected = [
        "echo f''ourth; sleep 60",
        "echo t''hird",
        "echo be''gun; sleep 2; true second",
        "echo f''irst",
    ];
    assert_eq!(commands(&found), expected);
    assert_eq!(
        (&found[0]["outcome"], &found[0]["exit_code"]),
        (&json!("unknown"), &json!(null))
    );
    assert_eq!(found[2]["exit_code"], 0);
}

#[tokio::test]
async fn rows_of_a_machine_that_was_deleted_stay_for_those_who_read_the_log() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (agent, _folder) = machine(&owner, "deleted").await;
    let mut viewer = Viewer::attached(&owner, &agent, "deleted-1").await;
    viewer.run("echo k''ept", "kept").await;
    rows(&owner, &agent, 1).await;
    let of_machine = format!("/api/machines/{}", agent.agent_id);
    assert_eq!(owner.delete(&of_machine).await.status, 200);
    assert_eq!(
        owner.get(&format!("{of_machine}/logs")).await.refusal(),
        (404, "Machine not found".into())
    );
    let page = owner.get("/api/command-logs?q=k''ept").await.ok();
    assert_eq!(
        (&page["total"], &page["logs"][0]["machine_name"]),
        (&json!(1), &json!("deleted"))
    );
}
