//! The rules one by one.
use protocol::ids::{ObjectId, StreamId};
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY, MAX_PAYLOAD, WATCHER_WINDOW};
use protocol::relay_contract::Dialect;
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::FromAgent;
use protocol::terminal::close::Close;
use protocol::terminal::published::ToClient;
use protocol::terminal::viewer::ToViewer;
use serde_json::json;

pub use super::relay_sim::connect;
use super::relay_sim::{RelaySim, Wire, object_id, output_at, viewer_context};
use crate::relay::{Notice, Socket};

const SHELL: StreamId = StreamId(1);

/// One agent and `viewers` typists, all attached.
fn attached(viewers: usize) -> RelaySim {
    let mut sim = RelaySim::new(viewers);
    sim.agent_connects();
    for i in 0..viewers {
        sim.viewer_connects(i);
    }
    sim.settle();
    sim
}

/// What was sent to such a socket since the last call.
pub fn heard(sim: &mut RelaySim, socket: Socket) -> Vec<Wire> {
    sim.links
        .get_mut(&socket)
        .map(|link| link.down.drain(..).collect())
        .unwrap_or_default()
}

pub fn published(wires: &[Wire]) -> Vec<ToClient> {
    let text = |wire: &Wire| match wire {
        Wire::Text(text) => Some(serde_json::from_str(text).unwrap()),
        _ => None,
    };
    wires.iter().filter_map(text).collect()
}

pub fn close_code(wires: &[Wire]) -> Option<u16> {
    wires.iter().find_map(|wire| {
        if let Wire::Close(code) = wire {
            Some(*code)
        } else {
            None
        }
    })
}

