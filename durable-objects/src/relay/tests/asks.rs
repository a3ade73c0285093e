//! What runners are asked for somebody who waits.
use protocol::relay_contract::RunnerAnswer;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::services::{Answer, Ask, MAX_ASKS, Refusal};

use super::relay_sim::{RelaySim, Wire};
use super::rules::heard;
use super::services::online;
use crate::relay::asks::ANSWERED_WITHIN;

fn ask(sim: &mut RelaySim) -> Result<u64, RunnerAnswer> {
    let asked = sim.relay.ask_runner(sim.now, "web", Ask::Outputs);
    sim.perform();
    asked
}

fn says(sim: &mut RelaySim, number: u64, answer: Answer) {
    let socket = sim.agent.socket.unwrap();
    let message = serde_json::to_string(&FromAgent::Service { number, answer }).unwrap();
    sim.relay.text(sim.now, socket, &message);
    sim.perform();
}

fn told(sim: &mut RelaySim, number: u64) -> Option<RunnerAnswer> {
    sim.relay.runner_answer(sim.now, number)
}

fn answered(answer: Answer) -> RunnerAnswer {
    RunnerAnswer::Answered { answer }
}

fn busy() -> RunnerAnswer {
    let refusal = Refusal::Busy;
    answered(Answer::Refused { refusal })
}

#[test]
fn a_runner_is_asked_and_its_answer_is_told_once_to_who_asked() {
    let mut sim = online(true);
    sim.now = 5_000;
    let socket = sim.agent.socket.unwrap();
    heard(&mut sim, socket);
    let (first, second) = (ask(&mut sim).unwrap(), ask(&mut sim).unwrap());
    let said: Vec<ToAgent> = heard(&mut sim, socket)
        .into_iter()
        .filter_map(|wire| match wire {
            Wire::Text(text) => serde_json::from_str(&text).ok(),
            _ => None,
        })
        .collect();
    let asked = |number| ToAgent::Service {
        number,
        service: "web".to_owned(),
        ask: Ask::Outputs,
    };
    assert_eq!(said, [asked(first), asked(second)]);
    assert_eq!(told(&mut sim, first), None);
    let outputs = Answer::Outputs { outputs: Vec::new() };
    says(&mut sim, second, Answer::Done);
    says(&mut sim, first, outputs.clone());
    says(&mut sim, first, Answer::Done);
    assert_eq!(told(&mut sim, first), Some(answered(outputs)));
    assert_eq!(told(&mut sim, second), Some(answered(Answer::Done)));
    assert_eq!(told(&mut sim, second), Some(RunnerAnswer::Silent), "it is told once");
}

#[test]
fn what_is_no_runner_or_not_there_is_asked_nothing() {
    let mut sim = RelaySim::new(0);
    assert_eq!(ask(&mut sim), Err(RunnerAnswer::Offline));
    let mut sim = online(false);
    let socket = sim.agent.socket.unwrap();
    heard(&mut sim, socket);
    assert_eq!(ask(&mut sim), Err(RunnerAnswer::Offline));
    assert!(heard(&mut sim, socket).is_empty());
    let mut sim = online(true);
    sim.cut(sim.agent.socket.unwrap());
    assert_eq!(ask(&mut sim), Err(RunnerAnswer::Offline));
}

#[test]
fn nobody_waits_longer_than_the_deadline_or_for_a_link_that_is_lost() {
    let mut sim = online(true);
    let late = ask(&mut sim).unwrap();
    sim.now += ANSWERED_WITHIN - 1;
    assert_eq!(told(&mut sim, late), None);
    sim.now += 1;
    assert_eq!(told(&mut sim, late), Some(RunnerAnswer::Silent));
    // It comes after all, and the link stays.
    says(&mut sim, late, Answer::Done);
    let next = ask(&mut sim).unwrap();
    assert_eq!(told(&mut sim, next), None);
    sim.agent_connects();
    sim.settle();
    assert_eq!(told(&mut sim, next), Some(RunnerAnswer::Silent));
}

#[test]
fn a_runner_does_so_many_things_at_once_and_those_nobody_waits_for_end_by_time() {
    let mut sim = online(true);
    let first = ask(&mut sim).unwrap();
    for _ in 1..MAX_ASKS {
        ask(&mut sim).unwrap();
    }
    assert_eq!(ask(&mut sim), Err(busy()));
    says(&mut sim, first, Answer::Done);
    assert!(told(&mut sim, first).is_some());
    assert!(ask(&mut sim).is_ok());
    assert_eq!(ask(&mut sim), Err(busy()));
    sim.now += ANSWERED_WITHIN;
    assert!(ask(&mut sim).is_ok());
}

#[test]
fn a_late_answer_to_what_was_asked_before_the_memory_was_lost_is_no_answer_to_anything_else() {
    let mut sim = online(true);
    sim.now = 1_000;
    let before = ask(&mut sim).unwrap();
    sim.now += 1;
    sim.hibernate();
    let after = ask(&mut sim).unwrap();
    assert_ne!(before, after);
    says(&mut sim, before, Answer::Done);
    assert_eq!(told(&mut sim, after), None);
    assert!(sim.agent.socket.is_some(), "its link is not cut");
}
