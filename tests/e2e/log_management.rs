//! How long logs and recordings are kept: who says so, what it removes, and what is told of that.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, send};
use crate::support::agent::Agent;
use crate::support::redact::{is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, super_admin};
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

const CONFIG: &str = "/api/log-management/config";
const RUNS: &str = "/api/log-management/runs";

/// What is kept how long, with what nothing is archived by.
fn config(logs: u32, recordings: u32) -> Value {
    json!({
        "retention_days": logs, "recording_days": recordings, "archive_enabled": false, "archive_every_days": null,
        "storage_type": null, "last_archive_at": null, "next_archive_at": null,
    })
}

/// A configuration without how old the oldest is, which is recent or nothing.
fn redacted(mut body: Value, recent: bool) -> Value {
    for field in ["oldest_log_at", "oldest_recording_at"] {
        let oldest = take(&mut body, field);
        assert!(
            if recent { is_recent(&oldest) } else { oldest.is_null() },
            "{field}: {oldest}"
        );
    }
    body
}

/// A machine with a session that has ended, its recording, and a command that was sent.
async fn used(owner: &Account) -> Agent {
    let agent = Agent::new(owner, "used").await;
    let command = json!({"command": "true", "wait": true, "timeout_seconds": 60});
    owner
        .post(&format!("/api/machines/{}/command", agent.agent_id), command)
        .await
        .ok();
    let mut viewer = Viewer::attached(owner, &agent, "over").await;
    viewer.types("exit 0\r");
    viewer.wait("the exit", |viewer| viewer.exit().is_some()).await;
    eventually("all of it to be written", async || {
        (kept(owner).await == [1; 4]).then_some(())
    })
    .await;
    agent
}

/// How much an organization has: rows in the log of what was sent, ended sessions, commands, and recordings that are complete.
async fn kept(owner: &Account) -> [usize; 4] {
    let list = async |path: &str, name: &str| owner.get(path).await.ok()[name].as_array().expect("a list").clone();
    let sent = list("/api/command-logs", "logs").await;
    let recordings = list("/api/recordings", "recordings").await;
    [
        sent.iter().filter(|row| !row["command_id"].is_null()).count(),
        list("/api/terminal/sessions?status=closed", "sessions").await.len(),
        list("/api/commands", "commands").await.len(),
        recordings
            .iter()
            .filter(|recording| recording["state"] == "complete")
            .count(),
    ]
}

/// The time so many days from now.
fn in_days(days: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::days(days)).to_rfc3339()
}

