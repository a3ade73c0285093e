//! Sessions over REST: lists of those that run and those that are over, one with what was run in it, names, and ends.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, send};
use crate::support::agent::{Agent, World, folder_for_shells};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

/// The names of the sessions of a list.
fn names(list: &Value) -> Vec<&str> {
    let sessions = list["sessions"].as_array().expect("a list");
    sessions
        .iter()
        .map(|session| session["session_id"].as_str().expect("a name"))
        .collect()
}

#[tokio::test]
async fn past_and_running_sessions_are_listed_for_those_who_may_see_them() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "listed").await;
    let colleague = join(stack, &owner, "user").await;
    let stranger = Account::new(stack).await;
    let _first = Viewer::attached(&owner, &agent, "first").await;
    let mut second = Viewer::attached(&owner, &agent, "second").await;
    owner.delete("/api/terminal/sessions/second").await.ok();
    assert_eq!(second.wait_closed().await.0, 4008);

    let of_machine = format!("/api/machines/{}/sessions", agent.agent_id);
    let all = owner.get(&of_machine).await.ok();
    assert_eq!(names(&all), ["second", "first"]);
    assert_eq!(
        (&all["total"], &all["page"], &all["limit"], &all["total_pages"]),
        (&json!(2), &json!(1), &json!(25), &json!(1))
    );
    let [ended, running] = [0, 1].map(|place| all["sessions"][place].clone());
    assert_eq!(
        (&ended["status"], &ended["close_reason"]),
        (&json!("closed"), &json!("terminated"))
    );
    assert!(is_recent(&ended["ended_at"]) && ended["ended_at"] == ended["closed_at"]);
    assert_eq!(
        (&running["status"], &running["ended_at"]),
        (&json!("active"), &json!(null))
    );
    assert_eq!(
        names(&owner.get(&format!("{of_machine}?limit=1&page=2")).await.ok()),
        ["first"]
    );
    assert_eq!(names(&owner.get(&format!("{of_machine}/active")).await.ok()), ["first"]);

    let list = "/api/terminal/sessions";
    for (query, expected) in [
        ("", &["first"][..]),
        ("?status=ended", &["second"]),
        ("?status=closed", &["second"]),
        ("?status=all", &["second", "first"]),
        ("?status=all&limit=1", &["second"]),
        ("?status=all&to=2020-01-01", &[]),
        ("?status=all&agent_id=00000000000a", &[]),
    ] {
        assert_eq!(
            names(&owner.get(&format!("{list}{query}")).await.ok()),
            expected,
            "{query}"
        );
    }
    let of = format!("{list}?status=all&agent_id={}&user_id={}", agent.agent_id, owner.id);
    assert_eq!(owner.get(&of).await.ok()["total"], 2);
    assert_eq!(
        owner.get(&format!("{list}?status=open")).await.refusal(),
        (400, "status must be active, ended, closed or all".to_owned())
    );

    // Nobody, a stranger, a colleague without access, and one with it.
    for path in [&of_machine, &format!("{of_machine}/active"), "/api/sessions/first"] {
        let answer = send(owner.anonymous.request(Method::GET, path)).await;
        assert_eq!(answer.status, 401);
        assert_eq!(stranger.get(path).await.status, 404);
        assert_eq!(colleague.get(path).await.refusal(), (403, "Not authorized".to_owned()));
    }
    assert_eq!(
        stranger.get("/api/sessions/first").await.body,
        stranger.get("/api/sessions/nowhere").await.body
    );
    let grant = format!("/api/machines/{}/access/grant", agent.agent_id);
    owner.post(&grant, json!({"user_id": colleague.id})).await.ok();
    assert_eq!(names(&colleague.get(&of_machine).await.ok()), ["second", "first"]);
    assert_eq!(colleague.get("/api/sessions/first").await.status, 200);
    let everybodys = format!("{list}?status=all&owned=true");
    assert!(
        names(&colleague.get(&everybodys).await.ok()).is_empty(),
        "the machine is not theirs"
    );
}

#[tokio::test]
async fn a_session_has_a_name_that_those_give_it_who_may_end_it() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "named").await;
    let colleague = join(stack, &owner, "user").await;
    let stranger = Account::new(stack).await;
    let _viewer = Viewer::attached(&owner, &agent, "to-be-named").await;
    let path = "/api/terminal/sessions/to-be-named";
    let body = json!({"name": " nightly backup "});
    assert_eq!(
        stranger.put(path, body.clone()).await.refusal(),
        (404, "Session not found".to_owned())
    );
    assert_eq!(
        colleague.put(path, body.clone()).await.refusal(),
        (403, "Not authorized".to_owned())
    );
    assert_eq!(owner.put(path, json!({"name": "x".repeat(101)})).await.refusal().0, 400);
    assert_eq!(owner.get("/api/sessions/to-be-named").await.ok()["session"]["name"], "");
    for _ in 0..2 {
        let changed = owner.put(path, body.clone()).await.ok();
        assert_eq!(changed["session"]["name"], "nightly backup");
    }
    let listed = owner.get("/api/terminal/sessions").await.ok();
    assert_eq!(listed["sessions"][0]["name"], "nightly backup");
    let log = owner.get("/api/audit?action=session_renamed").await.ok();
    assert_eq!(log["total"], 1, "the second time nothing changed: {log:#}");
    assert_eq!(log["logs"][0]["details"]["name"], "nightly backup");
}

