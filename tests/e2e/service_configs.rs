//! Configs of services: a real agent reads and writes them when the edge asks.
use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::services::{add, listed, runner};
use crate::support::account::Account;
use crate::support::stack::Stack;
use crate::support::team::{allow, join};
use crate::support::wait::eventually;

/// The contract's largest file, in bytes.
const MOST: usize = 102_400;

const CONFIG: &str = "/api/services/web/configs/config.yaml";

/// What the log has of configs that were written, newest first.
async fn edits(owner: &Account) -> Vec<Value> {
    let log = owner.get("/api/audit?action=service.config.edit").await.ok();
    log["entries"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_config_is_read_and_replaced_whole_with_what_it_was_beside_it() {
    let owner = Account::new(Stack::shared().await).await;
    let (agent, directory) = runner(&owner, "configs").await;
    let before = "on: off # kept as it is\n";
    add(
        &directory,
        "web",
        &[("config.yaml", before), ("scripts.yaml", "scripts: []\n")],
    );
    agent.start().await;
    listed(&owner, &["web"]).await;

    let list = owner.get("/api/services/web/configs").await.ok();
    let entry = |name: &str, exists: bool| json!({"name": name, "exists": exists});
    let expected = [
        entry("config.yaml", true),
        entry("instance.yaml", false),
        entry("outputs.yaml", false),
        entry("scripts.yaml", true),
    ];
    assert_eq!(list, json!({"service_dir": "/services/web", "configs": expected}));
    let read = async || owner.get(CONFIG).await.ok();
    assert_eq!(read().await, json!({"filename": "config.yaml", "content": before}));

    // Exactly as much as may be is written; of a byte more, of what is no YAML and of links nothing is.
    let largest = format!("a: {}\n", "ü".repeat((MOST - 4) / 2));
    assert_eq!(largest.len(), MOST);
    let write = async |path: &str, content: &str| owner.put(path, json!({"content": content})).await;
    let saved = write(CONFIG, &largest).await.ok();
    assert_eq!(saved, json!({"status": "saved", "filename": "config.yaml"}));
    let file = |name: &str| fs::read_to_string(directory.join("web").join(name)).unwrap_or_default();
    assert_eq!(
        (file("config.yaml"), file("config.yaml.backup")),
        (largest.clone(), before.to_owned())
    );
    assert_eq!(read().await["content"], largest, "it takes several parts");

    let too_large = write(CONFIG, &format!("{largest} ")).await;
    assert_eq!(
        too_large.body["fields"],
        json!([{"field": "content", "message": "must have at most 102400 bytes"}])
    );
    assert_eq!(too_large.refusal(), (400, "Content too large".to_owned()));
    for (content, reason) in [("a: [", ""), ("a: 1\na: 2\n", "line 2"), ("a: 1\n---\nb: 2\n", "")] {
        let (status, text) = write(CONFIG, content).await.refusal();
        assert_eq!(status, 400);
        assert!(text.starts_with("Invalid YAML: ") && text.contains(reason), "{text}");
    }
    assert_eq!(
        owner.put(CONFIG, json!({})).await.refusal(),
        (400, "content is required".to_owned())
    );
    assert_eq!(
        (file("config.yaml"), file("config.yaml.backup")),
        (largest, before.to_owned())
    );

    // What was not there is made, and soon listed.
    write("/api/services/web/configs/instance.yaml", "instances: []\n")
        .await
        .ok();
    assert_eq!(file("instance.yaml"), "instances: []\n");
    eventually("the new config in the list", async || {
        let list = owner.get("/api/services/web/configs").await.ok();
        (list["configs"][1]["exists"] == true).then_some(())
    })
    .await;

    let log = edits(&owner).await;
    let of = |entry: &Value| {
        (
            entry["resource"].clone(),
            entry["status"].clone(),
            entry["username"].clone(),
        )
    };
    let path = |name: &str| {
        (
            json!(format!("services/web/configs/{name}")),
            json!("success"),
            json!(owner.username),
        )
    };
    let entries: Vec<_> = log.iter().map(of).collect();
    assert_eq!(entries, [path("instance.yaml"), path("config.yaml")], "{log:#?}");
    assert_eq!(log[0]["details"], json!({"agent_id": agent.agent_id}));
}

#[tokio::test]
async fn nothing_outside_of_a_service_is_read_or_written_as_a_config() {
    let owner = Account::new(Stack::shared().await).await;
    let (agent, directory) = runner(&owner, "confined").await;
    let secret = agent.file("secret.yaml");
    fs::write(&secret, "secret: 1\n").expect("it is ours");
    add(&directory, "web", &[("other.yaml", "")]);
    symlink(&secret, directory.join("web/outputs.yaml")).expect("it is ours");
    agent.start().await;
    listed(&owner, &["web"]).await;
    for name in [
        "evil.yaml",
        "other.yaml",
        "deploy.sh",
        "config.yaml.backup",
        "..%2f..%2fsecret.yaml",
        "..%2fsecret.yaml",
        "%2fetc%2fpasswd",
        "config.yaml%00",
        "config.yaml%0a",
        "%2e%2e",
    ] {
        let path = format!("/api/services/web/configs/{name}");
        for answer in [
            owner.get(&path).await,
            owner.put(&path, json!({"content": "a: 1\n"})).await,
        ] {
            let (status, text) = answer.refusal();
            // A client, or the platform, takes a path of dots for another path.
            assert!(matches!(status, 400 | 404 | 405), "{name}: {status} {text}");
        }
    }
    let linked = "/api/services/web/configs/outputs.yaml";
    let traversal = (400, "Path traversal detected".to_owned());
    assert_eq!(owner.get(linked).await.refusal(), traversal);
    assert_eq!(
        owner.put(linked, json!({"content": "a: 1\n"})).await.refusal(),
        traversal
    );
    let not_allowed = owner.get("/api/services/web/configs/evil.yaml").await;
    assert_eq!(
        not_allowed.refusal(),
        (400, "File 'evil.yaml' is not allowed".to_owned())
    );
    let absent = owner.get(CONFIG).await;
    assert_eq!(absent.refusal(), (404, "File 'config.yaml' not found".to_owned()));
    for name in ["nothing", "..%2fweb", ".."] {
        let path = format!("/api/services/{name}/configs/config.yaml");
        assert_eq!(owner.get(&path).await.status, 404, "{name}");
    }
    assert_eq!(fs::read_to_string(&secret).expect("it is there"), "secret: 1\n");
    let mut left: Vec<_> = fs::read_dir(directory.join("web"))
        .expect("it is there")
        .map(|entry| entry.expect("it is there").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["deploy.sh", "other.yaml", "outputs.yaml"]);
    assert_eq!(edits(&owner).await, [json!(null); 0]);
}

#[tokio::test]
async fn while_a_runner_is_away_its_configs_are_listed_and_neither_read_nor_written() {
    let owner = Account::new(Stack::shared().await).await;
    let (agent, directory) = runner(&owner, "away").await;
    add(&directory, "web", &[("config.yaml", "a: 1\n")]);
    agent.start().await;
    listed(&owner, &["web"]).await;
    agent.kill();
    agent.becomes("offline").await;
    let away = (503, "Runner is not connected".to_owned());
    assert_eq!(owner.get(CONFIG).await.refusal(), away);
    assert_eq!(owner.put(CONFIG, json!({"content": "a: 2\n"})).await.refusal(), away);
    let list = owner.get("/api/services/web/configs").await.ok();
    assert_eq!(list["configs"][0], json!({"name": "config.yaml", "exists": true}));
    assert_eq!(
        fs::read_to_string(directory.join("web/config.yaml")).expect("it is there"),
        "a: 1\n"
    );
    assert_eq!(edits(&owner).await, [json!(null); 0]);
    agent.start().await;
    owner.put(CONFIG, json!({"content": "a: 2\n"})).await.ok();
    assert_eq!(owner.get(CONFIG).await.ok()["content"], "a: 2\n");
}

#[tokio::test]
async fn of_two_runners_with_one_name_each_has_its_own_config() {
    let owner = Account::new(Stack::shared().await).await;
    let mut runners = Vec::new();
    for name in ["first", "second"] {
        let (agent, directory) = runner(&owner, name).await;
        add(
            &directory,
            "web",
            &[("config.yaml", &format!("is: {}\n", agent.agent_id))],
        );
        agent.start().await;
        runners.push((agent, directory));
    }
    runners.sort_by_key(|(agent, _)| agent.machine_id.clone());
    listed(&owner, &["web", &format!("web@{}", runners[1].0.agent_id)]).await;
    let content = async |address: &str| {
        let path = format!("/api/services/{address}/configs/config.yaml");
        owner.get(&path).await.ok()["content"].take()
    };
    for (agent, _) in &runners {
        let expected = format!("is: {}\n", agent.agent_id);
        assert_eq!(content(&format!("web@{}", agent.agent_id)).await, expected);
    }
    assert_eq!(content("web").await, format!("is: {}\n", runners[0].0.agent_id));
    let second = format!("/api/services/web@{}/configs/config.yaml", runners[1].0.agent_id);
    owner.put(&second, json!({"content": "is: new\n"})).await.ok();
    let read = |at: usize| fs::read_to_string(runners[at].1.join("web/config.yaml")).expect("it is there");
    assert_eq!(
        (read(0), read(1)),
        (format!("is: {}\n", runners[0].0.agent_id), "is: new\n".to_owned())
    );
}

#[tokio::test]
async fn configs_are_read_and_written_by_those_who_may_and_are_nobodys_in_another_organization() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (agent, directory) = runner(&owner, "rights").await;
    add(&directory, "web", &[("config.yaml", "a: 1\n")]);
    agent.start().await;
    listed(&owner, &["web"]).await;
    let body = json!({"content": "a: 2\n"});
    let stranger = Account::new(stack).await;
    let absent = (404, "Service not found".to_owned());
    for path in [
        CONFIG.to_owned(),
        format!("/api/services/web@{}/configs/config.yaml", agent.agent_id),
    ] {
        assert_eq!(stranger.get(&path).await.refusal(), absent);
        assert_eq!(stranger.put(&path, body.clone()).await.refusal(), absent);
    }
    assert_eq!(stranger.get("/api/services/web/configs").await.refusal(), absent);

    let with = async |permission: &str| {
        let colleague = join(stack, &owner, "user").await;
        allow(&owner, &colleague, &[permission]).await;
        colleague
    };
    let view = (403, "Permission denied: services.config.view".to_owned());
    let edit = (403, "Permission denied: services.config.edit".to_owned());
    let looks = with("services.view").await;
    assert_eq!(looks.get("/api/services/web/configs").await.refusal(), view);
    let reads = with("services.config.view").await;
    assert_eq!(reads.get(CONFIG).await.ok()["content"], "a: 1\n");
    assert_eq!(reads.put(CONFIG, body.clone()).await.refusal(), edit);
    let config = directory.join("web/config.yaml");
    assert_eq!(fs::read_to_string(&config).expect("it is there"), "a: 1\n");
    let edits_it = with("services.config.edit").await;
    assert_eq!(edits_it.get(CONFIG).await.refusal(), view);
    edits_it.put(CONFIG, body).await.ok();
    assert_eq!(edits(&owner).await[0]["username"], edits_it.username);
}
