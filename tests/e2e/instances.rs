//! Instances at a provider: the list, costs, and stopping them, with a provider of the test's own.
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::services;
use crate::support::account::{Account, send};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{allow, join};
use crate::support::viewer::open;
use crate::support::vultr::{KEY, Vultr};
use crate::support::wait::{PATIENCE, eventually};

/// An edge that asks a provider of the test's own.
pub async fn edge() -> (Stack, Vultr, Account) {
    let vultr = Vultr::start().await;
    let stack = Stack::start(&[("VULTR_API_URL", &vultr.url)]).await;
    let owner = Account::new(&stack).await;
    (stack, vultr, owner)
}

pub async fn sets_key(owner: &Account) {
    let set = owner.put("/api/instances/provider", json!({"api_key": KEY})).await.ok();
    assert_eq!(
        (&set["configured"], &set["set_by"]),
        (&json!(true), &json!(owner.username))
    );
    assert!(!set.to_string().contains(KEY));
}

/// Starts a job and waits for its end: the job, and what it has written.
pub async fn runs(owner: &Account, path: &str, body: Value) -> (Value, Vec<String>) {
    let mut started = owner.post(path, body).await.ok();
    let id = take(&mut started, "job_id").as_str().expect("an id").to_owned();
    assert!(hex(&id, 8), "{id}");
    assert_eq!(started, json!({"status": "running"}));
    over(owner, &id).await
}

pub async fn over(owner: &Account, id: &str) -> (Value, Vec<String>) {
    let job = eventually("the job to be over", async || {
        let job: Value = owner.get(&format!("/api/jobs/{id}")).await.ok();
        (job["status"] != "running").then_some(job)
    })
    .await;
    let lines = job["output"].as_array().expect("lines").iter();
    let lines = lines.map(|line| line.as_str().expect("a line").to_owned()).collect();
    (job, lines)
}

async fn newest_entry(owner: &Account, action: &str) -> (Value, Value) {
    let mut log = owner.get(&format!("/api/audit?action={action}")).await.ok();
    let mut entry = log["entries"][0].take();
    (take(&mut entry, "resource"), take(&mut entry, "details"))
}

/// The servers of the inventory are as the instances are.
const SYNCED: &str = "[Inventory objects synced]";

const LIST: [&str; 3] = [
    "$ GET /v2/instances?per_page=500",
    "1 instance",
    "[Inventory cached successfully]",
];

