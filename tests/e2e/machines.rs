//! `/api/machines`: an anonymous caller, a stranger and the owner at each route.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, send};
use crate::support::agent::{Agent, World, configure};
use crate::support::process::scratch;
use crate::support::processor;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::wait::eventually;

/// Takes out of a machine what differs between runs, looking at each.
fn redact(machine: &mut Value) {
    assert!(hex(take(machine, "id").as_str().expect("an id"), 24));
    assert!(hex(take(machine, "agent_id").as_str().expect("an agent id"), 12));
    assert!(is_recent(&take(machine, "created_at")));
}

/// The one line that makes a computer this machine.
fn install_command(owner: &Account, token: &str) -> String {
    let url = &owner.anonymous.url;
    format!(" curl -fsSL {url}/install.sh | VSAY_TOKEN={token} sh -s -- --linux-user deploy --allow-sudo")
}

fn pending(owner: &Account, name: &str) -> Value {
    json!({
        "name": name,
        "description": "where it is built",
        "hostname": "",
        "os": "",
        "ip_address": "",
        "status": "pending",
        "is_connected": false,
        "cpu_percent": 0.0,
        "memory_percent": 0.0,
        "disk_percent": 0.0,
        "network_rx_bytes": 0,
        "network_tx_bytes": 0,
        "uptime": "0m",
        "uptime_seconds": 0,
        "last_active": null,
        "metrics_at": null,
        "health": null,
        "thresholds": {
            "cpu": {"warning": 85, "critical": 95},
            "memory": {"warning": 85, "critical": 95},
            "disk": {"warning": 80, "critical": 90},
        },
        "command_policy": {"allowed_commands": [], "blocked_commands": [], "approval_required_commands": []},
        "resource_stats": {
            "cpu_percent": 0.0, "memory_percent": 0.0, "disk_percent": 0.0,
            "network_inbound": 0.0, "network_outbound": 0.0, "uptime_seconds": 0,
        },
        "metadata": {},
        "tenant_id": owner.username,
        "org_id": owner.username,
        "owner_id": owner.id,
        "group_ids": [],
        "allowed_users": [owner.username],
        "tags": ["linux", "build"],
        "linux_user": "deploy",
        "allow_sudo": true,
        "deploy_application": false,
        "agent_version": "",
        "revoked": false,
        "revoked_at": null,
    })
}