#[tokio::test]
async fn a_session_is_read_with_what_was_run_in_it_oldest_first() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::enrolled(&owner, "read", &owner.anonymous.url).await;
    let folder = folder_for_shells();
    agent.keeps_things_in(folder.path());
    agent.logs_in_with("/bin/bash");
    agent.start().await;
    let mut viewer = Viewer::attached(&owner, &agent, "cli-read").await;
    viewer.run("echo o''ne", "one").await;
    viewer.run("echo t''wo; (exit 3)", "two").await;
    let detail = eventually("both commands, and what they wrote", async || {
        let detail = owner.get("/api/sessions/cli-read").await.ok();
        let logs = detail["logs"].as_array()?;
        let wrote = |log: &Value| log["output"].as_str().is_some_and(|text| !text.is_empty());
        (logs.len() == 2 && logs.iter().all(wrote)).then_some(detail)
    })
    .await;
    let commands: Vec<&Value> = detail["logs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|log| &log["command"])
        .collect();
    assert_eq!(commands, ["echo o''ne", "echo t''wo; (exit 3)"]);
    assert_eq!(detail["logs"][0]["output"], "one\r\n");
    assert_eq!(
        (&detail["logs"][1]["exit_code"], &detail["logs"][1]["success"]),
        (&json!(3), &json!(false))
    );
    let mut rest = detail.clone();
    take(&mut rest, "logs");
    let live = take(&mut rest, "live");
    assert_eq!(
        (&live["session_id"], &live["viewers"][0]["username"], &live["command"]),
        (&json!("cli-read"), &json!(owner.username), &Value::Null)
    );
    let mut session = take(&mut rest, "session");
    assert!(hex(take(&mut session, "id").as_str().expect("an id"), 24));
    assert_eq!(
        (&session["command_count"], &session["status"]),
        (&json!(2), &json!("active"))
    );
    assert_eq!(
        rest,
        json!({"machine_name": "read", "logs_total": 2, "logs_page": 1, "logs_limit": 25, "logs_total_pages": 1})
    );
    let page = owner.get("/api/sessions/cli-read?limit=1&page=2").await.ok();
    assert_eq!(
        (&page["logs"][0]["command"], &page["logs_total_pages"]),
        (commands[1], &json!(2))
    );
}

#[tokio::test]
async fn what_a_session_does_now_is_asked_of_its_machine() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let stranger = Account::new(stack).await;
    owner
        .put("/api/organization", json!({"command_masks": ["--password *"]}))
        .await
        .ok();
    let agent = Agent::enrolled(&owner, "live", &owner.anonymous.url).await;
    let folder = folder_for_shells();
    agent.keeps_things_in(folder.path());
    agent.logs_in_with("/bin/bash");
    agent.start().await;
    let mut viewer = Viewer::new(&owner, &agent, "cli-live").with_size(91, 17);
    viewer.connect().await;
    viewer.wait_attached().await;
    viewer.run("cd /tmp; echo i''n", "in").await;
    let command = "printf '\\033]2;my title\\007'; echo b''egun; sleep 300 --password hunter2 || sleep 300";
    viewer.run(command, "begun").await;
    let live = |list: Value| list["sessions"].as_array().and_then(|all| all.first().cloned());
    let facts = eventually("what the session does", async || {
        let facts = live(owner.get("/api/terminal/live").await.ok())?;
        (facts["title"] == "my title" && facts["command"].is_string()).then_some(facts)
    })
    .await;
    let mut rest = facts.clone();
    assert!(is_recent(&take(&mut rest, "last_activity")));
    let shown = take(&mut rest, "command");
    let shown = shown.as_str().expect("a command");
    assert!(
        shown.starts_with("printf") && shown.contains("--password ****") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert_eq!(
        rest,
        json!({"session_id": "cli-live", "agent_id": agent.agent_id, "title": "my title", "cwd": "/tmp", "cols": 91, "rows": 17,
            "viewers": [{"username": owner.username, "can_type": true}]})
    );
    let detail = owner.get("/api/sessions/cli-live").await.ok();
    assert_eq!(
        (&detail["live"]["cwd"], &detail["live"]["cols"]),
        (&json!("/tmp"), &json!(91))
    );
    assert_eq!(stranger.get("/api/terminal/live").await.ok(), json!({"sessions": []}));
    let elsewhere = owner.get("/api/terminal/live?agent_id=00000000000a").await.ok();
    assert_eq!(elsewhere, json!({"sessions": []}));
    owner.delete("/api/terminal/sessions/cli-live").await.ok();
    assert_eq!(owner.get("/api/sessions/cli-live").await.ok()["live"], json!(null));
}

#[tokio::test]
async fn an_administrator_ends_what_a_colleague_has_open_and_the_log_says_who() {
    let world = World::shared().await;
    let colleague = join(world.stack, &world.owner, "user").await;
    let grant = format!("/api/machines/{}/access/grant", world.agent.agent_id);
    world.owner.post(&grant, json!({"user_id": colleague.id})).await.ok();
    let mut theirs = Viewer::attached(&colleague, &world.agent, "a-colleagues").await;
    world.owner.delete("/api/terminal/sessions/a-colleagues").await.ok();
    assert_eq!(theirs.wait_closed().await, (4008, "Session terminated".to_owned()));
    let log = world.owner.get("/api/audit?action=session_terminated").await.ok();
    let entries = log["logs"].as_array().expect("entries");
    let entry = entries
        .iter()
        .find(|entry| entry["details"]["session_id"] == "a-colleagues");
    assert_eq!(entry.expect("an entry")["username"], world.owner.username.as_str());
}
