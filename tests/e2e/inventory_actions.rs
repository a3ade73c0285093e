//! What is done with things of the inventory: by a real runner, and at a provider of the test's own; where things come from by themselves, and
//! as files.
use serde_json::{Value, json};

use crate::jobs::{Runner, lines, runner};
use crate::support::account::Account;
use crate::support::redact::take;
use crate::support::stack::Stack;
use crate::support::team::{allow, join};
use crate::support::vultr::{KEY, Vultr};
use crate::support::wait::eventually;

const SCRIPTS: &str = "scripts:
  - {name: greet, file: greet.sh, inputs: [{name: whom, type: string, required: true}, {name: pin, type: password}]}
";

const GAVE: &str = "outputs:
  - {name: site, type: url, value: 'https://web.example.com'}
  - {name: admin, type: credential, label: Admin, username: root, value: geheim}
";

/// A runner whose service is a thing of the inventory, and that thing's number.
async fn web(name: &str, files: &[(&str, &str)]) -> (Runner, String) {
    let runner = runner(name, files).await;
    let id = thing(&runner.owner, "service", "web").await;
    (runner, id)
}

/// The number of a thing, as soon as it is there.
pub async fn thing(account: &Account, slug: &str, name: &str) -> String {
    let wanted = format!("/api/inventory/{slug}?search={name}");
    eventually(&format!("{name} to be in the inventory"), async || {
        let list = account.get(&wanted).await.ok();
        let objects = list["objects"].as_array().expect("things").iter();
        let one = objects.clone().find(|thing| thing["name"] == name)?;
        Some(one["id"].to_string())
    })
    .await
}

pub async fn starts(account: &Account, path: &str, body: Value) -> String {
    let mut started = account.post(path, body).await.ok();
    let id = take(&mut started, "job_id").as_str().expect("an id").to_owned();
    assert_eq!(started, json!({"status": "running"}));
    id
}

pub async fn over(account: &Account, id: &str) -> Value {
    eventually("the job to be over", async || {
        let job = account.get(&format!("/api/jobs/{id}")).await.ok();
        (job["status"] != "running").then_some(job)
    })
    .await
}

pub async fn newest_entry(account: &Account, action: &str) -> (Value, Value) {
    let mut log = account.get(&format!("/api/audit?action={action}")).await.ok();
    let mut entry = log["entries"][0].take();
    (take(&mut entry, "resource"), take(&mut entry, "details"))
}

async fn jobs_of(account: &Account) -> u64 {
    account.get("/api/jobs").await.ok()["total"].as_u64().expect("a number")
}

#[tokio::test]
async fn a_service_is_deployed_as_a_thing_and_what_it_gives_out_is_in_the_inventory() {
    let (runner, id) = web(
        "acts",
        &[
            (
                "deploy.sh",
                "echo \"DEPLOYMENT_ID=web-7\"; echo \"to $INPUT_WHERE as $INPUT_USERNAME\"\n",
            ),
            ("outputs/service_outputs.yaml", GAVE),
        ],
    )
    .await;
    let owner = &runner.owner;
    let action = format!("/api/inventory/service/{id}/actions/deploy");
    let job = starts(owner, &action, json!({"inputs": {"where": "here"}})).await;
    let done = over(owner, &job).await;
    let number: i64 = id.parse().expect("a number");
    assert_eq!(
        (
            &done["action"],
            &done["service"],
            &done["object_id"],
            &done["type_slug"],
            &done["status"]
        ),
        (
            &json!("deploy"),
            &json!("web"),
            &json!(number),
            &json!("service"),
            &json!("completed")
        )
    );
    let wrote = lines(&done);
    assert_eq!(wrote[0], "--- Running deploy (script) ---");
    assert!(
        wrote.contains(&format!("to here as {}", owner.username).as_str()),
        "{wrote:#?}"
    );
    assert_eq!(wrote.last(), Some(&"[Service outputs synced for web]"));
    assert_eq!(
        newest_entry(owner, "inventory.action.deploy").await,
        (
            json!(format!("inventory/service/{id}")),
            json!({"action": "deploy", "job_id": job})
        )
    );
    let of_it = owner
        .get(&format!("/api/jobs?object_id={id}&type_slug=service"))
        .await
        .ok();
    assert_eq!(of_it["jobs"][0]["id"], json!(job));

    let credential = thing(owner, "credential", "web — Admin").await;
    let path = format!("/api/inventory/credential/{credential}");
    let kept = owner.get(&path).await.ok();
    assert_eq!(
        (
            &kept["data"]["username"],
            &kept["data"]["credential_type"],
            &kept["created_by"]
        ),
        (&json!("root"), &json!("password"), &Value::Null)
    );
    assert_eq!(
        (&kept["tags"][0]["name"], &kept["tags"][0]["color"]),
        (&json!("svc:web"), &json!("#e8984a"))
    );
    assert!(!kept.to_string().contains("geheim"));
    let revealed = owner
        .post(&format!("{path}/reveal"), json!({"field": "value"}))
        .await
        .ok();
    assert_eq!(revealed["value"], "geheim");
    // Once more, it is the same thing.
    over(owner, &starts(owner, &action, json!({})).await).await;
    assert_eq!(owner.get("/api/inventory/credential").await.ok()["total"], 1);

    // What is deleted leaves its jobs.
    owner.delete(&format!("/api/inventory/service/{id}")).await.ok();
    let job = owner.get(&format!("/api/jobs/{job}")).await.ok();
    assert_eq!(
        (&job["object_id"], &job["type_slug"]),
        (&Value::Null, &json!("service"))
    );
}

