//! Those who look at terminals of a machine see commands run there: in parts that may be missing to whoever is behind, and never in the
//! way of anything.
use std::collections::BTreeMap;

use proptest::prelude::*;
use protocol::api::commands::CommandStatus;
use protocol::ids::StreamId;
use protocol::limits::{MAX_COMMAND_PART, WATCHER_WINDOW};
use protocol::relay_contract::Dialect;
use protocol::terminal::published::ToClient;
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{PROTOCOL, Size};

use super::queued::{end_all, id, online, send};
use super::relay_sim::{RelaySim, Wire, object_id};
use super::rules::{connect, heard, published};
use crate::relay::Socket;

/// A viewer of ours, which wants to know of commands or does not.
fn ours(sim: &mut RelaySim, session: &str, commands: bool) -> Socket {
    let socket = connect(sim, Dialect::Stream, |context| {
        context.session = session.parse().unwrap()
    });
    let hello = FromViewer::Hello {
        protocol: PROTOCOL,
        viewer: format!("{:032x}", 0xdef0 + socket.0).parse().unwrap(),
        received: None,
        size: Size::default(),
        commands,
        presence: false,
    };
    sim.say_up(socket, &hello);
    sim.settle();
    heard(sim, socket);
    socket
}

/// A client of the published socket, of this user.
fn client(sim: &mut RelaySim, session: &str, user: u8) -> Socket {
    let socket = connect(sim, Dialect::Published, |context| {
        context.session = session.parse().unwrap();
        context.user = object_id(user);
    });
    sim.settle();
    heard(sim, socket);
    socket
}

fn said(wires: Vec<Wire>) -> Vec<ToViewer> {
    let text = |wire: &Wire| match wire {
        Wire::Text(text) => Some(serde_json::from_str(text).unwrap()),
        _ => None,
    };
    wires.iter().filter_map(text).collect()
}

/// The one command that the agent runs.
fn running(sim: &RelaySim) -> StreamId {
    *sim.agent.commands.keys().next().expect("one runs")
}

fn writes(sim: &mut RelaySim, part: u32, text: &str) {
    let stream = running(sim);
    sim.command_writes(stream, part, text);
    sim.settle();
}

#[test]
fn whoever_is_attached_sees_what_a_command_writes_and_how_it_ends() {
    let mut sim = online();
    let viewer = ours(&mut sim, "sess_1", true);
    let older = ours(&mut sim, "sess_2", false);
    let (sender, other) = (client(&mut sim, "sess_3", 2), client(&mut sim, "sess_4", 3));
    let [raw, player] = [Dialect::Raw, Dialect::Cast].map(|dialect| {
        let socket = connect(&mut sim, dialect, |context| context.session = "sess_1".parse().unwrap());
        sim.settle();
        heard(&mut sim, socket);
        socket
    });
    send(&mut sim, 1, false);
    sim.settle();
    let (storage, notices) = (sim.storage.clone(), sim.notices.len());
    writes(&mut sim, 0, "one\n");
    writes(&mut sim, 1, "two\n");
    assert_eq!(
        (&sim.storage, sim.notices.len()),
        (&storage, notices),
        "nothing is stored of it"
    );

    let parts: Vec<_> = said(heard(&mut sim, viewer));
    let expected = |part: u32, stdout: &str| ToViewer::CommandRunning {
        command_id: id(1),
        by: "ada".to_owned(),
        command: "1".to_owned(),
        part,
        stdout: stdout.to_owned(),
        stderr: String::new(),
    };
    assert_eq!(parts, [expected(0, "one\n"), expected(1, "two\n")]);
    for socket in [sender, other] {
        let frames = published(&heard(&mut sim, socket));
        assert!(
            matches!(&frames[..], [
                ToClient::CommandOutput { stdout: one, completed: false, part: Some(0), exit_code: None, .. },
                ToClient::CommandOutput { stdout: two, completed: false, part: Some(1), .. },
            ] if one == "one\n" && two == "two\n"),
            "{frames:?}"
        );
    }
    end_all(&mut sim);
    sim.settle();
    let ended = said(heard(&mut sim, viewer));
    assert!(
        matches!(&ended[..], [ToViewer::CommandEnded { by, status: CommandStatus::Completed, exit_code: Some(0), stdout, .. }]
            if by == "ada" && stdout.starts_with("output of ")),
        "{ended:?}"
    );
    for socket in [sender, other] {
        let frames = published(&heard(&mut sim, socket));
        assert!(
            matches!(&frames[..], [ToClient::CommandOutput { stdout, completed: true, part: None, exit_code: Some(0), .. }]
                if stdout.starts_with("output of ")),
            "{frames:?}"
        );
    }
    for socket in [older, raw, player] {
        assert!(heard(&mut sim, socket).is_empty(), "{socket:?}");
    }
}

