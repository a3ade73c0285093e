//! The size is that of the window of whoever typed last.
use proptest::prelude::*;
use protocol::relay_contract::Dialect;
use protocol::terminal::Size;
use protocol::terminal::viewer::{FromViewer, ToViewer};

use super::relay_sim::RelaySim;
use super::rules::{connect, heard};

const VIEWERS: usize = 3;

fn window(i: usize, step: u16) -> Size {
    Size {
        cols: 40 + 40 * i as u16 + step % 30,
        rows: 20 + step % 10,
    }
}

#[derive(Debug, Clone)]
enum Step {
    Join(usize),
    Leave(usize),
    Cut(usize),
    Resize(usize, u16),
    Type(usize),
    Hibernate,
    LoseAgent,
}

fn step() -> impl Strategy<Value = Step> {
    let viewer = 0..VIEWERS;
    prop_oneof![
        3 => viewer.clone().prop_map(Step::Join),
        1 => viewer.clone().prop_map(Step::Leave),
        1 => viewer.clone().prop_map(Step::Cut),
        2 => (viewer.clone(), 0u16..100).prop_map(|(i, n)| Step::Resize(i, n)),
        4 => viewer.prop_map(Step::Type),
        1 => Just(Step::Hibernate),
        1 => Just(Step::LoseAgent),
    ]
}

proptest! {
    #[test]
    fn the_size_is_the_typists(steps in proptest::collection::vec(step(), 1..60)) {
        let mut sim = RelaySim::new(VIEWERS);
        sim.agent_connects();
        let mut windows = [Size::default(); VIEWERS];
        // Who is there, in the order of when each typed last, or came if it never did.
        let mut typed: Vec<usize> = Vec::new();
        let mut idle: Vec<usize> = Vec::new();
        for step in steps {
            sim.now += 3;
            let there = |i: usize| sim.viewers[i].socket.is_some();
            match step {
                Step::Join(i) if !there(i) => {
                    windows[i] = Size::default();
                    sim.viewer_connects(i);
                    idle.push(i);
                }
                Step::Leave(i) | Step::Cut(i) if there(i) => {
                    sim.cut(sim.viewers[i].socket.unwrap());
                    typed.retain(|other| *other != i);
                    idle.retain(|other| *other != i);
                }
                Step::Resize(i, n) if there(i) => {
                    windows[i] = window(i, n);
                    let socket = sim.viewers[i].socket.unwrap();
                    sim.say_up(socket, &FromViewer::Resize { size: windows[i] });
                }
                Step::Type(i) if there(i) => {
                    sim.viewer_types(i, 1);
                    typed.retain(|other| *other != i);
                    idle.retain(|other| *other != i);
                    typed.push(i);
                }
                Step::Hibernate => sim.hibernate(),
                Step::LoseAgent => {
                    if let Some(socket) = sim.agent.socket {
                        sim.cut(socket);
                    }
                    sim.agent_connects();
                }
                _ => {}
            }
            sim.settle();
            // Without a network in between, everything is there at once.
            if let Some(sizer) = typed.last().or(idle.first()) {
                let size = sim.agent.shells.values().next().map(|shell| shell.size);
                prop_assert_eq!(size, Some(windows[*sizer]), "of {}", sizer);
            }
        }
    }
}

fn sizes(said: &[ToViewer]) -> Vec<(u16, Option<&str>)> {
    let resized = |message| match message {
        &ToViewer::Resized { size, ref by } => Some((size.cols, by.as_deref())),
        _ => None,
    };
    said.iter().filter_map(resized).collect()
}

#[test]
fn others_are_told_the_size_and_who_set_it() {
    let mut sim = RelaySim::new(2);
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    sim.viewer_connects(1);
    sim.settle();
    let second = sim.viewers[1].socket.unwrap();
    sim.say_up(second, &FromViewer::Resize { size: window(1, 0) });
    sim.settle();
    assert!(
        sizes(&sim.viewers[0].said).is_empty(),
        "a window that nobody types in sets nothing"
    );
    sim.viewer_types(1, 1);
    sim.settle();
    assert_eq!(sizes(&sim.viewers[0].said), [(80, Some("ada"))]);
    assert_eq!(sizes(&sim.viewers[1].said), [(80, Some("ada"))]);
    sim.cut(second);
    sim.settle();
    assert_eq!(sizes(&sim.viewers[0].said).len(), 2, "it has its own size again");
}

#[test]
fn a_published_client_that_types_sets_the_size_and_one_that_looks_in_does_not() {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    let client = connect(&mut sim, Dialect::Published, |context| context.size = window(1, 7));
    sim.settle();
    let cols = |sim: &RelaySim| sim.agent.shells.values().next().unwrap().size.cols;
    assert_eq!(cols(&sim), 80);
    sim.relay
        .binary(sim.now, client, vec![super::relay_sim::typed_at(0, 0)].into());
    sim.perform();
    sim.settle();
    assert_eq!(cols(&sim), 87);
    heard(&mut sim, client);
}
