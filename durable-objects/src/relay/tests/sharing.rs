//! Guests: whoever was invited to a session of somebody else's sees it, types only if that was meant, and holds up nobody.
use proptest::prelude::*;
use protocol::ids::StreamId;
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY};
use protocol::relay_contract::Dialect;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::presence::Standing;
use protocol::terminal::viewer::ToViewer;
use serde_json::json;

use super::relay_sim::{RelaySim, Wire};
use super::rules::{connect, heard};
use super::watcher::{frame, invited};
use crate::relay::attach::MAX_GUESTS;
use crate::relay::{Claimant, Notice, Socket, Tie};

const SHELL: StreamId = StreamId(1);

/// The account of the first guest; the second has the next.
const GUEST: u8 = 7;

/// One agent, and the owner's terminal.
fn owned() -> RelaySim {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    sim
}

/// A guest's socket that speaks our protocol and has said hello, as this viewer.
fn guest(sim: &mut RelaySim, user: u8, can_type: bool, viewer: u128) -> Socket {
    let socket = connect(sim, Dialect::Stream, |context| invited(context, user, can_type));
    let hello = json!({
        "type": "hello", "protocol": 1, "viewer": format!("{viewer:032x}"), "received": null, "cols": 20, "rows": 5,
        "commands": true, "presence": true,
    });
    sim.relay.text(sim.now, socket, &hello.to_string());
    sim.perform();
    sim.settle();
    socket
}

fn said(wires: &[Wire]) -> Vec<ToViewer> {
    let text = |wire: &Wire| match wire {
        Wire::Text(text) => Some(serde_json::from_str(text).unwrap()),
        _ => None,
    };
    wires.iter().filter_map(text).collect()
}

/// The streams that a socket was told are its.
fn attached(sim: &mut RelaySim, socket: Socket) -> Option<(StreamId, StreamId, bool)> {
    let of = |message| match message {
        ToViewer::Attached {
            stream,
            input,
            can_type,
            ..
        } => Some((stream, input, can_type)),
        _ => None,
    };
    said(&heard(sim, socket)).into_iter().find_map(of)
}

fn close_code(sim: &mut RelaySim, socket: Socket) -> Option<u16> {
    let code = |wire| match wire {
        Wire::Close(code) => Some(code),
        _ => None,
    };
    heard(sim, socket).into_iter().find_map(code)
}

/// What is on its way to the agent that somebody types, or that changes its terminal.
fn asked_of_agent(sim: &RelaySim) -> Vec<String> {
    let asked = |wire: &Wire| match wire {
        Wire::Binary(bytes) => {
            let frame = Frame::decode(bytes.clone()).unwrap();
            (frame.kind == Kind::Input).then(|| format!("{frame:?}"))
        }
        Wire::Text(text) => match serde_json::from_str(text).unwrap() {
            ToAgent::Resize { .. } | ToAgent::Run { .. } | ToAgent::Close { .. } | ToAgent::Open { .. } => {
                Some(text.clone())
            }
            _ => None,
        },
        Wire::Close(code) => Some(code.to_string()),
    };
    let agent = sim.agent.socket.unwrap();
    sim.links[&agent].down.iter().filter_map(asked).collect()
}

#[test]
fn a_guest_who_types_reaches_the_shell_and_a_watcher_is_told_that_it_does_not() {
    let mut sim = owned();
    sim.viewers.clear();
    let typist = guest(&mut sim, GUEST, true, 1);
    let watcher = guest(&mut sim, GUEST + 1, false, 2);
    let (_, input, can_type) = attached(&mut sim, typist).unwrap();
    assert!(can_type);
    let frame = Frame::new(Kind::Input, input, 0, b"ls\r");
    sim.relay.binary(sim.now, typist, frame.bytes().clone());
    sim.perform();
    sim.settle();
    assert_eq!(sim.agent.heard, b"ls\r");
    let (_, input, can_type) = attached(&mut sim, watcher).unwrap();
    assert!(!can_type);
    let frame = Frame::new(Kind::Input, input, 0, b"rm\r");
    sim.relay.binary(sim.now, watcher, frame.bytes().clone());
    sim.perform();
    sim.settle();
    assert_eq!(sim.agent.heard, b"ls\r");
    let told = said(&heard(&mut sim, watcher));
    assert!(
        matches!(&told[..], [ToViewer::Error { code, .. }] if code == "read_only"),
        "{told:?}"
    );
}

