//! Defects that services like this one were seen to have, and that no feature's own tests would notice.
use reqwest::Method;
use serde_json::json;

use crate::support::account::{Account, PASSWORD, send};
use crate::support::agent::{Agent, World};
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;

#[tokio::test]
async fn headers_that_name_somebody_prove_nothing() {
    let world = World::shared().await;
    let stranger = Account::new(world.stack).await;
    let path = format!("/api/machines/{}", world.agent.agent_id);
    let claims = |mut request: reqwest::RequestBuilder| {
        for (name, value) in [
            ("x-user-id", world.owner.id.as_str()),
            ("x-username", "system"),
            ("x-tenant-id", &world.owner.username),
            ("x-user-role", "super_admin"),
            ("x-role", "super_admin"),
            ("x-internal", "true"),
            ("x-relay-context", "{}"),
        ] {
            request = request.header(name, value);
        }
        request
    };
    let answer = send(claims(stranger.request(Method::GET, &path))).await;
    assert_eq!(answer.refusal(), (404, "Machine not found".to_owned()));
    let answer = send(claims(stranger.anonymous.request(Method::GET, &path))).await;
    assert_eq!(answer.status, 401);
    let admin = "/api/admin/organizations";
    assert_eq!(send(claims(stranger.request(Method::GET, admin))).await.status, 403);
}

#[tokio::test]
async fn no_secret_gets_into_the_log() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "logged").await;
    agent.start().await;
    let mut viewer = Viewer::attached(&owner, &agent, "logged-1").await;
    viewer.run("echo one", "one").await;
    viewer.leave().await;
    let machine = owner.post("/api/machines", json!({"name": "waiting"})).await.ok();
    let key = owner.post("/api/api-keys", json!({"name": "ci"})).await.ok();
    let wrong = json!({"email": owner.email, "password": "a wrong password"});
    owner.anonymous.ask(Method::POST, "/api/auth/login", Some(wrong)).await;
    let socket = format!("/api/terminal/{}/ws?token={}", agent.agent_id, owner.token);
    owner.anonymous.ask(Method::GET, &socket, None).await;

    let (log, entries) = (stack.log(), stack.sql("SELECT * FROM audit_log").to_string());
    assert!(entries.contains("login_failed"));
    for secret in [
        PASSWORD,
        "a wrong password",
        &owner.token,
        &owner.api_key,
        machine["registration_token"].as_str().expect("a token"),
        key["key"].as_str().expect("a key"),
    ] {
        assert!(!log.contains(secret), "the log has a secret:\n{log}");
        assert!(!entries.contains(secret), "the audit log has a secret: {entries}");
    }
}
