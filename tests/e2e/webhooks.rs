//! `/api/webhooks`: what is posted where, with real receivers that verify, refuse, hang and lead elsewhere.
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::mail::letter;
use crate::support::receiver::{Receiver, Reply};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::wait::eventually;

/// The time so many minutes from now.
fn in_minutes(minutes: i64) -> String {
    (Utc::now() + TimeDelta::minutes(minutes)).to_rfc3339()
}

/// Makes a webhook; its path and its secret.
async fn hook(admin: &Account, url: &str, events: Value) -> (String, String) {
    let made = admin
        .post("/api/webhooks", json!({"name": "ops", "url": url, "events": events}))
        .await;
    assert_eq!(made.status, 201, "{made:#?}");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let id = text(&made.body["webhook"]["id"]);
    (format!("/api/webhooks/{id}"), text(&made.body["secret"]))
}

/// Somebody fails to sign in as an account.
async fn fails_to_sign_in(account: &Account) {
    let body = json!({"email": account.email, "password": "not this one"});
    assert_eq!(account.post("/api/login", body).await.refusal().0, 401);
}

async fn deliveries(admin: &Account, path: &str) -> Vec<Value> {
    let list = admin.get(&format!("{path}/deliveries")).await.ok();
    list["deliveries"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_webhook_is_shown_without_its_secret_and_a_test_says_what_was_answered() {
    let admin = Account::new(Stack::shared().await).await;
    let receiver = Receiver::start(vec![Reply::With(202, "taken")]).await;
    let (path, secret) = hook(&admin, &receiver.url, json!(["command"])).await;
    assert!(secret.starts_with("whsec_") && secret.len() > 40, "{secret}");
    let mut shown = admin.get(&path).await.ok();
    assert_eq!(admin.get("/api/webhooks").await.ok(), json!({"webhooks": [shown]}));
    assert!(hex(take(&mut shown, "id").as_str().expect("an id"), 24));
    for time in ["created_at", "updated_at"] {
        assert!(is_recent(&take(&mut shown, time)));
    }
    assert_eq!(
        shown,
        json!({"name": "ops", "url": receiver.url, "events": ["command"], "active": true, "failing_since": null,
            "switched_off_at": null, "former_secret_until": null, "pending": 0})
    );

    let mut told = admin.post(&format!("{path}/test"), json!({})).await.ok();
    let posted = receiver.waits_for(1).await.remove(0);
    assert!(posted.is_signed_with(&secret), "{posted:#?}");
    assert!(!posted.is_signed_with(&secret.replacen("whsec_", "whsec_AAAA", 1)));
    assert_eq!(posted.header("content-type"), "application/json");
    let id = take(&mut told, "id");
    assert_eq!(
        posted.header("webhook-id"),
        format!("msg_{}", id.as_str().expect("an id"))
    );
    assert_eq!(take(&mut told, "payload"), posted.body);
    assert_eq!(
        (&posted.json()["type"], &posted.json()["data"]["name"]),
        (&json!("test"), &json!("ops"))
    );
    assert!(take(&mut told, "duration_ms").is_u64());
    for time in ["created_at", "last_attempt_at"] {
        assert!(is_recent(&take(&mut told, time)));
    }
    assert_eq!(
        told,
        json!({"event": "test", "summary": "A test", "status": "delivered", "attempts": 1, "next_attempt_at": null,
            "response_status": 202, "response": "taken", "error": ""})
    );

    let again = format!("{path}/deliveries/{}/redeliver", id.as_str().expect("an id"));
    assert_eq!(admin.post(&again, json!({})).await.ok()["attempts"], 2);
    let both = receiver.waits_for(2).await;
    assert_eq!(both[0].header("webhook-id"), both[1].header("webhook-id"));
    assert_eq!(deliveries(&admin, &path).await.len(), 1);

    let log = admin.get("/api/audit?action=webhook_created").await.ok();
    let details = json!({"name": "ops", "url": receiver.url, "events": ["command"]});
    assert_eq!(log["logs"][0]["details"], details);
    let off = json!({"name": "ops", "url": receiver.url, "active": false});
    assert_eq!(admin.put(&path, off).await.ok()["active"], false);
    assert_eq!(admin.post(&format!("{path}/test"), json!({})).await.refusal().0, 409);
    admin.delete(&path).await.ok();
    assert_eq!(admin.get(&path).await.refusal(), (404, "Webhook not found".to_owned()));
}

#[tokio::test]
async fn a_secret_is_replaced_and_the_one_of_before_signs_beside_it_for_a_day() {
    let stack = Stack::start(&[]).await;
    let admin = Account::new(&stack).await;
    let receiver = Receiver::start(vec![Reply::With(200, "")]).await;
    let (path, old) = hook(&admin, &receiver.url, json!([])).await;
    let rotate = format!("{path}/rotate-secret");
    let colleague = join(&stack, &admin, "user").await;
    assert_eq!(colleague.post(&rotate, json!({})).await.status, 403);
    let stranger = Account::new(&stack).await;
    assert_eq!(stranger.post(&rotate, json!({})).await.refusal().0, 404);
    let mut made = admin.post(&rotate, json!({})).await.ok();
    let new = take(&mut made, "secret").as_str().expect("a secret").to_owned();
    assert!(new.starts_with("whsec_") && new.len() == old.len() && new != old);
    assert_eq!(made, json!({"webhook": admin.get(&path).await.ok()}));
    let until = made["webhook"]["former_secret_until"].as_str().expect("a time");
    let until: chrono::DateTime<Utc> = until.parse().expect("a time");
    let hours = (until - Utc::now()).num_minutes();
    assert!((23 * 60..=24 * 60).contains(&hours), "{hours} minutes");

    admin.post(&format!("{path}/test"), json!({})).await.ok();
    let posted = receiver.waits_for(1).await.remove(0);
    assert!(
        posted.is_signed_with(&new) && posted.is_signed_with(&old),
        "{posted:#?}"
    );
    let log = admin.get("/api/audit?action=webhook_secret_rotated").await.ok();
    let details = json!({"name": "ops", "former_secret_until": log["logs"][0]["details"]["former_secret_until"]});
    assert_eq!((&log["total"], &log["logs"][0]["details"]), (&json!(1), &details));

    // A day later.
    stack
        .sql("UPDATE webhooks SET former_secrets = json_set(former_secrets, '$[0].until', '2026-01-01T00:00:00.000Z')");
    assert_eq!(admin.get(&path).await.ok()["former_secret_until"], Value::Null);
    admin.post(&format!("{path}/test"), json!({})).await.ok();
    let posted = receiver.waits_for(2).await.remove(1);
    assert!(
        posted.is_signed_with(&new) && !posted.is_signed_with(&old),
        "{posted:#?}"
    );
}

#[tokio::test]
async fn what_fails_is_sent_again_the_same_until_it_arrives() {
    let stack = Stack::start(&[]).await;
    let admin = Account::new(&stack).await;
    let receiver = Receiver::start(vec![
        Reply::With(500, "not yet"),
        Reply::With(500, "not yet"),
        Reply::With(200, ""),
    ])
    .await;
    let (path, secret) = hook(&admin, &receiver.url, json!(["failed_login"])).await;
    fails_to_sign_in(&admin).await;
    // The first attempt is behind the answer, the others when their time has come.
    receiver.waits_for(1).await;
    let waiting = eventually("the first attempt to be written down", async || {
        let delivery = deliveries(&admin, &path).await.remove(0);
        (delivery["response_status"] == 500).then_some(delivery)
    })
    .await;
    assert_eq!(
        (
            &waiting["status"],
            &waiting["attempts"],
            &waiting["response"],
            &waiting["error"]
        ),
        (
            &json!("pending"),
            &json!(1),
            &json!("not yet"),
            &json!("It answered 500")
        )
    );
    assert!(admin.get(&path).await.ok()["failing_since"].is_string());
    stack.scheduled(&in_minutes(0));
    assert_eq!(receiver.received().len(), 1, "not before its time");
    stack.scheduled(&in_minutes(1));
    receiver.waits_for(2).await;
    stack.scheduled(&in_minutes(5));
    let posted = receiver.waits_for(3).await;
    for each in &posted {
        assert!(each.is_signed_with(&secret), "{each:#?}");
        assert_eq!(each.header("webhook-id"), posted[0].header("webhook-id"));
        assert_eq!(each.body, posted[0].body);
    }
    let event = posted[0].json();
    assert_eq!(event["type"], "failed_login");
    assert_eq!(event["data"]["username"], admin.username);
    assert_eq!(
        event["data"]["summary"],
        format!("Failed to sign in as {}", admin.username)
    );
    let delivery = eventually("what came of it to be written down", async || {
        let delivery = deliveries(&admin, &path).await.remove(0);
        (delivery["status"] != "pending").then_some(delivery)
    })
    .await;
    assert_eq!(
        (&delivery["status"], &delivery["attempts"]),
        (&json!("delivered"), &json!(3))
    );
    assert_eq!(admin.get(&path).await.ok()["failing_since"], Value::Null);
    stack.scheduled(&in_minutes(600));
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn a_receiver_that_hangs_or_leads_elsewhere_holds_nobody_else_up() {
    let stack = Stack::start(&[]).await;
    let admin = Account::new(&stack).await;
    let elsewhere = Receiver::start(vec![Reply::With(200, "")]).await;
    let (hangs, leads, works) = (
        Receiver::start(vec![Reply::Never]).await,
        Receiver::start(vec![Reply::To(elsewhere.url.clone())]).await,
        Receiver::start(vec![Reply::With(200, "")]).await,
    );
    let events = json!(["failed_login"]);
    let (hanging, _) = hook(&admin, &hangs.url, events.clone()).await;
    let (leading, _) = hook(&admin, &leads.url, events.clone()).await;
    let (working, _) = hook(&admin, &works.url, events).await;
    fails_to_sign_in(&admin).await;
    works.waits_for(1).await;
    let ended = async |path: &str, what: &str| {
        eventually(what, async || {
            let delivery = deliveries(&admin, path).await.pop()?;
            (delivery["error"] != "" || delivery["status"] != "pending").then_some(delivery)
        })
        .await
    };
    assert_eq!(ended(&working, "the one that works").await["status"], "delivered");
    let led = ended(&leading, "the one that leads elsewhere").await;
    assert_eq!(
        (&led["response_status"], &led["error"]),
        (&json!(307), &json!("It answered 307, and redirects are not followed"))
    );
    let hung = ended(&hanging, "the one that hangs").await;
    assert_eq!(
        (&hung["response_status"], &hung["error"]),
        (&Value::Null, &json!("It did not answer within 10 seconds"))
    );
    assert!(hung["duration_ms"].as_u64().expect("a time") >= 10_000, "{hung:#}");
    assert!(elsewhere.received().is_empty());
    assert_eq!(hangs.received().len(), 1);
}

#[tokio::test]
async fn a_webhook_where_nothing_arrives_for_days_is_switched_off_and_administrators_are_told() {
    let stack = Stack::start(&[]).await;
    let admin = Account::new(&stack).await;
    let colleague = join(&stack, &admin, "user").await;
    let receiver = Receiver::start(vec![Reply::With(410, "gone")]).await;
    let (path, _) = hook(&admin, &receiver.url, json!(["failed_login"])).await;
    fails_to_sign_in(&colleague).await;
    receiver.waits_for(1).await;
    eventually("the failure to be written down", async || {
        admin.get(&path).await.ok()["failing_since"].is_string().then_some(())
    })
    .await;
    stack.scheduled(&in_minutes(3 * 24 * 60 - 5));
    assert_eq!(admin.get(&path).await.ok()["active"], true);
    stack.scheduled(&in_minutes(3 * 24 * 60 + 5));
    let off = admin.get(&path).await.ok();
    assert_eq!((&off["active"], &off["pending"]), (&json!(false), &json!(0)), "{off:#}");
    let told = letter(&stack, &admin.email, "The webhook ops was switched off").await;
    assert!(told.text.contains(&receiver.url), "{told:#?}");
    let log = admin.get("/api/audit?action=webhook_disabled").await.ok();
    assert_eq!(
        (&log["total"], &log["logs"][0]["source"]),
        (&json!(1), &json!("system"))
    );
    let before = receiver.received().len();
    fails_to_sign_in(&colleague).await;
    stack.scheduled(&in_minutes(4 * 24 * 60));
    assert_eq!(receiver.received().len(), before);
}

#[tokio::test]
async fn on_a_deployment_no_webhook_leads_to_what_only_the_server_reaches() {
    let stack = Stack::start(&[("WEBHOOK_PRIVATE_ADDRESSES", "false")]).await;
    let admin = Account::new(&stack).await;
    for (url, fault) in [
        ("http://hooks.example.org", "url must begin with https://"),
        ("https://127.0.0.1/x", "url must not lead to a private or local address"),
        ("https://localhost/x", "url must not lead to a private or local address"),
        (
            "https://[::ffff:10.0.0.1]/x",
            "url must not lead to a private or local address",
        ),
        (
            "https://169.254.169.254/",
            "url must not lead to a private or local address",
        ),
        (
            "https://me:secret@hooks.example.org",
            "url must not contain a name or password",
        ),
        ("https://2130706433", "url has no valid host"),
    ] {
        let refused = admin.post("/api/webhooks", json!({"name": "x", "url": url})).await;
        assert_eq!(refused.refusal(), (400, fault.to_owned()), "{url}");
    }
    let body = json!({"name": "x", "url": "https://hooks.example.org/x"});
    let made = admin.post("/api/webhooks", body.clone()).await.ok();
    let path = format!("/api/webhooks/{}", made["webhook"]["id"].as_str().expect("an id"));
    let moved = admin.put(&path, json!({"name": "x", "url": "https://10.0.0.1"})).await;
    assert_eq!(moved.refusal().0, 400);
    // Nor one that was stored when settings were others.
    stack.sql("UPDATE webhooks SET url = 'https://10.0.0.1/x'");
    let told = admin.post(&format!("{path}/test"), json!({})).await.ok();
    assert_eq!(
        (&told["status"], &told["error"]),
        (
            &json!("failed"),
            &json!("The address must not lead to a private or local address")
        )
    );
    let own = Stack::start(&[
        ("WEBHOOK_PRIVATE_ADDRESSES", "false"),
        ("BASE_URL", "https://edge.example.com"),
    ])
    .await;
    let admin = Account::new(&own).await;
    let back = json!({"name": "x", "url": "https://edge.example.com/api/login"});
    let refused = admin.post("/api/webhooks", back).await.refusal();
    assert_eq!(refused, (400, "url must not lead back to this server".to_owned()));
}
