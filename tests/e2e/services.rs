//! Services of runners: a real agent with a directory of them.
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::agent::Agent;
use crate::support::redact::{is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{allow, join};
use crate::support::wait::eventually;

pub fn add(directory: &Path, name: &str, files: &[(&str, &str)]) {
    for (file, text) in [&[("deploy.sh", "")], files].concat() {
        let file = directory.join(name).join(file);
        fs::create_dir_all(file.parent().expect("a folder")).expect("it is ours");
        fs::write(file, text).expect("it is ours");
    }
}

/// A machine whose agent is a runner.
pub async fn runner(owner: &Account, name: &str) -> (Agent, PathBuf) {
    let agent = Agent::enrolled(owner, name, &owner.anonymous.url).await;
    let directory = agent.file("services");
    fs::create_dir(&directory).expect("it is ours");
    agent.has_services_in(&directory);
    (agent, directory)
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|item| item["name"].as_str().expect("a name")).collect()
}

/// The services, once they are these.
pub async fn listed(account: &Account, expected: &[&str]) -> Value {
    eventually(&format!("the services {expected:?}"), async || {
        let services = account.get("/api/services").await.ok()["services"].take();
        (names(&services) == expected).then_some(services)
    })
    .await
}

#[tokio::test]
async fn services_are_listed_as_the_runner_has_them_and_stay_when_it_is_gone() {
    let owner = Account::new(Stack::shared().await).await;
    let (agent, directory) = runner(&owner, "runner").await;
    let instance = "instances:\n  - {label: web, region: fra, tags: [a]}\n";
    let scripts = "scripts:\n  - {name: deploy, label: Roll out, file: deploy.sh}\n";
    add(
        &directory,
        "web",
        &[("instance.yaml", instance), ("scripts.yaml", scripts)],
    );
    let asking = "- hosts: all\n  vars_prompt: [{name: sure}]\n";
    add(
        &directory,
        "db",
        &[("outputs/temp_inventory.yaml", "all: {}\n"), ("main.yaml", asking)],
    );
    agent.start().await;
    let mut services = listed(&owner, &["db", "web"]).await;
    let mut web = services[1].take();
    let runner = take(&mut web, "runner");
    assert!(
        is_recent(&runner["told_at"]) && runner["age_seconds"].as_u64() < Some(60),
        "{runner:#}"
    );
    assert_eq!(
        (
            &runner["machine_id"],
            &runner["agent_id"],
            &runner["name"],
            &runner["online"]
        ),
        (
            &json!(agent.machine_id),
            &json!(agent.agent_id),
            &json!("runner"),
            &json!(true)
        )
    );
    assert_eq!(web["scripts"][0]["label"], "Roll out");
    assert_eq!(
        (&services[0]["asks"], &web["asks"]),
        (&json!(["main.yaml"]), &json!([]))
    );
    assert_eq!(web["configs"], json!(["instance.yaml", "scripts.yaml"]));
    assert_eq!(
        (&web["service_dir"], &web["has_instance"]),
        (&json!("/services/web"), &json!(true))
    );
    assert_eq!(
        services[0]["scripts"],
        json!([{"name": "deploy", "label": "Deploy", "file": "deploy.sh", "script": "deploy.sh"}])
    );
    let detail = owner.get("/api/services/web").await.ok();
    assert_eq!(detail["instance"]["instances"][0]["region"], "fra");
    let entry = json!({"label": "web", "hostname": "", "plan": "", "region": "fra", "os": "", "tags": ["a"]});
    assert_eq!(detail["instances"], json!([entry]));
    let deployed = owner.get("/api/services/active-deployments").await.ok();
    assert_eq!(names(&deployed["deployments"]), ["db"]);
    let unknown = owner.get("/api/services/nothing").await.refusal();
    assert_eq!(unknown, (404, "Service not found".to_owned()));

    add(&directory, "copied-in", &[]);
    listed(&owner, &["copied-in", "db", "web"]).await;
    agent.kill();
    agent.becomes("offline").await;
    let services = listed(&owner, &["copied-in", "db", "web"]).await;
    assert_eq!(services[0]["runner"]["online"], false);
    assert_eq!(owner.get("/api/services/web").await.ok()["runner"]["online"], false);

    // It comes back without a directory: it is no runner any more.
    agent.has_no_services();
    agent.start().await;
    listed(&owner, &[]).await;
}

#[tokio::test]
async fn the_second_runner_with_a_name_is_shown_under_its_own() {
    let owner = Account::new(Stack::shared().await).await;
    let mut agents = Vec::new();
    for name in ["first", "second"] {
        let (agent, directory) = runner(&owner, name).await;
        add(&directory, "web", &[]);
        agent.start().await;
        agents.push(agent);
    }
    agents.sort_by_key(|agent| agent.machine_id.clone());
    let second = format!("web@{}", agents[1].agent_id);
    let services = listed(&owner, &["web", &second]).await;
    for (service, agent) in services.as_array().expect("a list").iter().zip(&agents) {
        assert_eq!(
            (&service["conflict"], &service["runner"]["agent_id"]),
            (&json!(true), &json!(agent.agent_id))
        );
        let path = format!("/api/services/{}", service["name"].as_str().expect("a name"));
        assert_eq!(
            owner.get(&path).await.ok()["runner"]["agent_id"],
            agent.agent_id.as_str()
        );
    }
    let delete = format!("/api/machines/{}", agents[0].agent_id);
    owner.delete(&delete).await.ok();
    let services = listed(&owner, &["web"]).await;
    assert_eq!(services[0]["runner"]["agent_id"], agents[1].agent_id.as_str());
}

#[tokio::test]
async fn strangers_see_no_services_and_people_those_they_may_see() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (agent, directory) = runner(&owner, "private").await;
    add(&directory, "web", &[("outputs/temp_inventory.yaml", "all: {}\n")]);
    agent.start().await;
    listed(&owner, &["web"]).await;

    let stranger = Account::new(stack).await;
    listed(&stranger, &[]).await;
    let deployed = stranger.get("/api/services/active-deployments").await.ok();
    assert_eq!(deployed, json!({"deployments": []}));
    for path in [
        "/api/services/web".to_owned(),
        format!("/api/services/web@{}", agent.agent_id),
    ] {
        assert_eq!(stranger.get(&path).await.refusal().0, 404);
    }

    let colleague = join(stack, &owner, "user").await;
    for path in [
        "/api/services",
        "/api/services/active-deployments",
        "/api/services/web",
        "/api/services/nothing",
    ] {
        let denied = colleague.get(path).await.refusal();
        assert_eq!(denied, (403, "Permission denied: services.view".to_owned()), "{path}");
    }
    allow(&owner, &colleague, &["services.view"]).await;
    listed(&colleague, &["web"]).await;
    assert_eq!(colleague.get("/api/services/web").await.ok()["name"], "web");
}
