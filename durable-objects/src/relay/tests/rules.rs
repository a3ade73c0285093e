//! The rules one by one.
use protocol::ids::{ObjectId, StreamId};
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY, MAX_PAYLOAD, WATCHER_WINDOW};
use protocol::relay_contract::{Dialect, Revoke, SignIns};
use protocol::terminal::ExitStatus;
use protocol::terminal::close::Close;
use protocol::terminal::published::ToClient;
use protocol::terminal::viewer::ToViewer;

use super::world::{Wire, World, object_id, viewer_context};
use crate::relay::{Notice, Socket};

const SHELL: StreamId = StreamId(1);

/// One agent and `viewers` typists, all attached.
fn attached(viewers: usize) -> World {
    let mut world = World::new(viewers);
    world.agent_connects();
    for i in 0..viewers {
        world.viewer_connects(i);
    }
    world.settle();
    world
}

/// A socket of somebody else than the models.
pub fn connect(
    world: &mut World,
    dialect: Dialect,
    change: impl FnOnce(&mut protocol::relay_contract::ViewerContext),
) -> Socket {
    let socket = world.open_socket();
    let mut context = viewer_context(dialect);
    change(&mut context);
    let viewer = format!("{:032x}", 0xabc0 + socket.0).parse().unwrap();
    world.relay.viewer_connected(world.now, socket, context, viewer);
    world.perform();
    socket
}

