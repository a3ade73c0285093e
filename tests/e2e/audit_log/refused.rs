//! What was refused is in the log, whatever refused it.
use reqwest::Method;
use serde_json::{Value, json};

use super::{denied, settled, team};
use crate::support::account::{Account, send};
use crate::support::agent::Agent;
use crate::support::redact::take;
use crate::support::stack::Stack;
use crate::support::team::join;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

#[tokio::test]
async fn whatever_refuses_somebody_the_log_says_so() {
    let stack = Stack::shared().await;
    let (admin, colleague) = team(stack).await;
    let stranger = Account::new(stack).await;
    let agent = Agent::new(&admin, "refusing").await;
    let mut viewer = Viewer::attached(&admin, &agent, "refused").await;
    let group = admin.post("/api/groups", json!({"name": "refused"})).await.ok();
    let group = group["id"].as_str().expect("an id").to_owned();
    let name = agent.agent_id.as_str();
    // By the right to an object, by the rule of the operation, by a key's scope: method, path, its description, kind of
    // thing, what it names.
    let key = colleague
        .post("/api/api-keys", json!({"name": "reader", "scope": "read"}))
        .await
        .ok();
    let mut program = colleague.clone();
    program.token = key["key"].as_str().expect("a key").to_owned();
    let (machine, grant, socket, session, roles, members) = (
        format!("/api/machines/{name}"),
        format!("/api/machines/{name}/access/grant"),
        format!("/api/terminal/{name}/ws"),
        "/api/terminal/sessions/refused".to_owned(),
        format!("/api/users/{}/roles", admin.id),
        format!("/api/groups/{group}/members"),
    );
    let body = json!({"username": colleague.username, "user_id": colleague.id, "name": "n"});
    let attempts = [
        (
            &colleague,
            Method::GET,
            machine.as_str(),
            "/api/machines/{agent_id}",
            "machine",
            json!({"agent_id": name}),
        ),
        (
            &colleague,
            Method::POST,
            &grant,
            "/api/machines/{agent_id}/access/grant",
            "machine",
            json!({"agent_id": name}),
        ),
        (
            &colleague,
            Method::GET,
            &socket,
            "/api/terminal/{agent_id}/ws",
            "terminal",
            json!({"agent_id": name}),
        ),
        (
            &colleague,
            Method::DELETE,
            &session,
            "/api/terminal/sessions/{session_id}",
            "terminal",
            json!({"session_id": "refused"}),
        ),
        (
            &colleague,
            Method::GET,
            &roles,
            "/api/users/{user_id}/roles",
            "user",
            json!({"user_id": admin.id}),
        ),
        (
            &colleague,
            Method::POST,
            &members,
            "/api/groups/{group_id}/members",
            "group",
            json!({"group_id": group}),
        ),
        (
            &program,
            Method::POST,
            "/api/machines",
            "/api/machines",
            "machine",
            json!({}),
        ),
    ];
    let mut expected = Vec::new();
    for (who, method, path, endpoint, resource, details) in attempts {
        let ask = async |account: &Account| {
            let request = account.request(method.clone(), path);
            send(match method == Method::POST {
                true => request.json(&body),
                false => request,
            })
            .await
        };
        let answer = ask(who).await;
        assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
        let error = &answer.body["error"];
        // Nothing is there for a stranger, so nothing was refused. (What a stranger's own organization allows, it allows.)
        if !details.as_object().is_some_and(serde_json::Map::is_empty) {
            assert_eq!(ask(&stranger).await.refusal().0, 404, "{method} {path}");
        }
        let body = if details == json!({}) {
            Value::Null
        } else {
            details.clone()
        };
        expected.push(json!({
            "user_id": colleague.id, "username": colleague.username, "tenant_id": admin.username, "action": "denied",
            "resource": resource, "resource_type": resource, "resource_id": null, "status": "failure", "response_status": 403,
            "severity": "warning", "method": method.as_str(), "endpoint": endpoint, "user_agent": "", "browser": "Unknown",
            "os": "Unknown", "source": if who.token == program.token { "api_key" } else { "ui" }, "error": error,
            "details": details, "request_body": body
        }));
        // One after the other, so that they are in this order.
        denied(&admin, expected.len()).await;
    }
    let mut log = denied(&admin, expected.len()).await;
    let entries: Vec<Value> = take(&mut log, "logs")
        .as_array()
        .expect("a list")
        .iter()
        .cloned()
        .map(settled)
        .collect();
    expected.reverse();
    assert_eq!(entries, expected);
    let of_machine = admin
        .get(&format!("/api/audit?action=denied&machine_id={name}"))
        .await
        .ok();
    assert_eq!(of_machine["total"], 3);
    assert_eq!(stranger.get("/api/audit?action=denied").await.ok()["total"], 0);
    viewer.leave().await;
}

#[tokio::test]
async fn somebody_who_is_refused_all_the_time_does_not_fill_the_log() {
    const REMEMBERED: u64 = 3;
    let stack = Stack::start(&[("REFUSALS_BY_ACCOUNT", &REMEMBERED.to_string())]).await;
    let (admin, loud) = team(&stack).await;
    let other = join(&stack, &admin, "user").await;
    for _ in 0..20 {
        assert_eq!(loud.get("/api/audit").await.status, 403, "the answer stays the same");
    }
    assert_eq!(other.get("/api/audit").await.status, 403);
    let count = async |account: &Account| {
        let log = admin
            .get(&format!("/api/audit?action=denied&user_id={}", account.id))
            .await
            .ok();
        log["total"].as_u64().expect("a number")
    };
    eventually("the entries", async || {
        (count(&other).await == 1 && count(&loud).await >= REMEMBERED).then_some(())
    })
    .await;
    // A minute may have ended in between.
    assert!(count(&loud).await <= 2 * REMEMBERED);
}