#[tokio::test]
async fn a_script_of_a_service_runs_with_inputs_and_what_cannot_run_makes_no_job() {
    let (runner, id) = web(
        "runs",
        &[
            ("scripts.yaml", SCRIPTS),
            ("greet.sh", "echo \"hello $INPUT_WHOM, $INPUT_PIN\"\n"),
        ],
    )
    .await;
    let owner = &runner.owner;
    let action = |name: &str| format!("/api/inventory/service/{id}/actions/{name}");
    let given = json!({"script": "greet", "inputs": {"whom": "world", "pin": "sehrgeheim"}});
    let job = over(owner, &starts(owner, &action("run_script"), given).await).await;
    let wrote = lines(&job);
    assert_eq!(wrote[0], "--- Running run_script (dynamic_scripts) ---");
    assert!(wrote.iter().any(|line| line.starts_with("hello world, ")), "{wrote:#?}");
    assert!(!wrote.concat().contains("sehrgeheim"));
    // It is an action that it repeats, and whether that may be done the action says.
    let again = owner
        .post(
            &format!("/api/jobs/{}/rerun", job["id"].as_str().expect("an id")),
            json!({}),
        )
        .await;
    assert_eq!(again.status, 409);

    let before = jobs_of(owner).await;
    for (path, body, status, words) in [
        (
            action("run_script"),
            json!({"script": "none"}),
            400,
            "Script 'none' not found for service 'web'",
        ),
        (
            action("run_script"),
            json!({"script": "greet"}),
            400,
            "Missing required input: whom",
        ),
        (action("config"), json!({}), 400, "Configs are read and written at"),
        (action("files"), json!({}), 400, "Files are listed, read and written at"),
        (action("nothing"), json!({}), 404, "Action 'nothing' not found"),
        (
            "/api/inventory/service/999999999/actions/deploy".to_owned(),
            json!({}),
            404,
            "Object not found",
        ),
        (
            "/api/inventory/nothing/1/actions/deploy".to_owned(),
            json!({}),
            404,
            "Inventory type 'nothing' not found",
        ),
        (
            "/api/inventory/service/actions/deploy".to_owned(),
            json!({}),
            404,
            "Type action 'deploy' not found",
        ),
    ] {
        let refused = owner.post(&path, body).await.refusal();
        assert_eq!(refused.0, status, "{path}");
        assert!(refused.1.starts_with(words), "{path}: {}", refused.1);
    }
    let colleague = join(Stack::shared().await, owner, "user").await;
    let denied = |right: &str| (403, format!("Permission denied: inventory.service.{right}"));
    for right in ["deploy", "nothing"] {
        assert_eq!(colleague.post(&action(right), json!({})).await.refusal(), denied(right));
    }
    let role = allow(owner, &colleague, &["inventory.service.stop"]).await;
    assert_eq!(
        colleague.post(&action("deploy"), json!({})).await.refusal(),
        denied("deploy")
    );
    let rule = json!({"role_id": role["id"], "permission": "run_script", "effect": "allow"});
    owner.post(&format!("/api/inventory/service/{id}/acl"), rule).await.ok();
    assert_eq!(jobs_of(owner).await, before);
    let given = json!({"script": "greet", "inputs": {"whom": "you"}});
    starts(&colleague, &action("run_script"), given).await;
}