#[tokio::test]
async fn instances_are_listed_page_by_page_and_kept_without_secrets() {
    let (_stack, vultr, owner) = edge().await;
    let before = owner.get("/api/instances").await.ok();
    assert_eq!(
        before,
        json!({"instances": {}, "cached_at": null, "age_seconds": null, "left_out": 0, "configured": false})
    );
    // Without a key the job says what to do.
    let (job, lines) = runs(&owner, "/api/instances/refresh", json!({})).await;
    assert_eq!(
        (&job["service"], &job["action"], &job["status"], &job["exit_code"]),
        (&json!("inventory"), &json!("refresh"), &json!("failed"), &Value::Null)
    );
    assert_eq!(lines[0], "--- Generating inventory ---");
    assert!(
        lines[1].contains("no key of Vultr is set") && lines.len() == 2,
        "{lines:#?}"
    );

    sets_key(&owner).await;
    for (label, region, tags) in [
        ("my web", "mel", &["web", "eu"][..]),
        ("db", "fra", &["web"]),
        ("db", "mel", &[]),
    ] {
        vultr.adds(label, region, tags);
    }
    vultr.pages_of(2);
    let (job, lines) = runs(&owner, "/api/instances/refresh", json!({})).await;
    assert_eq!(
        lines,
        [
            "--- Generating inventory ---",
            "$ GET /v2/instances?per_page=500",
            "$ GET /v2/instances?per_page=500&cursor=bmV4dA%3D%3D2",
            "3 instances",
            "$ GET /v2/plans?per_page=500",
            "[Plan pricing cached]",
            "[Inventory cached successfully]",
            "[Inventory objects synced]"
        ]
    );
    assert_eq!(job["status"], "completed");
    assert_eq!(
        newest_entry(&owner, "instance.refresh").await,
        (json!("instances"), json!({}))
    );

    let mut list = owner.get("/api/instances").await.ok();
    assert!(is_recent(&take(&mut list, "cached_at")));
    let hosts = &list["instances"]["all"]["hosts"];
    // Two are called db.example.
    assert_eq!(hosts.as_object().expect("hosts").len(), 3);
    assert_eq!(
        hosts["my-web.example"],
        json!({
            "ansible_host": "192.0.2.1", "vultr_id": "cb676a46-66fd-4dfb-b839-000000000001", "vultr_label": "my web",
            "vultr_region": "mel", "vultr_plan": "vc2-1c-1gb", "vultr_os": "Ubuntu 24.04 LTS x64", "vultr_power_status": "running",
            "vultr_power": "running", "vultr_tags": ["web", "eu"]
        })
    );
    let children = list["instances"]["all"]["children"].as_object().expect("groups");
    assert_eq!(children.keys().collect::<Vec<_>>(), ["eu", "web"]);
    assert_eq!(children["web"]["hosts"].as_object().expect("hosts").len(), 2);
    assert!(!list.to_string().contains("hunter2") && !list.to_string().contains("novnc"));

    let stranger = Account::new(&_stack).await;
    assert_eq!(stranger.get("/api/instances").await.ok()["instances"], json!({}));
    assert_eq!(stranger.get("/api/costs").await.ok()["instances"], json!([]));
}

#[tokio::test]
async fn a_refresh_by_get_counts_for_a_header_only() {
    let (_stack, _vultr, owner) = edge().await;
    let path = "/api/instances/refresh";
    let asked = owner.request(Method::GET, path).send().await.expect("an answer");
    assert_eq!(asked.status(), 200);
    assert_eq!(asked.headers()["cache-control"], "no-store");
    let started: Value = asked.json().await.expect("JSON");
    over(&owner, started["job_id"].as_str().expect("an id")).await;

    // As the console asks: the cookie opens what it may, and not this.
    let by_cookie = |method, path: &str| {
        let request = owner.anonymous.request(method, path).header("x-vsay-console", "1");
        let port = owner.anonymous.url.rsplit(':').next().expect("a port").to_owned();
        request.header("cookie", format!("vsay-session-{port}={}", owner.token))
    };
    send(by_cookie(Method::GET, "/api/instances")).await.ok();
    assert_eq!(send(by_cookie(Method::GET, path)).await.refusal().0, 401);
    send(by_cookie(Method::POST, path)).await.ok();

    // Nor does a key that may only read.
    let scope = json!({"name": "reads", "scope": "read"});
    let key = owner.post("/api/api-keys", scope).await.ok();
    let key = key["key"].as_str().expect("a key");
    let read = owner.anonymous.request(Method::GET, path).bearer_auth(key);
    assert_eq!(send(read).await.refusal().0, 403);
}

