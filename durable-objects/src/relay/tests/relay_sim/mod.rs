//! A simulation in memory: the relay, an agent, viewers, the links between them, and what storage and sockets remember.
//!
//! Terminal output and keystrokes are functions of their offset, so any byte that anybody sees can be checked.
mod agent;
mod faults;
mod viewers;

pub use agent::Noted;
pub use viewers::connect;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use protocol::api::command_policy::Policies;
use protocol::api::commands::CommandResult;
use protocol::ids::{AgentId, CommandId, ObjectId, StreamId};
use protocol::limits::MAX_PAYLOAD;
use protocol::live::Topic;
use protocol::relay_contract::{Dialect, SignIn, ViewerContext};
use protocol::stream::InputWriter;
use protocol::terminal::Size;
use protocol::terminal::limits::SessionLimits;

use crate::relay::{
    Action, Chunk, Claim, CommandClaim, Figures, Key, Memory, Notice, Proof, Question, Record, RelayState, Settings,
    Socket, Verdict, output_frame,
};
use agent::AgentModel;
use viewers::ViewerModel;

/// The terminal writes the numbers from 0 to 250 over and over.
const PERIOD: usize = 251;

/// The terminal's bytes at an offset.
pub fn output_at(offset: u64, len: usize) -> &'static [u8] {
    static PATTERN: std::sync::LazyLock<Vec<u8>> =
        std::sync::LazyLock::new(|| (0..PERIOD as u8).cycle().take(MAX_PAYLOAD + PERIOD).collect());
    &PATTERN[(offset % PERIOD as u64) as usize..][..len]
}

/// The byte a viewer types at an offset.
pub fn typed_at(viewer: usize, offset: u64) -> u8 {
    ((offset + viewer as u64 * 83) % 249) as u8
}

/// A message on a link.
#[derive(Debug, Clone)]
pub enum Wire {
    Text(String),
    Binary(Bytes),
    Close(u16),
}

/// The two directions of a socket.
#[derive(Debug, Default)]
pub struct Link {
    pub up: VecDeque<Wire>,
    pub down: VecDeque<Wire>,
}

pub struct RelaySim {
    pub relay: RelayState,
    pub now: u64,
    pub storage: BTreeMap<Key, Record>,
    pub memories: BTreeMap<Socket, Memory>,
    pub links: BTreeMap<Socket, Link>,
    pub agent: AgentModel,
    pub viewers: Vec<ViewerModel>,
    pub notices: Vec<Notice>,
    pub figures: Vec<Figures>,
    /// What those who look were told.
    pub announced: Vec<Topic>,
    /// The results that are kept.
    pub results: BTreeMap<CommandId, CommandResult>,
    /// What was asked of the directory and not answered yet.
    pub questions: VecDeque<Question>,
    /// Whose sockets are asked about.
    pub proofs: VecDeque<(Socket, Proof)>,
    /// What is on its way to the bucket.
    pub puts: Vec<Chunk>,
    /// What is in the bucket, by key.
    pub bucket: BTreeMap<String, Chunk>,
    /// Whether sessions that begin are recorded.
    pub records: bool,
    /// Where the output of shells ended that did.
    pub ends: BTreeMap<StreamId, u64>,
    /// Whether a claim holds.
    pub holds: fn(&Claim) -> bool,
    /// Whether a command may be run.
    pub may_run: fn(&CommandClaim) -> bool,
    /// Whether the agent's key is the machine's.
    pub agent_holds: bool,
    /// What commands may run, as the directory has it.
    pub policies: Policies,
    /// Sockets to which more was sent than has left.
    pub behind: BTreeSet<Socket>,
    next_socket: u32,
}

pub fn object_id(n: u8) -> ObjectId {
    format!("{n:024x}").parse().unwrap()
}

pub fn agent_id() -> AgentId {
    "0123456789ab".parse().unwrap()
}

pub fn viewer_context(dialect: Dialect) -> ViewerContext {
    ViewerContext {
        machine: object_id(1),
        agent_id: agent_id(),
        user: object_id(2),
        username: "ada".to_owned(),
        proof: SignIn {
            sign_in: "s1".to_owned(),
            token_version: Some(0),
            until: None,
            address: "192.0.2.1".to_owned(),
        },
        session: "sess_1".parse().unwrap(),
        opening: 1,
        size: Size::default(),
        dialect,
        can_type: true,
        guest: false,
        allow_sudo: false,
        recording: None,
        limits: SessionLimits::default(),
        ssh: None,
        refusal: None,
    }
}