#[tokio::test]
async fn a_service_is_deployed_once_at_a_time_by_whatever_way() {
    let (runner, id) = web("once", &[("deploy.sh", "while [ ! -e go ]; do sleep 0.05; done\n")]).await;
    let owner = &runner.owner;
    let path = format!("/api/inventory/service/{id}/actions/deploy");
    let first = starts(owner, &path, json!({})).await;
    let words = format!("Service 'web' is being deployed already, by job {first}");
    for path in [path.as_str(), "/api/services/web/deploy"] {
        assert_eq!(owner.post(path, json!({})).await.refusal(), (409, words.clone()));
    }
    std::fs::write(runner.service.join("go"), "").expect("it is ours");
    over(owner, &first).await;
    starts(owner, "/api/services/web/deploy", json!({})).await;
}

#[tokio::test]
async fn a_playbook_that_is_not_there_and_a_runner_that_is_not_there_make_no_job() {
    let (runner, id) = web("plays", &[]).await;
    let owner = &runner.owner;
    let actions = json!([
        {"name": "play", "type": "playbook", "playbook": "/services/web/none.yaml", "vars_mapping": {"where": "{{ name }}"}},
        {"name": "other", "type": "playbook", "playbook": "/services/other/main.yaml"},
        {"name": "all", "type": "script", "scope": "type", "service": "web", "script": "none.sh"}
    ]);
    let fields = json!([{"name": "name", "type": "string"}]);
    let body = json!({"slug": "box", "label": "Box", "fields": fields, "actions": actions});
    assert_eq!(owner.post("/api/inventory/types", body).await.status, 201);
    let made = owner
        .post("/api/inventory/box", json!({"data": {"name": "one"}}))
        .await
        .ok();
    let action = |name: &str| format!("/api/inventory/box/{}/actions/{name}", made["id"]);
    for (path, words) in [
        (action("play"), "Playbook not found: /services/web/none.yaml"),
        (action("other"), "Service 'other' not found"),
        (
            "/api/inventory/box/actions/all".to_owned(),
            "Script file 'none.sh' not found",
        ),
    ] {
        assert_eq!(
            owner.post(&path, json!({})).await.refusal(),
            (404, words.to_owned()),
            "{path}"
        );
    }
    runner.agent.kill();
    runner.agent.becomes("offline").await;
    for path in [action("play"), format!("/api/inventory/service/{id}/actions/deploy")] {
        let refused = owner.post(&path, json!({})).await.refusal();
        assert_eq!(refused, (503, "Runner is not connected".to_owned()), "{path}");
    }
    assert_eq!(jobs_of(owner).await, 0);
}

#[tokio::test]
async fn the_configs_of_a_service_are_read_and_written_by_rights_over_the_thing() {
    let (runner, id) = web("configures", &[("config.yaml", "a: 1\n")]).await;
    let owner = &runner.owner;
    let path = format!("/api/inventory/service/{id}/configs");
    let file = format!("{path}/config.yaml");
    assert_eq!(
        owner.get(&path).await.ok(),
        owner.get("/api/services/web/configs").await.ok()
    );
    assert_eq!(
        owner.get(&file).await.ok(),
        json!({"filename": "config.yaml", "content": "a: 1\n"})
    );
    let saved = owner.put(&file, json!({"content": "a: 2\n"})).await.ok();
    assert_eq!(saved, json!({"status": "saved", "filename": "config.yaml"}));
    let resource = format!("inventory/service/{id}/configs/config.yaml");
    assert_eq!(
        newest_entry(owner, "inventory.service.config.edit").await,
        (json!(resource), json!({}))
    );
    let wrong = owner.get(&format!("{path}/other.yaml")).await.refusal();
    assert_eq!(wrong, (400, "File 'other.yaml' is not allowed".to_owned()));
    let colleague = join(Stack::shared().await, owner, "user").await;
    let denied = |right: &str| (403, format!("Permission denied: inventory.service.{right}"));
    assert_eq!(colleague.get(&path).await.refusal(), denied("config"));
    allow(owner, &colleague, &["inventory.service.config"]).await;
    colleague.get(&file).await.ok();
    let refused = colleague.put(&file, json!({"content": "a: 3\n"})).await.refusal();
    assert_eq!(refused, denied("edit"));
}

