//! Sharing a terminal while it runs: with somebody, by a link, and no longer.
use protocol::terminal::viewer::ToViewer;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::published::Published;
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo};
use crate::support::viewer::{Viewer, open, stream_headers};
use crate::support::wait::eventually;

/// A member of an organization with a terminal on a machine of its own, and a colleague who may use no machine.
struct Team {
    admin: Account,
    owner: Account,
    colleague: Account,
    agent: Agent,
    terminal: Viewer,
}

impl Team {
    async fn at_work(session: &str) -> Self {
        let stack = Stack::shared().await;
        let admin = Account::new(stack).await;
        let owner = join(stack, &admin, "user").await;
        let colleague = join(stack, &admin, "user").await;
        may_sudo(stack, &owner);
        let agent = Agent::new(&owner, &format!("{session}-{}", owner.username)).await;
        let mut terminal = Viewer::new(&owner, &agent, session).with_presence();
        terminal.connect().await;
        terminal.wait_attached().await;
        Self {
            admin,
            owner,
            colleague,
            agent,
            terminal,
        }
    }
}

fn shares(session: &str) -> String {
    format!("/api/terminal/sessions/{session}/shares")
}

/// Shares a session with somebody; the invitation's id.
async fn share(owner: &Account, session: &str, with: &Account, can_type: bool) -> String {
    let body = json!({"username": with.username, "can_type": can_type});
    let made = owner.post(&shares(session), body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body["share"]["id"].as_str().expect("an id").to_owned()
}

/// A guest's terminal, once the shell is there.
async fn attached(account: &Account, share: &str) -> Viewer {
    let mut viewer = Viewer::guest(account, share).with_presence();
    viewer.connect().await;
    viewer.wait_attached().await;
    viewer
}

/// What a guest's socket is refused with.
async fn refused(account: &Account, share: &str) -> (u16, Value) {
    let url = format!(
        "{}/api/shares/{share}/ws?token={}",
        account.anonymous.url, account.token
    );
    match open(&url, &stream_headers()).await {
        Ok(_) => panic!("a guest was let in"),
        Err((status, body)) => (status, serde_json::from_str(&body).expect("JSON")),
    }
}

/// The entries of the audit log with this action: who, and what about.
async fn logged(admin: &Account, action: &str) -> Vec<(String, Value)> {
    let log = admin.get(&format!("/api/audit-logs?action={action}")).await.ok();
    let entries = log["logs"].as_array().expect("a list").iter();
    entries
        .map(|entry| {
            let name = entry["username"].as_str().expect("a name").to_owned();
            (name, entry["details"].clone())
        })
        .collect()
}

#[tokio::test]
async fn a_watcher_sees_a_terminal_and_types_nothing_and_everybody_sees_who_is_there() {
    let mut team = Team::at_work("watched").await;
    team.terminal.run("echo before-$((40+2))", "before-42").await;
    let id = share(&team.owner, "watched", &team.colleague, false).await;
    let listed = team.colleague.get("/api/shares").await.ok();
    let shared = &listed["shares"][0];
    assert_eq!(
        (
            &shared["id"],
            &shared["owner"],
            &shared["can_type"],
            &shared["session_id"]
        ),
        (
            &json!(id),
            &json!(team.owner.username),
            &json!(false),
            &json!("watched")
        )
    );
    // Nothing else of the machine.
    let machine = team
        .colleague
        .get(&format!("/api/machines/{}", team.agent.agent_id))
        .await;
    assert_eq!(machine.status, 403);

    let mut watcher = attached(&team.colleague, &id).await;
    watcher.wait_for_output("before-42").await;
    let names = [team.owner.username.as_str(), team.colleague.username.as_str()];
    watcher.wait("who is there", |viewer| viewer.people() == names).await;
    team.terminal
        .wait("who is there", |viewer| viewer.people() == names)
        .await;

    watcher.types("echo typed-by-a-watcher\r");
    let told =
        |viewer: &Viewer| viewer.saw(|message| matches!(message, ToViewer::Error { code, .. } if code == "read_only"));
    watcher.wait("a refusal", told).await;
    let mut published = Published::guest(&team.colleague, &id, "").await;
    published.wait_frame("session_ready").await;
    published.types("echo typed-by-a-watcher\r").await;
    published
        .say(json!({"type": "command", "command": "echo typed-by-a-watcher", "timeout": 5}))
        .await;
    published.send_binary(b"echo typed-by-a-watcher\r").await;
    published
        .wait("three refusals", |client| {
            client.frames.iter().filter(|frame| frame["type"] == "error").count() == 3
        })
        .await;
    team.terminal.run("echo after-$((40+2))", "after-42").await;
    watcher.wait_for_output("after-42").await;
    assert!(!team.terminal.text().contains("typed-by-a-watcher"));

    watcher.leave().await;
    published.cut();
    team.terminal
        .wait("the watcher to be gone", |viewer| viewer.people() == [names[0]])
        .await;
    let joined = logged(&team.admin, "session_joined").await;
    assert_eq!(joined.len(), 2);
    assert_eq!(
        (&joined[0].0, &joined[0].1["owner"]),
        (&team.colleague.username, &json!(team.owner.username))
    );
    let shared = logged(&team.admin, "session_shared").await;
    assert_eq!(
        (&shared[0].0, &shared[0].1["username"]),
        (&team.owner.username, &json!(team.colleague.username))
    );
}

#[tokio::test]
async fn a_guest_who_may_type_types_and_one_who_is_sent_away_goes_at_once() {
    let mut team = Team::at_work("typed").await;
    let id = share(&team.owner, "typed", &team.colleague, true).await;
    let mut typist = attached(&team.colleague, &id).await;
    typist.run("echo guest-$((40+2))", "guest-42").await;
    team.terminal.wait_for_output("guest-42").await;

    let list = team.owner.get(&shares("typed")).await.ok();
    assert_eq!(list["shares"][0]["username"], team.colleague.username.as_str());
    let people: Vec<&Value> = list["people"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|person| &person["standing"])
        .collect();
    assert_eq!(people, ["owner", "typist"]);

    team.owner.delete(&format!("{}/{id}", shares("typed"))).await.ok();
    assert_eq!(typist.wait_closed().await.0, 1008);
    assert_eq!(refused(&team.colleague, &id).await.0, 404);
    assert_eq!(team.colleague.get("/api/shares").await.ok()["shares"], json!([]));
    team.terminal.run("echo still-$((40+2))", "still-42").await;

    // To watch only, from now on.
    let id = share(&team.owner, "typed", &team.colleague, true).await;
    let mut typist = attached(&team.colleague, &id).await;
    assert_eq!(share(&team.owner, "typed", &team.colleague, false).await, id);
    assert_eq!(typist.wait_closed().await.0, 1008);
    let watcher = attached(&team.colleague, &id).await;
    assert!(watcher.saw(|message| matches!(message, ToViewer::Attached { can_type: false, .. })));
}

#[tokio::test]
async fn a_link_lets_members_in_until_it_is_withdrawn_or_expires() {
    let team = Team::at_work("linked").await;
    let path = "/api/terminal/sessions/linked/share-links";
    let link = team.owner.post(path, json!({"can_type": false})).await;
    assert_eq!(link.status, 201, "{link:?}");
    let token = link.body["token"].as_str().expect("a token");
    let url = link.body["url"].as_str().expect("an address");
    assert!(url.ends_with(&format!("/shared/{token}")), "{url}");
    let list = team.owner.get(&shares("linked")).await.ok().to_string();
    assert!(!list.contains(token), "it is shown once");

    let join_by = |token: &str| json!({"token": token});
    let stranger = Account::new(Stack::shared().await).await;
    let foreign = stranger.post("/api/shares/join", join_by(token)).await;
    let unknown = stranger.post("/api/shares/join", join_by(&"0".repeat(48))).await;
    assert_eq!((foreign.status, &foreign.body), (404, &unknown.body));
    let own = team.owner.post("/api/shares/join", join_by(token)).await;
    assert_eq!((own.status, &own.body["code"]), (409, &json!("own_session")));

    let joined = team.colleague.post("/api/shares/join", join_by(token)).await.ok();
    let id = joined["share"]["id"].as_str().expect("an id").to_owned();
    let mut watcher = attached(&team.colleague, &id).await;
    let late = join(Stack::shared().await, &team.admin, "user").await;
    // Somebody else's invitation is nobody's.
    let (status, body) = refused(&late, &id).await;
    assert_eq!((status, body), refused(&late, "00000000000000000000000a").await);

    let link = link.body["share"]["id"].as_str().expect("an id").to_owned();
    team.admin.delete(&format!("{}/{link}", shares("linked"))).await.ok();
    assert_eq!(watcher.wait_closed().await.0, 1008);
    assert_eq!(late.post("/api/shares/join", join_by(token)).await.status, 404);

    // One that ends by its time ends those who came by it, without anybody doing anything.
    let link = team.owner.post(path, json!({"expires_in": 60})).await.body;
    let token = link["token"].as_str().expect("a token");
    let stack = Stack::shared().await;
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(3);
    stack.sql(&format!(
        "UPDATE session_shares SET expires_at = '{}' WHERE id = '{}'",
        soon.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        link["share"]["id"].as_str().expect("an id")
    ));
    let joined = late.post("/api/shares/join", join_by(token)).await.ok();
    let mut guest = attached(&late, joined["share"]["id"].as_str().expect("an id")).await;
    assert_eq!(guest.wait_closed().await.0, 1008);
}

#[tokio::test]
async fn a_guest_goes_with_the_right_of_whose_session_it_is_and_with_their_own() {
    let team = Team::at_work("withdrawn").await;
    let id = share(&team.owner, "withdrawn", &team.colleague, true).await;
    let mut guest = attached(&team.colleague, &id).await;
    let disabled = json!({"enabled": false});
    let path = |account: &Account| format!("/api/users/{}", account.id);
    team.admin.put(&path(&team.colleague), disabled.clone()).await.ok();
    assert_eq!(guest.wait_closed().await.0, 1008);

    let other = join(Stack::shared().await, &team.admin, "user").await;
    let id = share(&team.owner, "withdrawn", &other, false).await;
    let mut guest = attached(&other, &id).await;
    team.admin.put(&path(&team.owner), disabled).await.ok();
    let code = guest.wait_closed().await.0;
    assert!(code == 1008 || code == 4008, "{code}");
    eventually("nothing to be shared", async || {
        (other.get("/api/shares").await.ok()["shares"] == json!([])).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_share_that_is_refused_changes_nothing_and_says_why() {
    let team = Team::at_work("refused").await;
    let stranger = Account::new(Stack::shared().await).await;
    let ask = async |account: &Account, body: Value| account.post(&shares("refused"), body).await.refusal();
    let with = |account: &Account| json!({"username": account.username});
    let cases = [
        (ask(&team.owner, json!({})).await, 400, "user_id"),
        (
            ask(&team.owner, json!({"username": "ann", "expires_in": 5})).await,
            400,
            "expires_in",
        ),
        (ask(&team.owner, with(&team.owner)).await, 400, "your own session"),
        (ask(&team.owner, with(&stranger)).await, 404, "User not found"),
        (
            ask(&team.owner, json!({"username": "nobody-at-all"})).await,
            404,
            "User not found",
        ),
        (
            ask(&team.admin, with(&team.colleague)).await,
            403,
            "Only whose session it is",
        ),
        (ask(&team.colleague, with(&team.colleague)).await, 403, "Not authorized"),
        (ask(&stranger, with(&stranger)).await, 404, "Session not found"),
    ];
    for ((status, error), expected, words) in cases {
        assert_eq!(status, expected, "{error}");
        assert!(error.contains(words), "{error} does not say {words}");
    }
    assert_eq!(team.owner.get(&shares("refused")).await.ok()["shares"], json!([]));
    assert!(logged(&team.admin, "session_shared").await.is_empty());
    let gone = team
        .owner
        .delete(&format!("{}/00000000000000000000000a", shares("refused")))
        .await;
    assert_eq!(gone.status, 404);
    // A ticket is for the one it was made for, and once.
    let id = share(&team.owner, "refused", &team.colleague, false).await;
    let ticket = team
        .colleague
        .post(&format!("/api/shares/{id}/ticket"), json!({}))
        .await;
    assert_eq!(ticket.status, 201);
    let base = &team.owner.anonymous.url;
    let url = format!(
        "{base}/api/shares/{id}/ws?ticket={}",
        ticket.body["ticket"].as_str().expect("one")
    );
    let mut socket = open(&url, &stream_headers()).await.expect("an upgrade");
    futures_util::SinkExt::send(&mut socket, Message::Close(None))
        .await
        .expect("a goodbye");
    assert_eq!(
        open(&url, &HeaderMap::new()).await.err().map(|refusal| refusal.0),
        Some(401)
    );
}
