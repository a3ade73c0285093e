//! `/api/alerts`: rules, what they tell of, and who is told.
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::mail::letter;
use crate::support::receiver::{Receiver, Reply};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

/// The time so many minutes from now.
fn in_minutes(minutes: i64) -> String {
    (Utc::now() + TimeDelta::minutes(minutes)).to_rfc3339()
}

/// Makes a rule; its id.
async fn rule(admin: &Account, body: Value) -> String {
    let made = admin.post("/api/alerts/rules", body).await;
    assert_eq!(made.status, 201, "{made:#?}");
    made.body["id"].as_str().expect("an id").to_owned()
}

/// Waits for an alert in a state.
async fn alert(admin: &Account, status: &str, summary: &str) -> Value {
    eventually(&format!("an alert: {summary}"), async || {
        let list = admin.get(&format!("/api/alerts?status={status}")).await.ok();
        let alerts = list["alerts"].as_array().expect("a list").clone();
        alerts.into_iter().find(|alert| alert["summary"] == summary)
    })
    .await
}

#[tokio::test]
async fn a_rule_is_kept_as_it_was_made_and_is_its_organizations_alone() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let (member, stranger) = (join(stack, &admin, "user").await, Account::new(stack).await);
    let body = json!({"name": " Servers are up ", "event": "machine_offline", "tag": "web", "user_ids": [member.id]});
    let mut made = admin.post("/api/alerts/rules", body).await.ok();
    let id = made["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/alerts/rules/{id}");
    assert_eq!(admin.get(&path).await.ok(), made);
    assert_eq!(admin.get("/api/alerts/rules").await.ok(), json!({"rules": [made]}));
    assert!(hex(take(&mut made, "id").as_str().expect("an id"), 24));
    for time in ["created_at", "updated_at"] {
        assert!(is_recent(&take(&mut made, time)));
    }
    assert_eq!(
        made,
        json!({"name": "Servers are up", "event": "machine_offline", "tag": "web", "group_id": null, "machine_id": null, "minutes": 5,
            "count": 5, "program": "", "failed_only": false, "level": "critical", "quiet_minutes": 60, "user_ids": [member.id],
            "webhook_ids": [], "active": true})
    );
    for (field, value) in [
        ("user_ids", json!([stranger.id])),
        ("webhook_ids", json!(["00000000000000000000000a"])),
    ] {
        let mut body = json!({"name": "x", "event": "command"});
        body[field] = value;
        let refused = admin.post("/api/alerts/rules", body).await.refusal();
        assert_eq!(refused, (400, format!("{field} must be of your organization")));
    }
    let changed = json!({"name": "Off", "event": "command", "active": false});
    let changed = admin.put(&path, changed).await.ok();
    assert_eq!(
        (&changed["name"], &changed["event"], &changed["tag"], &changed["active"]),
        (&json!("Off"), &json!("command"), &Value::Null, &json!(false))
    );
    assert_eq!(
        stranger.get(&path).await.refusal(),
        (404, "Alert rule not found".to_owned())
    );
    assert_eq!(stranger.get("/api/alerts/rules").await.ok(), json!({"rules": []}));
    assert_eq!(member.get("/api/alerts").await.status, 403);
    admin.delete(&path).await.ok();
    assert_eq!(admin.get(&path).await.refusal().0, 404);
}

