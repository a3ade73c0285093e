//! Schedules: jobs that the clock starts on a real agent. The tests say what time it is.
use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::jobs;
use crate::support::account::Account;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{self, allow};

const SCRIPTS: &str = "scripts:\n  - name: backup\n    file: backup.sh\n    inputs:\n\
     \x20     - {name: host, type: string, required: true}\n      - {name: password, type: password}\n";

struct Runner {
    stack: Stack,
    jobs: jobs::Runner,
}

/// A runner with one service, at an edge whose clock is the test's.
async fn runner() -> Runner {
    let stack = Stack::start(&[]).await;
    let files = [
        ("deploy.sh", "while [ -e wait ]; do sleep 0.05; done; echo deployed\n"),
        (
            "backup.sh",
            "echo \"$INPUT_USERNAME $INPUT_HOST\"; set -x; : \"$INPUT_PASSWORD\"\n",
        ),
        ("scripts.yaml", SCRIPTS),
    ];
    let jobs = jobs::runner_at(&stack, "runner", &files).await;
    Runner { stack, jobs }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn time(value: &Value) -> DateTime<Utc> {
    text(value).parse().expect("a time")
}

impl Runner {
    async fn schedules(&self, who: &Account, body: Value) -> String {
        let mut full = json!({"name": "nightly", "service": "web", "cron": "30 4 * * *", "time_zone": "Europe/Berlin"});
        for (name, value) in body.as_object().expect("fields") {
            full[name] = value.clone();
        }
        let made = who.post("/api/schedules", full).await;
        assert_eq!(made.status, 201, "{made:?}");
        text(&made.ok()["id"])
    }

    async fn schedule(&self, id: &str) -> Value {
        self.jobs.owner.get(&format!("/api/schedules/{id}")).await.ok()
    }

    async fn history(&self, id: &str) -> Vec<Value> {
        let history = self
            .jobs
            .owner
            .get(&format!("/api/schedules/{id}/history?limit=50"))
            .await
            .ok();
        history["runs"].as_array().expect("runs").clone()
    }

    /// Has the clock come so much after the time at which a schedule runs next; answers what became of that run.
    async fn comes(&self, id: &str, late: TimeDelta) -> Value {
        let due = time(&self.schedule(id).await["next_run_at"]);
        self.stack.scheduled(&(due + late).to_rfc3339());
        let run = self.history(id).await.remove(0);
        assert_eq!(time(&run["due_at"]), due);
        run
    }

    async fn over(&self, job: &Value) -> Value {
        self.jobs.over(&text(job)).await
    }

    fn waits(&self, does: bool) {
        let file = self.jobs.service.join("wait");
        match does {
            true => fs::write(file, "").expect("it is ours"),
            false => fs::remove_file(file).expect("it is there"),
        }
    }
}

#[tokio::test]
async fn a_script_runs_when_it_is_due_as_whoever_made_its_schedule() {
    let runner = runner().await;
    let inputs = json!({"host": "db", "password": "hunter2"});
    let body = json!({"script": "backup", "inputs": inputs, "overlap": "allow"});
    let id = runner.schedules(&runner.jobs.owner, body).await;
    let mut made = runner.schedule(&id).await;
    assert!(hex(&id, 24) && is_recent(&take(&mut made, "created_at")));
    let next = time(&take(&mut made, "next_run_at"));
    assert!(next > Utc::now() && next < Utc::now() + TimeDelta::hours(26), "{next}");
    let name = runner.jobs.owner.username.clone();
    assert_eq!(
        made,
        json!({"id": id, "name": "nightly", "service": "web", "action": "script", "script": "backup", "inputs": ["host", "password"],
            "cron": "30 4 * * *", "time_zone": "Europe/Berlin", "enabled": true, "off_reason": "", "overlap": "allow", "missed": "skip",
            "runs_as": name, "last_run": null})
    );
    runner.stack.scheduled(&(next - TimeDelta::minutes(1)).to_rfc3339());
    assert!(runner.history(&id).await.is_empty());

    let mut run = runner.comes(&id, TimeDelta::seconds(20)).await;
    let job = runner.over(&take(&mut run, "job_id")).await;
    assert_eq!((&run["outcome"], &run["reason"]), (&json!("started"), &json!("")));
    assert_eq!(
        (
            &job["status"],
            &job["username"],
            &job["script"],
            &job["schedule_id"],
            &job["schedule_name"]
        ),
        (
            &json!("completed"),
            &json!(name),
            &json!("backup"),
            &json!(id),
            &json!("nightly")
        )
    );
    assert_eq!(job["output"][2], format!("{name} db"));
    assert_eq!(job["output"][3], "+ : ********");
    let after = runner.schedule(&id).await;
    assert_eq!(time(&after["next_run_at"]) - next, TimeDelta::days(1));
    assert_eq!(
        (&after["last_run"]["job_id"], &after["last_run"]["job_status"]),
        (&job["id"], &json!("completed"))
    );
    let log = runner.jobs.owner.get("/api/audit?action=service.run_script").await.ok();
    let entry = &log["logs"][0];
    assert_eq!(
        (
            &entry["username"],
            &entry["source"],
            &entry["details"]["schedule_id"],
            &entry["details"]["job_id"]
        ),
        (&json!(name), &json!("schedule"), &json!(id), &job["id"])
    );
    // What it is given is nowhere to be read.
    let made = runner.jobs.owner.get("/api/audit?action=schedule.create").await.ok();
    assert_eq!(made["logs"][0]["details"]["cron"], "30 4 * * *");
    assert!(!format!("{made}{log}{after}").contains("hunter2"));

    // The clock comes twice for the same time, and again: nothing more runs.
    for late in [30, 90] {
        runner.stack.scheduled(&(next + TimeDelta::seconds(late)).to_rfc3339());
    }
    assert_eq!(runner.history(&id).await.len(), 1);
    assert_eq!(runner.jobs.owner.get("/api/jobs").await.ok()["total"], 1);
}

#[tokio::test]
async fn a_run_is_left_out_while_the_one_before_runs_or_the_edge_was_away_and_history_says_so() {
    let runner = runner().await;
    let id = runner.schedules(&runner.jobs.owner, json!({})).await;
    runner.waits(true);
    let first = runner.comes(&id, TimeDelta::zero()).await;
    assert_eq!(first["outcome"], "started");
    let second = runner.comes(&id, TimeDelta::zero()).await;
    assert_eq!(
        (&second["outcome"], &second["job_id"]),
        (&json!("skipped_running"), &Value::Null)
    );
    runner.waits(false);
    runner.over(&first["job_id"]).await;

    let late = runner.comes(&id, TimeDelta::hours(49)).await;
    assert_eq!(late["outcome"], "missed");
    let path = format!("/api/schedules/{id}");
    runner.jobs.owner.put(&path, json!({"missed": "run_once"})).await.ok();
    let made_up = runner.comes(&id, TimeDelta::hours(49)).await;
    assert_eq!(made_up["outcome"], "started");
    runner.over(&made_up["job_id"]).await;
    assert_eq!(runner.history(&id).await.len(), 4, "once for however many were missed");

    runner.jobs.agent.kill();
    runner.jobs.agent.becomes("offline").await;
    let away = runner.comes(&id, TimeDelta::zero()).await;
    assert_eq!(
        (&away["outcome"], &away["reason"]),
        (&json!("runner_offline"), &json!("Runner is not connected"))
    );

    runner.jobs.owner.delete(&path).await.ok();
    assert_eq!(
        runner.jobs.owner.get(&path).await.refusal(),
        (404, "Schedule not found".to_owned())
    );
    let jobs = runner.jobs.owner.get("/api/jobs").await.ok();
    assert_eq!(
        (&jobs["total"], &jobs["jobs"][0]["schedule_id"]),
        (&json!(2), &Value::Null)
    );
}

#[tokio::test]
async fn a_run_that_waits_starts_when_the_one_before_is_over_and_a_further_one_is_left_out() {
    let runner = runner().await;
    let id = runner.schedules(&runner.jobs.owner, json!({"overlap": "queue"})).await;
    assert_eq!(runner.schedule(&id).await["overlap"], "queue");
    runner.waits(true);
    let first = runner.comes(&id, TimeDelta::zero()).await;
    let second = runner.comes(&id, TimeDelta::zero()).await;
    assert_eq!(
        (&second["outcome"], &second["job_id"]),
        (&json!("queued"), &Value::Null)
    );
    let third = runner.comes(&id, TimeDelta::zero()).await;
    assert_eq!(
        (&third["outcome"], &third["reason"]),
        (
            &json!("skipped_running"),
            &json!("A run that was due before waits already")
        )
    );
    let clock = |minutes| {
        let at = time(&third["due_at"]) + TimeDelta::minutes(minutes);
        runner.stack.scheduled(&at.to_rfc3339());
    };
    clock(1);
    assert_eq!(runner.history(&id).await[1]["outcome"], "queued");
    runner.waits(false);
    runner.over(&first["job_id"]).await;
    clock(2);
    let history = runner.history(&id).await;
    assert_eq!((history.len(), &history[1]["outcome"]), (3, &json!("started")));
    let job = runner.over(&history[1]["job_id"]).await;
    assert_eq!((&job["status"], &job["schedule_id"]), (&json!("completed"), &json!(id)));
    clock(3);
    assert_eq!(runner.history(&id).await.len(), 3);
    assert_eq!(runner.jobs.owner.get("/api/jobs").await.ok()["total"], 2);
}

#[tokio::test]
async fn people_have_started_only_what_they_may_start_themselves_when_it_is_due() {
    let runner = runner().await;
    let colleague = team::join(&runner.stack, &runner.jobs.owner, "user").await;
    let rights = ["schedules.view", "schedules.create", "schedules.edit"];
    let role = allow(&runner.jobs.owner, &colleague, &rights).await;
    let body = json!({"name": "mine", "service": "web", "cron": "@hourly"});
    let denied = (403, "Permission denied: services.deploy".to_owned());
    assert_eq!(colleague.post("/api/schedules", body).await.refusal(), denied);
    let id = runner.schedules(&runner.jobs.owner, json!({})).await;
    let path = format!("/api/schedules/{id}");
    // Who may not deploy may give it a name and switch it off, and then it is still the other's.
    assert_eq!(colleague.put(&path, json!({"cron": "@hourly"})).await.refusal(), denied);
    let off = colleague
        .put(&path, json!({"name": "at night", "enabled": false}))
        .await
        .ok();
    assert_eq!(
        (&off["name"], &off["enabled"], &off["next_run_at"], &off["runs_as"]),
        (
            &json!("at night"),
            &json!(false),
            &Value::Null,
            &json!(runner.jobs.owner.username)
        )
    );
    assert_eq!(colleague.put(&path, json!({"enabled": true})).await.refusal(), denied);
    assert_eq!(
        colleague.delete(&path).await.refusal(),
        (403, "Permission denied: schedules.delete".to_owned())
    );

    // Whoever changes what it does is whose jobs it starts.
    let role = &role["id"];
    runner.stack.sql(&format!(
        "INSERT INTO role_permissions (role_id, permission) VALUES ({role}, 'services.deploy')"
    ));
    let taken = colleague.put(&path, json!({"enabled": true})).await.ok();
    assert_eq!(taken["runs_as"], colleague.username);
    let run = runner.comes(&id, TimeDelta::zero()).await;
    assert_eq!(runner.over(&run["job_id"]).await["username"], colleague.username);
    runner.stack.sql(&format!(
        "DELETE FROM role_permissions WHERE role_id = {role} AND permission = 'services.deploy'"
    ));
    let refused = runner.comes(&id, TimeDelta::zero()).await;
    assert_eq!(
        (&refused["outcome"], &refused["job_id"]),
        (&json!("not_allowed"), &Value::Null)
    );
    let off = runner.schedule(&id).await;
    assert_eq!((&off["enabled"], &off["next_run_at"]), (&json!(false), &Value::Null));
    assert!(text(&off["off_reason"]).contains("may not start jobs"), "{off}");
    let log = runner
        .jobs
        .owner
        .get("/api/audit?action=schedule.switch_off")
        .await
        .ok();
    assert_eq!(
        (&log["total"], &log["logs"][0]["source"]),
        (&json!(1), &json!("system"))
    );

    // A stranger has nothing to do with it.
    let stranger = Account::new(&runner.stack).await;
    assert_eq!(
        stranger.get(&path).await.refusal(),
        (404, "Schedule not found".to_owned())
    );
    assert_eq!(stranger.get("/api/schedules").await.ok(), json!({"schedules": []}));
    let body = json!({"name": "theirs", "service": "web", "cron": "@daily"});
    assert_eq!(
        stranger.post("/api/schedules", body).await.refusal(),
        (404, "Service not found".to_owned())
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_schedule_is_said_by_its_field() {
    let runner = runner().await;
    let good = json!({"name": "nightly", "service": "web", "cron": "@daily"});
    for (change, words) in [
        (
            json!({"cron": "0 0 * * * *"}),
            "cron must have 5 fields, such as 30 4 * * 1-5, or be a name such as @daily",
        ),
        (json!({"cron": "0 24 * * *"}), "cron must have 0 to 23 as its hour"),
        (json!({"cron": "0 0 30 2 *"}), "cron must come at some time"),
        (
            json!({"time_zone": "Mars/Base"}),
            "time_zone must be the name of a time zone, such as UTC or Europe/Berlin",
        ),
        (
            json!({"script": "nothing"}),
            "Script 'nothing' not found for service 'web'",
        ),
        (json!({"script": "backup"}), "Missing required input: host"),
        (
            json!({"inputs": {"host": "db"}}),
            "inputs must be left out where no script is named",
        ),
        (json!({"action": "script"}), "script is required"),
    ] {
        let mut body = good.clone();
        for (name, value) in change.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let refused = runner.jobs.owner.post("/api/schedules", body).await;
        assert_eq!(refused.refusal(), (400, words.to_owned()));
    }
    let missing = runner
        .jobs
        .owner
        .post("/api/schedules", json!({"service": "web"}))
        .await;
    assert_eq!(missing.refusal(), (400, "name is required".to_owned()));

    let preview = async |query: &str| runner.jobs.owner.get(&format!("/api/schedules/preview{query}")).await;
    let runs = preview("?cron=30+4+*+*+1-5&time_zone=Europe/Berlin&count=30")
        .await
        .ok();
    let runs = runs["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 20);
    let local: DateTime<chrono::FixedOffset> = text(&runs[0]["local"]).parse().expect("a time");
    assert_eq!(
        (local.to_utc(), local.format("%H:%M").to_string()),
        (time(&runs[0]["at"]), "04:30".to_owned())
    );
    assert_eq!(
        preview("?cron=@daily").await.ok()["runs"].as_array().map(Vec::len),
        Some(5)
    );
    assert_eq!(preview("").await.refusal(), (400, "cron is required".to_owned()));
    let zone = preview("?cron=@daily&time_zone=Nowhere").await.refusal();
    assert!(zone.1.starts_with("time_zone must be"), "{zone:?}");
}
