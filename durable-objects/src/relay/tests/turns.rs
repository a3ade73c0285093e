//! Many watchers get what is written a few at a time, after the typist, and miss nothing of it.
use proptest::prelude::*;
use protocol::limits::{LIVE_WINDOW, MAX_PAYLOAD, WATCHER_WINDOW};
use protocol::terminal::agent::ToAgent;

use super::properties::{self, Step};
use super::relay_sim::{RelaySim, Wire};
use crate::relay::TAIL_BYTES;
use crate::relay::turns::WATCHERS_AT_ONCE;

const WATCHERS: usize = 2 * WATCHERS_AT_ONCE + 2;

/// A typist and as many watchers, all of whom have what there is.
fn watched(watchers: usize) -> RelaySim {
    let mut sim = RelaySim::new(1 + watchers);
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    for i in 1..=watchers {
        sim.viewers[i].watches = true;
        sim.viewer_connects(i);
    }
    sim.settle();
    sim
}

/// How many viewers have all that was written, of what was sent to them.
fn up_to_date(sim: &mut RelaySim, end: u64) -> Vec<usize> {
    for socket in sim.links.keys().copied().collect::<Vec<_>>() {
        while sim.agent.socket != Some(socket) && sim.deliver_down(socket) {}
    }
    let has_all = |i: &usize| sim.viewers[*i].reader.unwrap().received() == end;
    (0..sim.viewers.len()).filter(has_all).collect()
}

/// What the agent has sent reaches the relay.
fn agent_is_heard(sim: &mut RelaySim) {
    let agent = sim.agent.socket.unwrap();
    while sim.deliver_up(agent) {}
}

#[test]
fn the_typist_is_served_first_and_then_some_watchers_at_a_time() {
    let mut sim = watched(WATCHERS);
    sim.programs_write(3);
    agent_is_heard(&mut sim);
    assert_eq!(up_to_date(&mut sim, 3), [0], "the typist alone");
    // What comes meanwhile does not make them wait longer.
    sim.programs_write(4);
    agent_is_heard(&mut sim);
    let mut turns = 0;
    while sim.take_turn() {
        turns += 1;
        let served = 1 + (turns * WATCHERS_AT_ONCE).min(WATCHERS);
        assert_eq!(up_to_date(&mut sim, 7).len(), served);
    }
    assert_eq!(turns, WATCHERS.div_ceil(WATCHERS_AT_ONCE));
}

#[test]
fn few_watchers_are_served_with_the_typist() {
    let mut sim = watched(WATCHERS_AT_ONCE);
    sim.programs_write(3);
    agent_is_heard(&mut sim);
    assert!(!sim.relay.wants_turn());
    assert_eq!(up_to_date(&mut sim, 3).len(), 1 + WATCHERS_AT_ONCE);
}

#[test]
fn turns_end_though_a_watcher_is_gone_or_does_not_read() {
    let mut sim = watched(WATCHERS);
    for _ in 0..8 {
        sim.programs_write(MAX_PAYLOAD as u64);
        agent_is_heard(&mut sim);
    }
    let gone = sim.viewers[1].socket.unwrap();
    sim.cut(gone);
    let turns = std::iter::from_fn(|| sim.take_turn().then_some(())).take(100).count();
    assert!(turns < 100, "turns without end");
    sim.settle();
    let end = 8 * MAX_PAYLOAD as u64;
    assert_eq!(up_to_date(&mut sim, end).len(), WATCHERS);
}

#[test]
fn watchers_who_are_behind_at_one_place_are_read_to_once() {
    let mut sim = watched(WATCHERS);
    let mut written = 0;
    while written < WATCHER_WINDOW + TAIL_BYTES + LIVE_WINDOW / 2 {
        sim.programs_write(MAX_PAYLOAD as u64);
        written += MAX_PAYLOAD as u64;
        agent_is_heard(&mut sim);
        while sim.take_turn() {}
        up_to_date(&mut sim, written);
        sim.viewer_acks(0);
        sim.deliver_up(sim.viewers[0].socket.unwrap());
    }
    let agent = sim.agent.socket.unwrap();
    while sim.deliver_down(agent) {}
    for i in 1..=WATCHERS {
        assert!(sim.viewer_acks(i));
        sim.deliver_up(sim.viewers[i].socket.unwrap());
    }
    let asked = sim.links[&agent].down.iter().filter(|wire| match wire {
        Wire::Text(text) => matches!(serde_json::from_str(text).unwrap(), ToAgent::Read { .. }),
        _ => false,
    });
    assert_eq!(asked.count(), 1);
    sim.settle();
    assert_eq!(up_to_date(&mut sim, written).len(), 1 + WATCHERS);
}

fn step() -> impl Strategy<Value = Option<Step>> {
    let watcher = 1..=WATCHERS;
    let deliver = (0..2 + WATCHERS, any::<bool>(), 1usize..30);
    prop_oneof![
        3 => prop_oneof![1u64..100, 100u64..300_000].prop_map(|n| Some(Step::ProgramsWrite(n))),
        3 => (0..=WATCHERS).prop_map(|i| Some(Step::Acknowledge(i))),
        12 => deliver.prop_map(|(link, up, count)| Some(Step::Deliver { link, up, count })),
        // A turn.
        6 => Just(None),
        1 => watcher.clone().prop_map(|i| Some(Step::ConnectViewer(i))),
        1 => watcher.prop_map(|i| Some(Step::CutViewer(i))),
        1 => Just(Some(Step::CutAgent)),
        2 => Just(Some(Step::ConnectAgent)),
        2 => Just(Some(Step::Answer)),
        1 => Just(Some(Step::Hibernate)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, cases: 64, ..ProptestConfig::default() })]

    /// The models look at each byte.
    #[test]
    fn watchers_get_all_in_order_whenever_their_turn_comes(steps in proptest::collection::vec(step(), 1..80)) {
        let mut sim = watched(WATCHERS);
        for step in steps {
            match step {
                Some(step) => properties::take(&mut sim, step),
                None => drop(sim.take_turn()),
            }
        }
        if sim.agent.socket.is_none() {
            sim.agent_connects();
        }
        for i in 0..=WATCHERS {
            if sim.viewers[i].socket.is_none() {
                sim.viewer_connects(i);
            }
        }
        sim.settle();
        let end = sim.agent.shells.values().next().unwrap().end;
        prop_assert_eq!(up_to_date(&mut sim, end).len(), 1 + WATCHERS);
    }
}
