//! Commands of published clients: each runs at most once and is answered once, whatever is cut or forgotten meanwhile.
use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::limits::MAX_COMMANDS;
use protocol::relay_contract::Dialect;
use protocol::terminal::published::ToClient;
use serde_json::json;

use super::rules::{connect, heard, published};
use super::world::World;
use crate::relay::Socket;

/// An agent, and a published client whose shell is there.
fn ready() -> (World, Socket) {
    let mut world = World::new(0);
    world.agent_connects();
    let client = connect(&mut world, Dialect::Published, |_| {});
    deliver(&mut world);
    heard(&mut world, client);
    (world, client)
}

/// Everything between the relay and the agent arrives.
fn deliver(world: &mut World) {
    while let Some(agent) = world.agent.socket {
        if !(world.deliver_up(agent) || world.deliver_down(agent)) {
            break;
        }
    }
}

fn ask(world: &mut World, client: Socket, command: &str) {
    let frame = json!({"type": "command", "command": command});
    world.relay.text(world.now, client, &frame.to_string());
    world.perform();
}

fn end_all(world: &mut World) {
    for stream in world.agent.commands.keys().copied().collect::<Vec<_>>() {
        world.command_ends(stream);
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
    let (mut world, client) = ready();
    ask(&mut world, client, "id");
    let frames = published(&heard(&mut world, client));
    let [ToClient::CommandStarted { command_id, command }] = &frames[..] else {
        panic!("{frames:?}")
    };
    assert_eq!(command, "id");
    assert!(command_id.starts_with("cmd_"), "{command_id}");
    deliver(&mut world);
    assert!(heard(&mut world, client).is_empty());
    end_all(&mut world);
    deliver(&mut world);
    let frames = published(&heard(&mut world, client));
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
    assert!(world.agent.commands.is_empty(), "the agent may forget it");
}

#[test]
fn a_command_is_refused_while_the_agent_is_away_to_watchers_and_beyond_the_bound() {
    let (mut world, client) = ready();
    for n in 0..=MAX_COMMANDS {
        ask(&mut world, client, &format!("sleep {n}"));
    }
    let frames = published(&heard(&mut world, client));
    assert_eq!(error_code(&frames), Some("TOO_MANY_COMMANDS"));
    world.cut(world.agent.socket.unwrap());
    heard(&mut world, client);
    ask(&mut world, client, "id");
    let frames = published(&heard(&mut world, client));
    assert_eq!(error_code(&frames), Some("AGENT_OFFLINE"));

    let (mut world, _) = ready();
    let watcher = connect(&mut world, Dialect::Published, |context| {
        context.can_type = false;
        context.session = "watched".parse().unwrap();
    });
    heard(&mut world, watcher);
    ask(&mut world, watcher, "id");
    assert_eq!(error_code(&published(&heard(&mut world, watcher))), Some("READ_ONLY"));
    assert!(world.agent.ran.is_empty());
}

#[test]
fn a_session_that_ends_kills_its_commands_also_when_the_agent_is_away() {
    for away in [false, true] {
        let (mut world, client) = ready();
        ask(&mut world, client, "sleep 60");
        deliver(&mut world);
        assert_eq!(world.agent.commands.len(), 1);
        if away {
            world.cut(world.agent.socket.unwrap());
        }
        assert!(world.relay.close_session(world.now, &"sess_1".parse().unwrap(), true));
        world.perform();
        if away {
            world.agent_connects();
        }
        deliver(&mut world);
        assert!(world.agent.commands.is_empty());
    }
}

#[test]
fn a_command_that_was_asked_for_before_the_shell_was_there_outlives_a_cut() {
    let mut world = World::new(0);
    world.agent_connects();
    deliver(&mut world);
    let client = connect(&mut world, Dialect::Published, |_| {});
    ask(&mut world, client, "id");
    world.cut(client);
    deliver(&mut world);
    end_all(&mut world);
    let client = connect(&mut world, Dialect::Published, |_| {});
    deliver(&mut world);
    let frames = published(&heard(&mut world, client));
    let answered = |frame: &ToClient| matches!(frame, ToClient::CommandOutput { completed: true, .. });
    assert_eq!(frames.iter().filter(|frame| answered(frame)).count(), 1, "{frames:?}");
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
    fn listen(&mut self, world: &mut World, client: Socket) {
        for frame in published(&heard(world, client)) {
            match frame {
                ToClient::CommandStarted { command_id, .. } => drop(self.started.insert(command_id)),
                ToClient::CommandOutput {
                    command_id, completed, ..
                } => {
                    self.ended.push(command_id);
                    self.completed += usize::from(completed);
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn each_command_that_was_started_is_answered_exactly_once(steps in proptest::collection::vec(step(), 1..80)) {
        let (mut world, mut client) = ready();
        let mut told = Told::default();
        for (n, step) in steps.into_iter().enumerate() {
            world.now += 7;
            match step {
                Step::Ask if world.links.contains_key(&client) => ask(&mut world, client, &n.to_string()),
                Step::Ask => {}
                Step::End(nth) => {
                    if let Some(stream) = world.agent.commands.keys().nth(nth).copied() {
                        world.command_ends(stream);
                    }
                }
                Step::Up => drop(world.agent.socket.map(|agent| world.deliver_up(agent))),
                Step::Down => drop(world.agent.socket.map(|agent| world.deliver_down(agent))),
                Step::ConnectAgent => world.agent_connects(),
                Step::CutAgent => drop(world.agent.socket.map(|agent| world.cut(agent))),
                Step::ConnectClient => client = connect(&mut world, Dialect::Published, |_| {}),
                Step::CutClient => {
                    if world.links.contains_key(&client) {
                        world.cut(client);
                    }
                }
                Step::Hibernate => world.hibernate(),
                Step::Crash => world.crash(),
            }
            told.listen(&mut world, client);
        }
        if world.agent.socket.is_none() {
            world.agent_connects();
        }
        if !world.links.contains_key(&client) {
            client = connect(&mut world, Dialect::Published, |_| {});
        }
        deliver(&mut world);
        end_all(&mut world);
        deliver(&mut world);
        told.listen(&mut world, client);

        let mut ended = told.ended.clone();
        ended.sort();
        prop_assert_eq!(ended, told.started.iter().cloned().collect::<Vec<_>>());
        let ran: BTreeSet<_> = world.agent.ran.iter().collect();
        prop_assert_eq!(ran.len(), world.agent.ran.len(), "a command ran twice");
        prop_assert_eq!(told.completed, ran.len(), "what ran is answered with its output");
        prop_assert!(world.agent.commands.is_empty());
    }
}
