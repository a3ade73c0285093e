//! Between the upgrade and the hello a right can go, and a session can be ended: no shell starts then that no list shows.
use futures_util::{SinkExt, StreamExt};
use protocol::terminal::Size;
use protocol::terminal::viewer::{FromViewer, ToViewer};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::account::Account;
use crate::support::agent::{Agent, World};
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo};
use crate::support::viewer::{Socket, Viewer, open, stream_headers};
use crate::support::wait::{eventually, within};

/// An upgrade whose hello has not been said.
async fn upgraded(account: &Account, agent: &Agent, session: &str) -> Socket {
    let url = format!(
        "{}/api/terminal/{}/ws?token={}&session_id={session}",
        account.anonymous.url, agent.agent_id, account.token
    );
    open(&url, &stream_headers()).await.expect("an upgrade")
}

/// Says hello, and hears with which code the relay ends it.
async fn refused(mut socket: Socket) -> String {
    let hello = FromViewer::Hello {
        protocol: 1,
        viewer: "0123456789abcdef0123456789abcdef".parse().expect("an id"),
        received: None,
        size: Size::default(),
        commands: false,
        presence: false,
    };
    let hello = serde_json::to_string(&hello).expect("JSON");
    // The relay may have hung up already.
    let _ = socket.send(Message::text(hello)).await;
    loop {
        let message = within("a goodbye", socket.next())
            .await
            .expect("a frame")
            .expect("a sound one");
        let Message::Text(text) = message else {
            panic!("{message:?}");
        };
        match serde_json::from_str(&text).expect("a message") {
            ToViewer::Disconnect { code, .. } => return code,
            ToViewer::Attached { .. } => panic!("a shell started"),
            _ => {}
        }
    }
}

async fn listed(account: &Account) -> Vec<Value> {
    let list = account.get("/api/terminal/sessions").await.ok();
    list["sessions"].as_array().expect("a list").clone()
}

async fn nothing_is_listed(account: &Account) {
    eventually("the list to be empty", async || {
        listed(account).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_session_that_was_ended_before_its_hello_does_not_begin() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "ended-before").await;
    let socket = upgraded(&owner, &agent, "too-late").await;
    assert_eq!(listed(&owner).await.len(), 1);
    owner.delete("/api/terminal/sessions/too-late").await.ok();
    assert_eq!(refused(socket).await, "session_terminated");
    nothing_is_listed(&owner).await;
    // The name is free again.
    let mut viewer = Viewer::attached(&owner, &agent, "too-late").await;
    viewer.run("echo again-$((40+2))", "again-42").await;
}

#[tokio::test]
async fn a_right_that_went_before_the_hello_opens_nothing() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "withdrawn").await;
    let path = |rest: &str| format!("/api/machines/{}/access/{rest}", agent.agent_id);

    let guest = join(stack, &owner, "user").await;
    may_sudo(stack, &guest);
    let body = json!({"user_id": guest.id});
    owner.post(&path("grant"), body.clone()).await.ok();
    let socket = upgraded(&guest, &agent, "grant").await;
    owner.post(&path("revoke"), body.clone()).await.ok();
    assert_eq!(refused(socket).await, "access_revoked");

    let group = json!({"name": "ops", "member_ids": [guest.id], "machine_ids": [agent.agent_id]});
    let group = owner.post("/api/groups", group).await.ok();
    let socket = upgraded(&guest, &agent, "group").await;
    let group = group["id"].as_str().expect("an id");
    owner.delete(&format!("/api/groups/{group}")).await.ok();
    assert_eq!(refused(socket).await, "access_revoked");

    owner.post(&path("grant"), body).await.ok();
    let socket = upgraded(&guest, &agent, "sign-out").await;
    guest.post("/api/auth/logout", json!({})).await.ok();
    assert_eq!(refused(socket).await, "access_revoked");

    let guest = join(stack, &owner, "user").await;
    may_sudo(stack, &guest);
    owner.post(&path("grant"), json!({"user_id": guest.id})).await.ok();
    let socket = upgraded(&guest, &agent, "account").await;
    owner
        .put(&format!("/api/users/{}", guest.id), json!({"enabled": false}))
        .await
        .ok();
    assert_eq!(refused(socket).await, "access_revoked");
    nothing_is_listed(&owner).await;
}

#[tokio::test]
async fn an_upgrade_that_never_says_hello_leaves_the_list() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "silent").await;
    let sockets = [
        upgraded(&owner, &agent, "silent-1").await,
        upgraded(&owner, &agent, "silent-2").await,
    ];
    assert_eq!(listed(&owner).await.len(), 2);
    drop(sockets);
    nothing_is_listed(&owner).await;
}

#[tokio::test]
async fn a_new_key_of_a_machine_cuts_the_link_that_was_made_with_the_old_one() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "rekeyed").await;
    let mut viewer = Viewer::attached(&owner, &agent, "on-the-old-key").await;
    viewer.run("echo here-$((40+2))", "here-42").await;
    let path = format!("/api/machines/{}/registration-token", agent.agent_id);
    let token = owner.post(&path, json!({})).await.ok();
    let token = token["registration_token"].as_str().expect("a token");
    agent
        .try_configure(&owner.anonymous.url, token)
        .await
        .expect("the token enrols");
    viewer
        .wait("news that the agent is gone", |viewer| {
            viewer.saw(|message| matches!(message, ToViewer::Agent { online: false }))
        })
        .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_not_answered_for_ever() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "nonsense").await;
    for _ in 0..150 {
        viewer.send(Message::text("nonsense")).await;
    }
    assert_eq!(viewer.wait_closed().await.0, 1002);
}
