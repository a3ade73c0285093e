//! Limits of sessions, and logins past the edge, with a real agent.
use std::fs;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use protocol::terminal::viewer::ToViewer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::published::Published;
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo};
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

async fn sets(owner: &Account, settings: Value) {
    owner.put("/api/organization", settings).await.ok();
}

/// Why a viewer of our own got no session: the code and the words.
async fn refused(account: &Account, agent: &Agent, session: &str) -> (String, String) {
    let mut viewer = Viewer::new(account, agent, session);
    viewer.connect().await;
    assert_eq!(viewer.wait_closed().await, (4029, "Session limit reached".to_owned()));
    let said = viewer.messages.iter().find_map(|message| match message {
        ToViewer::Disconnect { reason, code } => Some((code.clone(), reason.clone())),
        _ => None,
    });
    said.expect("a goodbye")
}

#[tokio::test]
async fn the_next_session_of_whoever_has_as_many_as_may_be_is_refused_everywhere_in_words() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "limited").await;
    sets(&owner, json!({"max_user_sessions": 1})).await;
    let mut first = Viewer::attached(&owner, &agent, "first").await;
    let words =
        "You have 1 terminal sessions running, and this organization lets one person have 1: end one of yours first";
    assert_eq!(
        refused(&owner, &agent, "second").await,
        ("session_limit".to_owned(), words.to_owned())
    );
    let mut published = Published::connect(&owner, &agent, "&session_id=second").await;
    let goodbye = published.wait_frame("disconnect").await;
    assert_eq!(
        (&goodbye["reason"], published.wait_closed().await.0),
        (&json!(words), 4029)
    );
    let body = json!({"machine_id": agent.machine_id});
    assert_eq!(
        owner.post("/v1/sessions", body.clone()).await.refusal(),
        (409, words.to_owned())
    );
    // The one that runs is attached to as often as anybody likes, and nothing else is listed.
    let mut again = Viewer::attached(&owner, &agent, "first").await;
    again.run("echo here-$((40+2))", "here-42").await;
    let list = owner.get("/api/terminal/sessions").await.ok();
    assert_eq!(list["sessions"].as_array().expect("a list").len(), 1, "{list:#}");
    // Its place is free when it has ended.
    owner.delete("/api/terminal/sessions/first").await.ok();
    first.wait_closed().await;
    let mut second = Viewer::attached(&owner, &agent, "second").await;
    // And another limit is the organization's.
    sets(&owner, json!({"max_user_sessions": 0, "max_sessions": 1})).await;
    let (code, words) = refused(&owner, &agent, "third").await;
    assert!(
        code == "session_limit" && words.contains("lets 1 terminal sessions run"),
        "{words}"
    );
    second.run("echo on-$((40+2))", "on-42").await;
}

#[tokio::test]
async fn of_two_who_want_the_last_place_one_gets_it() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "raced").await;
    sets(&owner, json!({"max_sessions": 1})).await;
    let body = json!({"machine_id": agent.machine_id});
    let (one, other) = tokio::join!(
        owner.post("/v1/sessions", body.clone()),
        owner.post("/v1/sessions", body.clone())
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn a_terminal_in_which_nobody_types_ends_whatever_its_programs_write_and_the_log_says_why() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "idle").await;
    sets(&owner, json!({"terminal_idle_minutes": 1})).await;
    let mut viewer = Viewer::attached(&owner, &agent, "idle").await;
    viewer
        .run("while sleep 2; do echo busy-$((40+2)); done", "busy-42")
        .await;
    viewer
        .wait("a warning", |viewer| {
            viewer.saw(|message| matches!(message, ToViewer::Error { code, .. } if code == "idle"))
        })
        .await;
    assert_eq!(viewer.wait_closed().await, (4000, "Idle timeout".to_owned()));
    let entry = eventually("the end to be in the log", async || {
        let log = owner.get("/api/audit?action=session_ended").await.ok();
        log["logs"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!(entry["details"]["reason"], "idle_timeout", "{entry:#}");
}

#[tokio::test]
async fn a_machine_says_whether_it_can_hold_sessions_to_their_limits() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "ungrouped").await;
    let machine = owner.get(&format!("/api/machines/{}", agent.agent_id)).await.ok();
    let said = machine["metadata"]["session_limits"].as_str().expect("it says so");
    assert!(said.starts_with("not held: "), "{said}");
    // There sessions and commands run all the same.
    sets(&owner, json!({"max_processes": 16, "max_memory_mb": 64})).await;
    let path = format!("/api/machines/{}/command", agent.agent_id);
    let ran = owner
        .post(&path, json!({"command": "echo here", "wait": true}))
        .await
        .ok();
    assert_eq!(ran["stdout"], "here\n", "{ran:#}");
}