pub fn closed_reasons(sim: &RelaySim) -> Vec<&str> {
    sim.notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::SessionClosed { reason, .. } => Some(reason.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn the_agent_stops_one_window_ahead_of_a_typist_that_stopped_reading() {
    let mut sim = attached(1);
    for _ in 0..10 {
        sim.programs_write(LIVE_WINDOW);
        for socket in sim.links.keys().copied().collect::<Vec<_>>() {
            while sim.deliver_up(socket) || sim.deliver_down(socket) {}
        }
    }
    assert_eq!(sim.agent.shells[&SHELL].end, LIVE_WINDOW);
    sim.settle();
    sim.programs_write(LIVE_WINDOW);
    assert_eq!(sim.agent.shells[&SHELL].end, 2 * LIVE_WINDOW);
}

#[test]
fn a_cut_typist_lets_the_program_run_on_for_one_log_and_misses_nothing() {
    let mut sim = attached(1);
    sim.cut(sim.viewers[0].socket.unwrap());
    sim.settle();
    for _ in 0..3 {
        sim.programs_write(LOG_CAPACITY);
        sim.settle();
    }
    assert_eq!(sim.agent.shells[&SHELL].end, LOG_CAPACITY);
    sim.viewer_connects(0);
    sim.settle();
    assert_eq!(sim.viewers[0].reader.unwrap().received(), LOG_CAPACITY);
    assert_eq!(sim.viewers[0].gaps, 0);
}

#[test]
fn a_typist_that_was_cut_when_the_relay_died_misses_nothing_either() {
    let mut sim = attached(1);
    sim.programs_write(1_000);
    sim.settle();
    sim.crash();
    sim.agent_connects();
    sim.settle();
    for _ in 0..3 {
        sim.programs_write(LOG_CAPACITY);
        sim.settle();
    }
    assert_eq!(sim.agent.shells[&SHELL].end, LOG_CAPACITY);
    sim.viewer_connects(0);
    sim.settle();
    assert_eq!(sim.viewers[0].reader.unwrap().received(), LOG_CAPACITY);
    assert_eq!(sim.viewers[0].gaps, 0);
}

#[test]
fn a_typist_that_left_on_purpose_holds_nothing_up() {
    let mut sim = attached(1);
    let socket = sim.viewers[0].socket.unwrap();
    sim.links.get_mut(&socket).unwrap().up.push_back(Wire::Close(1001));
    sim.settle();
    sim.programs_write(3 * LOG_CAPACITY);
    assert_eq!(sim.agent.shells[&SHELL].end, 3 * LOG_CAPACITY);
}

#[test]
fn a_watcher_slows_nobody_and_is_caught_up_when_it_acknowledges() {
    let mut sim = attached(1);
    let watcher = connect(&mut sim, Dialect::Stream, |context| context.can_type = false);
    let hello = r#"{"type":"hello","protocol":1,"viewer":"0000000000000000000000000000beef","received":null,"cols":80,"rows":24}"#;
    sim.relay.text(sim.now, watcher, hello);
    sim.perform();
    sim.settle();
    heard(&mut sim, watcher);
    for _ in 0..5 {
        sim.programs_write(LIVE_WINDOW);
        sim.settle();
    }
    assert_eq!(
        sim.viewers[0].reader.unwrap().received(),
        5 * LIVE_WINDOW,
        "the typist was slowed"
    );
    let got = |wires: Vec<Wire>| -> u64 {
        wires
            .iter()
            .map(|wire| {
                if let Wire::Binary(bytes) = wire {
                    bytes.len() as u64 - 16
                } else {
                    0
                }
            })
            .sum()
    };
    let mut received = got(heard(&mut sim, watcher));
    assert!(
        received <= WATCHER_WINDOW + MAX_PAYLOAD as u64,
        "{received} bytes went to a watcher that reads nothing"
    );
    while received < 5 * LIVE_WINDOW {
        let ack = protocol::terminal::frame::Frame::ack(SHELL, received);
        sim.relay.binary(sim.now, watcher, ack.bytes().clone());
        sim.perform();
        sim.settle();
        let more = got(heard(&mut sim, watcher));
        assert!(more > 0, "the watcher was not caught up");
        received += more;
    }
    assert_eq!(received, 5 * LIVE_WINDOW);
}

#[test]
fn what_the_machine_has_to_say_reaches_whom_it_is_for_in_their_own_words() {
    let mut sim = attached(1);
    let published_one = connect(&mut sim, Dialect::Published, |_| {});
    sim.settle();
    let typist = sim.relay.viewers.sockets_where(|viewer| !viewer.is_published())[0];
    let input = sim
        .relay
        .sessions
        .readers(SHELL)
        .find(|reader| reader.socket() == Some(published_one));
    let input = input.map(|reader| reader.input());
    assert!(input.is_some());
    let agent = sim.agent.socket.expect("it is linked");
    let errors = |sim: &mut RelaySim, socket| {
        let wires = heard(sim, socket).into_iter().filter_map(|wire| match wire {
            Wire::Text(text) => serde_json::from_str::<serde_json::Value>(&text).ok(),
            _ => None,
        });
        wires.filter(|message| message["type"] == "error").collect::<Vec<_>>()
    };
    for (input, hears) in [(input, [0, 1]), (None, [1, 1])] {
        for socket in [typist, published_one] {
            heard(&mut sim, socket);
        }
        let notice = FromAgent::Notice {
            stream: SHELL,
            input,
            error: "too long".into(),
            code: "line_too_long".into(),
        };
        sim.relay.text(sim.now, agent, &serde_json::to_string(&notice).unwrap());
        sim.perform();
        for (socket, count) in [typist, published_one].into_iter().zip(hears) {
            let expected = json!({"type": "error", "error": "too long", "code": "line_too_long"});
            assert_eq!(errors(&mut sim, socket), vec![expected; count]);
        }
    }
    // One about a terminal that has just ended, or a typist who has just left, is no fault of the agent's.
    for (stream, input) in [(StreamId(99), None), (SHELL, Some(StreamId(98)))] {
        let (error, code) = (String::new(), String::new());
        let late = FromAgent::Notice {
            stream,
            input,
            error,
            code,
        };
        sim.relay.text(sim.now, agent, &serde_json::to_string(&late).unwrap());
        sim.perform();
    }
    assert_eq!(sim.agent.socket, Some(agent));
}

#[test]
fn a_watcher_cannot_type() {
    let mut sim = attached(1);
    let watcher = connect(&mut sim, Dialect::Published, |context| {
        context.can_type = false;
        context.session = "sess_2".parse().unwrap();
    });
    sim.relay.text(sim.now, watcher, "ls\r");
    sim.perform();
    let frames = published(&heard(&mut sim, watcher));
    assert!(
        matches!(frames.last(), Some(ToClient::Error { code, .. }) if code == "READ_ONLY"),
        "{frames:?}"
    );
}

#[test]
fn a_newcomer_gets_a_snapshot_however_little_was_written_and_nothing_before_the_first_byte() {
    let mut sim = attached(2);
    let snapshots = |sim: &RelaySim| {
        let said = sim.viewers[1].said.iter();
        said.filter(|message| matches!(message, ToViewer::Snapshot { .. }))
            .count()
    };
    assert_eq!(snapshots(&sim), 0);
    for (written, count) in [(1, 1), (500_000, 2)] {
        sim.cut(sim.viewers[1].socket.unwrap());
        sim.viewers[1].reader = None;
        sim.programs_write(written);
        sim.viewer_connects(1);
        sim.settle();
        assert_eq!(snapshots(&sim), count);
        assert_eq!(sim.viewers[1].reader.unwrap().received(), sim.agent.shells[&SHELL].end);
    }
}

#[test]
fn what_a_client_types_before_its_first_picture_is_answered_after_it() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    connect(&mut sim, Dialect::Raw, |_| {});
    sim.settle();
    sim.programs_write(7);
    sim.settle();
    // Somebody comes to that shell, and types before it is let in.
    let client = sim.open_socket();
    let viewer = format!("{:032x}", 0xdef).parse().unwrap();
    sim.relay
        .viewer_connected(sim.now, client, viewer_context(Dialect::Raw), viewer);
    sim.relay.text(sim.now, client, "cat binary\r");
    sim.perform();
    sim.answer_all();
    // The program answers before the agent hears anything else.
    let agent = sim.agent.socket.unwrap();
    while sim.agent.heard.is_empty() {
        assert!(sim.deliver_down(agent) | sim.deliver_up(agent), "nothing was typed");
    }
    sim.programs_write(5);
    sim.settle();
    let output = heard(&mut sim, client).into_iter().filter_map(|wire| match wire {
        Wire::Binary(bytes) => Some(bytes),
        _ => None,
    });
    // A picture has no byte that is no text: what was asked for is there as it was written.
    assert_eq!(output.collect::<Vec<_>>(), [&b"snapshot"[..], output_at(7, 5)]);
}

#[test]
fn an_exit_comes_after_all_output_and_is_kept_for_a_viewer_that_was_cut() {
    let mut sim = attached(1);
    sim.cut(sim.viewers[0].socket.unwrap());
    sim.settle();
    sim.programs_write(3 * LIVE_WINDOW);
    sim.shell_exits(SHELL, 7);
    sim.settle();
    assert_eq!(closed_reasons(&sim), ["exited"]);
    sim.hibernate();
    sim.viewer_connects(0);
    sim.settle();
    assert_eq!(sim.viewers[0].reader.unwrap().received(), 3 * LIVE_WINDOW);
    assert_eq!(
        sim.viewers[0].exit,
        Some(ExitStatus {
            code: Some(7),
            signal: None,
            reason: None,
        })
    );
    assert!(sim.viewers[0].socket.is_none(), "the socket is closed");
    assert!(sim.agent.shells.is_empty(), "the agent may forget the log");
}

#[test]
fn viewers_are_told_that_the_agent_was_restarted_now_or_when_they_return() {
    let mut sim = attached(2);
    sim.cut(sim.viewers[1].socket.unwrap());
    sim.cut(sim.agent.socket.unwrap());
    sim.agent.shells.clear();
    sim.agent_connects();
    sim.settle();
    sim.viewer_connects(1);
    sim.settle();
    for viewer in &sim.viewers {
        let told = viewer
            .said
            .iter()
            .any(|m| matches!(m, ToViewer::Disconnect { reason, .. } if reason.contains("restarted")));
        assert!(told, "{:?}", viewer.said);
        assert!(viewer.socket.is_none());
    }
    assert_eq!(closed_reasons(&sim), ["agent_restarted"]);
}

#[test]
fn a_session_of_somebody_else_is_never_handed_out() {
    let mut sim = attached(1);
    let mallory: ObjectId = object_id(9);
    let socket = connect(&mut sim, Dialect::Published, |context| context.user = mallory);
    sim.settle();
    assert!(!sim.links.contains_key(&socket) || close_code(&heard(&mut sim, socket)) == Some(1008));
    assert_eq!(sim.agent.shells.len(), 1);
}

#[test]
fn a_published_client_is_told_that_the_agent_is_away_and_when_it_is_there() {
    let mut sim = RelaySim::new(0);
    let socket = connect(&mut sim, Dialect::Published, |_| {});
    let frames = published(&heard(&mut sim, socket));
    assert!(
        matches!(&frames[..], [ToClient::Error { code, .. }] if code == "AGENT_OFFLINE"),
        "{frames:?}"
    );
    sim.relay.text(sim.now, socket, "typed early");
    sim.agent_connects();
    for _ in 0..20 {
        let agent = sim.agent.socket.unwrap();
        while sim.deliver_up(agent) || sim.deliver_down(agent) {}
    }
    let frames = published(&heard(&mut sim, socket));
    assert!(matches!(&frames[..], [ToClient::SessionReady { .. }]), "{frames:?}");
    assert_eq!(sim.agent.heard, b"typed early");
}

#[test]
fn a_viewer_whose_agent_stays_away_is_let_go_after_the_grace() {
    let mut sim = RelaySim::new(0);
    let socket = connect(&mut sim, Dialect::Published, |_| {});
    sim.now = sim.relay.deadline().unwrap();
    sim.relay.expire(sim.now - 1, None);
    sim.perform();
    assert_eq!(close_code(&heard(&mut sim, socket)), None);
    sim.relay.expire(sim.now, None);
    sim.perform();
    let wires = heard(&mut sim, socket);
    assert!(matches!(published(&wires).last(), Some(ToClient::Disconnect { .. })));
    assert_eq!(close_code(&wires), Some(Close::AgentOffline.code()));
}

#[test]
fn a_silent_agent_is_gone_but_a_keep_alive_counts_as_a_sign_of_life() {
    let mut sim = attached(1);
    let due = sim.relay.deadline().unwrap();
    sim.relay.expire(due, Some(due - 10));
    assert!(sim.relay.agent_socket().is_some());
    sim.relay.expire(sim.relay.deadline().unwrap(), Some(due - 10));
    sim.perform();
    assert!(sim.relay.agent_socket().is_none());
    assert!(
        sim.notices
            .iter()
            .any(|notice| matches!(notice, Notice::AgentOffline { .. }))
    );
}

#[test]
fn a_session_nobody_came_back_to_is_hung_up() {
    let mut sim = attached(1);
    sim.cut(sim.viewers[0].socket.unwrap());
    let settings = crate::relay::Settings::default();
    sim.relay.expire(sim.now + settings.stream_keep - 1, Some(u64::MAX / 2));
    assert_eq!(sim.agent.shells.len(), 1);
    sim.relay.expire(sim.now + settings.stream_keep, Some(u64::MAX / 2));
    sim.perform();
    sim.settle();
    assert!(sim.agent.shells.is_empty());
    assert_eq!(closed_reasons(&sim), ["abandoned"]);
}

#[test]
fn a_session_that_is_ended_over_rest_tells_its_viewers_and_kills_its_shell() {
    let mut sim = attached(1);
    assert!(sim.relay.close_session(sim.now, &"sess_1".parse().unwrap()));
    sim.perform();
    sim.settle();
    assert!(
        sim.viewers[0]
            .said
            .iter()
            .any(|m| matches!(m, ToViewer::Disconnect { code, .. } if code == "session_terminated"))
    );
    assert!(sim.agent.shells.is_empty());
    assert!(
        !sim.relay.close_session(sim.now, &"sess_1".parse().unwrap()),
        "it was over"
    );
}

#[test]
fn a_session_that_was_ended_while_the_agent_was_away_dies_when_it_returns() {
    let mut sim = attached(1);
    sim.cut(sim.agent.socket.unwrap());
    sim.relay.close_session(sim.now, &"sess_1".parse().unwrap());
    sim.perform();
    sim.agent_connects();
    sim.settle();
    assert!(sim.agent.shells.is_empty());
}

#[test]
fn destroying_the_machine_ends_everything_and_forgets_it() {
    let mut sim = attached(2);
    sim.relay.destroy(sim.now);
    sim.perform();
    sim.settle();
    assert!(sim.storage.is_empty());
    assert!(sim.viewers.iter().all(|viewer| viewer.socket.is_none()));
    assert!(sim.agent.socket.is_none());
}

#[test]
fn a_returning_viewer_is_not_given_a_new_shell_in_place_of_the_one_that_ended() {
    let mut sim = attached(1);
    sim.programs_write(10);
    sim.settle();
    sim.relay.close_session(sim.now, &"sess_1".parse().unwrap());
    sim.perform();
    sim.settle();
    sim.viewer_connects(0);
    sim.settle();
    assert!(sim.agent.shells.is_empty());
    assert!(matches!(sim.viewers[0].said.last(), Some(ToViewer::Disconnect { code, .. }) if code == "session_ended"));
}

#[test]
fn a_second_published_client_of_a_session_takes_the_place_of_the_first() {
    // While the shell is being started, or when it runs.
    for started in [false, true] {
        let mut sim = attached(0);
        let first = connect(&mut sim, Dialect::Published, |_| {});
        if started {
            sim.settle();
        }
        let second = connect(&mut sim, Dialect::Published, |_| {});
        assert_eq!(close_code(&heard(&mut sim, first)), Some(Close::Replaced.code()));
        sim.settle();
        let kept = crate::relay::Settings::default().published_keep;
        sim.relay.expire(sim.now + kept, Some(u64::MAX / 2));
        sim.perform();
        let wires = heard(&mut sim, second);
        assert_eq!(close_code(&wires), None, "nobody left the session");
        let frames = published(&wires);
        assert!(matches!(&frames[..], [ToClient::SessionReady { .. }]), "{frames:?}");
    }
}

#[test]
fn a_published_client_is_told_nothing_twice_when_the_relay_lost_its_memory() {
    let mut sim = attached(0);
    let client = connect(&mut sim, Dialect::Published, |_| {});
    sim.settle();
    // Long enough after the last output for this to count as read at once.
    sim.now += 1000;
    sim.programs_write(21);
    sim.settle();
    while sim.relay.wants_tick() {
        sim.now += 50;
        sim.relay.tick(sim.now, |_| None);
        sim.perform();
    }
    let output = |frame: &ToClient| matches!(frame, ToClient::Output { .. });
    assert!(published(&heard(&mut sim, client)).iter().any(output));
    sim.hibernate();
    sim.settle();
    assert_eq!(published(&heard(&mut sim, client)), []);
}

#[test]
fn a_published_client_is_told_that_the_shell_is_there_when_it_is_and_not_before() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    let agent = sim.agent.socket.unwrap();
    while sim.deliver_up(agent) {}
    let client = connect(&mut sim, Dialect::Published, |_| {});
    while sim.deliver_down(agent) {}
    let up = &mut sim.links.get_mut(&agent).unwrap().up;
    // The agent takes input while the shell still starts.
    assert_eq!(up.len(), 2);
    up.swap(0, 1);
    sim.deliver_up(agent);
    assert!(heard(&mut sim, client).is_empty());
    sim.deliver_up(agent);
    let frames = published(&heard(&mut sim, client));
    assert!(matches!(&frames[..], [ToClient::SessionReady { .. }]), "{frames:?}");
}

