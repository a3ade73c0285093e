//! What whoever runs the deployment watches: the figures of it, as a monitor reads them.
use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::support::account::{Account, Anonymous, send};
use crate::support::agent::Agent;
use crate::support::receiver::{Receiver, Reply};
use crate::support::redact::hex;
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

/// At least 32 characters.
const TOKEN: &str = "a token of the monitor of this test, and no account's";

/// What a page of text format 0.0.4 says: the value of each sample, by its name with its labels. Whatever is not as the format
/// wants it fails: a sample before its type, a type without help, one that is said twice, or samples of one name apart.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut helped, mut current) = ("", "");
    assert!(text.ends_with('\n'), "the last line ends");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(!help.is_empty() && !types.contains_key(name), "{line}");
            helped = name;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(matches!(kind, "gauge" | "counter") && name == helped, "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(types.insert(name, kind).is_none(), "twice: {line}");
            current = name;
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            assert_eq!(name, current, "a sample of another type: {line}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                assert!(
                    labels.starts_with('{') && labels.ends_with("\"}") && labels.contains("=\""),
                    "{line}"
                );
            }
            let value: f64 = value.parse().expect("a number");
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert!(found.insert(series.to_owned(), value).is_none(), "twice: {line}");
        }
    }
    found
}

async fn watched(stack: &Stack) -> BTreeMap<String, f64> {
    let request = Anonymous::at(stack).request(Method::GET, "/metrics").bearer_auth(TOKEN);
    let answer = send(request).await;
    assert_eq!(answer.headers[CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    samples(answer.ok().as_str().expect("text"))
}

#[tokio::test]
async fn a_monitor_sees_machines_sessions_commands_and_the_log_move() {
    let stack = Stack::start(&[("METRICS_TOKEN", TOKEN)]).await;
    let before = watched(&stack).await;
    assert_eq!(before["vsay_agents_connected"], 0.0);
    assert!(before["vsay_database_bytes"] > 0.0);
    assert!(
        before
            .keys()
            .any(|series| series.starts_with("vsay_build_info{version=\""))
    );

    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "watched").await;
    let mut viewer = Viewer::attached(&owner, &agent, "watched-1").await;
    viewer.run("echo one", "one").await;
    let seen = eventually("the figures of a machine with a terminal", async || {
        let seen = watched(&stack).await;
        (seen["vsay_sessions_active"] == 1.0 && seen["vsay_recordings_unfinished"] == 1.0).then_some(seen)
    })
    .await;
    assert_eq!(seen["vsay_agents_connected"], 1.0);
    assert_eq!(seen["vsay_machines{state=\"online\"}"], 1.0);
    assert_eq!(seen["vsay_organizations{state=\"active\"}"], 1.0);
    assert!(seen["vsay_audit_entries_total"] > before.get("vsay_audit_entries_total").copied().unwrap_or_default());

    let waiting = Agent::enrolled(&owner, "waiting", &stack.url).await;
    let path = format!("/api/machines/{}/command", waiting.agent_id);
    owner
        .post(&path, serde_json::json!({"command": "true", "when_online": true}))
        .await
        .ok();
    let seen = watched(&stack).await;
    assert_eq!(seen["vsay_commands_unfinished{status=\"queued\"}"], 1.0);
    assert!(seen["vsay_command_oldest_queued_seconds"] < 60.0);
}

#[tokio::test]
async fn a_monitor_sees_the_outbox_and_what_waits_for_a_decision() {
    let stack = Stack::start(&[("METRICS_TOKEN", TOKEN)]).await;
    let owner = Account::new(&stack).await;
    let before = watched(&stack).await;
    assert_eq!(
        (before["vsay_access_requests_pending"], before["vsay_webhooks_failing"]),
        (0.0, 0.0)
    );
    assert!(!before.contains_key("vsay_delivery_oldest_waiting_seconds{receiver=\"webhook\"}"));

    let agent = Agent::enrolled(&owner, "wanted", &stack.url).await;
    let colleague = join(&stack, &owner, "user").await;
    let wish = serde_json::json!({"machine_id": agent.agent_id, "duration_hours": 1});
    assert_eq!(colleague.post("/api/access-requests", wish).await.status, 201);
    let receiver = Receiver::start(vec![Reply::With(500, "no")]).await;
    let hook = serde_json::json!({"name": "ops", "url": receiver.url, "events": ["failed_login"]});
    owner.post("/api/webhooks", hook).await.ok();
    let wrong = serde_json::json!({"email": owner.email, "password": "not this one"});
    assert_eq!(owner.post("/api/login", wrong).await.refusal().0, 401);
    let seen = eventually("the failed attempt among the figures", async || {
        let seen = watched(&stack).await;
        (seen["vsay_webhooks_failing"] == 1.0).then_some(seen)
    })
    .await;
    assert_eq!(seen["vsay_access_requests_pending"], 1.0);
    assert!(seen["vsay_access_request_oldest_pending_seconds"] < 60.0);
    assert_eq!(seen["vsay_deliveries_waiting{receiver=\"webhook\"}"], 1.0);
    assert!(seen["vsay_delivery_oldest_waiting_seconds{receiver=\"webhook\"}"] < 60.0);
    stack.sql("UPDATE deliveries SET status = 'failed', next_attempt_at = NULL");
    let seen = watched(&stack).await;
    assert_eq!(seen["vsay_deliveries_given_up_last_hour{receiver=\"webhook\"}"], 1.0);
    assert!(!seen.contains_key("vsay_deliveries_waiting{receiver=\"webhook\"}"));
}

#[tokio::test]
async fn only_the_token_of_the_deployment_opens_the_figures() {
    let stack = Stack::start(&[("METRICS_TOKEN", TOKEN)]).await;
    let owner = Account::new(&stack).await;
    let ask = async |token: &str| send(owner.anonymous.request(Method::GET, "/metrics").bearer_auth(token)).await;
    for token in ["", "x", &owner.token, &owner.api_key, &TOKEN[1..]] {
        assert_eq!(ask(token).await.refusal().0, 401, "{token}");
    }
    let without = owner.anonymous.ask(Method::GET, "/metrics", None).await;
    let id = without.headers["x-request-id"].to_str().expect("ASCII").to_owned();
    assert!(hex(&id, 16) && without.refusal().0 == 401);
    assert!(!stack.log().contains(TOKEN));
}

#[tokio::test]
async fn a_deployment_without_a_token_has_no_figures() {
    let owner = Account::new(Stack::shared().await).await;
    for token in [TOKEN, &owner.token] {
        let answer = send(owner.anonymous.request(Method::GET, "/metrics").bearer_auth(token)).await;
        let (status, error) = answer.refusal();
        assert!(status == 404 && error.contains("METRICS_TOKEN"), "{error}");
    }
}
