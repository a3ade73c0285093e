//! Jobs of a runner.
use protocol::ids::JobId;
use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::close::Close;
use protocol::terminal::jobs::{
    JobEnd, JobOutput, MAX_JOB_OUTPUT, MAX_JOB_PART, MAX_JOB_REMARKS, MAX_JOBS, Outputs, Playbook, StartJob,
};
use protocol::terminal::services::{Answer, MAX_DETAIL, Refusal};

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
        number: None,
        service: "web".into(),
        file: "deploy.sh".into(),
        playbook: None,
        title: "Running deploy.sh for web".into(),
        username: "ann".into(),
        environment: Default::default(),
        secrets: Vec::new(),
        vault_password: None,
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

fn ended_with(outputs: Outputs) -> FromAgent {
    let end = JobEnd {
        job: job(1),
        code: Some(0),
        signal: None,
        note: None,
        outputs,
    };
    FromAgent::JobEnded { end }
}

fn ended(note: String) -> FromAgent {
    let end = JobEnd {
        job: job(1),
        code: None,
        signal: None,
        note: Some(note),
        outputs: Outputs::default(),
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
    for mut sim in [RelaySim::new(0), online(false)] {
        assert_eq!(sim.relay.start_job(0, start()), Err(RunnerAnswer::Offline));
    }
    let mut sim = online(true);
    let number = sim.relay.start_job(sim.now, start()).ok();
    let job = StartJob { number, ..start() };
    let told = serde_json::to_string(&ToAgent::Job { job }).unwrap();
    let is_told = |action: &Action| matches!(action, Action::Text(_, text) if *text == told);
    assert!(number.is_some() && sim.relay.take_actions().iter().any(is_told));
}

#[test]
fn a_playbook_is_not_told_to_a_runner_that_would_have_bash_run_it() {
    let playbook = || StartJob {
        playbook: Some(Playbook::default()),
        ..start()
    };
    let mut sim = online(true);
    let refusal = Refusal::TooOld;
    let answer = Answer::Refused { refusal };
    assert_eq!(
        sim.relay.start_job(sim.now, playbook()),
        Err(RunnerAnswer::Answered { answer })
    );
    assert!(
        !sim.relay
            .take_actions()
            .iter()
            .any(|action| matches!(action, Action::Text(..)))
    );
    let mut sim = RelaySim::new(0);
    (sim.agent.services, sim.agent.playbooks) = (true, true);
    sim.agent_connects();
    sim.settle();
    assert!(sim.relay.start_job(sim.now, playbook()).is_ok());
    assert!(
        sim.relay
            .take_actions()
            .iter()
            .any(|action| matches!(action, Action::Text(..)))
    );
}

#[test]
fn whoever_starts_a_job_hears_whether_it_runs_of_a_runner_that_does_not_answer_too() {
    let refusal = Answer::Refused {
        refusal: Refusal::NotFound,
    };
    for (says, answer) in [
        (None, refusal),
        (None, Answer::Done),
        (Some(output(0, "$ bash deploy.sh\n".into())), Answer::Done),
        (Some(ended("[ERROR: it is busy]".into())), Answer::Done),
    ] {
        let mut sim = online(true);
        let number = sim.relay.start_job(sim.now, start()).unwrap();
        assert_eq!(sim.relay.runner_answer(sim.now, number), None);
        let answered = FromAgent::Service {
            number,
            answer: answer.clone(),
        };
        said(&mut sim, &says.unwrap_or(answered)).unwrap();
        let expected = RunnerAnswer::Answered { answer };
        assert_eq!(sim.relay.runner_answer(sim.now, number), Some(expected));
    }
    // Another job's words say nothing of this one.
    let mut sim = online(true);
    let other = StartJob { job: job(2), ..start() };
    let number = sim.relay.start_job(sim.now, other).unwrap();
    said(&mut sim, &ended("over".into())).unwrap();
    assert_eq!(sim.relay.runner_answer(sim.now, number), None);
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
        ended_with(Outputs(vec!["x".repeat(MAX_DETAIL - 4).into()])),
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
        ended_with(Outputs(vec!["x".repeat(MAX_DETAIL - 3).into()])),
    ] {
        assert_eq!(said(&mut online(true), &message), Err(Close::ProtocolError));
    }
}

#[test]
fn what_is_no_runner_has_nothing_to_say_of_jobs() {
    let message = FromAgent::Jobs { jobs: Vec::new() };
    assert_eq!(said(&mut online(false), &message), Err(Close::ProtocolError));
}
