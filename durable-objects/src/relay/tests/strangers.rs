//! Sockets whose first frame says whose they are, and the frames of the Sessions API.
use protocol::ids::StreamId;
use protocol::limits::MAX_PAYLOAD;
use protocol::relay_contract::{Dialect, StrangerContext, ViewerContext};
use protocol::terminal::sessions_v1::{AUTH_WITHIN_MS, Refusal};
use serde_json::{Value, json};

use super::relay_sim::{RelaySim, Wire, object_id, viewer_context};
use super::rules::{connect, heard};
use crate::relay::{Notice, RelayState, Settings, Socket};

const SHELL: StreamId = StreamId(1);

/// A socket that wants to go to `sess_1`.
fn stranger(sim: &mut RelaySim) -> Socket {
    let socket = sim.open_socket();
    let context = StrangerContext {
        machine: object_id(1),
        session: "sess_1".parse().unwrap(),
        address: "192.0.2.1".to_owned(),
    };
    sim.relay.stranger_connected(sim.now, socket, context);
    sim.perform();
    socket
}

fn says(sim: &mut RelaySim, socket: Socket, frame: Value) {
    sim.relay.text(sim.now, socket, &frame.to_string());
    sim.perform();
}

fn auth() -> Value {
    json!({"type": "auth", "token": "a token"})
}

/// The proof that is looked at is answered.
fn proven(sim: &mut RelaySim, verdict: Result<ViewerContext, Refusal>) {
    let (socket, proof) = sim.proofs.pop_front().unwrap();
    assert_eq!((proof.token.expose(), proof.session.as_str()), ("a token", "sess_1"));
    assert_eq!(proof.machine, object_id(1));
    let viewer = format!("{:032x}", 0xdef0 + socket.0).parse().unwrap();
    sim.relay.proven(sim.now, socket, verdict, viewer);
    sim.perform();
    sim.answer_all();
    sim.settle();
}

fn ada() -> Result<ViewerContext, Refusal> {
    Ok(viewer_context(Dialect::SessionsV1))
}

/// The frames that a socket got since the last look, and the code it was closed with.
fn told(sim: &mut RelaySim, socket: Socket) -> (Vec<Value>, Option<u16>) {
    let (mut frames, mut code) = (Vec::new(), None);
    for wire in heard(sim, socket) {
        match wire {
            Wire::Text(text) => frames.push(serde_json::from_str(&text).unwrap()),
            Wire::Close(closed) => code = Some(closed),
            Wire::Binary(bytes) => panic!("no frame of the Sessions API: {bytes:?}"),
        }
    }
    (frames, code)
}

/// The code of the one error that a socket got, and the code it was closed with.
fn refusal(sim: &mut RelaySim, socket: Socket) -> (Value, Option<u16>) {
    let (frames, code) = told(sim, socket);
    assert_eq!(frames.len(), 1, "{frames:?}");
    (frames[0]["code"].clone(), code)
}

#[test]
fn what_is_said_behind_a_proof_waits_for_it_and_is_typed_in_order() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    sim.settle();
    let socket = stranger(&mut sim);
    says(&mut sim, socket, auth());
    says(&mut sim, socket, json!({"type": "resize", "cols": 100, "rows": 30}));
    for text in ["one", "two"] {
        says(&mut sim, socket, json!({"type": "input", "data": text}));
    }
    assert_eq!(sim.agent.shells.len(), 0, "nobody is anybody yet");
    assert_eq!(told(&mut sim, socket), (vec![], None));
    proven(&mut sim, ada());
    let shell = &sim.agent.shells[&SHELL];
    assert_eq!((shell.size.cols, shell.size.rows), (100, 30));
    let typed: u64 = shell.inputs.values().map(|input| input.applied()).sum();
    assert_eq!(typed, 6);
    sim.programs_write(10);
    sim.settle();
    let (frames, code) = told(&mut sim, socket);
    assert_eq!((frames[0]["type"].as_str(), code), (Some("output"), None), "{frames:?}");
}

#[test]
fn whoever_says_anything_else_first_is_sent_away_and_nobody_hears_of_it() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    for frame in [
        json!({"type": "input", "data": "ls\n"}),
        json!({"type": "resize", "cols": 1, "rows": 1}),
        json!({"type": "hello"}),
        json!("ls"),
    ] {
        let socket = stranger(&mut sim);
        says(&mut sim, socket, frame.clone());
        assert_eq!(
            refusal(&mut sim, socket),
            (json!("UNAUTHORIZED"), Some(4001)),
            "{frame}"
        );
    }
    let socket = stranger(&mut sim);
    sim.relay.binary(sim.now, socket, vec![1; 20].into());
    sim.perform();
    assert_eq!(refusal(&mut sim, socket), (json!("UNAUTHORIZED"), Some(4001)));
    assert!(sim.proofs.is_empty() && sim.questions.is_empty() && sim.agent.shells.is_empty());
}

