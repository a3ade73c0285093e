//! The live channel: whoever listens is told what kind of thing has changed in their organization, and nothing of another's.
use futures_util::StreamExt;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::account::{Account, send};
use crate::support::agent::Agent;
use crate::support::stack::Stack;
use crate::support::viewer::{Socket, Viewer, open};
use crate::support::wait::within;

fn headers() -> HeaderMap {
    let protocol = HeaderValue::from_static("vsay.live.v1");
    [("sec-websocket-protocol".parse().expect("a name"), protocol)]
        .into_iter()
        .collect()
}

async fn listens(account: &Account) -> Socket {
    let url = format!("{}/api/live?token={}", account.anonymous.url, account.token);
    open(&url, &headers()).await.expect("an upgrade")
}

/// The topics of the next frame.
async fn next(socket: &mut Socket) -> Vec<String> {
    let message = within("a frame", socket.next()).await;
    let Some(Ok(Message::Text(text))) = message else {
        panic!("{message:?}")
    };
    let frame: Value = serde_json::from_str(&text).expect("JSON");
    let changed = frame["changed"].as_array().expect("a list").iter();
    changed
        .map(|topic| topic.as_str().expect("a word").to_owned())
        .collect()
}

/// Waits for a frame about this; what was told before it.
async fn hears(socket: &mut Socket, topic: &str) -> Vec<String> {
    let mut before = Vec::new();
    loop {
        let topics = next(socket).await;
        if topics.iter().any(|heard| heard == topic) {
            return before;
        }
        before.extend(topics);
    }
}

#[tokio::test]
async fn an_organization_hears_of_what_changes_in_it_and_of_nothing_elsewhere() {
    let stack = Stack::shared().await;
    let (owner, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let (mut listener, mut strangers) = (listens(&owner).await, listens(&stranger).await);
    let agent = Agent::new(&owner, "heard").await;
    // It was made, and is online.
    hears(&mut listener, "machines").await;
    agent.kill();
    agent.becomes("offline").await;
    hears(&mut listener, "machines").await;
    agent.start().await;
    hears(&mut listener, "machines").await;

    let mut terminal = Viewer::new(&owner, &agent, "heard");
    terminal.connect().await;
    terminal.wait_attached().await;
    hears(&mut listener, "sessions").await;
    owner.delete("/api/terminal/sessions/heard").await.ok();
    hears(&mut listener, "sessions").await;
    let command = format!("/api/machines/{}/command", agent.agent_id);
    owner.post(&command, json!({"command": "true"})).await.ok();
    hears(&mut listener, "commands").await;

    // The first that the stranger hears of is their own doing.
    stranger.post("/api/groups", json!({"name": "own"})).await.ok();
    assert_eq!(next(&mut strangers).await, ["machines", "activity"]);
}

#[tokio::test]
async fn a_page_that_shows_a_machine_hears_of_its_figures() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "measured").await;
    let mut listener = listens(&owner).await;
    owner
        .get(&format!("/api/machines/{}?live=true", agent.agent_id))
        .await
        .ok();
    hears(&mut listener, "figures").await;
}

#[tokio::test]
async fn a_ticket_opens_the_channel_once_and_nothing_else() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "elsewhere").await;
    let url = &owner.anonymous.url;
    let ticket = async || {
        let answer = send(owner.request(Method::POST, "/api/live/ticket")).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let ticket = answer.body["ticket"].as_str().expect("a ticket");
        format!("?ticket={ticket}")
    };
    let once = ticket().await;
    open(&format!("{url}/api/live{once}"), &headers())
        .await
        .expect("it opens");
    let terminal = format!("{url}/api/terminal/{}/ws{}", agent.agent_id, ticket().await);
    let of_terminal = owner
        .post(&format!("/api/terminal/{}/ticket", agent.agent_id), json!({}))
        .await;
    let of_terminal = of_terminal.body["ticket"].as_str().expect("a ticket").to_owned();
    for refused in [
        format!("{url}/api/live{once}"),
        format!("{url}/api/live?ticket={of_terminal}"),
        format!("{url}/api/live"),
        terminal,
    ] {
        let (status, _) = open(&refused, &headers()).await.expect_err("a refusal");
        assert_eq!(status, 401, "{refused}");
    }
    assert_eq!(owner.get("/api/live").await.status, 426);
}
