//! Jobs: deployments and scripts that run on a real agent with a directory of services.
use std::fs;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::join;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::support::account::Account;
use crate::support::agent::{Agent, folder_for_shells};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{self, allow};
use crate::support::viewer::{Socket, open};
use crate::support::wait::{PATIENCE, eventually};

/// A runner, whose it is, and its one service, `web`.
pub struct Runner {
    pub owner: Account,
    pub agent: Agent,
    pub service: PathBuf,
    _directory: TempDir,
}

/// A runner with one service that is known at the edge.
pub async fn runner(name: &str, files: &[(&str, &str)]) -> Runner {
    runner_at(Stack::shared().await, name, files).await
}

/// The same at an edge of the test's own.
pub async fn runner_at(stack: &Stack, name: &str, files: &[(&str, &str)]) -> Runner {
    let owner = Account::new(stack).await;
    let agent = Agent::enrolled(&owner, name, &owner.anonymous.url).await;
    let directory = folder_for_shells();
    let service = directory.path().join("web");
    for (file, text) in [&[("deploy.sh", "echo deployed\n")], files].concat() {
        let file = service.join(file);
        fs::create_dir_all(file.parent().expect("a folder")).expect("it is ours");
        fs::write(file, text).expect("it is ours");
    }
    agent.has_services_in(directory.path());
    agent.start().await;
    eventually("the service to be known", async || {
        let services = owner.get("/api/services").await.ok();
        (services["services"][0]["name"] == "web").then_some(())
    })
    .await;
    Runner {
        owner,
        agent,
        service,
        _directory: directory,
    }
}

impl Runner {
    pub async fn deploys(&self) -> String {
        let mut started = self.owner.post("/api/services/web/deploy", json!({})).await.ok();
        let id = take(&mut started, "job_id").as_str().expect("an id").to_owned();
        assert!(hex(&id, 8), "{id}");
        assert_eq!(started, json!({"status": "running"}));
        id
    }

    pub async fn job(&self, id: &str) -> Value {
        self.owner.get(&format!("/api/jobs/{id}")).await.ok()
    }

    pub async fn over(&self, id: &str) -> Value {
        eventually("the job to be over", async || {
            let job = self.job(id).await;
            (job["status"] != "running").then_some(job)
        })
        .await
    }

    /// Waits until the job has written this line.
    pub async fn wrote(&self, id: &str, line: &str) {
        eventually(&format!("the line {line:?}"), async || {
            let job = self.job(id).await;
            lines(&job).contains(&line).then_some(())
        })
        .await;
    }
}

/// What a job has written.
pub fn lines(job: &Value) -> Vec<&str> {
    let output = job["output"].as_array().expect("lines").iter();
    output.map(|line| line.as_str().expect("a line")).collect()
}

/// A script that writes so many lines, then waits for a file, and then writes as many again.
pub fn in_two_halves(lines: usize, go: &Path) -> String {
    let go = go.display();
    format!(
        "for n in $(seq {lines}); do echo before $n; done\n\
         while [ ! -e {go} ]; do sleep 0.05; done\n\
         for n in $(seq {lines}); do echo after $n; done\n"
    )
}

/// All that such a job has written, in order.
fn both_halves(lines: usize) -> Vec<String> {
    let head = [
        "--- Running deploy.sh for web ---".to_owned(),
        "$ bash deploy.sh".to_owned(),
    ];
    let half = |word: &'static str| (1..=lines).map(move |n| format!("{word} {n}"));
    head.into_iter().chain(half("before")).chain(half("after")).collect()
}

