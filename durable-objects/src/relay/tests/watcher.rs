//! A watcher that sends whatever bytes say, beside an owner who types: nothing of it reaches the agent as input, and no size of its
//! counts. `fuzz/` has bytes made that reach what others did not; those that it once found are seeds, which run here.
use protocol::ids::StreamId;
use protocol::relay_contract::{Dialect, ViewerContext};
use protocol::terminal::agent::ToAgent;
use protocol::terminal::frame::{Frame, Kind};
use serde_json::json;

use super::relay_sim::{RelaySim, Wire, connect, object_id, typed_at};
use crate::relay::Socket;

/// The owner's session.
const SHELL: StreamId = StreamId(1);

/// The watcher's account.
const WATCHER: u8 = 7;

/// Offsets that frames can have.
const OFFSETS: u64 = (1 << 53) - 1;

/// What a socket of somebody says who was invited.
pub fn invited(context: &mut ViewerContext, user: u8, can_type: bool) {
    context.user = object_id(user);
    context.username = format!("guest{user}");
    context.can_type = can_type;
    context.guest = true;
    context.opening = 0;
}

/// A frame as it travels, whatever is in it.
pub fn frame(kind: u8, stream: u8, offset: u64, payload: &[u8]) -> Vec<u8> {
    let header = Frame::ack(StreamId(u32::from(stream)), offset & OFFSETS);
    let mut bytes = header.bytes().to_vec();
    if let Some(first) = bytes.first_mut() {
        *first = kind;
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// What is left of the bytes that say what happens.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    /// The next; zero at the end.
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u32 {
        u32::from(u16::from_be_bytes([self.byte(), self.byte()]))
    }

    /// Some bytes, whose length is said before them.
    fn bytes(&mut self) -> Vec<u8> {
        let length = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes.to_vec()
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// Runs what the bytes say, and holds it to what is promised of watchers.
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    let (_, input) = sim.viewers[0].attached.expect("the owner is there");
    let size = sim.agent.shells[&SHELL].size;
    let mut watcher = arrives(&mut sim, &mut script);
    while !script.0.is_empty() {
        match script.byte() % 15 {
            0 | 1 => sim.relay.text(sim.now, watcher, &script.text()),
            2 => sim.relay.binary(sim.now, watcher, script.bytes().into()),
            3 | 4 => {
                let (kind, stream) = (script.byte(), script.byte());
                let (far, offset) = (script.byte(), u64::from(script.number()));
                let offset = if far.is_multiple_of(4) {
                    OFFSETS - offset
                } else {
                    offset
                };
                let frame = frame(kind, stream, offset, &script.bytes());
                sim.relay.binary(sim.now, watcher, frame.into());
            }
            // In the owner's name.
            5 => {
                let frame = Frame::new(Kind::Input, input, sim.viewers[0].typed, &script.bytes());
                sim.relay.binary(sim.now, watcher, frame.bytes().clone());
            }
            6 => says(&mut sim, watcher, &json!({"type": "input", "data": script.text()})),
            7 => {
                let size = json!({"type": "resize", "cols": script.number(), "rows": script.number()});
                says(&mut sim, watcher, &size);
            }
            8 => says(&mut sim, watcher, &hello(&mut script)),
            9 => says(
                &mut sim,
                watcher,
                &json!({"type": "command", "command": script.text(), "timeout": 5}),
            ),
            10 => sim.hibernate(),
            11 => sim.viewer_types(0, u64::from(script.byte())),
            12 => sim.programs_write(u64::from(script.number())),
            // The owner goes, or comes back.
            13 => match sim.viewers[0].socket {
                Some(socket) => sim.cut(socket),
                None => sim.viewer_connects(0),
            },
            _ => match script.byte() % 2 {
                0 => sim.agent_connects(),
                _ => {
                    sim.cut(watcher);
                    watcher = arrives(&mut sim, &mut script);
                }
            },
        }
        sim.perform();
        sim.answer_all();
        assert_eq!(unasked(&sim, input), Vec::<String>::new());
        if is_closed(&mut sim, watcher) {
            sim.cut(watcher);
            watcher = arrives(&mut sim, &mut script);
        }
        sim.settle();
        assert_eq!(sim.agent.shells[&SHELL].size, size);
    }
    if sim.viewers[0].socket.is_none() {
        sim.viewer_connects(0);
    }
    sim.settle();
    let typed: Vec<u8> = (0..sim.viewers[0].typed).map(|at| typed_at(0, at)).collect();
    assert_eq!(sim.agent.heard, typed, "what the owner typed, and nothing else");
    assert_eq!((sim.agent.ran.len(), sim.agent.shells.len()), (0, 1));
    assert!(sim.agent.shells[&SHELL].exit.is_none());
}

/// A watcher's socket, of a kind that the script says.
fn arrives(sim: &mut RelaySim, script: &mut Script) -> Socket {
    let dialect = match script.byte() % 5 {
        0 => Dialect::Stream,
        1 => Dialect::Published,
        2 => Dialect::Raw,
        3 => Dialect::Cast,
        _ => Dialect::SessionsV1,
    };
    let is_ours = dialect == Dialect::Stream;
    let watcher = connect(sim, dialect, |context| invited(context, WATCHER, false));
    if is_ours && !script.byte().is_multiple_of(4) {
        says(sim, watcher, &hello(script));
    }
    sim.perform();
    sim.settle();
    watcher
}

/// A hello, at times in the name of the owner's own viewer.
fn hello(script: &mut Script) -> serde_json::Value {
    let (viewer, flags) = (script.byte() % 3, script.byte());
    let received = (flags & 1 != 0).then(|| script.number());
    json!({
        "type": "hello", "protocol": 1, "viewer": format!("{viewer:032x}"), "received": received,
        "cols": script.number(), "rows": script.number(), "commands": flags & 2 != 0, "presence": flags & 4 != 0,
    })
}

fn says(sim: &mut RelaySim, socket: Socket, message: &serde_json::Value) {
    sim.relay.text(sim.now, socket, &message.to_string());
}

/// Whether the relay has closed a socket. What it was sent is consumed.
fn is_closed(sim: &mut RelaySim, socket: Socket) -> bool {
    let link = sim.links.get_mut(&socket);
    link.is_none_or(|link| link.down.drain(..).any(|wire| matches!(wire, Wire::Close(_))))
}

/// What is on its way to the agent that nobody but the owner may ask for, and the owner did not.
fn unasked(sim: &RelaySim, owner: StreamId) -> Vec<String> {
    let unasked = |wire: &Wire| match wire {
        Wire::Binary(bytes) => {
            let frame = Frame::decode(bytes.clone()).expect("the relay's own");
            (frame.kind == Kind::Input && frame.stream != owner).then(|| format!("{frame:?}"))
        }
        Wire::Text(text) => match serde_json::from_str(text).expect("the relay's own") {
            ToAgent::Resize { .. } | ToAgent::Run { .. } | ToAgent::Close { .. } | ToAgent::Open { .. } => {
                Some(text.clone())
            }
            ToAgent::CloseInput { input } if input == owner => Some(text.clone()),
            _ => None,
        },
        Wire::Close(code) => Some(code.to_string()),
    };
    let agent = sim.agent.socket.expect("it is linked");
    sim.links[&agent].down.iter().filter_map(unasked).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    #[test]
    fn every_seed_passes() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/watcher");
        let mut count = 0;
        for seed in std::fs::read_dir(seeds).unwrap() {
            let seed = seed.unwrap().path();
            super::run(&std::fs::read(seed).unwrap());
            count += 1;
        }
        assert!(count > 0, "there are seeds");
    }

    proptest! {
        #[test]
        fn any_bytes_pass(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            super::run(&data);
        }
    }
}