#[tokio::test]
async fn an_instance_is_halted_and_stays_and_destroyed_only_by_its_label() {
    let (_stack, vultr, owner) = edge().await;
    sets_key(&owner).await;
    let id = vultr.adds("my web", "mel", &[]);
    let path = "/api/instances/my%20web/mel/stop";
    let (job, lines) = runs(&owner, path, json!({})).await;
    assert_eq!(
        (&job["service"], &job["action"], &job["status"]),
        (&json!("my web"), &json!("stop_instance"), &json!("completed"))
    );
    let mut expected = vec!["--- Stopping instance: my web (mel) ---"];
    expected.extend(LIST);
    expected.extend(["$ POST /v2/instances/halt", "Stopped my web (mel)", SYNCED]);
    assert_eq!(lines, expected);
    assert_eq!(vultr.power_of(&id).as_deref(), Some("stopped"));
    let details = json!({"label": "my web", "region": "mel"});
    assert_eq!(
        newest_entry(&owner, "instance.stop").await,
        (json!("instances/my web"), details.clone())
    );
    let list = owner.get("/api/instances").await.ok();
    let host = &list["instances"]["all"]["hosts"]["my-web.example"];
    assert_eq!(host["vultr_power_status"], "stopped");
    // The same by the other path.
    let alias = json!({"label": "my web", "region": "mel"});
    let (_, lines) = runs(&owner, "/api/instances/stop", alias).await;
    assert_eq!(lines[lines.len() - 2..], ["my web (mel) is stopped already", SYNCED]);

    for (body, status, words) in [
        (
            json!({"label": "", "region": "mel"}),
            400,
            "label and region are required",
        ),
        (
            json!({"label": "my web", "region": ""}),
            400,
            "label and region are required",
        ),
        (json!({"label": "nothing", "region": "mel"}), 404, "Instance not found"),
        (
            json!({"label": "my web", "region": "mel", "destroy": true}),
            400,
            "To destroy an instance, confirm must be its label",
        ),
        (
            json!({"label": "my web", "region": "mel", "destroy": true, "confirm": "web"}),
            400,
            "To destroy an instance, confirm must be its label",
        ),
    ] {
        let refused = owner.post("/api/instances/stop", body).await.refusal();
        assert_eq!(refused, (status, words.to_owned()));
    }
    assert!(vultr.power_of(&id).is_some());

    let (job, lines) = runs(&owner, path, json!({"destroy": true, "confirm": "my web"})).await;
    assert_eq!(
        (&job["action"], &job["status"]),
        (&json!("destroy_instance"), &json!("completed"))
    );
    assert_eq!(lines[0], "--- Destroying instance: my web (mel) ---");
    assert_eq!(lines[lines.len() - 2..], ["[Instance removed from cache]", SYNCED]);
    assert_eq!(vultr.power_of(&id), None);
    assert_eq!(
        newest_entry(&owner, "instance.destroy").await,
        (json!("instances/my web"), details)
    );
    let list = owner.get("/api/instances").await.ok();
    assert_eq!(list["instances"]["all"]["hosts"], json!({}));
}

#[tokio::test]
async fn the_instances_of_a_service_are_those_with_its_name_for_a_tag() {
    let (stack, vultr, owner) = edge().await;
    sets_key(&owner).await;
    let (agent, directory) = services::runner(&owner, "runner").await;
    services::add(&directory, "web", &[]);
    agent.start().await;
    services::listed(&owner, &["web"]).await;
    let ids = [("a", &["web"][..]), ("b", &["eu", "web"]), ("c", &["website"])]
        .map(|(label, tags)| vultr.adds(label, "mel", tags));
    let (job, lines) = runs(&owner, "/api/services/web/stop", json!({})).await;
    assert_eq!(
        (&job["service"], &job["action"], &job["status"]),
        (&json!("web"), &json!("stop"), &json!("completed"))
    );
    assert_eq!(lines[0], "--- Generating inventory ---");
    assert_eq!(
        lines[lines.len() - 5..],
        [
            "--- Stopping web instances ---",
            "$ POST /v2/instances/halt",
            "Stopped a (mel)",
            "Stopped b (mel)",
            SYNCED
        ]
    );
    let power = |id: &String| vultr.power_of(id).expect("it is there");
    assert_eq!(ids.each_ref().map(power), ["stopped", "stopped", "running"]);
    let (resource, details) = newest_entry(&owner, "service.stop").await;
    assert_eq!(
        (resource, details),
        (json!("services/web"), json!({"job_id": job["id"]}))
    );
    let missing = owner.post("/api/services/db/stop", json!({})).await;
    assert_eq!(missing.refusal(), (404, "Service not found".to_owned()));

    let (job, lines) = runs(&owner, "/api/services/actions/stop-all", json!({})).await;
    assert_eq!((&job["service"], &job["action"]), (&json!("all"), &json!("stop_all")));
    assert!(
        lines.contains(&"--- Stopping all instances ---".to_owned()),
        "{lines:#?}"
    );
    assert_eq!(ids.each_ref().map(power), ["stopped"; 3]);
    assert_eq!(
        newest_entry(&owner, "system.stop_all").await,
        (json!("instances"), json!({}))
    );

    let colleague = join(&stack, &owner, "user").await;
    for (path, needs) in [
        ("/api/services/web/stop", "services.stop"),
        ("/api/services/actions/stop-all", "system.stop_all"),
        ("/api/instances/a/mel/stop", "instances.stop"),
        ("/api/instances/refresh", "instances.refresh"),
        ("/api/costs/refresh", "costs.refresh"),
    ] {
        let refused = colleague.post(path, json!({})).await.refusal();
        assert_eq!(refused, (403, format!("Permission denied: {needs}")));
    }
    allow(&owner, &colleague, &["services.stop", "jobs.view_own"]).await;
    runs(&colleague, "/api/services/web/stop", json!({})).await;
}

