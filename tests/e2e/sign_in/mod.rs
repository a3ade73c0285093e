//! Signing in and out.
mod console;
mod guessing;
mod otp;
mod tenants;
mod tokens;

use reqwest::Method;
use serde_json::json;

use crate::support::account::{Account, Anonymous, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::sign_in::{ask, login, me, text};
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;

#[tokio::test]
async fn a_sign_in_answers_what_the_clients_of_both_apis_read() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    for body in [
        json!({"email": somebody.email, "password": PASSWORD}),
        json!({"username": somebody.username, "password": PASSWORD}),
        json!({"username": somebody.email, "password": PASSWORD}),
    ] {
        let answer = login(&anyone, body).await;
        assert_eq!(answer["token"], answer["access_token"]);
        assert_eq!(
            (&answer["token_type"], &answer["expires_in"]),
            (&json!("bearer"), &json!(86400))
        );
        assert_eq!(answer["user"]["id"], somebody.id);
        assert!(answer["user"]["int_id"].is_i64());
        assert_eq!(answer["user"]["api_key"], somebody.api_key);
        assert_eq!(answer["permissions"], answer["user"]["permissions"]);
        assert_eq!(answer["must_reset_password"], false);
        assert_eq!(
            answer["available_tenants"],
            json!([{"tenant_id": somebody.username, "tenant_name": somebody.username, "username": somebody.username,
                "user_id": somebody.id}])
        );
        let mut shown = me(&anyone, &answer["token"]).await.ok();
        shown["updated_at"] = answer["user"]["updated_at"].clone();
        assert_eq!(shown, answer["user"]);
    }
}

#[tokio::test]
async fn signing_out_ends_the_tokens_and_terminals_of_that_sign_in_and_of_no_other() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "signing-out").await;
    let again = ask(
        &owner.anonymous,
        None,
        "/api/login",
        json!({"email": owner.email, "password": PASSWORD}),
    )
    .await
    .ok();
    let elsewhere = Account {
        token: text(&again["token"]),
        ..owner.clone()
    };
    let mut here = Viewer::attached(&owner, &agent, "here").await;
    let mut there = Viewer::attached(&elsewhere, &agent, "there").await;
    let renewed = send(owner.request(Method::POST, "/api/auth/refresh")).await.ok();

    assert_eq!(
        owner.post("/api/auth/logout", json!({})).await.ok(),
        json!({"message": "Logged out successfully"})
    );
    assert_eq!(here.wait_closed().await.0, 1008);
    for token in [&json!(owner.token), &renewed["token"]] {
        assert_eq!(
            me(&owner.anonymous, token).await.refusal(),
            (401, "Invalid or expired token".to_owned())
        );
    }
    there.run("echo still-$((40+2))", "still-42").await;
    elsewhere.get("/api/auth/me").await.ok();
    let entries = stack.sql(&format!(
        "SELECT details FROM audit_log WHERE user_id = '{}' AND action = 'logout'",
        owner.id
    ));
    assert!(text(&entries[0]["details"]).contains("duration_seconds"), "{entries}");
}

#[tokio::test]
async fn sign_ins_that_fail_are_remembered_with_their_reason_and_without_the_password() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    let guess = json!({"email": somebody.email, "password": "hunter2-hunter2"});
    ask(&anyone, None, "/api/auth/login", guess).await.refusal();
    let entries = stack.sql(&format!(
        "SELECT * FROM audit_log WHERE user_id = '{}' AND action = 'login_failed'",
        somebody.id
    ));
    assert_eq!(
        (&entries[0]["status"], &entries[0]["response_status"]),
        (&json!("failure"), &json!(401))
    );
    assert!(text(&entries[0]["details"]).contains("wrong_password"), "{entries}");
    assert!(!entries.to_string().contains("hunter2"));
}