#[tokio::test]
async fn a_deployment_is_seen_while_it_runs_and_afterwards() {
    let runner = runner("deploys", &[]).await;
    let go = runner.service.join("go");
    let script = format!(
        "echo DEPLOYMENT_ID=web-7; while [ ! -e {} ]; do sleep 0.05; done; exit 3\n",
        go.display()
    );
    fs::write(runner.service.join("deploy.sh"), script).expect("it is ours");
    let id = runner.deploys().await;
    runner.wrote(&id, "DEPLOYMENT_ID=web-7").await;
    let running = runner.job(&id).await;
    assert_eq!(
        (&running["status"], &running["finished_at"]),
        (&json!("running"), &Value::Null)
    );
    fs::write(&go, "").expect("it is ours");
    let mut job = runner.over(&id).await;
    assert!(is_recent(&take(&mut job, "started_at")) && is_recent(&take(&mut job, "finished_at")));
    assert!(take(&mut job, "user_id").is_i64());
    let name = runner.owner.username.clone();
    assert_eq!(
        job,
        json!({
            "id": id, "service": "web", "action": "deploy", "script": null, "parent_job_id": null, "status": "failed",
            "deployment_id": "web-7", "exit_code": 3, "username": name, "started_by": name, "object_id": null, "type_slug": null, "cancelled": false,
            "schedule_id": null, "schedule_name": null,
            "output": ["--- Running deploy.sh for web ---", "$ bash deploy.sh", "DEPLOYMENT_ID=web-7", "[EXIT CODE: 3]"]
        })
    );
    let log = runner.owner.get("/api/audit?action=service.deploy").await.ok();
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["resource"], &entry["details"]["job_id"]),
        (&json!("services/web"), &json!(id))
    );
    let listed = runner.owner.get("/api/jobs").await.ok();
    assert_eq!(
        (&listed["total"], &listed["jobs"][0]["output"]),
        (&json!(1), &json!([]))
    );
    // As if an action of the inventory had started it.
    let stack = Stack::shared().await;
    stack.sql(&format!(
        "UPDATE jobs SET object_id = 7, type_slug = 'service' WHERE id = '{id}'"
    ));
    for (query, total) in [
        ("object_id=7&type_slug=service", 1),
        ("object_id=8", 0),
        ("object_id=x", 0),
        ("type_slug=server", 0),
    ] {
        let listed = runner.owner.get(&format!("/api/jobs?{query}")).await.ok();
        assert_eq!(listed["total"], total, "{query}");
    }
    let about = runner.job(&id).await;
    assert_eq!(
        (&about["object_id"], &about["type_slug"]),
        (&json!(7), &json!("service"))
    );
    let again = runner.owner.post(&format!("/api/jobs/{id}/rerun"), json!({})).await;
    assert_eq!(again.body["code"], "job_not_repeatable");
    stack.sql(&format!(
        "UPDATE jobs SET object_id = NULL, type_slug = NULL WHERE id = '{id}'"
    ));
    let with = runner.owner.get("/api/jobs?include_output=1&service=web").await.ok();
    assert_eq!(with["jobs"][0]["output"], job["output"]);
    assert_eq!(
        runner.owner.get("/api/jobs?status=completed").await.ok()["jobs"],
        json!([])
    );
}

#[tokio::test]
async fn a_script_gets_its_inputs_and_its_secrets_are_not_shown() {
    let scripts = "scripts:\n  - name: add-user\n    file: scripts/add-user.sh\n    inputs:\n\
         \x20     - {name: role, type: select, options: [reader, writer], required: true}\n\
         \x20     - {name: groups, type: list}\n      - {name: password, type: password}\n";
    let script = "echo \"$INPUT_USERNAME $INPUT_ROLE $INPUT_GROUPS\"; set -x; : \"$INPUT_PASSWORD\"\n";
    let runner = runner("scripts", &[("scripts.yaml", scripts), ("scripts/add-user.sh", script)]).await;
    let path = "/api/services/web/run";
    for (body, words) in [
        (json!({"script": "add-user"}), "Missing required input: role"),
        (
            json!({"script": "add-user", "inputs": {"role": "owner"}}),
            "Input 'role' must be one of: reader, writer",
        ),
        (
            json!({"script": "nothing"}),
            "Script 'nothing' not found for service 'web'",
        ),
    ] {
        assert_eq!(runner.owner.post(path, body).await.refusal(), (400, words.to_owned()));
    }
    let missing = runner.owner.post("/api/services/db/run", json!({"script": "x"})).await;
    assert_eq!(missing.refusal(), (404, "Service 'db' not found".to_owned()));
    let inputs = json!({"role": "writer", "groups": ["a", "b"], "password": "hunter2"});
    let body = json!({"script": "add-user", "inputs": inputs});
    let started = runner.owner.post(path, body).await.ok();
    let job = runner.over(started["job_id"].as_str().expect("an id")).await;
    assert_eq!(
        (&job["action"], &job["script"], &job["status"]),
        (&json!("script"), &json!("add-user"), &json!("completed"))
    );
    let who = format!("{} writer a,b", runner.owner.username);
    assert_eq!(
        lines(&job),
        [
            "--- Running add-user for web ---",
            "$ bash scripts/add-user.sh",
            &who,
            "+ : ********"
        ]
    );
    let log = runner.owner.get("/api/audit?action=service.run_script").await.ok();
    assert_eq!(log["entries"][0]["details"]["script"], "add-user");
    assert!(!log.to_string().contains("hunter2") && !log.to_string().contains("writer"));
}