/// What was sent to such a socket since the last call.
pub fn heard(world: &mut World, socket: Socket) -> Vec<Wire> {
    world
        .links
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

fn close_code(wires: &[Wire]) -> Option<u16> {
    wires.iter().find_map(|wire| {
        if let Wire::Close(code) = wire {
            Some(*code)
        } else {
            None
        }
    })
}

fn closed_reasons(world: &World) -> Vec<&str> {
    world
        .notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::SessionClosed { reason, .. } => Some(reason.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn the_agent_stops_one_window_ahead_of_a_typist_that_stopped_reading() {
    let mut world = attached(1);
    for _ in 0..10 {
        world.programs_write(LIVE_WINDOW);
        for socket in world.links.keys().copied().collect::<Vec<_>>() {
            while world.deliver_up(socket) || world.deliver_down(socket) {}
        }
    }
    assert_eq!(world.agent.shells[&SHELL].end, LIVE_WINDOW);
    world.settle();
    world.programs_write(LIVE_WINDOW);
    assert_eq!(world.agent.shells[&SHELL].end, 2 * LIVE_WINDOW);
}

#[test]
fn a_cut_typist_lets_the_program_run_on_for_one_log_and_misses_nothing() {
    let mut world = attached(1);
    world.cut(world.viewers[0].socket.unwrap());
    world.settle();
    for _ in 0..3 {
        world.programs_write(LOG_CAPACITY);
        world.settle();
    }
    assert_eq!(world.agent.shells[&SHELL].end, LOG_CAPACITY);
    world.viewer_connects(0);
    world.settle();
    assert_eq!(world.viewers[0].reader.unwrap().received(), LOG_CAPACITY);
    assert_eq!(world.viewers[0].gaps, 0);
}

#[test]
fn a_typist_that_left_on_purpose_holds_nothing_up() {
    let mut world = attached(1);
    let socket = world.viewers[0].socket.unwrap();
    world.links.get_mut(&socket).unwrap().up.push_back(Wire::Close(1001));
    world.settle();
    world.programs_write(3 * LOG_CAPACITY);
    assert_eq!(world.agent.shells[&SHELL].end, 3 * LOG_CAPACITY);
}

#[test]
fn a_watcher_slows_nobody_and_is_caught_up_when_it_acknowledges() {
    let mut world = attached(1);
    let watcher = connect(&mut world, Dialect::Stream, |context| context.can_type = false);
    let hello = r#"{"type":"hello","protocol":1,"viewer":"0000000000000000000000000000beef","received":null,"cols":80,"rows":24}"#;
    world.relay.text(world.now, watcher, hello);
    world.perform();
    world.settle();
    heard(&mut world, watcher);
    for _ in 0..5 {
        world.programs_write(LIVE_WINDOW);
        world.settle();
    }
    assert_eq!(
        world.viewers[0].reader.unwrap().received(),
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
    let mut received = got(heard(&mut world, watcher));
    assert!(
        received <= WATCHER_WINDOW + MAX_PAYLOAD as u64,
        "{received} bytes went to a watcher that reads nothing"
    );
    while received < 5 * LIVE_WINDOW {
        let ack = protocol::terminal::frame::Frame::ack(SHELL, received);
        world.relay.binary(world.now, watcher, ack.bytes().clone());
        world.perform();
        world.settle();
        let more = got(heard(&mut world, watcher));
        assert!(more > 0, "the watcher was not caught up");
        received += more;
    }
    assert_eq!(received, 5 * LIVE_WINDOW);
}

#[test]
fn a_watcher_cannot_type() {
    let mut world = attached(1);
    let watcher = connect(&mut world, Dialect::Published, |context| {
        context.can_type = false;
        context.session = "sess_2".parse().unwrap();
    });
    world.relay.text(world.now, watcher, "ls\r");
    world.perform();
    let frames = published(&heard(&mut world, watcher));
    assert!(
        matches!(frames.last(), Some(ToClient::Error { code, .. }) if code == "READ_ONLY"),
        "{frames:?}"
    );
}

#[test]
fn a_newcomer_to_a_long_session_gets_a_picture_and_a_short_one_in_full() {
    let mut world = attached(2);
    world.cut(world.viewers[1].socket.unwrap());
    world.viewers[1].reader = None;
    world.programs_write(1_000);
    world.viewer_connects(1);
    world.settle();
    assert_eq!(world.viewers[1].reader.unwrap().received(), 1_000);
    assert!(
        !world.viewers[1]
            .said
            .iter()
            .any(|m| matches!(m, ToViewer::Snapshot { .. }))
    );
    world.programs_write(500_000);
    world.settle();
    world.cut(world.viewers[1].socket.unwrap());
    world.viewers[1].reader = None;
    world.viewer_connects(1);
    world.settle();
    assert!(world.viewers[1].said.contains(&ToViewer::Snapshot { offset: 501_000 }));
}

#[test]
fn an_exit_comes_after_all_output_and_is_kept_for_a_viewer_that_was_cut() {
    let mut world = attached(1);
    world.cut(world.viewers[0].socket.unwrap());
    world.settle();
    world.programs_write(3 * LIVE_WINDOW);
    world.shell_exits(SHELL, 7);
    world.settle();
    assert_eq!(closed_reasons(&world), ["exited"]);
    world.hibernate();
    world.viewer_connects(0);
    world.settle();
    assert_eq!(world.viewers[0].reader.unwrap().received(), 3 * LIVE_WINDOW);
    assert_eq!(
        world.viewers[0].exit,
        Some(ExitStatus {
            code: Some(7),
            signal: None
        })
    );
    assert!(world.viewers[0].socket.is_none(), "the socket is closed");
    assert!(world.agent.shells.is_empty(), "the agent may forget the log");
}

#[test]
fn viewers_are_told_that_the_agent_was_restarted_now_or_when_they_return() {
    let mut world = attached(2);
    world.cut(world.viewers[1].socket.unwrap());
    world.cut(world.agent.socket.unwrap());
    world.agent.shells.clear();
    world.agent_connects();
    world.settle();
    world.viewer_connects(1);
    world.settle();
    for viewer in &world.viewers {
        let told = viewer
            .said
            .iter()
            .any(|m| matches!(m, ToViewer::Disconnect { reason, .. } if reason.contains("restarted")));
        assert!(told, "{:?}", viewer.said);
        assert!(viewer.socket.is_none());
    }
    assert_eq!(closed_reasons(&world), ["agent_restarted"]);
}

#[test]
fn a_session_of_somebody_else_is_never_handed_out() {
    let mut world = attached(1);
    let mallory: ObjectId = object_id(9);
    let socket = connect(&mut world, Dialect::Published, |context| context.user = mallory);
    world.settle();
    assert!(!world.links.contains_key(&socket) || close_code(&heard(&mut world, socket)) == Some(1008));
    assert_eq!(world.agent.shells.len(), 1);
}

#[test]
fn a_published_client_is_told_that_the_agent_is_away_and_when_it_is_there() {
    let mut world = World::new(0);
    let socket = connect(&mut world, Dialect::Published, |_| {});
    let frames = published(&heard(&mut world, socket));
    assert!(
        matches!(&frames[..], [ToClient::Error { code, .. }] if code == "AGENT_OFFLINE"),
        "{frames:?}"
    );
    world.relay.text(world.now, socket, "typed early");
    world.agent_connects();
    for _ in 0..20 {
        let agent = world.agent.socket.unwrap();
        while world.deliver_up(agent) || world.deliver_down(agent) {}
    }
    let frames = published(&heard(&mut world, socket));
    assert!(matches!(&frames[..], [ToClient::SessionReady { .. }]), "{frames:?}");
    assert_eq!(world.agent.heard, b"typed early");
}

#[test]
fn a_viewer_whose_agent_stays_away_is_let_go_after_the_grace() {
    let mut world = World::new(0);
    let socket = connect(&mut world, Dialect::Published, |_| {});
    world.now = world.relay.deadline().unwrap();
    world.relay.expire(world.now - 1, None);
    world.perform();
    assert_eq!(close_code(&heard(&mut world, socket)), None);
    world.relay.expire(world.now, None);
    world.perform();
    let wires = heard(&mut world, socket);
    assert!(matches!(published(&wires).last(), Some(ToClient::Disconnect { .. })));
    assert_eq!(close_code(&wires), Some(Close::AgentOffline.code()));
}

#[test]
fn a_silent_agent_is_gone_but_a_keep_alive_counts_as_a_sign_of_life() {
    let mut world = attached(1);
    let due = world.relay.deadline().unwrap();
    world.relay.expire(due, Some(due - 10));
    assert!(world.relay.agent().is_some());
    world.relay.expire(world.relay.deadline().unwrap(), Some(due - 10));
    world.perform();
    assert!(world.relay.agent().is_none());
    assert!(
        world
            .notices
            .iter()
            .any(|notice| matches!(notice, Notice::AgentOffline { .. }))
    );
}

#[test]
fn a_session_nobody_came_back_to_is_hung_up() {
    let mut world = attached(1);
    world.cut(world.viewers[0].socket.unwrap());
    let settings = crate::relay::Settings::default();
    world
        .relay
        .expire(world.now + settings.stream_keep - 1, Some(u64::MAX / 2));
    assert_eq!(world.agent.shells.len(), 1);
    world.relay.expire(world.now + settings.stream_keep, Some(u64::MAX / 2));
    world.perform();
    world.settle();
    assert!(world.agent.shells.is_empty());
    assert_eq!(closed_reasons(&world), ["abandoned"]);
}

#[test]
fn a_session_that_is_ended_over_rest_tells_its_viewers_and_kills_its_shell() {
    let mut world = attached(1);
    assert!(world.relay.close_session(world.now, &"sess_1".parse().unwrap(), false));
    world.perform();
    world.settle();
    assert!(
        world.viewers[0]
            .said
            .iter()
            .any(|m| matches!(m, ToViewer::Disconnect { code, .. } if code == "session_terminated"))
    );
    assert!(world.agent.shells.is_empty());
    assert!(
        !world.relay.close_session(world.now, &"sess_1".parse().unwrap(), false),
        "it was over"
    );
}

#[test]
fn a_session_whose_owner_lost_the_right_to_it_ends_for_that_reason() {
    let mut world = attached(1);
    world.relay.close_session(world.now, &"sess_1".parse().unwrap(), true);
    world.perform();
    world.settle();
    assert!(
        matches!(world.viewers[0].said.last(), Some(ToViewer::Disconnect { code, .. }) if code == "access_revoked")
    );
    assert!(world.agent.shells.is_empty());
    assert_eq!(closed_reasons(&world), ["access_revoked"]);
}

#[test]
fn viewers_of_a_withdrawn_sign_in_are_disconnected_and_their_shell_stays() {
    let mut world = attached(2);
    let revoke = |user, sign_ins| Revoke {
        user: object_id(user),
        sign_ins,
    };
    for spares in [
        revoke(3, SignIns::All),
        revoke(2, SignIns::Only("s2".to_owned())),
        revoke(2, SignIns::AllBut("s1".to_owned())),
    ] {
        world.relay.revoke(world.now, &spares);
        world.perform();
        world.settle();
        assert!(world.viewers.iter().all(|viewer| viewer.socket.is_some()), "{spares:?}");
    }
    world
        .relay
        .revoke(world.now, &revoke(2, SignIns::Only("s1".to_owned())));
    world.perform();
    world.settle();
    for viewer in &world.viewers {
        assert!(viewer.socket.is_none());
        assert!(matches!(viewer.said.last(), Some(ToViewer::Disconnect { code, .. }) if code == "access_revoked"));
    }
    assert_eq!(world.agent.shells.len(), 1);
}

#[test]
fn a_session_that_was_ended_while_the_agent_was_away_dies_when_it_returns() {
    let mut world = attached(1);
    world.cut(world.agent.socket.unwrap());
    world.relay.close_session(world.now, &"sess_1".parse().unwrap(), false);
    world.perform();
    world.agent_connects();
    world.settle();
    assert!(world.agent.shells.is_empty());
}

#[test]
fn destroying_the_machine_ends_everything_and_forgets_it() {
    let mut world = attached(2);
    world.relay.destroy(world.now);
    world.perform();
    world.settle();
    assert!(world.storage.is_empty());
    assert!(world.viewers.iter().all(|viewer| viewer.socket.is_none()));
    assert!(world.agent.socket.is_none());
}

#[test]
fn a_returning_viewer_is_not_given_a_new_shell_in_place_of_the_one_that_ended() {
    let mut world = attached(1);
    world.programs_write(10);
    world.settle();
    world.relay.close_session(world.now, &"sess_1".parse().unwrap(), false);
    world.perform();
    world.settle();
    world.viewer_connects(0);
    world.settle();
    assert!(world.agent.shells.is_empty());
    assert!(matches!(world.viewers[0].said.last(), Some(ToViewer::Disconnect { code, .. }) if code == "session_ended"));
}

#[test]
fn a_second_published_client_of_a_session_takes_the_place_of_the_first() {
    // While the shell is being started, or when it runs.
    for started in [false, true] {
        let mut world = attached(0);
        let first = connect(&mut world, Dialect::Published, |_| {});
        if started {
            world.settle();
        }
        let second = connect(&mut world, Dialect::Published, |_| {});
        assert_eq!(close_code(&heard(&mut world, first)), Some(Close::Replaced.code()));
        world.settle();
        let kept = crate::relay::Settings::default().published_keep;
        world.relay.expire(world.now + kept, Some(u64::MAX / 2));
        world.perform();
        let wires = heard(&mut world, second);
        assert_eq!(close_code(&wires), None, "nobody left the session");
        let frames = published(&wires);
        assert!(matches!(&frames[..], [ToClient::SessionReady { .. }]), "{frames:?}");
    }
}

#[test]
fn a_published_client_is_told_nothing_twice_when_the_relay_lost_its_memory() {
    let mut world = attached(0);
    let client = connect(&mut world, Dialect::Published, |_| {});
    world.settle();
    // Long enough after the last output for this to count as read at once.
    world.now += 1000;
    world.programs_write(21);
    world.settle();
    while world.relay.wants_tick() {
        world.now += 50;
        world.relay.tick(world.now);
        world.perform();
    }
    let output = |frame: &ToClient| matches!(frame, ToClient::Output { .. });
    assert!(published(&heard(&mut world, client)).iter().any(output));
    world.hibernate();
    world.settle();
    assert_eq!(published(&heard(&mut world, client)), []);
}

#[test]
fn a_published_client_is_told_that_the_shell_is_there_when_it_is_and_not_before() {
    let mut world = World::new(0);
    world.agent_connects();
    let agent = world.agent.socket.unwrap();
    while world.deliver_up(agent) {}
    let client = connect(&mut world, Dialect::Published, |_| {});
    while world.deliver_down(agent) {}
    let up = &mut world.links.get_mut(&agent).unwrap().up;
    // The agent takes input while the shell still starts.
    assert_eq!(up.len(), 2);
    up.swap(0, 1);
    world.deliver_up(agent);
    assert!(heard(&mut world, client).is_empty());
    world.deliver_up(agent);
    let frames = published(&heard(&mut world, client));
    assert!(matches!(&frames[..], [ToClient::SessionReady { .. }]), "{frames:?}");
}

#[test]
fn frames_that_do_not_decode_are_answered_and_the_connection_lives() {
    let mut world = attached(0);
    let socket = connect(&mut world, Dialect::Stream, |_| {});
    for text in [
        "",
        "{",
        "[]",
        r#"{"type":"nope"}"#,
        r#"{"type":"hello","protocol":1,"viewer":"x"}"#,
    ] {
        world.relay.text(world.now, socket, text);
        world.perform();
        let wires = heard(&mut world, socket);
        assert!(
            matches!(&wires[..], [Wire::Text(text)] if text.contains("\"error\"")),
            "{text}: {wires:?}"
        );
    }
    world.relay.binary(world.now, socket, vec![9; 16].into());
    world.relay.binary(world.now, socket, vec![1; 3].into());
    world.perform();
    assert_eq!(heard(&mut world, socket).len(), 2);
}

#[test]
fn a_frame_that_is_too_large_closes_the_socket() {
    for (dialect, text) in [
        (Dialect::Stream, true),
        (Dialect::Stream, false),
        (Dialect::Published, true),
    ] {
        let mut world = attached(0);
        let socket = connect(&mut world, dialect, |_| {});
        if text {
            world.relay.text(world.now, socket, &"x".repeat(MAX_PAYLOAD + 1));
        } else {
            world.relay.binary(world.now, socket, vec![1; MAX_PAYLOAD + 17].into());
        }
        world.perform();
        assert_eq!(close_code(&heard(&mut world, socket)), Some(1009));
    }
}

#[test]
fn an_agent_that_breaks_the_protocol_is_cut_off() {
    let mut world = attached(1);
    let agent = world.agent.socket.unwrap();
    world.relay.text(world.now, agent, "nonsense");
    world.perform();
    world.settle();
    assert!(world.agent.socket.is_none());
}

#[test]
fn keystrokes_write_nothing_to_storage() {
    let mut world = attached(1);
    let before = world.storage.clone();
    world.notices.clear();
    for _ in 0..100 {
        world.viewer_types(0, 1);
        world.programs_write(1);
        world.settle();
    }
    assert_eq!(world.storage, before);
    assert!(world.notices.is_empty());
}