#[test]
fn whoever_is_not_let_in_hears_of_no_command() {
    let mut sim = online();
    send(&mut sim, 1, false);
    sim.settle();
    sim.holds = |_| false;
    let stranger = connect(&mut sim, Dialect::Stream, |_| {});
    let hello = FromViewer::Hello {
        protocol: PROTOCOL,
        viewer: format!("{:032x}", 7).parse().unwrap(),
        received: None,
        size: Size::default(),
        commands: true,
        presence: false,
    };
    sim.say_up(stranger, &hello);
    sim.deliver_up(stranger);
    // Its right is being asked about.
    let stream = running(&sim);
    let agent = sim.agent.socket.unwrap();
    sim.command_writes(stream, 0, "secret");
    while sim.deliver_up(agent) {}
    assert!(heard(&mut sim, stranger).is_empty());
    sim.settle();
    assert!(
        !said(heard(&mut sim, stranger))
            .iter()
            .any(|message| matches!(message, ToViewer::CommandRunning { .. }))
    );
}

#[test]
fn whoever_is_behind_is_spared_and_the_senders_client_still_gets_the_result() {
    let mut sim = online();
    let (viewer, sender, other) = (
        ours(&mut sim, "sess_1", true),
        client(&mut sim, "sess_3", 2),
        client(&mut sim, "sess_4", 3),
    );
    send(&mut sim, 1, false);
    sim.settle();
    sim.behind.extend([viewer, sender, other]);
    writes(&mut sim, 0, "one\n");
    assert!(
        [viewer, sender, other]
            .iter()
            .all(|socket| heard(&mut sim, *socket).is_empty())
    );
    end_all(&mut sim);
    sim.settle();
    assert!(matches!(
        said(heard(&mut sim, viewer))[..],
        [ToViewer::CommandEnded { .. }]
    ));
    assert!(matches!(
        published(&heard(&mut sim, sender))[..],
        [ToClient::CommandOutput { completed: true, .. }]
    ));
    assert!(heard(&mut sim, other).is_empty());
}

#[test]
fn a_viewer_with_much_output_before_it_gets_that_and_no_parts() {
    let mut sim = online();
    let viewer = ours(&mut sim, "sess_1", true);
    send(&mut sim, 1, false);
    sim.settle();
    sim.programs_write(WATCHER_WINDOW);
    sim.settle();
    heard(&mut sim, viewer);
    writes(&mut sim, 0, "one\n");
    assert!(heard(&mut sim, viewer).is_empty());
}

#[test]
fn a_viewer_that_is_there_after_the_object_woke_still_hears_of_commands_by_name() {
    let mut sim = online();
    let viewer = ours(&mut sim, "sess_1", true);
    send(&mut sim, 1, false);
    sim.settle();
    sim.hibernate();
    sim.settle();
    heard(&mut sim, viewer);
    writes(&mut sim, 4, "x");
    let parts = said(heard(&mut sim, viewer));
    assert!(
        matches!(&parts[..], [ToViewer::CommandRunning { by, command, part: 4, .. }] if by == "ada" && command == "1"),
        "{parts:?}"
    );
}

