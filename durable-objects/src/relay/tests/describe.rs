//! What sessions do at this moment.
use protocol::relay_contract::{Dialect, LiveViewer};

use super::relay_sim::RelaySim;
use super::rules::connect;

fn asked(sim: &mut RelaySim) -> Option<u64> {
    let asked = sim.relay.describe(sim.now);
    sim.perform();
    sim.settle();
    asked
}

#[test]
fn the_agent_is_asked_once_by_those_who_ask_at_the_same_time() {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    assert_eq!(asked(&mut sim), None, "nothing runs");
    sim.viewer_connects(0);
    sim.settle();
    sim.now = 10_000;
    assert_eq!(asked(&mut sim), Some(0));
    assert_eq!(sim.relay.descriptions(), 1);
    sim.now += 999;
    assert_eq!(asked(&mut sim), None, "it has just said it");
    sim.now += 1;
    assert_eq!(asked(&mut sim), Some(1));
    let live = sim.relay.live_sessions().remove(0);
    assert_eq!(live.described.unwrap().title, "shell 1");
    let ada = LiveViewer {
        username: "ada".to_owned(),
        can_type: true,
    };
    assert_eq!(live.viewers, [ada]);
}

#[test]
fn an_agent_that_does_not_know_the_question_is_not_waited_for_again_on_its_link() {
    let mut sim = RelaySim::new(1);
    sim.agent.deaf = true;
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    assert_eq!(asked(&mut sim), Some(0));
    sim.relay.not_described();
    assert_eq!(asked(&mut sim), None);
    assert_eq!(
        sim.relay.live_sessions().remove(0).described,
        None,
        "what the relay knows itself is told"
    );
    sim.cut(sim.agent.socket.unwrap());
    sim.agent_connects();
    sim.settle();
    assert_eq!(asked(&mut sim), Some(0));
}

#[test]
fn when_a_terminal_wrote_last_is_known_and_not_stored() {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    let records = sim.storage.clone();
    sim.now = 5_000;
    sim.programs_write(10);
    sim.settle();
    assert_eq!(sim.relay.live_sessions()[0].last_output_ms, Some(5_000));
    assert_eq!(sim.storage, records);
}

#[test]
fn a_client_of_the_sessions_api_is_among_those_who_look() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    connect(&mut sim, Dialect::SessionsV1, |context| {
        context.username = "bob".to_owned()
    });
    sim.settle();
    assert_eq!(sim.relay.live_sessions()[0].viewers[0].username, "bob");
}