impl RelaySim {
    pub fn new(viewers: usize) -> Self {
        let viewer = |n| ViewerModel {
            id: format!("{n:032x}").parse().unwrap(),
            watches: false,
            socket: None,
            reader: None,
            writer: InputWriter::default(),
            attached: None,
            typed: 0,
            acked: 0,
            exit: None,
            gaps: 0,
            said: Vec::new(),
        };
        Self {
            relay: RelayState::restore(Settings::default(), [], [], 0),
            now: 0,
            storage: BTreeMap::new(),
            memories: BTreeMap::new(),
            links: BTreeMap::new(),
            agent: AgentModel::default(),
            viewers: (0..viewers).map(viewer).collect(),
            notices: Vec::new(),
            figures: Vec::new(),
            announced: Vec::new(),
            results: BTreeMap::new(),
            questions: VecDeque::new(),
            proofs: VecDeque::new(),
            puts: Vec::new(),
            bucket: BTreeMap::new(),
            records: false,
            ends: BTreeMap::new(),
            holds: |_| true,
            may_run: |_| true,
            agent_holds: true,
            policies: Policies::default(),
            behind: BTreeSet::new(),
            next_socket: 0,
        }
    }

    pub fn open_socket(&mut self) -> Socket {
        let socket = Socket(self.next_socket);
        self.next_socket += 1;
        self.links.insert(socket, Link::default());
        socket
    }

    /// Does what the relay decided.
    pub fn perform(&mut self) {
        for action in self.relay.take_actions() {
            match action {
                Action::Binary(socket, bytes) => self.send_down(socket, Wire::Binary(bytes)),
                Action::Text(socket, text) => self.send_down(socket, Wire::Text(text)),
                Action::Spare(socket, text) => {
                    if !self.behind.contains(&socket) {
                        self.send_down(socket, Wire::Text(text));
                    }
                }
                Action::Answer(socket, command_id) => {
                    let result = self.results[&command_id].clone();
                    let frame = output_frame(command_id.to_string(), result);
                    self.send_down(socket, Wire::Text(serde_json::to_string(&frame).unwrap()));
                }
                Action::Close(socket, close) => self.send_down(socket, Wire::Close(close.code())),
                Action::Remember(socket) => {
                    if let Some(memory) = self.relay.memory_of(socket) {
                        self.memories.insert(socket, memory);
                    }
                }
                Action::Save(record) => {
                    self.storage.insert(record.key(), record);
                }
                Action::Erase(key) => {
                    self.storage.remove(&key);
                }
                Action::Keep(command_id, result) => {
                    let known = self.results.insert(command_id, result);
                    assert!(known.is_none(), "a command ends once");
                }
                Action::EraseAll => self.storage.clear(),
                Action::Notify(notice) => self.notices.push(notice),
                Action::Tell(figures) => self.figures.push(figures),
                Action::Announce(topic) => self.announced.push(topic),
                Action::Ask(question) => self.questions.push_back(question),
                Action::Prove(socket, proof) => self.proofs.push_back((socket, proof)),
                Action::Put(chunk) => self.puts.push(chunk),
                // With the agent until they are stored, which `commands_run.rs` is about.
                Action::Log(_) => {}
                // The same, with `logins.rs`.
                Action::Logins(_) => {}
                // The same, with `services.rs`.
                Action::Catalog(_) | Action::Job(_) => {}
            }
        }
    }

    /// The directory answers the oldest question. Answers whether there was one.
    pub fn answer(&mut self) -> bool {
        let Some(question) = self.questions.pop_front() else {
            return false;
        };
        let verdict = Verdict {
            claims: question.claims.iter().map(self.holds).collect(),
            commands: question.commands.iter().map(self.may_run).collect(),
            agent: self.agent_holds,
            policies: question.agent_key.as_ref().map(|_| self.policies.clone()),
        };
        self.relay.judged(self.now, question, Some(verdict));
        self.perform();
        true
    }

    /// The bucket takes one of the parts that are on their way to it, or refuses it.
    pub fn bucket_answers(&mut self, which: usize, takes: bool) -> bool {
        if self.puts.is_empty() {
            return false;
        }
        let chunk = self.puts.remove(which % self.puts.len());
        let (stream, start) = (chunk.stream, chunk.span.start);
        if takes {
            self.bucket.insert(chunk.key.clone(), chunk);
        }
        self.relay.stored(self.now, stream, start, takes);
        self.perform();
        true
    }

    /// What is recorded gets the time it waits for, and the bucket takes everything.
    pub fn store_all(&mut self) {
        loop {
            self.settle();
            if self.bucket_answers(0, true) {
                continue;
            }
            let Some(due) = self.relay.recording_due() else { return };
            self.now = self.now.max(due);
            self.relay.record(self.now);
            self.perform();
        }
    }

    /// A socket's hello was said and the directory has answered.
    pub fn answer_all(&mut self) {
        while self.answer() {}
    }

    fn send_down(&mut self, socket: Socket, wire: Wire) {
        if let Some(link) = self.links.get_mut(&socket) {
            link.down.push_back(wire);
        }
    }

    fn send_up(&mut self, socket: Socket, wire: Wire) {
        if let Some(link) = self.links.get_mut(&socket) {
            link.up.push_back(wire);
        }
    }

    pub fn say_up(&mut self, socket: Socket, message: &impl serde::Serialize) {
        self.send_up(socket, Wire::Text(serde_json::to_string(message).unwrap()));
    }
}