#[test]
fn a_proof_that_is_none_is_refused_as_it_was_judged() {
    for (refused, code, close) in [
        (Refusal::Unauthorized, json!("UNAUTHORIZED"), 4001),
        (Refusal::NotFound, json!("NOT_FOUND"), 4004),
        (Refusal::Forbidden, json!("FORBIDDEN"), 1008),
        (Refusal::Unavailable, json!("INTERNAL_ERROR"), 1011),
        (Refusal::Ended, json!(null), 1000),
    ] {
        let mut sim = RelaySim::new(0);
        sim.agent_connects();
        let socket = stranger(&mut sim);
        says(&mut sim, socket, auth());
        proven(&mut sim, Err(refused));
        assert_eq!(refusal(&mut sim, socket), (code, Some(close)));
        assert!(sim.agent.shells.is_empty());
    }
}

#[test]
fn a_right_that_is_gone_by_then_lets_nobody_in() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    sim.holds = |_| false;
    let socket = stranger(&mut sim);
    says(&mut sim, socket, auth());
    proven(&mut sim, ada());
    assert_eq!(told(&mut sim, socket).1, Some(1008));
    assert!(sim.agent.shells.is_empty());
}

#[test]
fn a_socket_has_so_long_to_say_who_it_is_also_over_a_loss_of_memory() {
    let mut sim = RelaySim::new(0);
    sim.now = 1_000;
    let socket = stranger(&mut sim);
    assert_eq!(sim.relay.deadline(), Some(1_000 + AUTH_WITHIN_MS));
    let memories: Vec<_> = sim.memories.clone().into_iter().collect();
    sim.relay = RelayState::restore(Settings::default(), [], memories, 2_000);
    for (now, code) in [(1_000 + AUTH_WITHIN_MS - 1, None), (1_000 + AUTH_WITHIN_MS, Some(4001))] {
        sim.relay.expire(now, None);
        sim.perform();
        assert_eq!(told(&mut sim, socket).1, code, "{now}");
    }
    assert_eq!(sim.relay.deadline(), None);
}

#[test]
fn one_that_leaves_while_its_proof_is_looked_at_leaves_nothing_behind() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    let socket = stranger(&mut sim);
    says(&mut sim, socket, auth());
    sim.cut(socket);
    assert!(
        sim.notices
            .iter()
            .all(|notice| !matches!(notice, Notice::SessionClosed { .. }))
    );
    proven(&mut sim, ada());
    let closed = sim
        .notices
        .iter()
        .filter(|notice| matches!(notice, Notice::SessionClosed { opening: 1, .. }));
    assert_eq!(closed.count(), 1, "what it was let into is over");
    assert!(sim.agent.shells.is_empty());
}

#[test]
fn what_waits_and_who_waits_is_bounded() {
    let mut sim = RelaySim::new(0);
    let socket = stranger(&mut sim);
    says(&mut sim, socket, auth());
    let half = json!({"type": "input", "data": "x".repeat(MAX_PAYLOAD / 2)});
    says(&mut sim, socket, half.clone());
    says(&mut sim, socket, half);
    assert_eq!(told(&mut sim, socket).1, Some(1009));

    sim.now += 1;
    let first = stranger(&mut sim);
    sim.now += 1;
    let others: Vec<Socket> = (0..256).map(|_| stranger(&mut sim)).collect();
    assert_eq!(told(&mut sim, first).1, Some(4001), "the oldest makes room");
    assert_eq!(told(&mut sim, others[255]).1, None);
}

#[test]
fn somebody_else_never_takes_the_place_of_a_client() {
    let mut sim = RelaySim::new(0);
    sim.agent_connects();
    let first = connect(&mut sim, Dialect::SessionsV1, |_| {});
    sim.settle();
    let other = connect(&mut sim, Dialect::SessionsV1, |context| context.user = object_id(9));
    sim.settle();
    assert_eq!(told(&mut sim, other).1, Some(1008));
    assert_eq!(told(&mut sim, first).1, None);
    let again = connect(&mut sim, Dialect::SessionsV1, |_| {});
    sim.settle();
    assert_eq!(told(&mut sim, first).1, Some(4009));
    assert_eq!(told(&mut sim, again).1, None);
}

#[test]
fn a_client_is_told_in_its_own_frames() {
    let mut sim = RelaySim::new(0);
    let socket = connect(&mut sim, Dialect::SessionsV1, |_| {});
    let (frames, _) = told(&mut sim, socket);
    assert_eq!(frames[0]["code"], "AGENT_OFFLINE");
    assert_eq!(frames[0]["message"], frames[0]["data"]);
    sim.agent_connects();
    sim.settle();
    for frame in [
        auth(),
        json!({"type": "command", "command": "ls"}),
        json!({"type": "resize", "cols": 0, "rows": 1}),
    ] {
        says(&mut sim, socket, frame.clone());
        let (frames, code) = told(&mut sim, socket);
        let last = frames.last().unwrap_or_else(|| panic!("no answer to {frame}"));
        assert_eq!((&last["code"], code), (&json!("VALIDATION_ERROR"), None), "{frame}");
    }
    sim.relay.close_session(sim.now, &"sess_1".parse().unwrap());
    sim.perform();
    let (frames, code) = told(&mut sim, socket);
    let expected = json!({"type": "disconnect", "reason": "Session terminated"});
    assert_eq!((frames.last(), code), (Some(&expected), Some(4008)));
}