#[tokio::test]
async fn servers_are_refreshed_stopped_and_destroyed_as_things() {
    let vultr = Vultr::start().await;
    let stack = Stack::start(&[("VULTR_API_URL", &vultr.url)]).await;
    let owner = Account::new(&stack).await;
    owner.put("/api/instances/provider", json!({"api_key": KEY})).await.ok();
    let (web, _) = (vultr.adds("my web", "mel", &["web"]), vultr.adds("db", "fra", &[]));
    let job = starts(&owner, "/api/inventory/server/actions/refresh", json!({})).await;
    let done = over(&owner, &job).await;
    assert_eq!(
        (
            &done["action"],
            &done["service"],
            &done["object_id"],
            &done["type_slug"]
        ),
        (&json!("refresh"), &json!("server"), &Value::Null, &json!("server"))
    );
    let wrote = lines(&done);
    assert_eq!(
        wrote[..2],
        ["--- Running refresh (builtin) ---", "--- Generating inventory ---"]
    );
    assert_eq!(
        wrote[wrote.len() - 2..],
        ["[Inventory cached successfully]", "[Inventory objects synced]"]
    );
    assert_eq!(
        newest_entry(&owner, "inventory.action.refresh").await,
        (
            json!("inventory/server"),
            json!({"action": "refresh", "scope": "type", "job_id": job})
        )
    );
    let id = thing(&owner, "server", "my-web.example").await;
    thing(&owner, "server", "db.example").await;
    let path = format!("/api/inventory/server/{id}");
    owner.put(&path, json!({"data": {"notes": "mine"}})).await.ok();
    over(
        &owner,
        &starts(&owner, &format!("{path}/actions/stop"), json!({})).await,
    )
    .await;
    let data = owner.get(&path).await.ok()["data"].clone();
    assert_eq!(
        (&data["power_status"], &data["notes"], &data["vultr_tags"]),
        (&json!("stopped"), &json!("mine"), &json!(["web"]))
    );

    let destroy = format!("{path}/actions/destroy");
    for body in [json!({}), json!({"inputs": {"confirm": "web"}})] {
        let refused = owner.post(&destroy, body).await.refusal();
        assert_eq!(
            refused,
            (400, "To destroy an instance, confirm must be its label".to_owned())
        );
    }
    let rack = owner
        .post("/api/inventory/server", json!({"data": {"hostname": "rack"}}))
        .await
        .ok();
    let refused = owner
        .post(&format!("/api/inventory/server/{}/actions/stop", rack["id"]), json!({}))
        .await;
    assert_eq!(refused.status, 400);
    let ssh = owner.post(&format!("{path}/actions/ssh"), json!({})).await.refusal();
    assert!(ssh.0 == 400 && ssh.1.contains("WebSocket"), "{ssh:?}");
    assert!(vultr.power_of(&web).is_some());

    let job = starts(&owner, &destroy, json!({"inputs": {"confirm": "my web"}})).await;
    let done = over(&owner, &job).await;
    let wrote = lines(&done);
    assert_eq!(
        wrote[wrote.len() - 3..],
        [
            "[Instance removed from cache]",
            "[Inventory objects synced]",
            "[Server removed from inventory]"
        ]
    );
    assert_eq!(vultr.power_of(&web), None);
    assert_eq!(owner.get(&path).await.refusal(), (404, "Object not found".to_owned()));
    let hosts = owner.get("/api/instances").await.ok()["instances"]["all"]["hosts"].clone();
    assert_eq!(hosts.as_object().expect("hosts").len(), 1);
    let mut log = owner.get("/api/audit?action=inventory.action.destroy").await.ok();
    assert_eq!(log["entries"][0]["severity"].take(), "critical");
}

