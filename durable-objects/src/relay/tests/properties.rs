//! Whatever is lost, reordered between sockets, forgotten or killed: readers see what was written, terminals get what was
//! typed.
use proptest::prelude::*;
use protocol::limits::{LIVE_WINDOW, MAX_PAYLOAD};

use super::relay_sim::RelaySim;

const VIEWERS: usize = 2;

#[derive(Debug, Clone)]
pub enum Step {
    ProgramsWrite(u64),
    Type(usize, u64),
    Acknowledge(usize),
    Deliver {
        link: usize,
        up: bool,
        count: usize,
    },
    ConnectAgent,
    CutAgent,
    ConnectViewer(usize),
    CutViewer(usize),
    /// The directory answers what the relay has asked.
    Answer,
    Hibernate,
    Crash,
}

pub fn step() -> impl Strategy<Value = Step> {
    let viewer = 0..VIEWERS;
    prop_oneof![
        3 => prop_oneof![1u64..100, 100u64..300_000, Just(2_000_000)].prop_map(Step::ProgramsWrite),
        3 => (viewer.clone(), 1u64..600).prop_map(|(i, n)| Step::Type(i, n)),
        3 => viewer.clone().prop_map(Step::Acknowledge),
        12 => (0usize..4, any::<bool>(), 1usize..30).prop_map(|(link, up, count)| Step::Deliver { link, up, count }),
        2 => Just(Step::ConnectAgent),
        1 => Just(Step::CutAgent),
        2 => viewer.clone().prop_map(Step::ConnectViewer),
        1 => viewer.prop_map(Step::CutViewer),
        4 => Just(Step::Answer),
        1 => Just(Step::Hibernate),
        1 => Just(Step::Crash),
    ]
}

pub fn take(sim: &mut RelaySim, step: Step) {
    sim.now += 7;
    match step {
        Step::ProgramsWrite(n) => sim.programs_write(n),
        Step::Type(i, n) => sim.viewer_types(i, n),
        Step::Acknowledge(i) => {
            sim.viewer_acks(i);
        }
        Step::Deliver { link, up, count } => {
            let Some(socket) = sim.links.keys().nth(link % sim.links.len().max(1)).copied() else {
                return;
            };
            for _ in 0..count {
                let _ = if up {
                    sim.deliver_up(socket)
                } else {
                    sim.deliver_down(socket)
                };
            }
        }
        Step::ConnectAgent => sim.agent_connects(),
        Step::CutAgent => {
            if let Some(socket) = sim.agent.socket {
                sim.cut(socket);
            }
        }
        Step::ConnectViewer(i) => sim.viewer_connects(i),
        Step::CutViewer(i) => {
            if let Some(socket) = sim.viewers[i].socket {
                sim.cut(socket);
            }
        }
        Step::Answer => {
            sim.answer();
        }
        Step::Hibernate => sim.hibernate(),
        Step::Crash => sim.crash(),
    }
}

/// Everybody connects and everything is delivered: nothing may be missing.
fn everything_arrives(sim: &mut RelaySim) {
    if sim.agent.socket.is_none() {
        sim.agent_connects();
    }
    for i in 0..VIEWERS {
        if sim.viewers[i].socket.is_none() {
            sim.viewer_connects(i);
        }
    }
    sim.settle();
    let shells: Vec<_> = sim.agent.shells.values().collect();
    assert_eq!(shells.len(), 1, "one session has one shell");
    let shell = shells[0];
    for (i, viewer) in sim.viewers.iter().enumerate() {
        assert_eq!(viewer.gaps, 0, "a typist never misses output");
        let received = viewer.reader.expect("attached").received();
        assert_eq!(
            received, shell.end,
            "viewer {i} did not get all output; it heard {:?}",
            viewer.said
        );
        let (_, input) = viewer.attached.expect("attached");
        let applied = shell.inputs.get(&input).expect("its input is open").applied();
        assert_eq!(applied, viewer.typed, "what viewer {i} typed did not arrive");
        assert_eq!(viewer.writer.pending(), 0, "input of viewer {i} was not acknowledged");
    }
}

fn what_is_in_flight_is_bounded(sim: &RelaySim) {
    for (_, viewer) in sim.relay.viewers.iter() {
        assert!(
            viewer.in_flight() <= LIVE_WINDOW + MAX_PAYLOAD as u64,
            "too much is in flight to a viewer"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_repeated_whatever_is_cut_forgotten_or_killed(
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut sim = RelaySim::new(VIEWERS);
        for step in steps {
            take(&mut sim, step);
            what_is_in_flight_is_bounded(&sim);
        }
        everything_arrives(&mut sim);
        // And it goes on working.
        sim.programs_write(2 * LIVE_WINDOW);
        sim.viewer_types(0, 1_000);
        everything_arrives(&mut sim);
    }
}
