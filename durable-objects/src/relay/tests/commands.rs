//! Commands of published clients: each runs at most once and is answered once, whatever is cut or forgotten meanwhile.
use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::api::commands::CommandStatus;
use protocol::limits::MAX_COMMANDS;
use protocol::relay_contract::Dialect;
use protocol::terminal::published::ToClient;
use serde_json::json;

use super::relay_sim::{RelaySim, object_id};
use super::rules::{connect, heard, published};
use crate::relay::{Key, Notice, Record, Socket};

/// An agent, and a published client whose shell is there.
fn ready() -> (RelaySim, Socket) {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    let client = connect(&mut sim, Dialect::Published, |_| {});
    deliver(&mut sim);
    heard(&mut sim, client);
    (sim, client)
}

/// Everything between the relay and the agent arrives.
fn deliver(sim: &mut RelaySim) {
    while let Some(agent) = sim.agent.socket {
        if !(sim.deliver_up(agent) || sim.deliver_down(agent)) {
            break;
        }
    }
}

fn ask(sim: &mut RelaySim, client: Socket, command: &str) {
    let frame = json!({"type": "command", "command": command});
    sim.relay.text(sim.now, client, &frame.to_string());
    sim.perform();
}

fn end_all(sim: &mut RelaySim) {
    for stream in sim.agent.commands.keys().copied().collect::<Vec<_>>() {
        sim.command_ends(stream);
    }
}

fn error_code(frames: &[ToClient]) -> Option<&str> {
    frames.iter().find_map(|frame| match frame {
        ToClient::Error { code, .. } => Some(code.as_str()),
        _ => None,
    })
}

#[test]
fn a_command_is_started_and_answered_with_what_it_wrote() {
    let (mut sim, client) = ready();
    ask(&mut sim, client, "id");
    let frames = published(&heard(&mut sim, client));
    let [ToClient::CommandStarted { command_id, command }] = &frames[..] else {
        panic!("{frames:?}")
    };
    assert_eq!(command, "id");
    assert!(command_id.starts_with("cmd_"), "{command_id}");
    deliver(&mut sim);
    assert!(heard(&mut sim, client).is_empty());
    end_all(&mut sim);
    deliver(&mut sim);
    let frames = published(&heard(&mut sim, client));
    let [
        ToClient::CommandOutput {
            command_id: of,
            exit_code: Some(0),
            completed: true,
            ..
        },
    ] = &frames[..]
    else {
        panic!("{frames:?}")
    };
    assert_eq!(of, command_id);
    assert!(sim.agent.commands.is_empty(), "the agent may forget it");
}

#[test]
fn a_command_is_refused_while_the_agent_is_away_to_watchers_and_beyond_the_bound() {
    let (mut sim, client) = ready();
    for n in 0..=MAX_COMMANDS {
        ask(&mut sim, client, &format!("sleep {n}"));
    }
    let frames = published(&heard(&mut sim, client));
    assert_eq!(error_code(&frames), Some("TOO_MANY_COMMANDS"));
    sim.cut(sim.agent.socket.unwrap());
    heard(&mut sim, client);
    ask(&mut sim, client, "id");
    let frames = published(&heard(&mut sim, client));
    assert_eq!(error_code(&frames), Some("AGENT_OFFLINE"));

    let (mut sim, _) = ready();
    let watcher = connect(&mut sim, Dialect::Published, |context| {
        context.can_type = false;
        context.session = "watched".parse().unwrap();
    });
    heard(&mut sim, watcher);
    ask(&mut sim, watcher, "id");
    assert_eq!(error_code(&published(&heard(&mut sim, watcher))), Some("READ_ONLY"));
    assert!(sim.agent.ran.is_empty());
}