#[tokio::test]
async fn a_job_loses_no_byte_when_relay_and_link_are_lost_in_its_middle() {
    let runner = runner("restarts", &[]).await;
    let go = runner.service.join("go");
    fs::write(runner.service.join("deploy.sh"), in_two_halves(20_000, &go)).expect("it is ours");
    let id = runner.deploys().await;
    let stack = Stack::shared().await;
    runner.wrote(&id, "before 1").await;
    // Once with the output on its way, and once while nothing is written.
    stack.drop_relay(&runner.agent.machine_id);
    runner.wrote(&id, "before 20000").await;
    stack.evict(&runner.agent.machine_id);
    fs::write(&go, "").expect("it is ours");
    let job = runner.over(&id).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(lines(&job), both_halves(20_000));
}

#[tokio::test]
async fn a_job_whose_agent_was_killed_has_failed_and_says_so() {
    let runner = runner("killed", &[]).await;
    fs::write(runner.service.join("deploy.sh"), "echo begun; sleep 1000\n").expect("it is ours");
    let id = runner.deploys().await;
    runner.wrote(&id, "begun").await;
    runner.agent.kill();
    runner.agent.becomes("offline").await;
    assert_eq!(runner.job(&id).await["status"], "running");
    let offline = runner.owner.post("/api/services/web/deploy", json!({})).await;
    assert_eq!(offline.refusal(), (503, "Runner is not connected".to_owned()));
    assert_eq!(runner.owner.get("/api/jobs").await.ok()["total"], 1);
    runner.agent.start().await;
    let job = runner.over(&id).await;
    assert_eq!((&job["status"], &job["exit_code"]), (&json!("failed"), &Value::Null));
    assert!(
        lines(&job)
            .last()
            .is_some_and(|line| line.contains("agent ended while the job ran")),
        "{job:#}"
    );
}

#[tokio::test]
async fn people_start_and_see_jobs_as_their_roles_allow() {
    let runner = runner("roles", &[]).await;
    let stack = Stack::shared().await;
    let id = runner.deploys().await;
    runner.over(&id).await;
    let path = format!("/api/jobs/{id}");

    let stranger = Account::new(stack).await;
    assert_eq!(stranger.get(&path).await.refusal(), (404, "Job not found".to_owned()));
    assert_eq!(stranger.get("/api/jobs").await.ok()["jobs"], json!([]));
    let deploys = stranger.post("/api/services/web/deploy", json!({})).await;
    assert_eq!(deploys.refusal(), (404, "Service not found".to_owned()));

    let colleague = team::join(stack, &runner.owner, "user").await;
    assert_eq!(colleague.get("/api/jobs").await.ok()["jobs"], json!([]));
    assert_eq!(
        colleague.get(&path).await.refusal(),
        (403, "Permission denied".to_owned())
    );
    for service in ["web", "nothing"] {
        let deploys = colleague
            .post(&format!("/api/services/{service}/deploy"), json!({}))
            .await;
        assert_eq!(
            deploys.refusal(),
            (403, "Permission denied: services.deploy".to_owned())
        );
    }
    allow(&runner.owner, &colleague, &["services.deploy", "jobs.view_own"]).await;
    let own = colleague.post("/api/services/web/deploy", json!({})).await.ok();
    let own = own["job_id"].as_str().expect("an id");
    assert_eq!(colleague.get(&format!("/api/jobs/{own}")).await.ok()["id"], own);
    assert_eq!(colleague.get("/api/jobs").await.ok()["total"], 1);
    assert_eq!(
        colleague.get(&path).await.refusal(),
        (403, "Permission denied".to_owned())
    );
    assert_eq!(runner.owner.get("/api/jobs").await.ok()["total"], 2);
    assert_eq!(
        runner.owner.get("/api/jobs/00000000").await.refusal(),
        (404, "Job not found".to_owned())
    );
}

