//! What happens by itself: the scheduled work, at times that the tests choose.
use serde_json::json;

use crate::support::account::{Account, PASSWORD};
use crate::support::mail::{letter, letters};
use crate::support::redact::take;
use crate::support::stack::Stack;

/// The time `days` from now.
fn in_days(days: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::days(days)).to_rfc3339()
}

#[tokio::test]
async fn an_unused_account_is_warned_then_disabled_and_its_administrators_are_told() {
    let stack = Stack::start(&[]).await;
    let (admin, idle) = (Account::new(&stack).await, Account::new(&stack).await);
    stack.sql(&format!(
        "UPDATE users SET role = 'user', organization_id = (SELECT organization_id FROM users WHERE id = '{}') WHERE id = '{}'",
        admin.id, idle.id
    ));
    stack.scheduled(&in_days(24));
    letter(&stack, &idle.email, "will be disabled in 6 days").await;
    idle.get("/api/auth/me").await.ok();

    stack.scheduled(&in_days(31));
    letter(&stack, &idle.email, "was disabled").await;
    let told = letter(&stack, &admin.email, "accounts were disabled").await;
    assert!(told.text.contains(&idle.username), "{told:#?}");
    assert_eq!(idle.get("/api/auth/me").await.refusal().0, 401);
    let login = json!({"email": idle.email, "password": PASSWORD});
    assert_eq!(idle.post("/api/login", login).await.refusal().0, 401);

    // The last administrator stays, however long nobody was here; and a second run does nothing twice.
    stack.scheduled(&in_days(33));
    admin.get("/api/auth/me").await.ok();
    let about_it = |address: &str| {
        let letters = letters(&stack, address).into_iter();
        letters.filter(|letter| letter.subject.contains("disabled")).count()
    };
    assert_eq!((about_it(&idle.email), about_it(&admin.email)), (2, 1));
    let entries = admin.get("/api/audit?action=user_deprovisioned").await.ok();
    assert_eq!(entries["total"], 1, "{entries:#}");
    assert_eq!(entries["logs"][0]["details"]["username"], idle.username);
    assert_eq!(entries["logs"][0]["source"], "system");
}

#[tokio::test]
async fn a_grant_ends_with_its_time() {
    let stack = Stack::start(&[]).await;
    let (owner, guest) = (Account::new(&stack).await, Account::new(&stack).await);
    let machine = owner.post("/api/machines", json!({"name": "web"})).await.ok();
    let agent_id = machine["agent_id"].as_str().expect("an agent id").to_owned();
    stack.sql(&format!(
        "UPDATE users SET role = 'user', organization_id = (SELECT organization_id FROM users WHERE id = '{}') WHERE id = '{}'",
        owner.id, guest.id
    ));
    stack.sql(&format!(
        "INSERT INTO machine_grants SELECT id, '{}', '', '{}', created_at, '{}' FROM machines WHERE agent_id = '{agent_id}'",
        guest.id,
        owner.id,
        (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    ));
    let path = format!("/api/machines/{agent_id}");
    guest.get(&path).await.ok();
    stack.scheduled(&in_days(0));
    guest.get(&path).await.ok();
    stack.scheduled(&in_days(1));
    assert_eq!(guest.get(&path).await.refusal().0, 403);
    let mut log = owner.get("/api/audit?action=access_revoked").await.ok();
    let mut entry = log["logs"][0].take();
    for differs in ["id", "int_id", "hash", "organization_id", "created_at", "timestamp"] {
        assert!(!take(&mut entry, differs).is_null(), "{differs}");
    }
    let details = json!({"machine": "web", "agent_id": agent_id, "user_id": guest.id, "username": guest.username, "reason": "expired"});
    let expected = json!({
        "user_id": null, "username": "", "tenant_id": owner.username, "action": "access_revoked", "resource": "machine",
        "resource_type": "machine", "resource_id": machine["id"], "status": "success", "response_status": 0,
        "severity": "warning", "method": "", "endpoint": "", "ip_address": "", "user_agent": "", "browser": "Unknown",
        "os": "Unknown", "source": "system", "error": null, "details": details, "request_body": details
    });
    assert_eq!((entry, &log["total"]), (expected, &json!(1)));
}
