//! One organization learns nothing of another. These tests walk the API document, so a new route is covered the day it
//! is written; one with a new kind of parameter fails until it is named here.
use reqwest::Method;
use serde_json::json;

use crate::support::account::{Account, send};
use crate::support::agent::{Agent, World, alerted, entered, job, logged, recording, requested, schedule, written};
use crate::support::openapi::operations;
use crate::support::team::join;
use crate::support::viewer::Viewer;

/// A service of another organization, and one of nobody's.
const FOREIGN: &str = "isolated-service";
const UNKNOWN: &str = "unheard-of-service";

#[tokio::test]
async fn no_operation_answers_without_a_token_except_those_that_say_so() {
    let owner = &World::shared().await.owner;
    let mut checked = 0;
    for operation in operations(&owner.anonymous)
        .await
        .into_iter()
        .filter(|operation| !operation.public)
    {
        let path = operation.path_with(|_| "000000000000".to_owned());
        let mut request = owner.anonymous.request(operation.method.clone(), &path);
        if operation.takes_body {
            request = request.json(&json!({}));
        }
        let (status, error) = send(request).await.refusal();
        assert_eq!(status, 401, "{} {path}: {error}", operation.method);
        checked += 1;
    }
    assert!(checked >= 8, "the API document lists its routes");
}

