//! From where an organization's people may come.
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::support::account::{Account, Answer, send};
use crate::support::agent::Agent;
use crate::support::stack::Stack;
use crate::support::team::{join, super_admin};
use crate::support::viewer::{Viewer, open, stream_headers};
use crate::support::wait::eventually;

/// What the network in front of the Worker would say.
const FROM: &str = "cf-connecting-ip";

const INSIDE: &str = "203.0.113.9";

const OUTSIDE: &str = "198.51.100.9";

async fn ask(account: &Account, from: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = account.request(method, path).header(FROM, from);
    send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

async fn set(account: &Account, from: &str, body: Value) -> Answer {
    ask(account, from, Method::PUT, "/api/organization", Some(body)).await
}

async fn reads(account: &Account, from: &str) -> u16 {
    ask(account, from, Method::GET, "/api/machines", None).await.status
}

#[tokio::test]
async fn people_come_from_the_networks_of_their_organization_and_nobody_else_is_touched() {
    let stack = Stack::shared().await;
    let (admin, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let colleague = join(stack, &admin, "user").await;
    let root = join(stack, &admin, "super_admin").await;
    let networks = json!({"allowed_networks": ["203.0.113.0/24", "2001:DB8::/32"]});

    let (status, error) = set(&admin, OUTSIDE, networks.clone()).await.refusal();
    assert!(status == 400 && error.contains(OUTSIDE), "{error}");
    for (wrong, why) in [
        ("203.0.113.9/24", "write 203.0.113.0/24"),
        ("office", "such as 203.0.113.0/24"),
    ] {
        let (status, error) = set(&admin, INSIDE, json!({"allowed_networks": [wrong]}))
            .await
            .refusal();
        assert!(
            status == 400 && error.starts_with("allowed_networks ") && error.contains(why),
            "{error}"
        );
    }
    let many: Vec<String> = (0..101).map(|n| format!("10.0.{n}.0/24")).collect();
    assert_eq!(set(&admin, INSIDE, json!({"allowed_networks": many})).await.status, 400);

    let set_to = set(&admin, INSIDE, networks).await.ok();
    assert_eq!(set_to["allowed_networks"], json!(["203.0.113.0/24", "2001:db8::/32"]));
    for somebody in [&admin, &colleague] {
        assert_eq!(reads(somebody, INSIDE).await, 200);
        assert_eq!(reads(somebody, "2001:db8::7").await, 200);
        let answer = ask(somebody, OUTSIDE, Method::GET, "/api/machines", None).await;
        assert_eq!(answer.body["code"], "network_not_allowed");
        assert!(answer.refusal().1.contains(OUTSIDE));
    }
    let key = ask(
        &colleague,
        INSIDE,
        Method::POST,
        "/api/api-keys",
        Some(json!({"name": "ci"})),
    )
    .await
    .ok();
    let mut program = colleague.clone();
    program.token = key["key"].as_str().expect("a key").to_owned();
    assert_eq!(
        (reads(&program, INSIDE).await, reads(&program, OUTSIDE).await),
        (200, 403)
    );
    assert_eq!(
        (reads(&root, OUTSIDE).await, reads(&stranger, OUTSIDE).await),
        (200, 200)
    );

    eventually("the log to have who was refused", async || {
        let path = "/api/audit?action=denied";
        let log = ask(&admin, INSIDE, Method::GET, path, None).await.ok();
        let mut logs = log["logs"].as_array().expect("entries").clone().into_iter();
        logs.find(|entry| entry["ip_address"] == OUTSIDE && entry["username"] == json!(colleague.username))
    })
    .await;
    // Back from wherever they are: a super administrator lets them in again.
    let path = format!("/api/admin/organizations/{}", admin.username);
    ask(
        &root,
        OUTSIDE,
        Method::PUT,
        &path,
        Some(json!({"allowed_networks": []})),
    )
    .await
    .ok();
    assert_eq!(reads(&colleague, OUTSIDE).await, 200);
}

#[tokio::test]
async fn sockets_from_elsewhere_are_refused_and_those_that_are_open_end_when_the_networks_change() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let agent = Agent::new(&admin, "networked").await;
    let mut viewer = Viewer::new(&admin, &agent, "networked-1").coming_from(OUTSIDE);
    viewer.connect().await;
    viewer.wait_attached().await;
    viewer.run("echo one", "one").await;
    let networks = json!({"allowed_networks": ["203.0.113.0/24"]});
    set(&admin, INSIDE, networks).await.ok();
    viewer.wait_closed().await;

    let url = format!(
        "{}/api/terminal/{}/ws?session_id=networked-1&token={}",
        stack.url, agent.agent_id, admin.token
    );
    let with = |from: &'static str| {
        let mut headers: HeaderMap = stream_headers();
        headers.insert(FROM, from.parse().expect("a value"));
        headers
    };
    let (status, body) = open(&url, &with(OUTSIDE)).await.expect_err("no upgrade");
    assert!(status == 403 && body.contains("network_not_allowed"), "{body}");
    let mut back = Viewer::new(&admin, &agent, "networked-1").coming_from(INSIDE);
    back.connect().await;
    back.wait_attached().await;
    back.run("echo two", "two").await;
}

#[tokio::test]
async fn agents_come_from_anywhere_unless_the_organization_says_otherwise() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let root = super_admin(stack).await;
    let agent = Agent::new(&admin, "wandering").await;
    let path = format!("/api/admin/organizations/{}", admin.username);
    root.put(&path, json!({"allowed_networks": ["203.0.113.0/24"]}))
        .await
        .ok();
    agent.kill();
    agent.launch();
    // Its people are not let in from here, so nobody but the database can say it.
    let connected = format!(
        "SELECT 1 FROM machines WHERE agent_id = '{}' AND is_connected = 1",
        agent.agent_id
    );
    let linked = async || {
        let stands = agent.log().matches("the link stands").count() > 1;
        (stands && stack.sql(&connected).as_array().is_some_and(|rows| !rows.is_empty())).then_some(())
    };
    eventually("the agent to be back", linked).await;
    agent.kill();
    root.put(&path, json!({"networks_for_agents": true})).await.ok();
    agent.launch();
    eventually("the agent to be refused", async || {
        agent.log().contains("network address").then_some(())
    })
    .await;
}
