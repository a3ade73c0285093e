//! Sessions on other hosts, and the published frames of their sockets.
use protocol::ids::StreamId;
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::FromAgent;
use protocol::terminal::ssh::{CONNECTION_LOST, SshTarget, ToClient};
use serde_json::json;

use super::relay_sim::{RelaySim, Wire, connect, object_id};
use super::rules::heard;
use super::services::online;
use crate::relay::{HostTrusted, Key, Notice, Socket};

fn to_web(context: &mut ViewerContext) {
    context.ssh = Some(SshTarget {
        hostname: "web-1".to_owned(),
        user: Some("deploy".to_owned()),
    });
}

/// Everything between the relay and the agent arrives.
fn deliver(sim: &mut RelaySim) {
    sim.answer_all();
    while let Some(agent) = sim.agent.socket {
        if !(sim.deliver_up(agent) || sim.deliver_down(agent)) {
            break;
        }
    }
}

/// A runner, and a client whose shell is there.
fn ready() -> (RelaySim, Socket) {
    let mut sim = online(true);
    let client = connect(&mut sim, Dialect::Ssh, to_web);
    deliver(&mut sim);
    (sim, client)
}

fn texts<T: serde::de::DeserializeOwned>(wires: &[Wire]) -> Vec<T> {
    let text = |wire: &Wire| match wire {
        Wire::Text(text) => Some(serde_json::from_str(text).unwrap()),
        _ => None,
    };
    wires.iter().filter_map(text).collect()
}

fn close_code(wires: &[Wire]) -> Option<u16> {
    wires.iter().find_map(|wire| match wire {
        Wire::Close(code) => Some(*code),
        _ => None,
    })
}

fn error(wires: &[Wire]) -> Option<String> {
    texts::<ToClient>(wires).into_iter().find_map(|frame| match frame {
        ToClient::Error { message } => Some(message),
        _ => None,
    })
}

fn fails(sim: &mut RelaySim, error: &str) {
    let stream = *sim.agent.shells.keys().next().unwrap();
    let agent = sim.agent.socket.unwrap();
    sim.agent.shells.clear();
    let error = error.to_owned();
    sim.say_up(agent, &FromAgent::OpenFailed { stream, error });
    deliver(sim);
}

fn exits(sim: &mut RelaySim, status: ExitStatus) {
    let stream = *sim.agent.shells.keys().next().unwrap();
    let agent = sim.agent.socket.unwrap();
    sim.say_up(agent, &FromAgent::Exited { stream, end: 0, status });
    deliver(sim);
}

#[test]
fn a_client_is_told_once_where_its_shell_is() {
    let (mut sim, client) = ready();
    let frames = texts::<ToClient>(&heard(&mut sim, client));
    let connected = ToClient::Connected {
        hostname: "web-1".to_owned(),
        ip: "10.0.0.5".to_owned(),
        user: "deploy".to_owned(),
        default_user: "root".to_owned(),
    };
    assert_eq!(frames, [connected]);
}

#[test]
fn what_is_sent_before_the_shell_is_there_waits_for_it() {
    let mut sim = online(true);
    let client = connect(&mut sim, Dialect::Ssh, to_web);
    for frame in [
        json!({"type": "resize", "cols": 101, "rows": 33}),
        json!({"type": "input", "data": "ls\r"}),
        json!({"type": "unheard"}),
        json!(5),
    ] {
        sim.relay.text(sim.now, client, &frame.to_string());
    }
    sim.relay.text(sim.now, client, "no JSON");
    sim.relay.binary(sim.now, client, vec![1, 2, 3].into());
    sim.perform();
    deliver(&mut sim);
    let shell = sim.agent.shells.values().next().unwrap();
    assert_eq!((shell.size.cols, shell.size.rows), (101, 33));
    assert_eq!(shell.inputs.values().next().unwrap().applied(), 3);
    assert_eq!(close_code(&heard(&mut sim, client)), None);
}

#[test]
fn the_end_of_a_shell_is_that_of_its_client() {
    let lost = ExitStatus {
        reason: Some(CONNECTION_LOST.to_owned()),
        ..ExitStatus::default()
    };
    let three = ExitStatus {
        code: Some(3),
        ..ExitStatus::default()
    };
    for (status, words, reason) in [
        (three, "Connection closed", "exited"),
        (lost, "SSH disconnected: the connection was lost", CONNECTION_LOST),
    ] {
        let (mut sim, client) = ready();
        exits(&mut sim, status);
        let wires = heard(&mut sim, client);
        assert_eq!(
            (error(&wires).as_deref(), close_code(&wires)),
            (Some(words), Some(1000))
        );
        let closed = sim.notices.iter().find_map(|notice| match notice {
            Notice::SessionClosed { reason, .. } => Some(reason.as_str()),
            _ => None,
        });
        assert_eq!(closed, Some(reason));
    }
}