#[tokio::test]
async fn what_the_provider_refuses_is_said_in_its_words_and_what_passes_is_tried_again() {
    let (_stack, vultr, owner) = edge().await;
    let wrong = owner.put("/api/instances/provider", json!({"api_key": "wrong"})).await;
    assert!(!wrong.ok().to_string().contains("wrong"));
    let (job, lines) = runs(&owner, "/api/instances/refresh", json!({})).await;
    assert_eq!(job["status"], "failed");
    let last = lines.last().expect("a line");
    assert!(
        last.starts_with("[ERROR: Vultr answered 401") && last.ends_with("Invalid API token.]"),
        "{last}"
    );

    sets_key(&owner).await;
    vultr.adds("web", "mel", &[]);
    let busy = (429, "Rate limit reached.");
    vultr.fails(&[busy, (503, "Try again.")]);
    let (job, _) = runs(&owner, "/api/instances/refresh", json!({})).await;
    assert_eq!(job["status"], "completed");
    vultr.fails(&[busy; 4]);
    let (job, lines) = runs(&owner, "/api/instances/refresh", json!({})).await;
    assert_eq!(job["status"], "failed");
    assert!(
        lines.last().is_some_and(|line| line.contains("Rate limit reached.")),
        "{lines:#?}"
    );
    // What is known stays known.
    let list = owner.get("/api/instances").await.ok();
    assert!(list["instances"]["all"]["hosts"]["web.example"].is_object());

    let removed = owner.delete("/api/instances/provider").await.ok();
    assert_eq!(removed["configured"], false);
    assert_eq!(owner.get("/api/instances").await.ok()["instances"], json!({}));
    assert!(!owner.get("/api/audit").await.ok().to_string().contains(KEY));
    assert!(!_stack.log().contains(KEY));
}

#[tokio::test]
async fn costs_are_computed_until_they_are_asked_for() {
    let (_stack, vultr, owner) = edge().await;
    sets_key(&owner).await;
    vultr.adds("web", "mel", &["web"]);
    vultr.adds("db", "fra", &["web", "data"]);
    runs(&owner, "/api/instances/refresh", json!({})).await;
    let costs = owner.get("/api/costs").await.ok();
    assert_eq!(
        (&costs["source"], &costs["total_monthly_cost"]),
        (&json!("computed"), &json!(10.0))
    );
    assert_eq!(costs["account"], json!({"pending_charges": 0.0, "balance": 0.0}));

    let (job, lines) = runs(&owner, "/api/costs/refresh", json!({})).await;
    assert_eq!((&job["service"], &job["action"]), (&json!("costs"), &json!("refresh")));
    assert_eq!(lines[0], "--- Fetching cost data from Vultr ---");
    assert_eq!(
        lines.last().map(String::as_str),
        Some("[Cost data cached successfully]")
    );
    assert_eq!(newest_entry(&owner, "costs.refresh").await, (json!("costs"), json!({})));
    let costs = owner.get("/api/costs").await.ok();
    assert_eq!(costs["source"], "playbook");
    assert_eq!(costs["account"], json!({"pending_charges": 60.25, "balance": -100.55}));
    assert!(is_recent(&costs["generated_at"]));
    let by_tag = owner.get("/api/costs/by-tag").await.ok();
    assert_eq!(
        by_tag["tags"],
        json!([{"tag": "web", "monthly_cost": 10.0, "instance_count": 2}, {"tag": "data", "monthly_cost": 5.0, "instance_count": 1}])
    );
    let by_region = owner.get("/api/costs/by-region").await.ok();
    assert_eq!(by_region["by_region"], json!({"fra": 5.0, "mel": 5.0}));
}