#[test]
fn everybody_is_told_who_is_there_whenever_that_changes() {
    let mut sim = owned();
    let here = |wires: Vec<Wire>| {
        let people = said(&wires).into_iter().filter_map(|message| match message {
            ToViewer::Presence { people } => Some(people),
            _ => None,
        });
        let names = |person: &protocol::terminal::presence::Presence| (person.standing, person.username.clone());
        people
            .map(|people| people.iter().map(names).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let name = |standing, name: &str| (standing, name.to_owned());
    let watcher = guest(&mut sim, GUEST, false, 1);
    let two = vec![name(Standing::Owner, "ada"), name(Standing::Watcher, "guest7")];
    assert_eq!(here(heard(&mut sim, watcher)), std::slice::from_ref(&two));
    let typist = guest(&mut sim, GUEST + 1, true, 2);
    let three = vec![
        name(Standing::Owner, "ada"),
        name(Standing::Typist, "guest8"),
        name(Standing::Watcher, "guest7"),
    ];
    for socket in [watcher, typist] {
        assert_eq!(here(heard(&mut sim, socket)), std::slice::from_ref(&three));
    }
    // A second window is nobody new.
    guest(&mut sim, GUEST + 1, true, 3);
    assert_eq!(here(heard(&mut sim, watcher)), Vec::<Vec<_>>::new());
    assert_eq!(sim.relay.presence_at(&"sess_1".parse().unwrap()).len(), 3);
    assert!(sim.relay.presence_at(&"sess_2".parse().unwrap()).is_empty());
    sim.cut(sim.viewers[0].socket.unwrap());
    assert_eq!(here(heard(&mut sim, watcher)), [three[1..].to_vec()]);
}

#[test]
fn a_guest_hears_of_no_command_and_runs_none() {
    let mut sim = owned();
    let watcher = guest(&mut sim, GUEST, false, 1);
    assert!(!sim.relay.viewers.get(watcher).unwrap().hears_of_commands());
    let client = connect(&mut sim, Dialect::Published, |context| invited(context, GUEST, true));
    sim.settle();
    let run = json!({"type": "command", "command": "id", "timeout": 5});
    sim.relay.text(sim.now, client, &run.to_string());
    sim.perform();
    sim.settle();
    assert!(sim.agent.ran.is_empty());
    let told = super::rules::published(&heard(&mut sim, client));
    let told = serde_json::to_string(&told).unwrap();
    assert!(told.contains("FORBIDDEN"), "{told}");
}

#[test]
fn guests_slow_nobody_however_they_read_or_leave() {
    let mut sim = owned();
    let (typist, watcher) = (guest(&mut sim, GUEST, true, 1), guest(&mut sim, GUEST + 1, false, 2));
    for _ in 0..5 {
        sim.programs_write(LIVE_WINDOW);
        sim.settle();
    }
    sim.cut(typist);
    sim.cut(watcher);
    for _ in 0..3 * LOG_CAPACITY / LIVE_WINDOW {
        sim.programs_write(LIVE_WINDOW);
        sim.settle();
    }
    assert_eq!(
        sim.viewers[0].reader.unwrap().received(),
        5 * LIVE_WINDOW + 3 * LOG_CAPACITY
    );
}

#[test]
fn a_session_does_not_begin_for_a_guest_and_ends_no_later_for_one() {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    let early = guest(&mut sim, GUEST, true, 1);
    assert_eq!(close_code(&mut sim, early), Some(1000));
    assert!(
        sim.agent.shells.is_empty()
            && sim
                .notices
                .iter()
                .all(|notice| !matches!(notice, Notice::SessionClosed { .. }))
    );

    let mut sim = owned();
    let typist = guest(&mut sim, GUEST, true, 1);
    sim.cut(sim.viewers[0].socket.unwrap());
    let due = sim.relay.sessions.get(SHELL).unwrap().expires_at().unwrap();
    sim.now += 1_000;
    let watcher = guest(&mut sim, GUEST + 1, false, 2);
    sim.cut(watcher);
    sim.hibernate();
    sim.settle();
    assert_eq!(sim.relay.sessions.get(SHELL).unwrap().expires_at(), Some(due));
    heard(&mut sim, typist);
    sim.now = due;
    sim.relay.expire(sim.now, Some(sim.now));
    sim.perform();
    assert_eq!(close_code(&mut sim, typist), Some(4008));
}

#[test]
fn nobody_takes_anothers_place_by_naming_its_viewer() {
    let mut sim = owned();
    let owner: u128 = u128::from_str_radix(sim.viewers[0].id.as_str(), 16).unwrap();
    let watcher = guest(&mut sim, GUEST, false, owner);
    let (_, input, _) = attached(&mut sim, watcher).unwrap();
    assert_ne!(Some(input), sim.viewers[0].attached.map(|(_, input)| input));
    assert!(sim.viewers[0].socket.is_some());
    let other = guest(&mut sim, GUEST + 1, false, owner);
    assert_ne!(attached(&mut sim, other).map(|(_, input, _)| input), Some(input));
    assert_eq!(close_code(&mut sim, watcher), None);
    // Published clients take the place of their own account's.
    let clients: Vec<Socket> = [false, true, true]
        .into_iter()
        .enumerate()
        .map(|(i, guest)| {
            let user = GUEST + i as u8;
            connect(&mut sim, Dialect::Published, |context| {
                if guest {
                    invited(context, user, true);
                }
            })
        })
        .collect();
    sim.settle();
    for client in clients {
        assert_eq!(close_code(&mut sim, client), None);
    }
}

#[test]
fn what_is_kept_of_guests_is_bounded() {
    let mut sim = owned();
    for viewer in 0..20 {
        let socket = guest(&mut sim, GUEST, true, viewer);
        sim.cut(socket);
    }
    assert!(sim.relay.sessions.readers(SHELL).count() <= 1 + 5);
    let sockets: Vec<Socket> = (0..=MAX_GUESTS as u128)
        .map(|viewer| guest(&mut sim, GUEST, false, viewer))
        .collect();
    let refused = sockets
        .iter()
        .filter(|socket| close_code(&mut sim, **socket) == Some(4029))
        .count();
    assert_eq!(refused, 1);
}

#[test]
fn a_guest_is_let_in_by_an_invitation_that_stands_and_by_the_right_of_whose_session_it_is() {
    let mut sim = owned();
    sim.holds = |claim| !matches!(claim.tie, Tie::Guest { .. });
    let refused = guest(&mut sim, GUEST, false, 1);
    assert_eq!(close_code(&mut sim, refused), Some(1008));
    sim.holds = |claim| claim.tie != Tie::Guest { can_type: true };
    let refused = guest(&mut sim, GUEST, true, 1);
    assert_eq!(close_code(&mut sim, refused), Some(1008));
    let watcher = guest(&mut sim, GUEST, false, 1);
    assert_eq!(close_code(&mut sim, watcher), None);

    // It is withdrawn: the guest goes, the session stays.
    sim.holds = |claim| claim.tie == Tie::Owner;
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.settle();
    assert_eq!(close_code(&mut sim, watcher), Some(1008));
    assert!(sim.viewers[0].socket.is_some());

    // Whose session it is has lost the right, and nobody has told the relay.
    sim.holds = |claim| !matches!(claim.claimant, Claimant::Session(_));
    let late = guest(&mut sim, GUEST, false, 1);
    assert_eq!(close_code(&mut sim, late), Some(1008));
    assert!(sim.agent.shells.is_empty());
}

#[test]
fn an_invitation_that_expires_ends_by_itself() {
    let mut sim = owned();
    let until = sim.now + 60_000;
    let client = connect(&mut sim, Dialect::Published, |context| {
        invited(context, GUEST, true);
        context.proof.until = Some(until);
    });
    sim.settle();
    assert!(sim.relay.deadline().is_some_and(|at| at <= until));
    sim.now = until;
    sim.relay.expire(sim.now, Some(sim.now));
    sim.perform();
    assert_eq!(close_code(&mut sim, client), Some(1008));
    assert!(sim.viewers[0].socket.is_some());
}

/// What a watcher may send: anything, but more often what would do something if it came from somebody else.
#[derive(Debug, Clone)]
enum Sent {
    Text(String),
    Binary(Vec<u8>),
    Frame {
        kind: u8,
        stream: u8,
        offset: u64,
        payload: Vec<u8>,
    },
    Hibernate,
}

fn sent() -> impl Strategy<Value = Sent> {
    let size = (0u32..1200, 0u32..1200);
    let words = prop_oneof![
        any::<String>().prop_map(|data| json!({"type": "input", "data": data})),
        any::<String>().prop_map(|input| json!({"type": "input", "input": input})),
        any::<String>().prop_map(|command| json!({"type": "command", "command": command, "timeout": 5})),
        size.prop_map(|(cols, rows)| json!({"type": "resize", "cols": cols, "rows": rows})),
        Just(
            json!({"type": "hello", "protocol": 1, "viewer": format!("{:032x}", 0), "received": 0, "cols": 9, "rows": 9})
        ),
        Just(json!({"type": "ping"})),
    ];
    prop_oneof![
        4 => words.prop_map(|words| Sent::Text(words.to_string())),
        1 => any::<String>().prop_map(Sent::Text),
        2 => proptest::collection::vec(any::<u8>(), 0..64).prop_map(Sent::Binary),
        6 => (0u8..8, 0u8..12, prop_oneof![Just(0u64), 0u64..100, any::<u64>()], proptest::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(kind, stream, offset, payload)| Sent::Frame { kind, stream, offset, payload }),
        1 => Just(Sent::Hibernate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_a_watcher_sends_reaches_the_shell(
        dialect in prop_oneof![Just(Dialect::Stream), Just(Dialect::Published), Just(Dialect::Raw), Just(Dialect::Cast), Just(Dialect::SessionsV1)],
        sends in proptest::collection::vec(sent(), 1..60),
    ) {
        let mut sim = owned();
        let watcher = match dialect {
            Dialect::Stream => guest(&mut sim, GUEST, false, 1),
            dialect => connect(&mut sim, dialect, |context| invited(context, GUEST, false)),
        };
        sim.settle();
        let size = sim.agent.shells[&SHELL].size;
        for sent in sends {
            match sent {
                Sent::Text(text) => sim.relay.text(sim.now, watcher, &text),
                Sent::Binary(bytes) => sim.relay.binary(sim.now, watcher, bytes.into()),
                Sent::Frame { kind, stream, offset, payload } => {
                    sim.relay.binary(sim.now, watcher, frame(kind, stream, offset, &payload).into());
                }
                Sent::Hibernate => sim.hibernate(),
            }
            sim.perform();
            sim.answer_all();
            prop_assert_eq!(asked_of_agent(&sim), Vec::<String>::new());
            sim.settle();
        }
        prop_assert!(sim.agent.heard.is_empty() && sim.agent.ran.is_empty());
        prop_assert_eq!(sim.agent.shells[&SHELL].size, size);
        prop_assert_eq!(sim.agent.shells.len(), 1);
    }
}