#[tokio::test]
async fn a_job_that_is_called_off_ends_with_all_that_it_started() {
    let runner = runner("cancels", &[]).await;
    let script = "trap '' TERM; setsid bash -c 'echo away $$; sleep 1000' & wait; sleep 1000\n";
    fs::write(runner.service.join("deploy.sh"), script).expect("it is ours");
    let id = runner.deploys().await;
    let away = eventually("what has left the job's session to say its number", async || {
        let job = runner.job(&id).await;
        lines(&job)
            .iter()
            .find_map(|line| Some(line.strip_prefix("away ")?.to_owned()))
    })
    .await;
    let path = format!("/api/jobs/{id}");
    let stack = Stack::shared().await;
    let stranger = Account::new(stack).await;
    assert_eq!(
        stranger.delete(&path).await.refusal(),
        (404, "Job not found".to_owned())
    );
    let colleague = team::join(stack, &runner.owner, "user").await;
    let denied = (403, "Permission denied: jobs.cancel".to_owned());
    assert_eq!(colleague.delete(&path).await.refusal(), denied);
    allow(&runner.owner, &colleague, &["jobs.cancel"]).await;
    assert_eq!(
        colleague.delete(&path).await.refusal(),
        (403, "Permission denied".to_owned())
    );

    let cancelled = runner.owner.delete(&path).await.ok();
    assert_eq!(cancelled, json!({"status": "cancelled", "job_id": id}));
    let job = runner.over(&id).await;
    assert_eq!((&job["status"], &job["cancelled"]), (&json!("failed"), &json!(true)));
    let last = format!("[CANCELLED by {}]", runner.owner.username);
    assert_eq!(lines(&job).last(), Some(&last.as_str()));
    assert!(!Path::new(&format!("/proc/{away}")).exists());
    assert_eq!(
        runner.owner.delete(&path).await.refusal(),
        (409, "Job is not running".to_owned())
    );
    let log = runner.owner.get("/api/audit?action=job.cancel").await.ok();
    assert_eq!(
        (&log["entries"][0]["resource"], &log["entries"][0]["details"]),
        (
            &json!(format!("jobs/{id}")),
            &json!({"service": "web", "action": "deploy"})
        )
    );
}

/// The socket of somebody who watches a job and has so many of its lines.
async fn watch(url: &str, id: &str, token: &str, from: usize) -> Socket {
    let url = format!("{url}/api/jobs/ws/{id}?token={token}&from={from}");
    open(&url, &HeaderMap::new()).await.expect("an upgrade")
}