#[tokio::test]
async fn a_job_of_the_edge_is_watched_live_and_called_off_between_two_steps() {
    let (stack, vultr, owner) = edge().await;
    sets_key(&owner).await;
    // More than one request halts.
    let ids: Vec<String> = (0..25).map(|n| vultr.adds(&format!("web-{n}"), "mel", &[])).collect();
    vultr.holds(true);
    let started = owner.post("/api/services/actions/stop-all", json!({})).await.ok();
    let id = started["job_id"].as_str().expect("an id").to_owned();
    let url = format!("{}/api/jobs/ws/{id}?token={}", owner.anonymous.url, owner.token);
    let mut socket = open(&url, &HeaderMap::new()).await.expect("an upgrade");
    let mut frames = Vec::new();
    let mut called_off = false;
    loop {
        let message = timeout(PATIENCE, socket.next())
            .await
            .expect("a message in time")
            .expect("a frame");
        match message.expect("no fault") {
            Message::Text(text) => frames.push(serde_json::from_str::<Value>(&text).expect("JSON")),
            Message::Close(_) => break,
            _ => continue,
        }
        // It waits for the provider, and this is what it has said so far.
        if !called_off
            && frames
                .last()
                .is_some_and(|frame| frame["data"] == "$ POST /v2/instances/halt")
        {
            called_off = true;
            let cancelled = owner.delete(&format!("/api/jobs/{id}")).await.ok();
            assert_eq!(cancelled, json!({"status": "cancelled", "job_id": id}));
            vultr.holds(false);
        }
    }
    let (job, lines) = over(&owner, &id).await;
    assert_eq!((&job["status"], &job["cancelled"]), (&json!("failed"), &json!(true)));
    assert_eq!(lines.last(), Some(&format!("[CANCELLED by {}]", owner.username)));
    let said: Vec<&str> = frames.iter().filter_map(|frame| frame["data"].as_str()).collect();
    assert_eq!(said, lines);
    assert_eq!(frames.last(), Some(&json!({"type": "done", "status": "failed"})));
    // What was asked for before is done, and the rest is not.
    let stopped = ids
        .iter()
        .filter(|id| vultr.power_of(id).as_deref() == Some("stopped"))
        .count();
    assert_eq!(stopped, 20);
    let events = owner.request(Method::GET, &format!("/api/jobs/{id}/stream"));
    let events = events.send().await.expect("an answer").text().await.expect("all of it");
    assert!(events.ends_with("event: done\r\ndata: failed\r\n\r\n"), "{events}");

    // One whose work was lost is ended by the clock.
    stack.sql(&format!(
        "UPDATE jobs SET status = 'running', finished_at = NULL, cancelled_by = NULL, started_at = '2026-01-10T00:00:00.000Z' WHERE id = '{id}'"
    ));
    stack.scheduled("2026-01-10T00:03:00Z");
    let (job, lines) = over(&owner, &id).await;
    assert_eq!(job["status"], "failed");
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with("[ERROR: the edge was interrupted")),
        "{lines:#?}"
    );
}
