//! Limits of sessions: who gets none because as many run as may, what the agent is told of the rest, and what an end for want of keys is.
use protocol::ids::StreamId;
use protocol::relay_contract::Dialect;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::limits::SessionLimits;
use protocol::terminal::published::ToClient;
use protocol::terminal::sessions_v1;
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{ExitStatus, Size};

use super::relay_sim::{RelaySim, Wire};
use super::rules::{close_code, closed_reasons, connect, heard, published};

const SHELL: StreamId = StreamId(1);

const LIMITS: SessionLimits = SessionLimits {
    idle_minutes: 5,
    max_processes: 100,
    max_memory_mb: 64,
};

fn online() -> RelaySim {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    sim.settle();
    sim
}

/// What the agent was told since the last call.
fn orders(sim: &mut RelaySim) -> Vec<ToAgent> {
    let agent = sim.agent.socket.unwrap();
    let text = |wire: Wire| match wire {
        Wire::Text(text) => Some(serde_json::from_str(&text).unwrap()),
        _ => None,
    };
    heard(sim, agent).into_iter().filter_map(text).collect()
}

fn texts<T: serde::de::DeserializeOwned>(wires: &[Wire]) -> Vec<T> {
    let text = |wire: &Wire| match wire {
        Wire::Text(text) => Some(serde_json::from_str(text).unwrap()),
        _ => None,
    };
    wires.iter().filter_map(text).collect()
}

#[test]
fn the_agent_is_told_of_a_sessions_limits_also_after_the_relay_forgot_everything() {
    let mut sim = online();
    connect(&mut sim, Dialect::Published, |context| context.limits = LIMITS);
    let told = |sim: &mut RelaySim| {
        orders(sim).into_iter().find_map(|order| match order {
            ToAgent::Open { limits, .. } => Some(limits),
            _ => None,
        })
    };
    assert_eq!(told(&mut sim), Some(LIMITS));
    // The agent never had it: it is told again, from what is stored.
    sim.hibernate();
    sim.agent_connects();
    sim.deliver_up(sim.agent.socket.unwrap());
    assert_eq!(told(&mut sim), Some(LIMITS));
}

#[test]
fn a_command_that_is_asked_for_in_a_session_has_its_limits() {
    let mut sim = online();
    let client = connect(&mut sim, Dialect::Published, |context| context.limits = LIMITS);
    sim.settle();
    orders(&mut sim);
    sim.relay
        .text(sim.now, client, r#"{"type":"command","command":"uptime"}"#);
    sim.perform();
    let run = orders(&mut sim).into_iter().find_map(|order| match order {
        ToAgent::Run { limits, .. } => Some(limits),
        _ => None,
    });
    assert_eq!(run, Some(LIMITS));
}

#[test]
fn a_shell_that_the_machine_refuses_is_over_with_its_words() {
    let mut sim = online();
    let client = connect(&mut sim, Dialect::Published, |_| {});
    let opens = |order| matches!(order, ToAgent::Open { .. });
    assert!(orders(&mut sim).into_iter().any(opens));
    let refused = FromAgent::OpenFailed {
        stream: SHELL,
        error: "no such account".to_owned(),
    };
    let agent = sim.agent.socket.unwrap();
    sim.relay
        .text(sim.now, agent, &serde_json::to_string(&refused).unwrap());
    sim.perform();
    let wires = heard(&mut sim, client);
    assert_eq!(close_code(&wires), Some(1008));
    let said = published(&wires);
    assert!(
        matches!(&said[..], [ToClient::Disconnect { reason, exit_code: None }] if reason == "no such account"),
        "{said:?}"
    );
    assert_eq!(closed_reasons(&sim), ["open_failed"]);
}

const FULL: &str = "You have 2 terminal sessions running: end one first";

#[test]
fn whoever_gets_no_session_is_told_why_and_nothing_is_opened_or_listed() {
    for dialect in [Dialect::Published, Dialect::SessionsV1, Dialect::Raw] {
        let mut sim = online();
        let client = connect(&mut sim, dialect, |context| {
            context.opening = 0;
            context.refusal = Some(FULL.to_owned());
        });
        let wires = heard(&mut sim, client);
        assert_eq!(close_code(&wires), Some(4029), "{dialect:?}");
        match dialect {
            Dialect::Published => {
                let said = published(&wires);
                assert!(matches!(&said[..], [ToClient::Disconnect { reason, exit_code: None }] if reason == FULL));
            }
            Dialect::SessionsV1 => {
                let said = texts::<sessions_v1::ToClient>(&wires);
                assert!(matches!(&said[..], [sessions_v1::ToClient::Disconnect { reason, .. }] if reason == FULL));
            }
            _ => assert_eq!(wires.len(), 1),
        }
        sim.settle();
        assert!(
            sim.agent.shells.is_empty() && closed_reasons(&sim).is_empty(),
            "{dialect:?}"
        );
    }
}

#[test]
fn our_own_clients_are_told_when_they_have_said_hello() {
    let mut sim = online();
    let client = connect(&mut sim, Dialect::Stream, |context| {
        context.refusal = Some(FULL.to_owned())
    });
    assert!(
        heard(&mut sim, client).is_empty(),
        "one that has said nothing would not be closed"
    );
    let hello = FromViewer::Hello {
        protocol: 1,
        viewer: format!("{:032x}", 7).parse().unwrap(),
        received: None,
        size: Size::default(),
        commands: false,
        presence: false,
    };
    sim.relay.text(sim.now, client, &serde_json::to_string(&hello).unwrap());
    sim.perform();
    let wires = heard(&mut sim, client);
    assert_eq!(close_code(&wires), Some(4029));
    let expected = ToViewer::Disconnect {
        reason: FULL.to_owned(),
        code: "session_limit".to_owned(),
    };
    assert_eq!(texts::<ToViewer>(&wires), [expected]);
}

/// A session that ended, with what its agent says of it.
fn ended(dialect: Dialect, reason: Option<&str>) -> (RelaySim, Vec<Wire>) {
    let mut sim = online();
    let client = connect(&mut sim, dialect, |_| {});
    sim.settle();
    heard(&mut sim, client);
    let exited = FromAgent::Exited {
        stream: SHELL,
        end: 0,
        status: ExitStatus {
            code: None,
            signal: Some("SIGHUP".to_owned()),
            reason: reason.map(str::to_owned),
        },
    };
    let agent = sim.agent.socket.unwrap();
    sim.say_up(agent, &exited);
    sim.settle();
    let wires = heard(&mut sim, client);
    (sim, wires)
}

#[test]
fn a_session_in_which_nobody_typed_ends_with_that_as_its_reason() {
    let (sim, wires) = ended(Dialect::Published, Some("idle_timeout"));
    assert_eq!(
        (closed_reasons(&sim), close_code(&wires)),
        (vec!["idle_timeout"], Some(4000))
    );
    let words = published(&wires).into_iter().find_map(|said| match said {
        ToClient::Disconnect { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(words.unwrap().contains("nobody typed"));
}

#[test]
fn no_other_word_of_an_agents_becomes_a_reason() {
    for reason in [None, Some("terminated"), Some("")] {
        let (sim, wires) = ended(Dialect::Published, reason);
        assert_eq!(
            (closed_reasons(&sim), close_code(&wires)),
            (vec!["exited"], Some(1000)),
            "{reason:?}"
        );
    }
}