#[tokio::test]
async fn what_belongs_to_another_organization_is_answered_like_what_does_not_exist() {
    let world = World::shared().await;
    let stranger = Account::new(world.stack).await;
    let session = "isolation-1";
    let mut viewer = Viewer::attached(&world.owner, &world.agent, session).await;

    let group = world.owner.post("/api/groups", json!({"name": "isolated"})).await.ok();
    let group = group["id"].as_str().expect("an id").to_owned();

    let key = world
        .owner
        .post("/api/api-keys", json!({"name": "isolated"}))
        .await
        .ok();
    let key = key["id"].as_str().expect("an id").to_owned();

    let roles = world.owner.get("/api/roles").await.ok();
    let role = roles["roles"][5]["id"].as_i64().expect("the system role").to_string();

    let recording = recording(world, session).await;
    let request = requested(world).await;
    let (issue, fix, comment) = written(world).await;

    let colleague = join(world.stack, &world.owner, "user").await;
    let path = format!("/api/terminal/sessions/{session}/shares");
    let shared = world
        .owner
        .post(&path, json!({"username": colleague.username}))
        .await
        .body;
    let share = shared["share"]["id"].as_str().expect("an id").to_owned();

    let (rule, alert, webhook, delivery) = alerted(world).await;

    let command = format!("/api/machines/{}/command", world.agent.agent_id);
    let command = world.owner.post(&command, json!({"command": "true"})).await.ok();
    let command = command["command_id"].as_str().expect("an id").to_owned();
    let log_key = logged(world, &command).await;

    // What a runner tells of; this one is none.
    let machine = &world.agent.machine_id;
    world.stack.sql(&format!(
        "INSERT INTO runners VALUES ('{machine}', 0, '2026-01-01T00:00:00.000Z')"
    ));
    world.stack.sql(&format!(
        "INSERT INTO services SELECT id, '{FOREIGN}', organization_id, 1, 1, '{{\"scripts\":[],\"configs\":[],\"hosts\":[\"{FOREIGN}\"]}}' FROM machines WHERE id = '{machine}'"
    ));
    world.owner.get(&format!("/api/services/{FOREIGN}")).await.ok();
    // What providers have said to both just now: the stranger's has nothing.
    for account in [&world.owner, &stranger] {
        world.stack.sql(&format!(
            "INSERT INTO clouds (organization_id, key_sealed, key_set_at, key_set_by, listed_at)
             SELECT organization_id, '', '', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM users WHERE id = '{}'",
            account.id
        ));
    }
    world.stack.sql(&format!(
        "INSERT INTO instances SELECT organization_id, 'a', 'a', '{FOREIGN}', 'mel', '', '', '', 'running', '[]' FROM users WHERE id = '{}'",
        world.owner.id
    ));
    let job = job(world, "15014ab1");
    world.owner.get(&format!("/api/jobs/{job}")).await.ok();
    let schedule = schedule(world, "15014ab10000000000000000");
    world.owner.get(&format!("/api/schedules/{schedule}")).await.ok();

    let entered = entered(world, "strangers").await;
    let owned = json!({"slug": FOREIGN, "label": "Foreign", "fields": [{"name": "name", "type": "string"}]});
    assert_eq!(world.owner.post("/api/inventory/types", owned).await.status, 201);

    // Of each kind of parameter: the owner's, and one of the same form that nobody has.
    let ids = |name: &str| match name {
        "agent_id" => (world.agent.agent_id.clone(), "00000000000a".to_owned()),
        "machine_id" => (world.agent.machine_id.clone(), "00000000000000000000000a".to_owned()),
        "session_id" => (session.to_owned(), "isolation-2".to_owned()),
        "log_key" => (log_key.clone(), "999999999".to_owned()),
        "command_id" => (command.clone(), "cmd_00000000000000000000000a".to_owned()),
        "group_id" => (group.clone(), "00000000000000000000000a".to_owned()),
        "organization_id" => (world.owner.username.clone(), "nowhere".to_owned()),
        "key_id" => (key.clone(), "00000000000000000000000a".to_owned()),
        "user_id" => (world.owner.id.clone(), "00000000000000000000000a".to_owned()),
        "role_id" => (role.clone(), "999999999".to_owned()),
        "recording_id" => (recording.clone(), "00000000000000000000000a".to_owned()),
        "issue_id" => (issue.clone(), "00000000000000000000000a".to_owned()),
        "fix_id" => (fix.clone(), "00000000000000000000000a".to_owned()),
        "comment_id" => (comment.clone(), "00000000000000000000000a".to_owned()),
        "request_id" => (request.clone(), "00000000000000000000000a".to_owned()),
        "share_id" => (share.clone(), "00000000000000000000000a".to_owned()),
        "rule_id" => (rule.clone(), "00000000000000000000000a".to_owned()),
        "alert_id" => (alert.clone(), "00000000000000000000000a".to_owned()),
        "webhook_id" => (webhook.clone(), "00000000000000000000000a".to_owned()),
        "delivery_id" => (delivery.clone(), "00000000000000000000000a".to_owned()),
        "offset" => ("0".to_owned(), "0".to_owned()),
        "schedule_id" => (schedule.clone(), "00000000000000000000000a".to_owned()),
        "job_id" => (job.clone(), "0000000a".to_owned()),
        "slug" => (FOREIGN.to_owned(), UNKNOWN.to_owned()),
        "type_slug" => (FOREIGN.to_owned(), UNKNOWN.to_owned()),
        "object_id" => (entered.0.clone(), "999999999".to_owned()),
        "action" => ("refresh".to_owned(), "refresh".to_owned()),
        "tag_id" => (entered.1.clone(), "999999999".to_owned()),
        "permission_id" => (entered.2.clone(), "999999999".to_owned()),
        "acl_id" => (entered.3.clone(), "999999999".to_owned()),
        "name" | "label" | "hostname" => (FOREIGN.to_owned(), UNKNOWN.to_owned()),
        "region" => ("mel".to_owned(), "mel".to_owned()),
        "subdir" => ("inputs".to_owned(), "inputs".to_owned()),
        "file_name" => ("a.txt".to_owned(), "a.txt".to_owned()),
        "config" => ("config.yaml".to_owned(), "config.yaml".to_owned()),
        other => panic!("say here what a foreign {other} is"),
    };
    let mut checked = 0;
    for operation in operations(&stranger.anonymous).await {
        // A token in a path is itself what proves the right, and so is the name of a picture. A file is for everybody.
        if matches!(
            operation.parameters()[..],
            [] | ["token"] | ["avatar_id"] | ["image_id"] | ["filename"]
        ) {
            continue;
        }
        let ask = async |path: String| {
            let request = stranger.request(operation.method.clone(), &path);
            send(match operation.least_body() {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
        };
        // All organizations have this type, each its own: a thing of it is foreign all the same.
        let is_thing = operation.parameters().contains(&"object_id");
        let ids = |name: &str| match name {
            "type_slug" if is_thing => ("server".to_owned(), "server".to_owned()),
            name => ids(name),
        };
        let foreign = ask(operation.path_with(|name| ids(name).0)).await;
        let unknown = ask(operation.path_with(|name| ids(name).1)).await;
        assert_eq!(foreign.status, unknown.status, "{operation:?}");
        // What says again which service was asked for says it of both.
        let [foreign_says, unknown_says] =
            [(&foreign, FOREIGN), (&unknown, UNKNOWN)].map(|(answer, name)| answer.body.to_string().replace(name, "?"));
        assert_eq!(foreign_says, unknown_says, "{operation:?}");
        // An administrator of one organization has nothing to ask about organizations as such.
        let expected = if operation.path.starts_with("/api/admin/") || operation.path.starts_with("/v1/organizations/")
        {
            403
        } else if ["/v1/sessions/{session_id}/ws", "/api/jobs/ws/{job_id}"].contains(&operation.path.as_str()) {
            // Who is there is only said in the socket (`v1_sessions.rs`, `jobs.rs`).
            426
        } else if ["/api/services/{name}/outputs", "/api/jobs/{job_id}/stream"].contains(&operation.path.as_str()) {
            // As published, what there is not has none, and the stream says that there is no such job.
            200
        } else {
            404
        };
        assert_eq!(foreign.status, expected, "{operation:?}: {foreign:?}");
        checked += 1;
    }
    assert!(checked >= 6, "the API document lists its routes");

    assert_eq!(stranger.get("/api/machines").await.ok()["machines"], json!([]));
    assert_eq!(stranger.get("/api/machines?search=shared").await.ok()["total"], 0);
    assert_eq!(stranger.get("/api/terminal/sessions").await.ok()["sessions"], json!([]));
    assert_eq!(stranger.get("/api/commands").await.ok()["commands"], json!([]));
    let tenant = format!("/api/machines?tenant_id={}", world.owner.username);
    assert_eq!(
        stranger.get(&tenant).await.ok()["machines"],
        json!([]),
        "only a super administrator chooses"
    );

    // The stranger has changed nothing.
    assert_eq!(
        world
            .owner
            .get(&format!("/api/machines/{}", world.agent.agent_id))
            .await
            .ok()["status"],
        "online"
    );
    viewer.run("echo still-$((40+2))", "still-42").await;
}

#[tokio::test]
async fn a_session_name_that_another_organization_uses_is_free_here() {
    let world = World::shared().await;
    let stranger = Account::new(world.stack).await;
    let theirs = Agent::new(&stranger, "theirs").await;
    let (mut ours, mut other) = (
        Viewer::attached(&world.owner, &world.agent, "same-name").await,
        Viewer::attached(&stranger, &theirs, "same-name").await,
    );
    ours.run("echo ours-$((1+1))", "ours-2").await;
    other.run("echo theirs-$((2+2))", "theirs-4").await;
    assert!(!ours.text().contains("theirs-") && !other.text().contains("ours-"));

    stranger.delete("/api/terminal/sessions/same-name").await.ok();
    assert_eq!(other.wait_closed().await.0, 4008);
    ours.run("echo still-$((1+2))", "still-3").await;
    let listed = world.owner.get("/api/terminal/sessions").await.ok();
    let listed = listed["sessions"].as_array().expect("a list").clone();
    assert_eq!(
        listed
            .iter()
            .filter(|session| session["session_id"] == "same-name")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_token_of_one_account_reads_only_that_account() {
    let world = World::shared().await;
    let stranger = Account::new(world.stack).await;
    let me = send(stranger.request(Method::GET, "/api/auth/me")).await.ok();
    assert_eq!(me["id"], stranger.id);
    assert!(!me.to_string().contains(&world.owner.api_key));
}