#[test]
fn frames_that_do_not_decode_are_answered_and_the_connection_lives() {
    let mut sim = attached(0);
    let socket = connect(&mut sim, Dialect::Stream, |_| {});
    for text in [
        "",
        "{",
        "[]",
        r#"{"type":"nope"}"#,
        r#"{"type":"hello","protocol":1,"viewer":"x"}"#,
    ] {
        sim.relay.text(sim.now, socket, text);
        sim.perform();
        let wires = heard(&mut sim, socket);
        assert!(
            matches!(&wires[..], [Wire::Text(text)] if text.contains("\"error\"")),
            "{text}: {wires:?}"
        );
    }
    sim.relay.binary(sim.now, socket, vec![9; 16].into());
    sim.relay.binary(sim.now, socket, vec![1; 3].into());
    sim.perform();
    assert_eq!(heard(&mut sim, socket).len(), 2);
}

#[test]
fn a_frame_that_is_too_large_closes_the_socket() {
    for (dialect, text) in [
        (Dialect::Stream, true),
        (Dialect::Stream, false),
        (Dialect::Published, true),
    ] {
        let mut sim = attached(0);
        let socket = connect(&mut sim, dialect, |_| {});
        if text {
            sim.relay.text(sim.now, socket, &"x".repeat(MAX_PAYLOAD + 1));
        } else {
            sim.relay.binary(sim.now, socket, vec![1; MAX_PAYLOAD + 17].into());
        }
        sim.perform();
        assert_eq!(close_code(&heard(&mut sim, socket)), Some(1009));
    }
}

#[test]
fn an_agent_that_breaks_the_protocol_is_cut_off() {
    let mut sim = attached(1);
    let agent = sim.agent.socket.unwrap();
    sim.relay.text(sim.now, agent, "nonsense");
    sim.perform();
    sim.settle();
    assert!(sim.agent.socket.is_none());
}

#[test]
fn keystrokes_write_nothing_to_storage() {
    let mut sim = attached(1);
    let before = sim.storage.clone();
    sim.notices.clear();
    for _ in 0..100 {
        sim.viewer_types(0, 1);
        sim.programs_write(1);
        sim.settle();
    }
    assert_eq!(sim.storage, before);
    assert!(sim.notices.is_empty());
}