#[tokio::test]
async fn an_organization_says_how_long_it_keeps_things_and_no_other_loses_any() {
    let stack = Stack::start(&[]).await;
    let (owner, other, root) = (
        Account::new(&stack).await,
        Account::new(&stack).await,
        super_admin(&stack).await,
    );
    let (_agent, _others) = (used(&owner).await, used(&other).await);
    assert_eq!(redacted(owner.get(CONFIG).await.ok(), true), config(90, 90));
    stack.scheduled(&in_days(4));
    assert_eq!(owner.get(RUNS).await.ok()["runs"], json!([]), "nothing was removed");

    // Shorter, once for what is there already: by a super administrator, and by its own.
    let of = |path: &str| format!("{path}?tenant_id={}", owner.username);
    let changed = root.post(&of(CONFIG), json!({"retention_days": 3})).await.ok();
    assert_eq!(redacted(changed, true), config(3, 90));
    let named = json!({"tenant_id": owner.username, "retention_days": 3});
    let again = root.post(&format!("{CONFIG}?tenant_id="), named).await.ok();
    assert_eq!(redacted(again, true), config(3, 90));
    owner.put("/api/organization", json!({"recording_days": 5})).await.ok();
    let log = owner.get("/api/audit?action=settings_changed").await.ok();
    let (old, new) = (json!({"command_log_days": 90}), json!({"command_log_days": 3}));
    assert_eq!(
        log["logs"][1]["details"],
        json!({"organization": owner.username, "old": old, "new": new})
    );
    stack.scheduled(&in_days(4));
    assert_eq!((kept(&owner).await, kept(&other).await), ([0, 0, 0, 1], [1; 4]));
    // For ever.
    owner.put("/api/organization", json!({"recording_days": 0})).await.ok();
    stack.scheduled(&in_days(6));
    assert_eq!(kept(&owner).await, [0, 0, 0, 1]);
    owner.put("/api/organization", json!({"recording_days": 5})).await.ok();
    stack.scheduled(&in_days(6));
    assert_eq!((kept(&owner).await, kept(&other).await), ([0; 4], [1; 4]));
    assert_eq!(redacted(owner.get(CONFIG).await.ok(), false), config(3, 5));

    let mut told = owner.get(RUNS).await.ok();
    assert_eq!(root.get(&of(RUNS)).await.ok(), told);
    let mut runs = take(&mut told, "runs");
    assert_eq!(told, json!({"total": 2, "page": 1, "limit": 10, "total_pages": 1}));
    // What was typed is in the log, too.
    let logs = take(&mut runs[1], "logs_deleted").as_u64();
    assert!(logs.is_some_and(|logs| logs >= 1), "{logs:?}");
    assert_eq!(take(&mut runs[0], "logs_deleted"), 0);
    for (run, [sessions, commands, recordings]) in [(0, [0, 0, 1]), (1, [1, 1, 0])] {
        for differs in ["id", "started_at", "finished_at"] {
            assert!(take(&mut runs[run], differs).is_string(), "{differs}");
        }
        let expected = json!({
            "status": "success", "storage_type": null, "trigger": "auto", "logs_archived": 0, "sessions_archived": 0,
            "bytes_archived": 0, "sessions_deleted": sessions, "commands_deleted": commands, "recordings_deleted": recordings,
            "jobs_deleted": 0,
            "archive_key": null, "error_msg": null,
        });
        assert_eq!(runs[run], expected);
    }
    assert_eq!(other.get(RUNS).await.ok()["total"], 0);
}

#[tokio::test]
async fn how_long_things_are_kept_is_for_administrators_and_nothing_is_archived() {
    let stack = Stack::shared().await;
    let (admin, stranger, root) = (
        Account::new(stack).await,
        Account::new(stack).await,
        super_admin(stack).await,
    );
    let colleague = join(stack, &admin, "user").await;
    for (method, path) in [(Method::GET, CONFIG), (Method::GET, RUNS), (Method::POST, CONFIG)] {
        let body = (method == Method::POST).then(|| json!({"retention_days": 1}));
        assert_eq!(
            admin
                .anonymous
                .ask(method.clone(), path, body.clone())
                .await
                .refusal()
                .0,
            401
        );
        let answer = send(colleague.request(method.clone(), path).json(&body)).await;
        assert_eq!(answer.status, 403, "{method} {path}");
    }
    let refused = admin.post(CONFIG, json!({"retention_days": 1})).await;
    assert_eq!(refused.status, 403, "as published, it is for super administrators");
    for path in [CONFIG, RUNS] {
        for named in [&admin.username, "nowhere"] {
            let foreign = stranger.get(&format!("{path}?tenant_id={named}")).await;
            assert_eq!(foreign.refusal(), (404, "Organization not found".to_owned()));
        }
    }
    let body = json!({"retention_days": 1, "recording_days": 3651, "archive_enabled": true});
    let refused = root.post(CONFIG, body).await;
    let fields: Vec<_> = refused.body["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| field["field"].clone())
        .collect();
    assert_eq!(
        (refused.status, fields),
        (400, vec![json!("recording_days"), json!("archive_enabled")])
    );
    let own = json!({"retention_days": 0, "archive_enabled": false, "archive_every_days": 30, "storage_type": "s3"});
    assert_eq!(redacted(root.post(CONFIG, own).await.ok(), false), config(0, 90));
    assert_eq!(redacted(admin.get(CONFIG).await.ok(), false), config(90, 90));
}