#[test]
fn why_there_is_no_shell_is_told_in_words_and_by_the_code() {
    for (words, code) in [
        ("No SSH credentials found for web-1", 1008),
        ("SSH connection failed: nobody answers", 1000),
    ] {
        let (mut sim, client) = ready();
        heard(&mut sim, client);
        fails(&mut sim, words);
        let wires = heard(&mut sim, client);
        assert_eq!(
            (error(&wires).as_deref(), close_code(&wires)),
            (Some(words), Some(code))
        );
    }
}

#[test]
fn a_client_whose_runner_is_away_or_goes_is_told_and_leaves_nothing() {
    let mut sim = RelaySim::new(0);
    let client = connect(&mut sim, Dialect::Ssh, to_web);
    sim.answer_all();
    let wires = heard(&mut sim, client);
    assert_eq!(
        (error(&wires).as_deref(), close_code(&wires)),
        (Some("Runner is not connected"), Some(4503))
    );
    let (mut sim, client) = ready();
    heard(&mut sim, client);
    let agent = sim.agent.socket.unwrap();
    sim.cut(agent);
    assert_eq!(close_code(&heard(&mut sim, client)), Some(4503));
    sim.relay.expire(sim.now, None);
    sim.perform();
    assert!(
        !sim.storage.keys().any(|key| matches!(key, Key::Session(_))),
        "it is over"
    );
}

#[test]
fn an_agent_that_would_open_a_shell_of_its_own_is_not_asked() {
    for dialect in [Dialect::Ssh, Dialect::Published] {
        let mut sim = online(false);
        let client = connect(&mut sim, dialect, to_web);
        deliver(&mut sim);
        assert!(sim.agent.shells.is_empty());
        let said = heard(&mut sim, client);
        assert!(close_code(&said).is_some(), "{said:?}");
    }
}

#[test]
fn a_client_that_leaves_ends_its_session_at_once() {
    let (mut sim, client) = ready();
    sim.relay.closed(sim.now, client, 1000);
    sim.perform();
    assert_eq!(sim.relay.deadline(), Some(sim.now));
    sim.relay.expire(sim.now, None);
    sim.perform();
    deliver(&mut sim);
    assert!(sim.agent.shells.is_empty());
}

#[test]
fn a_host_that_is_trusted_from_now_on_is_written_down_once() {
    let mut sim = online(true);
    sim.agent.trusts = Some("ssh-ed25519 SHA256:x".to_owned());
    connect(&mut sim, Dialect::Ssh, to_web);
    deliver(&mut sim);
    let agent = sim.agent.socket.unwrap();
    let stream = *sim.agent.shells.keys().next().unwrap();
    let connected = protocol::terminal::ssh::SshConnected {
        trusted: sim.agent.trusts.clone(),
        ..Default::default()
    };
    sim.say_up(agent, &FromAgent::SshConnected { stream, connected });
    let stranger = StreamId(stream.0 + 1000);
    let connected = Default::default();
    sim.say_up(
        agent,
        &FromAgent::SshConnected {
            stream: stranger,
            connected,
        },
    );
    deliver(&mut sim);
    let trusted: Vec<_> = sim
        .notices
        .iter()
        .filter(|notice| matches!(notice, Notice::HostTrusted(_)))
        .collect();
    let expected = Notice::HostTrusted(HostTrusted {
        session_id: "sess_1".parse().unwrap(),
        user: object_id(2),
        username: "ada".to_owned(),
        hostname: "web-1".to_owned(),
        ip: "10.0.0.5".to_owned(),
        key: "ssh-ed25519 SHA256:x".to_owned(),
        at: sim.now,
    });
    assert_eq!(trusted, [&expected]);
}

#[test]
fn a_raw_client_has_a_terminal_like_any_other_and_its_socket_says_that_there_is_none() {
    let mut sim = online(true);
    let client = connect(&mut sim, Dialect::Raw, to_web);
    deliver(&mut sim);
    assert!(sim.relay.memory_of(client).is_some() && sim.agent.shells.len() == 1);
    fails(&mut sim, "SSH connection failed: nobody answers");
    assert_eq!(close_code(&heard(&mut sim, client)), Some(1008));
}
