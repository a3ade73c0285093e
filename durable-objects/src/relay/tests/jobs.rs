//! Jobs of a runner.
use protocol::ids::JobId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::close::Close;
use protocol::terminal::jobs::{JobEnd, JobOutput, MAX_JOB_OUTPUT, MAX_JOB_PART, MAX_JOB_REMARKS, MAX_JOBS, StartJob};

use super::relay_sim::RelaySim;
use crate::relay::{Action, JobNews};

fn online(services: bool) -> RelaySim {
    let mut sim = RelaySim::new(0);
    sim.agent.services = services;
    sim.agent_connects();
    sim.settle();
    sim
}

fn job(number: u32) -> JobId {
    format!("{number:08x}").parse().unwrap()
}

fn start() -> StartJob {
    StartJob {
        job: job(1),
        service: "web".into(),
        file: "deploy.sh".into(),
        title: "Running deploy.sh for web".into(),
        username: "ann".into(),
        environment: Default::default(),
        secrets: Vec::new(),
    }
}

fn output(offset: u64, text: String) -> FromAgent {
    let output = JobOutput {
        job: job(1),
        offset,
        text,
        deployment_id: None,
    };
    FromAgent::JobOutput { output }
}

fn ended(note: String) -> FromAgent {
    let end = JobEnd {
        job: job(1),
        code: None,
        signal: None,
        note: Some(note),
    };
    FromAgent::JobEnded { end }
}

/// What is to be stored once the agent has said this, or that its link is cut.
fn said(sim: &mut RelaySim, message: &FromAgent) -> Result<Option<JobNews>, Close> {
    let socket = sim.agent.socket.unwrap();
    sim.relay
        .text(sim.now, socket, &serde_json::to_string(message).unwrap());
    let mut news = None;
    for action in sim.relay.take_actions() {
        match action {
            Action::Job(job) => news = Some(job),
            Action::Close(_, close) => return Err(close),
            _ => {}
        }
    }
    Ok(news)
}

#[test]
fn a_job_is_told_to_a_runner_that_is_there_and_to_nobody_else() {
    assert!(!RelaySim::new(0).relay.start_job(start()));
    assert!(!online(false).relay.start_job(start()));
    let mut sim = online(true);
    assert!(sim.relay.start_job(start()));
    let told = serde_json::to_string(&ToAgent::Job { job: start() }).unwrap();
    let is_told = |action: &Action| matches!(action, Action::Text(_, text) if *text == told);
    assert!(sim.relay.take_actions().iter().any(is_told));
}

#[test]
fn what_a_runner_says_of_jobs_is_stored_within_bounds() {
    let longest = MAX_JOB_OUTPUT + MAX_JOB_REMARKS;
    for message in [
        FromAgent::Jobs {
            jobs: (0..MAX_JOBS as u32).map(job).collect(),
        },
        output(0, "x".repeat(MAX_JOB_PART)),
        output(longest - 1, "x".into()),
        ended("n".repeat(1000)),
    ] {
        assert!(said(&mut online(true), &message).unwrap().is_some(), "{message:?}");
    }
    for message in [
        FromAgent::Jobs {
            jobs: (0..=MAX_JOBS as u32).map(job).collect(),
        },
        output(0, String::new()),
        output(0, "x".repeat(MAX_JOB_PART + 1)),
        output(longest, "x".into()),
        output(u64::MAX, "x".into()),
        ended("n".repeat(1001)),
    ] {
        assert_eq!(said(&mut online(true), &message), Err(Close::ProtocolError));
    }
}

#[test]
fn what_is_no_runner_has_nothing_to_say_of_jobs() {
    let message = FromAgent::Jobs { jobs: Vec::new() };
    assert_eq!(said(&mut online(false), &message), Err(Close::ProtocolError));
}