#[tokio::test]
async fn a_machine_that_goes_away_is_told_of_by_mail_and_webhook_and_so_is_that_it_is_back() {
    let stack = Stack::start(&[]).await;
    let admin = Account::new(&stack).await;
    let member = join(&stack, &admin, "user").await;
    let receiver = Receiver::start(vec![Reply::With(200, "")]).await;
    let made = admin
        .post("/api/webhooks", json!({"name": "ops", "url": receiver.url}))
        .await
        .ok();
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    let agent = Agent::new(&admin, "web").await;
    let rule_id = rule(
        &admin,
        json!({"name": "up", "event": "machine_offline", "minutes": 2, "quiet_minutes": 0, "user_ids": [member.id],
            "webhook_ids": [made["webhook"]["id"]]}),
    )
    .await;
    agent.kill();
    agent.becomes("offline").await;
    stack.scheduled(&in_minutes(0));
    assert!(receiver.received().is_empty(), "it may come back");
    stack.scheduled(&in_minutes(3));
    let raised = receiver.waits_for(1).await.remove(0);
    assert!(raised.is_signed_with(&secret), "{raised:#?}");
    let body = raised.json();
    assert_eq!(body["type"], "alert_raised");
    assert_eq!(body["data"]["rule_id"], rule_id);
    assert_eq!(
        body["data"]["details"],
        json!({"machine": "web", "agent_id": agent.agent_id})
    );
    let told = letter(&stack, &member.email, "web is offline").await;
    assert!(told.text.contains("The rule \"up\" tells you of it"), "{told:#?}");

    let open = alert(&admin, "open", "web is offline").await;
    assert_eq!(
        (
            &open["agent_id"],
            &open["rule_name"],
            &open["count"],
            &open["resolved_at"]
        ),
        (&json!(agent.agent_id), &json!("up"), &json!(1), &Value::Null)
    );
    let path = format!("/api/alerts/{}/acknowledge", open["id"].as_str().expect("an id"));
    let noted = admin.post(&path, json!({})).await.ok();
    assert_eq!(
        (&noted["status"], &noted["acknowledged_by"]),
        (&json!("open"), &json!(admin.username)),
        "it goes on"
    );
    agent.start().await;
    agent.becomes("online").await;
    stack.scheduled(&in_minutes(4));
    let second = receiver.waits_for(2).await[1].clone();
    assert_eq!(
        second.json()["type"],
        "alert_resolved",
        "{second:#?} {:#?}",
        receiver.received()[0]
    );
    letter(&stack, &member.email, "Resolved: web is offline").await;
    alert(&admin, "resolved", "web is offline").await;
    assert_eq!(admin.get("/api/alerts?status=open").await.ok()["total"], 0);
    assert_eq!(admin.get("/api/alerts?status=new").await.refusal().0, 400);
}

#[tokio::test]
async fn terminals_commands_and_failed_sign_ins_are_alerts_soon_after_they_happen() {
    let stack = Stack::start(&[]).await;
    let admin = Account::new(&stack).await;
    let agent = Agent::new(&admin, "web").await;
    for event in [
        json!({"name": "shells", "event": "session_start", "machine_id": agent.agent_id}),
        json!({"name": "guessing", "event": "failed_login", "count": 2, "minutes": 5}),
        json!({"name": "failures", "event": "command", "program": "false", "failed_only": true}),
    ] {
        rule(&admin, event).await;
    }
    let viewer = Viewer::attached(&admin, &agent, "watched").await;
    let opened = alert(&admin, "open", &format!("{} opened a terminal on web", admin.username)).await;
    assert_eq!(opened["details"]["session_id"], "watched");
    for _ in 0..2 {
        let body = json!({"email": admin.email, "password": "not this one"});
        assert_eq!(admin.post("/api/login", body).await.refusal().0, 401);
    }
    let failed = alert(&admin, "open", &format!("Failed to sign in as {}", admin.username)).await;
    let path = format!("/api/alerts/{}/acknowledge", failed["id"].as_str().expect("an id"));
    assert_eq!(admin.post(&path, json!({})).await.ok()["status"], "resolved");
    let log = admin.get("/api/audit?action=alert_acknowledged").await.ok();
    assert_eq!(log["total"], 1);

    let path = format!("/api/machines/{}/command", agent.agent_id);
    admin.post(&path, json!({"command": "false", "wait": true})).await.ok();
    // Its row comes from the machine, so the clock looks at it.
    let summary = format!("{} ran false on web (exit code 1)", admin.username);
    eventually("an alert of the command", async || {
        stack.scheduled(&in_minutes(0));
        let list = admin.get("/api/alerts?event=command").await.ok();
        (list["alerts"][0]["summary"] == summary.as_str()).then_some(())
    })
    .await;
    drop(viewer);
}