#[test]
fn a_session_that_ends_kills_its_commands_also_when_the_agent_is_away() {
    for away in [false, true] {
        let (mut sim, client) = ready();
        ask(&mut sim, client, "sleep 60");
        deliver(&mut sim);
        assert_eq!(sim.agent.commands.len(), 1);
        if away {
            sim.cut(sim.agent.socket.unwrap());
        }
        assert!(sim.relay.close_session(sim.now, &"sess_1".parse().unwrap()));
        sim.perform();
        if away {
            sim.agent_connects();
        }
        deliver(&mut sim);
        assert!(sim.agent.commands.is_empty());
    }
}

#[test]
fn a_command_that_was_asked_for_before_the_shell_was_there_outlives_a_cut() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    deliver(&mut sim);
    let client = connect(&mut sim, Dialect::Published, |_| {});
    ask(&mut sim, client, "id");
    sim.cut(client);
    deliver(&mut sim);
    end_all(&mut sim);
    let client = connect(&mut sim, Dialect::Published, |_| {});
    deliver(&mut sim);
    let frames = published(&heard(&mut sim, client));
    let answered = |frame: &ToClient| matches!(frame, ToClient::CommandOutput { completed: true, .. });
    assert_eq!(frames.iter().filter(|frame| answered(frame)).count(), 1, "{frames:?}");
}

#[test]
fn a_command_that_a_version_before_kept_with_its_session_is_still_answered() {
    let (mut sim, client) = ready();
    ask(&mut sim, client, "id");
    deliver(&mut sim);
    heard(&mut sim, client);
    // As that version has stored it.
    let command = sim
        .storage
        .keys()
        .find(|key| matches!(key, Key::Command(_)))
        .copied()
        .unwrap();
    let Key::Command(stream) = command else { unreachable!() };
    sim.storage.remove(&command);
    for record in sim.storage.values_mut() {
        if let Record::Session(session) = record {
            session.commands.push(stream);
        }
    }
    sim.hibernate();
    end_all(&mut sim);
    deliver(&mut sim);
    let frames = published(&heard(&mut sim, client));
    assert!(
        matches!(&frames[..], [ToClient::CommandOutput { completed: true, .. }]),
        "{frames:?}"
    );
    assert!(sim.agent.commands.is_empty());
}

/// What the directory was told of a command.
fn directory(sim: &RelaySim, id: &str) -> Vec<&'static str> {
    let of = |notice: &Notice| match notice {
        Notice::CommandAsked(asked) if asked.command_id.as_str() == id => Some("asked"),
        Notice::CommandEnded { command_id, .. } if command_id.as_str() == id => Some("ended"),
        _ => None,
    };
    sim.notices.iter().filter_map(of).collect()
}

#[test]
fn a_command_is_told_to_the_directory_with_who_asked_for_it_and_ends_there_with_its_session() {
    let (mut sim, client) = ready();
    ask(&mut sim, client, "sleep 60");
    deliver(&mut sim);
    let asked = sim.notices.iter().find_map(|notice| match notice {
        Notice::CommandAsked(asked) => Some(asked.clone()),
        _ => None,
    });
    let asked = asked.expect("it was told");
    assert_eq!(
        (
            asked.user,
            asked.session_id.as_str(),
            asked.command.as_str(),
            asked.allow_sudo
        ),
        (object_id(2), "sess_1", "sleep 60", false)
    );
    sim.cut(client);
    sim.relay.close_session(sim.now, &asked.session_id);
    sim.perform();
    assert_eq!(directory(&sim, asked.command_id.as_str()), ["asked", "ended"]);
    let result = &sim.results[&asked.command_id];
    assert_eq!(result.status, CommandStatus::Cancelled);
    assert!(!sim.storage.keys().any(|key| matches!(key, Key::Command(_))));
}

#[test]
fn names_of_commands_sort_by_when_they_were_asked_for_as_those_of_all_commands() {
    let (mut sim, client) = ready();
    let mut names = Vec::new();
    for now in [1, 0x0190_a1b2_c3d4, 0x0190_a1b2_c3d5] {
        sim.now = now;
        ask(&mut sim, client, "id");
        for frame in published(&heard(&mut sim, client)) {
            if let ToClient::CommandStarted { command_id, .. } = frame {
                names.push(command_id);
            }
        }
    }
    assert_eq!(names.len(), 3);
    assert!(names.is_sorted(), "{names:?}");
    assert!(names[1].starts_with("cmd_0190a1b2c3d4"));
}

