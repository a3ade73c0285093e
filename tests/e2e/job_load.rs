//! Much at once: jobs of one runner, services that are copied in, and a job that does not want to end.
use std::fs;
use std::path::Path;

use futures_util::future::join_all;
use serde_json::json;

use tokio::time::Instant;

use crate::jobs::{Runner, lines, runner};
use crate::support::wait::eventually;

/// Jobs that run at once.
const JOBS: usize = 10;

/// Services that are copied in at once.
const SERVICES: usize = 300;

#[tokio::test]
async fn ten_jobs_of_a_runner_at_once_lose_no_byte_and_mix_none() {
    let script = "for n in $(seq 2000); do printf 'job %s, line %s:%*s ü\\n' \"$INPUT_NAME\" $n $((n % 90)) x; done\n";
    let runner = runner("ten", &[("deploy.sh", script)]).await;
    let runs = (0..JOBS).map(async |job| {
        let body = json!({"script": "deploy", "inputs": {"name": job}});
        let started = runner.owner.post("/api/services/web/run", body).await.ok();
        let job = runner.over(started["job_id"].as_str().expect("an id")).await;
        assert_eq!(job["status"], "completed");
        job
    });
    for (number, job) in join_all(runs).await.iter().enumerate() {
        let expected = (1..=2000).map(|n| format!("job {number}, line {n}:{:>1$} ü", "x", n % 90));
        assert!(lines(job)[2..].iter().copied().eq(expected), "job {number}");
    }
}

#[tokio::test]
async fn hundreds_of_services_that_are_copied_in_appear_soon() {
    let runner = runner("copied", &[]).await;
    let root = runner.service.parent().expect("a folder").to_owned();
    for number in 0..SERVICES {
        let service = root.join(format!("copied-{number:03}"));
        fs::create_dir(&service).expect("it is ours");
        fs::write(service.join("deploy.sh"), "echo deployed\n").expect("it is ours");
        fs::write(service.join("config.yaml"), format!("number: {number}\n")).expect("it is ours");
    }
    let copied = Instant::now();
    eventually("all services to be listed", async || {
        let services = runner.owner.get("/api/services").await.ok();
        let count = services["services"].as_array().map(Vec::len);
        (count == Some(SERVICES + 1)).then_some(())
    })
    .await;
    println!(
        "{SERVICES} services were listed {:?} after the last was copied",
        copied.elapsed()
    );
}

/// The process whose number a job has written behind a word.
async fn process(runner: &Runner, id: &str, word: &str) -> String {
    eventually(&format!("the number of {word}"), async || {
        let job = runner.job(id).await;
        let number = lines(&job)
            .iter()
            .find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        number.map(|number| format!("/proc/{number}"))
    })
    .await
}

#[tokio::test]
async fn of_a_job_that_forks_ignores_requests_to_end_and_writes_much_nothing_is_left_but_all_that_it_wrote() {
    let script = "trap '' TERM\n\
         (trap '' TERM; for n in $(seq 50000); do echo line $n; done; echo stubborn $BASHPID; while :; do sleep 1; done) &\n\
         env -i setsid bash -c 'trap \"\" TERM; echo away $$; while :; do sleep 1; done' &\n\
         wait\n";
    let runner = runner("stubborn", &[("deploy.sh", script)]).await;
    let id = runner.deploys().await;
    let processes = [
        process(&runner, &id, "away").await,
        process(&runner, &id, "stubborn").await,
    ];
    assert!(processes.iter().all(|process| Path::new(process).exists()));
    runner.owner.delete(&format!("/api/jobs/{id}")).await.ok();
    let job = runner.over(&id).await;
    assert_eq!(job["cancelled"], true);
    assert!(
        !processes.iter().any(|process| Path::new(process).exists()),
        "{processes:?}"
    );
    let written = lines(&job).into_iter().filter(|line| line.starts_with("line "));
    assert!(written.eq((1..=50_000).map(|n| format!("line {n}"))));
}
