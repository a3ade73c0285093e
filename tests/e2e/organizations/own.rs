//! `/api/organization`: administrators and their own organization.
use reqwest::Method;
use serde_json::json;

use super::{new, one};
use crate::support::account::{Account, send};
use crate::support::agent::configure;
use crate::support::process::scratch;
use crate::support::stack::Stack;
use crate::support::team::join;

#[tokio::test]
async fn administrators_run_their_own_organization() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    for (method, body) in [(Method::GET, None), (Method::PUT, Some(json!({"inactive_days": 0})))] {
        let answer = admin
            .anonymous
            .ask(method.clone(), "/api/organization", body.clone())
            .await;
        assert_eq!(answer.refusal().0, 401);
        let request = colleague.request(method, "/api/organization");
        let answer = send(request.json(&body.unwrap_or_default())).await;
        assert_eq!(
            (answer.status, &answer.body["error"]),
            (403, &json!("Admin access required"))
        );
    }
    let mut expected = new(&admin.username, &admin.username, "", 2);
    assert_eq!(one(admin.get("/api/organization").await.ok()), expected);
    let body =
        json!({"display_name": "Ours", "otp_expiry_minutes": 5, "admins_create_machines": true, "inactive_days": 0});
    for (field, value) in body.as_object().expect("an object") {
        expected[field] = value.clone();
    }
    assert_eq!(one(admin.put("/api/organization", body).await.ok()), expected);
    let log = admin.get("/api/audit?action=settings_changed").await.ok();
    let details = json!({
        "organization": admin.username,
        "old": {"otp_expiry_minutes": 10, "admins_create_machines": false, "inactive_days": 30},
        "new": {"otp_expiry_minutes": 5, "admins_create_machines": true, "inactive_days": 0},
    });
    assert_eq!(log["logs"][0]["details"], details);

    let machine = json!({"name": "web"});
    let refused = colleague.post("/api/machines", machine.clone()).await.refusal();
    assert_eq!(
        refused,
        (
            403,
            "Only administrators may create machines in this organization".to_owned()
        )
    );
    let config = scratch().join(format!("{}.yaml", colleague.username));
    let enrolled = configure(&config, &stack.url, &colleague.api_key).await;
    assert!(
        enrolled.is_err_and(|error| error.contains("Only administrators")),
        "nor with a key"
    );
    assert_eq!(admin.post("/api/machines", machine).await.status, 201);

    for (body, error) in [
        (
            json!({"enabled": false}),
            "enabled is for super administrators to change",
        ),
        (json!({"otp_expiry_minutes": 0}), "otp_expiry_minutes must be 1 to 60"),
        (
            json!({"display_name": " "}),
            "display_name must have 1 to 100 characters",
        ),
    ] {
        assert_eq!(
            admin.put("/api/organization", body).await.refusal(),
            (400, error.to_owned())
        );
    }
    assert_eq!(
        admin
            .put("/api/organization", json!({"otp": "sometimes"}))
            .await
            .refusal()
            .0,
        400
    );
}

#[tokio::test]
async fn codes_by_mail_need_a_server_that_sends_mail() {
    let with = Account::new(Stack::shared().await).await;
    assert_eq!(
        with.put("/api/organization", json!({"otp": "on"})).await.ok()["otp"],
        "on"
    );
    let stack = Stack::start(&[("MAIL_TRANSPORT", "")]).await;
    let without = Account::new(&stack).await;
    let refused = without.put("/api/organization", json!({"otp": "on"})).await;
    assert_eq!(refused.body["fields"][0]["field"], "otp", "{refused:?}");
    assert_eq!(
        without.put("/api/organization", json!({"otp": "off"})).await.status,
        200
    );
}