#[tokio::test]
async fn whoever_may_no_longer_use_sudo_loses_the_terminals_that_have_it() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let guest = join(stack, &owner, "user").await;
    may_sudo(stack, &guest);
    let agent = Agent::new(&owner, "downgraded").await;
    let path = |rest: &str| format!("/api/machines/{}/access/{rest}", agent.agent_id);
    let grant = |role: &str| json!({"user_id": guest.id, "machine_role": role});
    owner.post(&path("grant"), grant("allow_sudo")).await.ok();
    stack.sql(&format!(
        "UPDATE machines SET allow_sudo = 1 WHERE agent_id = '{}'",
        agent.agent_id
    ));
    let mut viewer = Viewer::attached(&guest, &agent, "elevated").await;
    viewer.run("echo here-$((40+2))", "here-42").await;
    owner.post(&path("grant"), grant("non_sudo")).await.ok();
    assert_eq!(viewer.wait_closed().await, (1008, "Access revoked".to_owned()));
}

/// A record of utmp for 64-bit x86: somebody on a line, by a process that lives.
fn record(kind: u16, user: &str, host: &str, at: DateTime<Utc>) -> Vec<u8> {
    let mut bytes = vec![0; 384];
    let mut put = |at: usize, value: &[u8]| {
        bytes
            .get_mut(at..at + value.len())
            .expect("it fits")
            .copy_from_slice(value)
    };
    put(0, &kind.to_ne_bytes());
    put(4, &std::process::id().to_ne_bytes());
    put(8, b"pts/9");
    put(44, user.as_bytes());
    put(76, host.as_bytes());
    let seconds = u32::try_from(at.timestamp()).expect("a time of this century");
    put(340, &seconds.to_ne_bytes());
    bytes
}

fn writes(utmp: &Path, record: &[u8]) {
    fs::create_dir_all(utmp.parent().expect("a folder")).expect("it is ours");
    fs::write(utmp, record).expect("it is ours");
}

#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn logins_past_the_edge_are_listed_while_they_last_and_after_and_are_in_the_log() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::enrolled(&owner, "logged-into", &owner.anonymous.url).await;
    let utmp = agent.system_file("var/run/utmp");
    // What began three months ago is not kept.
    let at = Utc::now() - TimeDelta::hours(1);
    writes(&utmp, &record(7, "ada", "203.0.113.7", at));
    agent.start().await;
    let path = format!("/api/machines/{}/access-events", agent.agent_id);
    let list = eventually("the login to be listed", async || {
        let list = owner.get(&path).await.ok();
        (list["total"] == 1).then_some(list)
    })
    .await;
    let event = &list["events"][0];
    assert_eq!(list["active"][0], *event);
    for (field, value) in [
        ("agent_id", json!(agent.agent_id)),
        ("machine_id", json!(agent.machine_id)),
        ("machine_name", json!("logged-into")),
        ("tenant_id", json!(owner.username)),
        ("protocol", json!("ssh")),
        ("os_user", json!("ada")),
        ("source_ip", json!("203.0.113.7")),
        ("line", json!("pts/9")),
        ("active", json!(true)),
        ("login_at", json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))),
        ("logout_at", json!(null)),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    // A terminal of our own is none of them.
    let mut viewer = Viewer::attached(&owner, &agent, "own").await;
    viewer.run("echo here-$((40+2))", "here-42").await;
    let log = owner.get("/api/audit?action=external_login").await.ok();
    assert_eq!(log["total"], 1, "{log:#}");
    let details = json!({
        "machine": "logged-into", "agent_id": agent.agent_id, "os_user": "ada", "source_ip": "203.0.113.7", "line": "pts/9",
        "protocol": "ssh", "login_at": at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
    });
    assert_eq!(log["logs"][0]["details"], details);
    writes(&utmp, &record(8, "", "", at));
    eventually("the login to be over", async || {
        let list = owner.get(&path).await.ok();
        (list["active"] == json!([]) && list["events"][0]["logout_at"].is_string()).then_some(())
    })
    .await;
    // Strangers hear of nothing.
    let stranger = Account::new(stack).await;
    assert_eq!(
        stranger.get(&path).await.refusal(),
        (404, "Machine not found".to_owned())
    );
    assert_eq!(owner.anonymous.ask(Method::GET, &path, None).await.status, 401);
}
