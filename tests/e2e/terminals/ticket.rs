//! Tickets: what a browser opens its sockets with.
use reqwest::Method;
use serde_json::json;

use crate::support::account::{Account, PASSWORD, send};
use crate::support::agent::{Agent, World};
use crate::support::redact::hex;
use crate::support::stack::Stack;
use crate::support::viewer::{open, stream_headers};

async fn ticket(account: &Account, agent_id: &str) -> String {
    let path = format!("/api/terminal/{agent_id}/ticket");
    let answer = send(account.request(Method::POST, &path)).await;
    assert_eq!(answer.status, 201, "{answer:#?}");
    let mut body = answer.ok();
    let ticket = body["ticket"].take().as_str().expect("a ticket").to_owned();
    assert!(hex(&ticket, 48), "{ticket}");
    assert_eq!(body, json!({"ticket": null, "expires_in": 30}));
    ticket
}

/// Opens a socket with it: nothing, or the status and text of the refusal.
async fn open_with(url: &str, agent_id: &str, ticket: &str) -> Result<(), (u16, String)> {
    let url = format!("{url}/api/terminal/{agent_id}/ws?ticket={ticket}&session_id=by-ticket");
    open(&url, &stream_headers()).await.map(drop)
}

#[tokio::test]
async fn a_ticket_opens_one_socket_of_its_machine() {
    let world = World::shared().await;
    let (url, here) = (&world.owner.anonymous.url, &world.agent.agent_id);
    let elsewhere = world
        .owner
        .post("/api/machines", json!({"name": "elsewhere"}))
        .await
        .ok();
    let elsewhere = elsewhere["agent_id"].as_str().expect("an agent id");

    let once = ticket(&world.owner, here).await;
    open_with(url, here, &once).await.expect("it opens");
    let misplaced = ticket(&world.owner, here).await;
    for (agent_id, ticket) in [
        (here.as_str(), once.as_str()),
        (elsewhere, &misplaced),
        // It was used up there.
        (here, &misplaced),
        (here, "0123"),
        (here, &"a".repeat(5000)),
    ] {
        let (status, body) = open_with(url, agent_id, ticket).await.expect_err("a refusal");
        assert!(
            status == 401 && body.contains("Invalid or expired ticket"),
            "{ticket}: {status} {body}"
        );
    }
}

#[tokio::test]
async fn a_ticket_ends_with_its_time_and_with_the_sign_in_it_was_made_by() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "web").await;
    let refused = async |ticket: &str| {
        open_with(&stack.url, &agent.agent_id, ticket)
            .await
            .expect_err("a refusal")
            .0
    };

    let late = ticket(&owner, &agent.agent_id).await;
    stack.sql("UPDATE socket_tickets SET expires_at = '2026-01-01T00:00:00.000Z'");
    assert_eq!(refused(&late).await, 401);

    let left = ticket(&owner, &agent.agent_id).await;
    stack.sql("UPDATE socket_tickets SET expires_at = '2026-01-01T00:00:00.000Z'");
    stack.scheduled(&chrono::Utc::now().to_rfc3339());
    assert_eq!(refused(&left).await, 401);

    let before = ticket(&owner, &agent.agent_id).await;
    let change = json!({"current_password": PASSWORD, "new_password": "another horse battery"});
    let token = owner.post("/api/auth/change-password", change).await.ok()["token"].clone();
    assert_eq!(refused(&before).await, 401);

    let token = token.as_str().expect("a token").to_owned();
    let owner = Account { token, ..owner };
    let kept = ticket(&owner, &agent.agent_id).await;
    owner.post("/api/auth/logout", json!({})).await.ok();
    assert_eq!(refused(&kept).await, 401);
}

#[tokio::test]
async fn a_ticket_is_for_people_who_may_use_the_machine() {
    let world = World::shared().await;
    let path = format!("/api/terminal/{}/ticket", world.agent.agent_id);
    let stranger = Account::new(world.stack).await;
    assert_eq!(send(stranger.request(Method::POST, &path)).await.refusal().0, 404);
    let pending = world.owner.post("/api/machines", json!({"name": "not yet"})).await.ok();
    let pending = format!(
        "/api/terminal/{}/ticket",
        pending["agent_id"].as_str().expect("an agent id")
    );
    assert_eq!(send(world.owner.request(Method::POST, &pending)).await.refusal().0, 409);
    let key = world
        .owner
        .post("/api/api-keys", json!({"name": "of a program"}))
        .await
        .ok();
    let request = world.owner.anonymous.request(Method::POST, &path);
    let answer = send(request.bearer_auth(key["key"].as_str().expect("a key"))).await;
    assert_eq!(answer.body["code"], "sign_in_required", "{answer:#?}");
}
