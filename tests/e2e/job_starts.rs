//! What is run and what is not: again, once at a time, with a vault's password, and no file from elsewhere.
use std::fs;

use serde_json::json;
use tokio::join;

use crate::jobs::{in_two_halves, lines, runner};
use crate::support::account::Account;
use crate::support::redact::{is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{self, allow};
use crate::support::wait::eventually;

#[tokio::test]
async fn a_script_that_is_not_there_or_elsewhere_is_no_job() {
    let names = [
        ("missing", "missing.sh", 404, "Script file 'missing.sh' not found"),
        (
            "encoded",
            "%2e%2e/%2e%2e/etc/hostname",
            404,
            "Script file '%2e%2e/%2e%2e/etc/hostname' not found",
        ),
        ("backwards", "..\\\\etc", 404, "Script file '..\\etc' not found"),
        (
            "parents",
            "../../../etc/hostname",
            400,
            "Path traversal detected in script file",
        ),
        (
            "absolute",
            "/etc/hostname",
            400,
            "Path traversal detected in script file",
        ),
        ("nul", "deploy.sh\\0", 400, "Path traversal detected in script file"),
        ("link", "link.sh", 400, "Path traversal detected in script file"),
    ];
    let entries = names.map(|(name, file, ..)| format!("  - {{name: {name}, file: \"{file}\"}}\n"));
    let runner = runner("names", &[("scripts.yaml", &format!("scripts:\n{}", entries.concat()))]).await;
    std::os::unix::fs::symlink("/etc/hostname", runner.service.join("link.sh")).expect("it is ours");
    for (name, _, status, words) in names {
        let answer = runner
            .owner
            .post("/api/services/web/run", json!({"script": name}))
            .await;
        assert_eq!(answer.refusal(), (status, words.to_owned()), "{name}");
    }
    assert_eq!(runner.owner.get("/api/jobs").await.ok()["total"], 0);
}

#[tokio::test]
async fn of_deployments_of_a_service_that_come_at_once_one_begins() {
    let runner = runner("guarded", &[]).await;
    let go = runner.service.join("go");
    fs::write(runner.service.join("deploy.sh"), in_two_halves(1, &go)).expect("it is ours");
    let deploy = || runner.owner.post("/api/services/web/deploy", json!({}));
    let (one, two, three, four) = join!(deploy(), deploy(), deploy(), deploy());
    let (begun, refused): (Vec<_>, Vec<_>) = [one, two, three, four]
        .into_iter()
        .partition(|answer| answer.status == 200);
    assert_eq!((begun.len(), refused.len()), (1, 3));
    let id = begun[0].body["job_id"].as_str().expect("an id");
    let words = format!("Service 'web' is being deployed already, by job {id}");
    for answer in refused {
        assert_eq!(answer.body["code"], "deploy_running");
        assert_eq!(answer.refusal(), (409, words.clone()));
    }
    let script = runner
        .owner
        .post("/api/services/web/run", json!({"script": "deploy"}))
        .await
        .ok();
    fs::write(&go, "").expect("it is ours");
    runner.over(script["job_id"].as_str().expect("an id")).await;
    runner.over(id).await;
    let log = runner.owner.get("/api/audit?action=service.deploy").await.ok();
    assert_eq!(log["total"], 1);
    let again = runner.deploys().await;
    assert_eq!(runner.over(&again).await["status"], "completed");
}

#[tokio::test]
async fn a_job_runs_again_with_what_it_was_given_by_what_its_service_is_now() {
    let scripts = "scripts:\n  - name: greet\n    file: greet.sh\n    inputs:\n      - {name: word, type: string}\n\
         \x20     - {name: password, type: password}\n";
    let script = "echo \"$INPUT_USERNAME $INPUT_WORD\"; [ \"$INPUT_PASSWORD\" = hunter2 ] && echo known\n";
    let runner = runner("reruns", &[("scripts.yaml", scripts), ("greet.sh", script)]).await;
    let (owner, stack) = (&runner.owner, Stack::shared().await);
    let body = json!({"script": "greet", "inputs": {"word": "hello", "password": "hunter2"}});
    let started = owner.post("/api/services/web/run", body).await.ok();
    let first = started["job_id"].as_str().expect("an id").to_owned();
    runner.over(&first).await;
    let kept = stack.sql(&format!("SELECT * FROM jobs WHERE id = '{first}'"))[0].to_string();
    assert!(!kept.contains("hunter2") && !kept.contains("hello"), "{kept}");
    let path = format!("/api/jobs/{first}/rerun");

    let stranger = Account::new(stack).await;
    let refusal = stranger.post(&path, json!({})).await.refusal();
    assert_eq!(refusal, (404, "Job not found".to_owned()));
    let needed = ["jobs.rerun", "services.deploy", "jobs.view_all"];
    for (held, words) in [
        "Permission denied: jobs.rerun",
        "Permission denied: services.deploy",
        "Permission denied",
    ]
    .into_iter()
    .enumerate()
    {
        let other = team::join(stack, owner, "user").await;
        allow(owner, &other, &needed[..held]).await;
        let refusal = other.post(&path, json!({})).await.refusal();
        assert_eq!(refusal, (403, words.to_owned()));
    }
    let colleague = team::join(stack, owner, "user").await;
    allow(owner, &colleague, &needed).await;
    let again = colleague.post(&path, json!({})).await.ok();
    assert_eq!(again["status"], "running");
    let second = again["job_id"].as_str().expect("an id").to_owned();
    let job = runner.over(&second).await;
    assert_eq!(
        (&job["parent_job_id"], &job["status"]),
        (&json!(first), &json!("completed"))
    );
    let who = format!("{} hello", colleague.username);
    assert_eq!(
        lines(&job),
        ["--- Running greet for web ---", "$ bash greet.sh", &who, "known"]
    );
    let listed = owner.get(&format!("/api/jobs?parent_job_id={first}")).await.ok();
    assert_eq!(
        (&listed["total"], &listed["jobs"][0]["id"]),
        (&json!(1), &json!(second))
    );
    let log = owner.get("/api/audit?action=job.rerun").await.ok();
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["resource"], &entry["details"]["job_id"], &entry["username"]),
        (
            &json!(format!("jobs/{first}")),
            &json!(second),
            &json!(colleague.username)
        )
    );
    assert!(!log.to_string().contains("hunter2"));

    // What it takes now counts, and whether it is there.
    let strict = scripts.replace("{name: word, type: string}", "{name: word, type: list}");
    for (text, words) in [
        (
            strict.as_str(),
            "Input 'word' must be a list of texts, none of which is empty",
        ),
        ("scripts: []\n", "Script 'greet' not found for service 'web'"),
    ] {
        fs::write(runner.service.join("scripts.yaml"), text).expect("it is ours");
        eventually("the scripts to be known", async || {
            let refusal = owner.post(&path, json!({})).await;
            (refusal.status == 400 && refusal.refusal().1 == words).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn jobs_open_vaults_with_a_password_that_nothing_tells() {
    let runner = runner("vaults", &[]).await;
    let (owner, stack) = (&runner.owner, Stack::shared().await);
    let path = "/api/services/vault-password";
    let none = json!({"set": false, "set_at": null, "set_by": null});
    assert_eq!(owner.get(path).await.ok(), none);
    let words = "password must have 1 to 1024 characters";
    assert_eq!(
        owner.put(path, json!({"password": ""})).await.refusal(),
        (400, words.to_owned())
    );
    assert_eq!(owner.put(path, json!({})).await.status, 400);
    let mut set = owner.put(path, json!({"password": "open 'sesame'"})).await.ok();
    assert!(is_recent(&take(&mut set, "set_at")));
    assert_eq!(set, json!({"set": true, "set_by": owner.username}));
    let sealed = stack.sql("SELECT vault_sealed FROM organizations").to_string();
    assert!(!sealed.contains("sesame"));

    let script = "stat -c %a \"$VAULT_PASSWORD_FILE\"; cat \"$ANSIBLE_VAULT_PASSWORD_FILE\"; echo\n";
    fs::write(runner.service.join("deploy.sh"), script).expect("it is ours");
    let job = runner.over(&runner.deploys().await).await;
    assert_eq!(lines(&job)[2..], ["600", "********"]);
    let log = owner.get("/api/audit?action=vault_password_changed").await.ok();
    assert_eq!(log["entries"][0]["details"], json!({"set": true}));
    let all = owner.get("/api/audit").await.ok();
    assert!(!all.to_string().contains("sesame"));

    assert_eq!(owner.put(path, json!({"password": null})).await.ok(), none);
    fs::write(
        runner.service.join("deploy.sh"),
        "echo \"${VAULT_PASSWORD_FILE-none}\"\n",
    )
    .expect("it is ours");
    let job = runner.over(&runner.deploys().await).await;
    assert_eq!(lines(&job)[2..], ["none"]);
}