#[test]
fn parts_of_an_agent_that_keeps_to_no_bound_are_cut_and_those_of_no_command_are_nobodys() {
    let mut sim = online();
    let viewer = ours(&mut sim, "sess_1", true);
    send(&mut sim, 1, false);
    sim.settle();
    writes(&mut sim, 0, &"x".repeat(2 * MAX_COMMAND_PART));
    let parts = said(heard(&mut sim, viewer));
    assert!(
        matches!(&parts[..], [ToViewer::CommandRunning { stdout, .. }] if stdout.len() == MAX_COMMAND_PART),
        "it is bounded"
    );
    sim.command_writes(StreamId(4_000), 0, "x");
    sim.settle();
    assert!(heard(&mut sim, viewer).is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Send,
    Write(usize),
    End(usize),
    Up,
    Down,
    Answer,
    ConnectAgent,
    CutAgent,
    Hibernate,
    /// A viewer's or the client's socket gets behind, or has caught up.
    Behind(usize, bool),
    Program(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Send),
        8 => (0usize..4).prop_map(Step::Write),
        3 => (0usize..4).prop_map(Step::End),
        8 => Just(Step::Up),
        8 => Just(Step::Down),
        4 => Just(Step::Answer),
        2 => Just(Step::ConnectAgent),
        1 => Just(Step::CutAgent),
        1 => Just(Step::Hibernate),
        2 => (0usize..2, any::<bool>()).prop_map(|(who, behind)| Step::Behind(who, behind)),
        3 => (0u64..300_000).prop_map(Step::Program),
    ]
}

proptest! {
    /// Whatever happens, what a viewer is told of a command is parts of it in their order, and then its end, once.
    #[test]
    fn what_is_told_of_a_command_is_in_order_and_ends_once(steps in proptest::collection::vec(step(), 1..120)) {
        let mut sim = online();
        let onlookers = [ours(&mut sim, "sess_1", true), client(&mut sim, "sess_3", 3)];
        let mut parts: BTreeMap<StreamId, u32> = BTreeMap::new();
        let mut sent = 0;
        // What each was told: the last part of each command, or its end.
        let mut told: [BTreeMap<String, Option<u32>>; 2] = Default::default();
        for step in steps {
            sim.now += 7;
            match step {
                Step::Send => {
                    sent += 1;
                    send(&mut sim, sent, true);
                }
                Step::Write(nth) => {
                    if let Some(stream) = sim.agent.commands.keys().nth(nth).copied() {
                        let part = parts.entry(stream).or_default();
                        sim.command_writes(stream, *part, &part.to_string());
                        *part += 1;
                    }
                }
                Step::End(nth) => {
                    if let Some(stream) = sim.agent.commands.keys().nth(nth).copied() {
                        sim.command_ends(stream);
                    }
                }
                Step::Up => drop(sim.agent.socket.map(|agent| sim.deliver_up(agent))),
                Step::Down => drop(sim.agent.socket.map(|agent| sim.deliver_down(agent))),
                Step::Answer => drop(sim.answer()),
                Step::ConnectAgent => sim.agent_connects(),
                Step::CutAgent => drop(sim.agent.socket.map(|agent| sim.cut(agent))),
                Step::Hibernate => sim.hibernate(),
                Step::Behind(who, true) => drop(sim.behind.insert(onlookers[who])),
                Step::Behind(who, false) => drop(sim.behind.remove(&onlookers[who])),
                Step::Program(bytes) => sim.programs_write(bytes),
            }
            let ours = said(heard(&mut sim, onlookers[0])).into_iter().filter_map(|message| match message {
                ToViewer::CommandRunning { command_id, part, .. } => Some((0, command_id.to_string(), Some(part))),
                ToViewer::CommandEnded { command_id, .. } => Some((0, command_id.to_string(), None)),
                _ => None,
            });
            let ours: Vec<_> = ours.collect();
            let clients = published(&heard(&mut sim, onlookers[1])).into_iter().filter_map(|frame| match frame {
                ToClient::CommandOutput { command_id, part, completed, .. } => {
                    assert_eq!(part.is_none(), completed);
                    Some((1, command_id, part))
                }
                _ => None,
            });
            for (who, command, part) in ours.into_iter().chain(clients) {
                let before = told[who].insert(command, part);
                match (before, part) {
                    (Some(None), _) => prop_assert!(false, "something follows the end"),
                    (Some(Some(last)), Some(part)) => prop_assert!(last < part, "{last} before {part}"),
                    _ => {}
                }
            }
        }
        // Our own viewer was told of every end.
        let ended = told[0].values().filter(|last| last.is_none()).count();
        prop_assert_eq!(ended, sim.results.len());
    }
}
