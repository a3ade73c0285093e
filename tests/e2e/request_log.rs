//! What the log says of requests: one line of JSON for each that failed or changed something, and a name that finds it.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, send};
use crate::support::agent::Agent;
use crate::support::redact::{hex, take};
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

/// What the Worker and its objects have written: each line must be of the one form.
fn lines(stack: &Stack) -> Vec<Value> {
    let log = stack.log();
    let lines = log.lines().filter_map(|line| line.strip_prefix("[worker "));
    lines
        .map(|line| {
            let (_, text) = line.split_once("] ").expect("a level");
            let said: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {line}"));
            assert!(
                matches!(said["level"].as_str(), Some("info" | "warn" | "error")),
                "{line}"
            );
            assert!(
                said["time"].as_str().is_some_and(|time| time.ends_with('Z')) && said["message"].is_string(),
                "{line}"
            );
            said
        })
        .collect()
}

/// The lines of a request.
fn of(stack: &Stack, id: &str) -> Vec<Value> {
    let mut lines = lines(stack);
    lines.retain(|line| line["request_id"] == id);
    lines
}

/// Those of a request that has one.
async fn said(stack: &Stack, id: &str) -> Value {
    let mut line = eventually(id, async || of(stack, id).into_iter().next()).await;
    take(&mut line, "time");
    if line.get("duration_ms").is_some() {
        assert!(take(&mut line, "duration_ms").as_i64().is_some_and(|took| took >= 0));
    }
    line
}

async fn ask(account: &Account, method: Method, path: &str, id: &str, body: Option<Value>) -> Answer {
    let request = account.request(method, path).header("x-request-id", id);
    let answer = send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await;
    assert_eq!(answer.headers["x-request-id"], id, "{answer:#?}");
    answer
}

#[tokio::test]
async fn a_request_that_failed_or_changed_something_has_a_line_and_a_read_has_none() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let me = ask(&owner, Method::GET, "/api/auth/me", "trace-read", None).await.ok();
    let organization = stack.sql(&format!(
        "SELECT organization_id AS id FROM users WHERE id = '{}'",
        owner.id
    ));
    let organization = &organization[0]["id"];
    assert!(me.is_object());

    let body = json!({"name": "web"});
    ask(&owner, Method::POST, "/api/machines", "trace-write", Some(body))
        .await
        .ok();
    let wanted = json!({"level": "info", "message": "request", "request_id": "trace-write", "method": "POST",
        "route": "/api/machines", "status": 201, "organization_id": organization, "user_id": owner.id});
    assert_eq!(said(&stack, "trace-write").await, wanted);

    let path = "/api/machines/0123456789ab";
    assert_eq!(ask(&owner, Method::GET, path, "trace-miss", None).await.status, 404);
    let wanted = json!({"level": "warn", "message": "request", "request_id": "trace-miss", "method": "GET",
        "route": "/api/machines/{agent_id}", "status": 404, "organization_id": organization, "user_id": owner.id});
    assert_eq!(said(&stack, "trace-miss").await, wanted);

    // A path that is none of ours, or holds a token, is in no line.
    for (id, path) in [
        ("trace-path", "/api/hunter2"),
        ("trace-token", "/api/auth/invite/hunter2?x=hunter2"),
    ] {
        assert!(ask(&owner, Method::GET, path, id, None).await.status >= 400, "{path}");
        said(&stack, id).await;
    }
    assert!(!stack.log().contains("hunter2"), "{}", stack.log());
    assert!(of(&stack, "trace-read").is_empty(), "it was only read");
}

#[tokio::test]
async fn an_answer_names_its_request_whatever_the_client_calls_it() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    for given in [None, Some("x"), Some("two words"), Some("{\"a\":1}")] {
        for path in ["/health", "/api/auth/me", "/api/nothing", "/v1/nothing"] {
            let request = owner.request(Method::GET, path);
            let answer = send(match given {
                Some(id) => request.header("x-request-id", id),
                None => request,
            })
            .await;
            let id = answer.headers["x-request-id"].to_str().expect("ASCII").to_owned();
            assert!(hex(&id, 16), "{path}: {id}");
        }
    }
}

#[tokio::test]
async fn a_failure_of_ours_names_its_lines_in_the_worker_and_in_the_object() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "failing").await;
    let mut viewer = Viewer::attached(&owner, &agent, "failing-1").await;
    viewer.run("echo one", "one").await;
    // The object asks whether the session may go on, and cannot be told.
    stack.sql("ALTER TABLE session_shares RENAME TO hidden_shares");
    stack.sql("CREATE TABLE session_shares (user_id TEXT, machine_id TEXT) STRICT");
    ask(
        &owner,
        Method::POST,
        "/api/auth/logout",
        "trace-object",
        Some(json!({})),
    )
    .await;
    eventually("the object to say what failed", async || {
        let mut lines = of(&stack, "trace-object").into_iter();
        lines.find(|line| {
            line["message"]
                .as_str()
                .unwrap_or_default()
                .contains("rights could not be looked at")
        })
    })
    .await;

    let other = Account::new(&stack).await;
    stack.sql("ALTER TABLE machines RENAME TO hidden_machines");
    let answer = ask(&other, Method::GET, "/api/machines", "trace-broken", None).await;
    assert_eq!(answer.body["request_id"], "trace-broken");
    assert_eq!(answer.refusal().0, 500);
    // The answer is here before its lines are.
    let lines = eventually("the Worker to say what failed, and that it did", async || {
        Some(of(&stack, "trace-broken")).filter(|lines| lines.len() >= 2)
    })
    .await;
    let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    assert!(
        messages.len() == 2 && messages[0].contains("no such table"),
        "{messages:?}"
    );
    assert_eq!(
        (&lines[1]["status"], &lines[1]["level"]),
        (&json!(500), &json!("error"))
    );
}