#[tokio::test]
async fn a_type_is_synced_when_somebody_asks_if_it_comes_from_somewhere() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let colleague = join(stack, &owner, "user").await;
    let synced = owner.post("/api/inventory/user/sync", json!({})).await.ok();
    assert_eq!(synced, json!({"ok": true}));
    let list = owner.get("/api/inventory/user?sort=username").await.ok();
    let names = list["objects"].as_array().expect("things").iter();
    let names: Vec<&str> = names.filter_map(|user| user["data"]["username"].as_str()).collect();
    let mut expected = [owner.username.as_str(), colleague.username.as_str()];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(
        newest_entry(&owner, "inventory.sync").await,
        (json!("inventory/user"), json!({"source": "user_sync"}))
    );
    let nowhere = owner.post("/api/inventory/credential/sync", json!({})).await.refusal();
    assert_eq!(nowhere, (400, "This type has no sync source".to_owned()));
    let missing = owner.post("/api/inventory/nothing/sync", json!({})).await.refusal();
    assert_eq!(missing, (404, "Inventory type 'nothing' not found".to_owned()));
    let refused = colleague.post("/api/inventory/user/sync", json!({})).await.refusal();
    assert_eq!(refused, (403, "Permission denied: inventory.user.view".to_owned()));
}

#[tokio::test]
async fn things_are_files_without_secrets_and_without_what_the_caller_may_not_see() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let tag = owner.post("/api/inventory/tags", json!({"name": "my web"})).await.ok()["id"].clone();
    for (hostname, address, tags) in [("web-1", "192.0.2.1", json!([tag])), ("db", "192.0.2.2", json!([]))] {
        let data = json!({"hostname": hostname, "ip_address": address, "notes": "=1+1 {{ x }}", "unknown": "kept"});
        owner
            .post("/api/inventory/server", json!({"data": data, "tag_ids": tags}))
            .await
            .ok();
    }
    let text = async |account: &Account, format: &str| {
        let path = format!("/api/inventory/server/export?format={format}");
        let answer = account
            .request(reqwest::Method::GET, &path)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.text().await.expect("a text")
    };
    let csv = text(&owner, "csv").await;
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(
        rows[0],
        "id,name,hostname,ip_address,region,plan,os,power_status,vultr_id,vultr_label,vultr_tags,notes,tags"
    );
    assert!(
        rows[1].contains(",web-1,web-1,192.0.2.1,") && rows[1].ends_with(",'=1+1 {{ x }},my web"),
        "{csv}"
    );
    let json: Value = serde_json::from_str(&text(&owner, "json").await).expect("JSON");
    assert_eq!(
        (&json[1]["hostname"], &json[1]["unknown"], &json[0]["tags"]),
        (&json!("db"), &Value::Null, &json!(["my web"]))
    );
    let ansible = text(&owner, "ansible").await;
    assert!(
        ansible.contains("\"web-1\": {\"ansible_host\": \"192.0.2.1\"")
            && ansible.contains("\"my_web\": {\"hosts\": {\"web-1\": {}}}"),
        "{ansible}"
    );
    assert!(ansible.contains("\"notes\": !unsafe \"=1+1 {{ x }}\""), "{ansible}");
    assert_eq!(
        newest_entry(&owner, "inventory.export").await,
        (json!("inventory/server"), json!({"format": "ansible"}))
    );

    let secret = json!({"data": {"name": "key", "value": "sehrgeheim"}});
    owner.post("/api/inventory/credential", secret).await.ok();
    for format in ["csv", "json", "ansible"] {
        let path = format!("/api/inventory/credential/export?format={format}");
        let answer = owner
            .request(reqwest::Method::GET, &path)
            .send()
            .await
            .expect("an answer");
        let text = answer.text().await.expect("a text");
        assert!(
            text.contains("key") && !text.contains("value") && !text.contains('•'),
            "{text}"
        );
    }
    let colleague = join(stack, &owner, "user").await;
    let path = "/api/inventory/server/export";
    assert_eq!(
        colleague.get(path).await.refusal(),
        (403, "Permission denied".to_owned())
    );
    let role = allow(&owner, &colleague, &[]).await["id"].clone();
    let rule = json!({"role_id": role, "permission": "view"});
    owner
        .post(&format!("/api/inventory/tags/{tag}/permissions"), rule)
        .await
        .ok();
    let seen = text(&colleague, "csv").await;
    assert_eq!(seen.lines().count(), 2, "{seen}");
    let wrong = owner.get("/api/inventory/server/export?format=xml").await;
    assert_eq!(wrong.status, 400);
}