#[derive(Debug, Clone)]
enum Step {
    Ask,
    End(usize),
    Up,
    Down,
    ConnectAgent,
    CutAgent,
    ConnectClient,
    CutClient,
    Hibernate,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Ask),
        4 => (0usize..MAX_COMMANDS).prop_map(Step::End),
        8 => Just(Step::Up),
        8 => Just(Step::Down),
        2 => Just(Step::ConnectAgent),
        1 => Just(Step::CutAgent),
        2 => Just(Step::ConnectClient),
        1 => Just(Step::CutClient),
        1 => Just(Step::Hibernate),
        1 => Just(Step::Crash),
    ]
}

/// What the client was told, over all its sockets.
#[derive(Default)]
struct Told {
    started: BTreeSet<String>,
    ended: Vec<String>,
    /// Commands that ended by themselves.
    completed: usize,
}

impl Told {
    fn listen(&mut self, sim: &mut RelaySim, client: Socket) {
        for frame in published(&heard(sim, client)) {
            match frame {
                ToClient::CommandStarted { command_id, .. } => drop(self.started.insert(command_id)),
                ToClient::CommandOutput {
                    command_id,
                    completed: true,
                    exit_code,
                    ..
                } => {
                    self.ended.push(command_id);
                    self.completed += usize::from(exit_code.is_some());
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn each_command_that_was_started_is_answered_exactly_once(steps in proptest::collection::vec(step(), 1..80)) {
        let (mut sim, mut client) = ready();
        let mut told = Told::default();
        for (n, step) in steps.into_iter().enumerate() {
            sim.now += 7;
            match step {
                Step::Ask if sim.links.contains_key(&client) => ask(&mut sim, client, &n.to_string()),
                Step::Ask => {}
                Step::End(nth) => {
                    if let Some(stream) = sim.agent.commands.keys().nth(nth).copied() {
                        sim.command_ends(stream);
                    }
                }
                Step::Up => drop(sim.agent.socket.map(|agent| sim.deliver_up(agent))),
                Step::Down => drop(sim.agent.socket.map(|agent| sim.deliver_down(agent))),
                Step::ConnectAgent => sim.agent_connects(),
                Step::CutAgent => drop(sim.agent.socket.map(|agent| sim.cut(agent))),
                Step::ConnectClient => client = connect(&mut sim, Dialect::Published, |_| {}),
                Step::CutClient => {
                    if sim.links.contains_key(&client) {
                        sim.cut(client);
                    }
                }
                Step::Hibernate => sim.hibernate(),
                Step::Crash => sim.crash(),
            }
            told.listen(&mut sim, client);
        }
        if sim.agent.socket.is_none() {
            sim.agent_connects();
        }
        if !sim.links.contains_key(&client) {
            client = connect(&mut sim, Dialect::Published, |_| {});
        }
        deliver(&mut sim);
        end_all(&mut sim);
        deliver(&mut sim);
        told.listen(&mut sim, client);

        let mut ended = told.ended.clone();
        ended.sort();
        prop_assert_eq!(ended, told.started.iter().cloned().collect::<Vec<_>>());
        let ran: BTreeSet<_> = sim.agent.ran.iter().collect();
        prop_assert_eq!(ran.len(), sim.agent.ran.len(), "a command ran twice");
        prop_assert_eq!(told.completed, ran.len(), "what ran is answered with its output");
        // The directory hears of each that it was asked for and that it has ended, in this order, and its result is kept.
        let kept: Vec<String> = sim.results.keys().map(ToString::to_string).collect();
        prop_assert_eq!(&kept, &told.started.iter().cloned().collect::<Vec<_>>());
        for id in &told.started {
            prop_assert_eq!(directory(&sim, id), ["asked", "ended"]);
        }
        prop_assert!(sim.agent.commands.is_empty());
    }
}