#[tokio::test]
async fn a_new_machine_waits_for_its_agent_and_shows_its_token_to_its_owner() {
    let owner = Account::new(Stack::shared().await).await;
    let request = json!({"name": "build-1", "description": "where it is built", "linux_user": "deploy",
        "tags": ["linux", "build"], "allow_sudo": true, "custom_script": "echo hello"});
    let answer = owner.post("/api/machines", request.clone()).await;
    assert_eq!(answer.status, 201);
    let created = answer.body;
    let token = created["registration_token"].as_str().expect("a token").to_owned();
    assert!(hex(&token, 64));
    for field in [
        "id",
        "agent_id",
        "name",
        "description",
        "status",
        "registration_token",
        "install_command",
    ] {
        assert_eq!(
            created[field], created["machine"][field],
            "{field} is there wrapped and flat"
        );
    }
    let with_secrets = |mut machine: Value| {
        machine["registration_token"] = json!(token);
        machine["install_command"] = json!(install_command(&owner, &token));
        machine["custom_script"] = json!("echo hello");
        machine
    };
    let mut machine = created["machine"].clone();
    redact(&mut machine);
    assert_eq!(machine, with_secrets(pending(&owner, "build-1")));

    let by_name = owner
        .get(&format!(
            "/api/machines/{}",
            created["agent_id"].as_str().expect("an id")
        ))
        .await
        .ok();
    assert_eq!(by_name["machine"], created["machine"]);
    assert_eq!(by_name["data"]["machine"], created["machine"]);
    let by_id = owner
        .get(&format!(
            "/api/machines/by-id/{}",
            created["id"].as_str().expect("an id")
        ))
        .await
        .ok();
    assert_eq!(by_id["machine"], created["machine"]);

    let listed = owner.get("/api/machines").await.ok();
    assert_eq!(
        (&listed["total"], &listed["page"], &listed["total_pages"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let mut machine = listed["machines"][0].clone();
    redact(&mut machine);
    assert_eq!(
        machine,
        pending(&owner, "build-1"),
        "a list shows no token and no script"
    );

    let (status, error) = owner.post("/api/machines", request).await.refusal();
    assert_eq!((status, error.as_str()), (409, "Machine with this name already exists"));
}

#[tokio::test]
async fn every_route_refuses_an_anonymous_caller_and_tells_a_stranger_nothing() {
    let stack = Stack::shared().await;
    let (owner, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let created = owner.post("/api/machines", json!({"name": "mine"})).await.ok();
    let (agent_id, id) = (
        created["agent_id"].as_str().expect("an id"),
        created["id"].as_str().expect("an id"),
    );
    for (method, path) in [
        (Method::GET, format!("/api/machines/{agent_id}")),
        (Method::GET, format!("/api/machines/by-id/{id}")),
        (Method::POST, format!("/api/machines/{agent_id}/registration-token")),
        (Method::DELETE, format!("/api/machines/{agent_id}")),
    ] {
        let as_anybody = owner.anonymous.ask(method.clone(), &path, None).await;
        assert_eq!(
            as_anybody.refusal(),
            (401, "Authorization header required".to_owned()),
            "{method} {path}"
        );
        let as_stranger: Answer = send(stranger.request(method.clone(), &path)).await;
        assert_eq!(
            as_stranger.refusal(),
            (404, "Machine not found".to_owned()),
            "{method} {path}"
        );
    }
    assert_eq!(
        owner.get(&format!("/api/machines/{agent_id}")).await.ok()["machine"],
        created["machine"]
    );
}

#[tokio::test]
async fn machines_are_listed_by_name_in_pages_and_narrowed() {
    let owner = Account::new(Stack::shared().await).await;
    for (name, tags) in [
        ("beta", json!(["web"])),
        ("alpha", json!(["db", "web"])),
        ("gamma", json!([])),
    ] {
        owner
            .post(
                "/api/machines",
                json!({"name": name, "description": format!("{name}'s 100%"), "tags": tags}),
            )
            .await
            .ok();
    }
    let names = async |query: &str| {
        let list = owner.get(&format!("/api/machines{query}")).await.ok();
        let machines = list["machines"].as_array().expect("a list").clone();
        machines
            .iter()
            .map(|machine| machine["name"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["alpha", "beta", "gamma"]);
    assert_eq!(names("?limit=2").await, ["alpha", "beta"]);
    assert_eq!(names("?limit=2&page=2").await, ["gamma"]);
    assert!(names("?limit=2&page=9").await.is_empty());
    assert_eq!(names("?search=ALPH").await, ["alpha"]);
    assert_eq!(
        names("?search=100%25").await.len(),
        3,
        "a percent sign is a percent sign"
    );
    assert!(names("?search=_").await.is_empty(), "and an underscore an underscore");
    assert_eq!(names("?tag=web").await, ["alpha", "beta"]);
    assert!(names("?status=online").await.is_empty());
    let page = owner.get("/api/machines?limit=2").await.ok();
    assert_eq!(
        (&page["total"], &page["limit"], &page["total_pages"]),
        (&json!(3), &json!(2), &json!(2))
    );
}

#[tokio::test]
async fn a_machine_is_online_while_its_agent_is_and_says_what_it_runs() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&owner, "living").await;
    let path = format!("/api/machines/{}", agent.agent_id);
    // The relay knows at once that it is there; what it says of itself is in the database a moment later.
    let machine = eventually("what the agent says", async || {
        let machine = owner.get(&path).await.ok()["machine"].clone();
        (machine["agent_version"] == env!("CARGO_PKG_VERSION")).then_some(machine)
    })
    .await;
    assert_eq!(machine["is_connected"], true);
    assert!(is_recent(&machine["last_active"]));
    let os = machine["os"].as_str().expect("a text");
    assert!(os.contains(&processor()), "{os}");
    assert!(!machine["hostname"].as_str().expect("a text").is_empty());
    assert!(machine.get("registration_token").is_none(), "it is spent");
    agent.kill();
    agent.becomes("offline").await;
    let listed = eventually("the list to follow", async || {
        let listed = owner.get("/api/machines?status=offline").await.ok();
        (listed["total"] == 1).then_some(listed)
    })
    .await;
    assert_eq!(listed["machines"][0]["is_connected"], false);
    agent.start().await;
}

#[tokio::test]
async fn a_machine_shows_its_metrics() {
    let stack = Stack::start(&[("HEARTBEAT_SECONDS", "1")]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "measured").await;
    let path = format!("/api/machines/{}", agent.agent_id);
    let machine = eventually("metrics", async || {
        let machine = owner.get(&path).await.ok();
        (machine["memory_percent"].as_f64()? > 0.0).then_some(machine)
    })
    .await;
    for field in ["cpu_percent", "memory_percent", "disk_percent"] {
        let value = machine[field].as_f64().expect("a number");
        assert!((0.0..=100.0).contains(&value), "{field} {value}");
        assert_eq!(machine["resource_stats"][field], machine[field]);
    }
    assert!(machine["uptime_seconds"].as_u64().expect("a number") > 0);
}

#[tokio::test]
async fn a_registration_token_enrols_once_and_a_new_one_replaces_the_agent() {
    let owner = Account::new(Stack::shared().await).await;
    let agent = Agent::new(&owner, "twice").await;
    let spent = agent.try_configure(&owner.anonymous.url, agent.token()).await;
    assert!(
        spent.is_err_and(|error| error.contains("invalid token")),
        "a token is good for one enrolment"
    );
    let path = format!("/api/machines/{}/registration-token", agent.agent_id);
    let issued = owner.post(&path, json!({})).await;
    assert_eq!(issued.status, 201);
    let token = issued.body["registration_token"].as_str().expect("a token").to_owned();
    assert!(hex(&token, 64) && token != agent.token());
    let line = issued.body["install_command"].as_str().expect("a line");
    assert!(
        line.contains(&format!("| VSAY_TOKEN={token} sh -s --")),
        "the line has the new token: {line}"
    );
    agent.kill();
    agent.becomes("offline").await;
    let enrolled = agent.try_configure(&owner.anonymous.url, &token).await;
    enrolled.expect("a new token enrols");
    agent.start().await;
}

#[tokio::test]
async fn an_account_key_enrols_an_installation_as_one_machine_however_often_and_another_as_another() {
    let owner = Account::new(Stack::shared().await).await;
    let [here, there] = [(); 2].map(|()| tempfile::tempdir_in(scratch()).expect("a folder"));
    for (folder, total) in [(&here, 1), (&here, 1), (&there, 2)] {
        let config = folder.path().join("agent.yaml");
        let enrolled = configure(&config, &owner.anonymous.url, &owner.api_key).await;
        enrolled.expect("the key enrols");
        let list = owner.get("/api/machines").await.ok();
        assert_eq!(list["total"], total, "{list:#}");
        assert_eq!(list["machines"][0]["status"], "offline");
    }
    let never = scratch().join("never.yaml");
    let unknown = format!("vsay_ak_{}", "0".repeat(48));
    let refused = configure(&never, &owner.anonymous.url, &unknown).await;
    assert!(refused.is_err_and(|error| error.contains("invalid token")));
}

#[tokio::test]
async fn hosts_that_many_have_alike_are_each_a_machine_of_its_own() {
    let owner = Account::new(Stack::shared().await).await;
    let enrol = async |hostname: &str, host_id: Value| {
        let body = json!({"token": owner.api_key, "public_key": "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY", "hostname": hostname, "os": "Debian 12",
            "version": "0.1.0", "host_id": host_id});
        let answer = owner.anonymous.ask(Method::POST, "/agent/enroll", Some(body)).await;
        assert!(
            answer.headers.contains_key("date"),
            "agents set their tokens' times by it"
        );
        assert_eq!(answer.status, 201, "{answer:#?}");
        answer.body["machine_id"].as_str().expect("an id").to_owned()
    };
    let mut seen = std::collections::BTreeSet::new();
    let zeros = "0".repeat(64);
    for host_id in [Value::Null, json!(""), json!("uninitialized"), json!(zeros), json!("0")] {
        for hostname in ["a", "b"] {
            assert!(
                seen.insert(enrol(hostname, host_id.clone()).await),
                "{hostname} {host_id}"
            );
        }
    }
    // One that names a host is that host, also under another name while no agent is there.
    assert_eq!(enrol("c", json!("c0ffee")).await, enrol("d", json!("c0ffee")).await);
}

#[tokio::test]
async fn a_deleted_machine_is_gone_for_its_owner_and_for_its_agent() {
    let world = World::shared().await;
    let owner = Account::new(world.stack).await;
    let agent = Agent::new(&owner, "doomed").await;
    let path = format!("/api/machines/{}", agent.agent_id);
    let answer = owner.delete(&path).await.ok();
    assert_eq!(answer, json!({"message": "Machine deleted successfully", "data": {}}));
    assert_eq!(
        owner.delete(&path).await.refusal(),
        (404, "Machine not found".to_owned())
    );
    assert_eq!(owner.get("/api/machines").await.ok()["total"], 0);
    // Its agent is told, and its key opens nothing any more.
    eventually("the agent to hear of it", async || {
        let log = agent.log();
        (!agent.is_alive() || log.contains("revoked") || log.contains("401") || log.contains("Invalid or expired"))
            .then_some(())
    })
    .await;
    assert_eq!(owner.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_machine_is_renamed_described_and_tagged_by_whoever_manages_it() {
    let stack = Stack::shared().await;
    let (owner, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let created = owner
        .post("/api/machines", json!({"name": "old", "tags": ["a"]}))
        .await
        .ok();
    owner.post("/api/machines", json!({"name": "taken"})).await.ok();
    let agent_id = created["agent_id"].as_str().expect("an id");
    let path = format!("/api/machines/{agent_id}");

    let change =
        json!({"name": "new", "description": "where it is built", "tags": ["linux"], "metadata": {"rack": "7"}});
    let answer = owner.put(&path, change.clone()).await.ok();
    assert_eq!(answer["message"], "Machine updated successfully");
    for (field, value) in change.as_object().expect("an object") {
        assert_eq!(&answer["machine"][field], value, "{field}");
        assert_eq!(
            answer[field], answer["machine"][field],
            "{field} is there wrapped and flat"
        );
    }
    assert_eq!(owner.get(&path).await.ok()["machine"], answer["machine"]);
    assert_eq!(
        owner.put(&path, json!({})).await.ok()["machine"],
        answer["machine"],
        "what is absent stays"
    );

    let refused = |answer: Answer| answer.refusal();
    assert_eq!(refused(owner.put(&path, json!({"name": "taken"})).await).0, 409);
    let (status, error) = refused(owner.put(&path, json!({"name": "", "tags": [""]})).await);
    assert_eq!((status, error.as_str()), (400, "name must have 1 to 100 characters"));
    assert_eq!(
        refused(stranger.put(&path, change.clone()).await),
        (404, "Machine not found".to_owned())
    );
    assert_eq!(
        owner.anonymous.ask(Method::PUT, &path, Some(change)).await.refusal().0,
        401
    );

    // Twice it was done; what was refused changed nothing. The first entry says what from and what to.
    let entries = stack.sql(&format!(
        "SELECT details FROM audit_log WHERE action = 'machine_updated' AND details LIKE '%\"machine\":\"old\"%'
         AND resource_id = '{}'",
        created["id"].as_str().expect("an id")
    ));
    let details: Value = serde_json::from_str(entries[0]["details"].as_str().expect("details")).expect("JSON");
    assert_eq!(
        details,
        json!({"machine": "old", "name": {"old": "old", "new": "new"},
            "description": {"old": "", "new": "where it is built"},
            "tags": {"old": ["a"], "new": ["linux"]}, "metadata": {"new": {"rack": "7"}}})
    );
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let somebody = Account::new(Stack::shared().await).await;
    let first = somebody.get("/api/machines").await;
    let tag = first.headers["etag"].clone();
    let again = || {
        somebody
            .request(Method::GET, "/api/machines")
            .header("if-none-match", &tag)
    };
    let unchanged = send(again()).await;
    assert_eq!((unchanged.status, &unchanged.body), (304, &json!("")));
    somebody.post("/api/machines", json!({"name": "new"})).await.ok();
    let changed = send(again()).await;
    assert_eq!((changed.status, &changed.body["total"]), (200, &json!(1)));
}
