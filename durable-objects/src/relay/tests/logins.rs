//! Logins that did not pass the edge.
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::logins::{ExternalLogin, Logins, MAX_LOGINS};

use super::relay_sim::{RelaySim, Wire};
use super::rules::heard;
use crate::relay::Action;

const NOW: u64 = 1_000_000_000;

fn login(login_at: u64, logout_at: Option<u64>) -> ExternalLogin {
    ExternalLogin {
        seed: "pts/1-7-1".to_owned(),
        protocol: "ssh".to_owned(),
        os_user: "ada".to_owned(),
        source_ip: "203.0.113.7".to_owned(),
        line: "pts/1".to_owned(),
        login_at,
        logout_at,
    }
}

/// What is stored of what an agent says by a clock that shows this.
fn stored(sim: &mut RelaySim, clock: u64, logins: Vec<ExternalLogin>) -> Option<Logins> {
    let logins = Logins {
        number: 3,
        logins,
        left_out: 2,
    };
    let message = FromAgent::Logins { now: clock, logins };
    let socket = sim.agent.socket.unwrap();
    sim.relay
        .text(sim.now, socket, &serde_json::to_string(&message).unwrap());
    sim.relay.take_actions().into_iter().find_map(|action| match action {
        Action::Logins(logins) => Some(logins),
        _ => None,
    })
}

fn online() -> RelaySim {
    let mut sim = RelaySim::new(0);
    sim.now = NOW;
    sim.agent_connects();
    sim.settle();
    sim
}

#[test]
fn times_are_those_of_our_clock_where_the_machines_is_wrong() {
    let ours = stored(&mut online(), NOW + 5, vec![login(NOW - 60, None)]).unwrap();
    assert_eq!((ours.logins[0].login_at, ours.number, ours.left_out), (NOW - 60, 3, 2));
    let hour = 3_600_000;
    let off = stored(
        &mut online(),
        NOW + hour,
        vec![login(NOW + hour - 60, Some(NOW + hour - 10))],
    )
    .unwrap();
    assert_eq!(
        (off.logins[0].login_at, off.logins[0].logout_at),
        (NOW - 60, Some(NOW - 10))
    );
    let future = stored(&mut online(), NOW, vec![login(u64::MAX, None)]).unwrap();
    assert_eq!(future.logins[0].login_at, NOW);
}

#[test]
fn an_agent_that_breaks_the_rules_is_listened_to_as_often_and_as_long_as_others() {
    let mut sim = online();
    let many = vec![login(NOW, None); MAX_LOGINS + 1];
    // What was there before, and what is new.
    for _ in 0..2 {
        assert_eq!(stored(&mut sim, NOW, many.clone()).unwrap().logins.len(), MAX_LOGINS);
    }
    sim.now += 24_999;
    assert_eq!(stored(&mut sim, NOW, many.clone()), None);
    sim.now += 1;
    assert!(stored(&mut sim, NOW, many).is_some());
}

#[test]
fn the_agent_hears_that_its_logins_are_stored() {
    let mut sim = online();
    let socket = sim.agent.socket.unwrap();
    heard(&mut sim, socket);
    sim.relay.logins_stored(3);
    sim.perform();
    let Some(Wire::Text(text)) = heard(&mut sim, socket).pop() else {
        panic!("it hears nothing")
    };
    assert_eq!(
        serde_json::from_str::<ToAgent>(&text).unwrap(),
        ToAgent::LoginsStored { number: 3 }
    );
}
