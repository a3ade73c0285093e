//! A machine has one agent: a copy is told from an agent that comes back.
use protocol::relay_contract::AgentContext;

use super::relay_sim::{RelaySim, agent_id, object_id};
use crate::relay::{Arrival, Asked};

fn of_run(run: Option<u8>) -> AgentContext {
    AgentContext {
        machine: object_id(1),
        agent_id: agent_id(),
        key: "key".to_owned(),
        boot: run.map(|run| format!("{run:032x}").parse().unwrap()),
        token: String::new(),
        thresholds: Default::default(),
        policies: None,
    }
}

/// The agent of the model is the first run.
fn connected() -> RelaySim {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    sim.settle();
    sim
}

fn arrives(sim: &mut RelaySim, run: Option<u8>, asked: Option<Asked>) -> Arrival {
    let arrival = sim.relay.arrival(sim.now, &of_run(run), asked);
    sim.perform();
    arrival
}

fn asked(arrival: Arrival) -> Option<Asked> {
    match arrival {
        Arrival::Wait(asked) => Some(asked),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_of_a_machine_whose_agent_answers_is_a_duplicate() {
    let mut sim = connected();
    let waits = asked(arrives(&mut sim, Some(2), None));
    sim.settle();
    assert_eq!(arrives(&mut sim, Some(2), waits), Arrival::Duplicate);
    assert!(sim.agent.socket.is_some(), "who was there first stays");
}

#[test]
fn an_agent_that_does_not_answer_within_five_seconds_is_replaced() {
    let mut sim = connected();
    let mut waits = asked(arrives(&mut sim, Some(2), None));
    sim.now += 4_900;
    waits = asked(arrives(&mut sim, Some(2), waits));
    sim.now += 200;
    assert_eq!(arrives(&mut sim, Some(2), waits), Arrival::Welcome);
}

#[test]
fn the_same_run_takes_its_place_again_at_once_and_so_does_one_that_does_not_say() {
    let mut sim = connected();
    assert_eq!(arrives(&mut sim, Some(1), None), Arrival::Welcome);
    assert_eq!(arrives(&mut sim, None, None), Arrival::Welcome);
    sim.cut(sim.agent.socket.unwrap());
    assert_eq!(arrives(&mut sim, Some(2), None), Arrival::Welcome, "nobody is there");
}

#[test]
fn who_came_meanwhile_is_asked_itself() {
    let mut sim = connected();
    let waits = asked(arrives(&mut sim, Some(2), None));
    sim.cut(sim.agent.socket.unwrap());
    let other = sim.open_socket();
    sim.relay.agent_connected(sim.now, other, of_run(Some(3)));
    sim.perform();
    sim.now += 6_000;
    asked(arrives(&mut sim, Some(2), waits));
}

#[test]
fn a_token_opens_one_link_also_after_a_loss_of_memory() {
    let mut sim = connected();
    let with = |token: &str| AgentContext {
        token: token.to_owned(),
        ..of_run(Some(1))
    };
    assert_eq!(sim.relay.arrival(sim.now, &with("a"), None), Arrival::Welcome);
    let socket = sim.open_socket();
    sim.relay.agent_connected(sim.now, socket, with("a"));
    sim.perform();
    assert_eq!(sim.relay.arrival(sim.now, &with("a"), None), Arrival::Spent);
    sim.crash();
    assert_eq!(sim.relay.arrival(sim.now, &with("a"), None), Arrival::Spent);
    assert_eq!(sim.relay.arrival(sim.now, &with("b"), None), Arrival::Welcome);
}

#[test]
fn a_relay_that_lost_its_memory_still_knows_which_run_is_there() {
    let mut sim = connected();
    sim.hibernate();
    asked(arrives(&mut sim, Some(2), None));
    assert_eq!(arrives(&mut sim, Some(1), None), Arrival::Welcome);
}

#[test]
fn a_relay_that_wakes_without_its_agent_says_that_it_is_offline_once() {
    use crate::relay::Notice;
    let offline = |sim: &RelaySim| {
        sim.notices
            .iter()
            .filter(|notice| matches!(notice, Notice::AgentOffline { .. }))
            .count()
    };
    let mut sim = connected();
    sim.crash();
    assert_eq!(offline(&sim), 1);
    sim.crash();
    assert_eq!(offline(&sim), 1);
}