/// The next frame, or with which code the socket was closed; nothing if it was lost.
async fn hears(socket: &mut Socket) -> Option<Result<Value, u16>> {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("a message in time")? {
            Ok(Message::Text(text)) => return Some(Ok(serde_json::from_str(&text).expect("JSON"))),
            Ok(Message::Close(close)) => return close.map(|close| Err(close.code.into())),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

/// Watches a job to its end, and comes back when the socket is lost: all lines, and how the job ended.
pub async fn watches(account: &Account, id: &str) -> (Vec<String>, Value) {
    let mut lines = Vec::new();
    loop {
        let mut socket = watch(&account.anonymous.url, id, &account.token, lines.len()).await;
        while let Some(Ok(mut frame)) = hears(&mut socket).await {
            match frame["type"].as_str() {
                Some("output") => {
                    assert_eq!(frame["index"], lines.len());
                    lines.push(frame["data"].as_str().expect("a line").to_owned());
                }
                Some("done") => {
                    assert_eq!(hears(&mut socket).await, Some(Err(1000)));
                    return (lines, take(&mut frame, "status"));
                }
                _ => {}
            }
        }
    }
}

async fn events(account: &Account, id: &str) -> String {
    let request = account.request(Method::GET, &format!("/api/jobs/{id}/stream"));
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.text().await.expect("all of it")
}

#[tokio::test]
async fn who_watches_a_job_sees_each_line_once_though_the_relay_is_lost() {
    let runner = runner("watched", &[]).await;
    let go = runner.service.join("go");
    fs::write(runner.service.join("deploy.sh"), in_two_halves(5_000, &go)).expect("it is ours");
    let id = runner.deploys().await;
    let stack = Stack::shared().await;
    let disturb = async {
        runner.wrote(&id, "before 1").await;
        stack.drop_relay(&runner.agent.machine_id);
        runner.wrote(&id, "before 5000").await;
        stack.evict(&runner.agent.machine_id);
        fs::write(&go, "").expect("it is ours");
    };
    let owner = &runner.owner;
    let (one, two, stream, ()) = join!(watches(owner, &id), watches(owner, &id), events(owner, &id), disturb);
    let lines = both_halves(5_000);
    let all = (lines.clone(), json!("completed"));
    assert!(one == all && two == all);
    let said: String = lines.iter().map(|line| format!("data: {line}\r\n\r\n")).collect();
    assert!(stream == format!("{said}event: done\r\ndata: completed\r\n\r\n"));
    // One that is over is told in the same way.
    let (again, again_stream) = join!(watches(owner, &id), events(owner, &id));
    assert!(again == all && again_stream == stream);
}

#[tokio::test]
async fn a_job_is_watched_by_those_who_may_see_it_and_as_long_as_they_may() {
    let runner = runner("watchers", &[]).await;
    let go = runner.service.join("go");
    fs::write(runner.service.join("deploy.sh"), in_two_halves(1, &go)).expect("it is ours");
    let id = runner.deploys().await;
    let stack = Stack::shared().await;
    let url = runner.owner.anonymous.url.clone();
    let stranger = Account::new(stack).await;
    let colleague = team::join(stack, &runner.owner, "user").await;
    for (token, message, code) in [
        ("", "Token required", 4001),
        ("x", "Invalid or expired token", 4001),
        (colleague.token.as_str(), "Permission denied", 4003),
        (stranger.token.as_str(), "Job not found", 4004),
    ] {
        let mut socket = watch(&url, &id, token, 0).await;
        let error = json!({"type": "error", "message": message});
        assert_eq!(hears(&mut socket).await, Some(Ok(error)));
        assert_eq!(hears(&mut socket).await, Some(Err(code)));
    }
    let nothing = events(&stranger, &id).await;
    assert_eq!(nothing, "event: error\r\ndata: Job not found\r\n\r\n");
    let path = format!("/api/jobs/{id}/stream");
    assert_eq!(
        colleague.get(&path).await.refusal(),
        (403, "Permission denied".to_owned())
    );

    let mut socket = watch(&url, &id, &runner.owner.token, 2).await;
    let status = json!({"type": "status", "status": "running"});
    assert_eq!(hears(&mut socket).await, Some(Ok(status)));
    let line = json!({"type": "output", "data": "before 1", "index": 2});
    assert_eq!(hears(&mut socket).await, Some(Ok(line)));
    let name = &runner.owner.username;
    stack.sql(&format!(
        "UPDATE users SET token_version = token_version + 1 WHERE username = '{name}'"
    ));
    fs::write(&go, "").expect("it is ours");
    let error = json!({"type": "error", "message": "Permission denied"});
    assert_eq!(hears(&mut socket).await, Some(Ok(error)));
    assert_eq!(hears(&mut socket).await, Some(Err(4003)));
}
