//! A simulation in memory: the relay, an agent, viewers, the links between them, and what storage and sockets remember.
//!
//! Terminal output and keystrokes are functions of their offset, so any byte that anybody sees can be checked.
use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use protocol::api::commands::CommandResult;
use protocol::ids::{AgentId, CommandId, JournalId, ObjectId, SessionId, StreamId, ViewerId};
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY, MAX_PAYLOAD};
use protocol::relay_contract::{AgentContext, Dialect, SignIn, ViewerContext};
use protocol::stream::{Applied, InputApplier, InputWriter, OutputReader};
use protocol::terminal::agent::{FromAgent, InputReport, NoResult, Report, ToAgent};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{ExitStatus, Size};

use crate::relay::{
    Action, Chunk, Claim, CommandClaim, Key, Memory, Notice, Question, Record, RelayState, Settings, Socket, Verdict,
};

/// The terminal writes the numbers from 0 to 250 over and over.
const PERIOD: usize = 251;

/// What the agent says of its snapshots, whatever size anybody has.
const SNAPSHOT_SIZE: Size = Size { cols: 91, rows: 17 };

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

/// An agent with at most one shell per stream.
#[derive(Debug, Default)]
pub struct AgentModel {
    pub socket: Option<Socket>,
    pub shells: BTreeMap<StreamId, Shell>,
    /// How far each command is that its journal knows.
    pub commands: BTreeMap<StreamId, Noted>,
    /// How often its journal was lost.
    pub journal: u8,
    /// The commands that were ever run.
    pub ran: Vec<String>,
    /// All input of all shells, as applied.
    pub heard: Vec<u8>,
}

/// How far a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    Running,
    Ended,
    /// It was killed.
    Killed,
    /// It ran when the agent died.
    Lost,
}

#[derive(Debug, Clone)]
pub struct Shell {
    pub session_id: SessionId,
    pub size: Size,
    pub end: u64,
    pub sent: u64,
    pub acked: u64,
    pub window: Option<u64>,
    pub inputs: BTreeMap<StreamId, InputApplier>,
    pub exit: Option<ExitStatus>,
}

impl AgentModel {
    fn journal_id(&self) -> JournalId {
        format!("{:032x}", self.journal).parse().unwrap()
    }
}

impl Shell {
    fn start(&self) -> u64 {
        self.end.saturating_sub(LOG_CAPACITY)
    }
}

/// A viewer that may type.
#[derive(Debug)]
pub struct ViewerModel {
    pub id: ViewerId,
    pub socket: Option<Socket>,
    pub reader: Option<OutputReader>,
    pub writer: InputWriter,
    pub attached: Option<(StreamId, StreamId)>,
    pub typed: u64,
    pub acked: u64,
    pub exit: Option<ExitStatus>,
    pub gaps: usize,
    pub said: Vec<ToViewer>,
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
    /// The results that are kept.
    pub results: BTreeMap<CommandId, CommandResult>,
    /// What was asked of the directory and not answered yet.
    pub questions: VecDeque<Question>,
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
        },
        session: "sess_1".parse().unwrap(),
        opening: 1,
        size: Size::default(),
        dialect,
        can_type: true,
        allow_sudo: false,
        recording: None,
    }
}

impl RelaySim {
    pub fn new(viewers: usize) -> Self {
        let viewer = |n| ViewerModel {
            id: format!("{n:032x}").parse().unwrap(),
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
            results: BTreeMap::new(),
            questions: VecDeque::new(),
            puts: Vec::new(),
            bucket: BTreeMap::new(),
            records: false,
            ends: BTreeMap::new(),
            holds: |_| true,
            may_run: |_| true,
            agent_holds: true,
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
                Action::Ask(question) => self.questions.push_back(question),
                Action::Put(chunk) => self.puts.push(chunk),
                // With the agent until they are stored, which `commands_run.rs` is about.
                Action::Log(_) => {}
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

    // ---- what can happen to the relay ----

    /// The object loses its memory; sockets live on. Not while it waits for an answer.
    pub fn hibernate(&mut self) {
        self.answer_all();
        self.puts_of_the_dead();
        let open = self
            .memories
            .iter()
            .filter(|(socket, _)| self.links.contains_key(socket));
        let sockets: Vec<_> = open.map(|(socket, memory)| (*socket, memory.clone())).collect();
        self.relay = RelayState::restore(Settings::default(), self.storage.values().cloned(), sockets, self.now);
        self.perform();
    }

    /// The object dies; so do its sockets, and nobody tells it.
    pub fn crash(&mut self) {
        for socket in self.links.keys().copied().collect::<Vec<_>>() {
            self.drop_link(socket);
        }
        self.memories.clear();
        self.questions.clear();
        self.puts_of_the_dead();
        self.relay = RelayState::restore(Settings::default(), self.storage.values().cloned(), [], self.now);
        self.perform();
    }

    /// What was on its way to the bucket gets there or does not, and nobody hears which.
    fn puts_of_the_dead(&mut self) {
        for chunk in self.puts.drain(..).filter(|chunk| chunk.span.start % 3 != 1) {
            self.bucket.insert(chunk.key.clone(), chunk);
        }
    }

    /// A socket vanishes; the relay hears of it.
    pub fn cut(&mut self, socket: Socket) {
        self.drop_link(socket);
        self.relay.closed(self.now, socket, 1006);
        self.perform();
    }

    fn drop_link(&mut self, socket: Socket) {
        self.links.remove(&socket);
        self.memories.remove(&socket);
        if self.agent.socket == Some(socket) {
            self.agent.socket = None;
            for shell in self.agent.shells.values_mut() {
                shell.window = shell.window.map(|_| LOG_CAPACITY);
            }
        }
        for viewer in &mut self.viewers {
            if viewer.socket == Some(socket) {
                viewer.socket = None;
                viewer.attached = None;
            }
        }
    }

    /// Delivers one message on a link, to the relay or from it. Answers whether there was one.
    pub fn deliver_up(&mut self, socket: Socket) -> bool {
        let Some(wire) = self.links.get_mut(&socket).and_then(|link| link.up.pop_front()) else {
            return false;
        };
        match wire {
            Wire::Text(text) => self.relay.text(self.now, socket, &text),
            Wire::Binary(bytes) => self.relay.binary(self.now, socket, bytes),
            Wire::Close(code) => {
                self.drop_link(socket);
                self.relay.closed(self.now, socket, code);
            }
        }
        self.perform();
        true
    }

    pub fn deliver_down(&mut self, socket: Socket) -> bool {
        let modelled = self.agent.socket == Some(socket) || self.viewers.iter().any(|v| v.socket == Some(socket));
        if !modelled {
            return false;
        }
        let Some(wire) = self.links.get_mut(&socket).and_then(|link| link.down.pop_front()) else {
            return false;
        };
        if let Wire::Close(_) = wire {
            self.drop_link(socket);
        } else if self.agent.socket == Some(socket) {
            self.agent_hears(socket, wire);
        } else if let Some(i) = self.viewers.iter().position(|viewer| viewer.socket == Some(socket)) {
            self.viewer_hears(i, socket, wire);
        }
        true
    }

    /// Delivers everything until nothing moves, viewers consuming all they get.
    pub fn settle(&mut self) {
        loop {
            let mut moved = self.answer();
            for socket in self.links.keys().copied().collect::<Vec<_>>() {
                while self.deliver_up(socket) {
                    moved = true;
                }
                while self.deliver_down(socket) {
                    moved = true;
                }
            }
            for i in 0..self.viewers.len() {
                moved |= self.viewer_acks(i);
            }
            self.agent_sends();
            moved |= self.links.values().any(|link| !link.up.is_empty());
            if !moved {
                return;
            }
        }
    }

    // ---- the agent ----

    pub fn agent_connects(&mut self) {
        if let Some(old) = self.agent.socket {
            self.cut(old);
        }
        let socket = self.open_socket();
        self.agent.socket = Some(socket);
        let context = AgentContext {
            machine: object_id(1),
            agent_id: agent_id(),
            key: "key".to_owned(),
            boot: Some(format!("{:032x}", 1).parse().unwrap()),
            token: String::new(),
        };
        self.relay.agent_connected(self.now, socket, context);
        self.perform();
        let streams = self.agent_report();
        let hello = FromAgent::Hello {
            protocol: 1,
            boot: format!("{:032x}", 1).parse().unwrap(),
            version: "1".to_owned(),
            hostname: "host".to_owned(),
            os: "Linux".to_owned(),
            ip_address: "10.0.0.1".to_owned(),
            linux_user: Default::default(),
            metadata: Default::default(),
            streams,
            commands: self.agent.commands.keys().copied().collect(),
            journal: Some(self.agent.journal_id()),
        };
        self.say_up(socket, &hello);
    }

    /// The agent dies with its shells, and what its commands do is not known to the next.
    pub fn agent_dies(&mut self) {
        if let Some(socket) = self.agent.socket {
            self.cut(socket);
        }
        self.agent.shells.clear();
        for noted in self
            .agent
            .commands
            .values_mut()
            .filter(|noted| **noted == Noted::Running)
        {
            *noted = Noted::Lost;
        }
    }

    /// A report makes everything before its ends something to be asked for.
    fn agent_report(&mut self) -> Vec<Report> {
        let report = |(stream, shell): (&StreamId, &mut Shell)| {
            shell.sent = shell.end;
            Report {
                stream: *stream,
                session_id: shell.session_id.clone(),
                start: shell.start(),
                end: shell.end,
                size: shell.size,
                inputs: shell
                    .inputs
                    .iter()
                    .map(|(input, applier)| InputReport {
                        input: *input,
                        applied: applier.applied(),
                    })
                    .collect(),
                exit: shell.exit.clone(),
            }
        };
        self.agent.shells.iter_mut().map(report).collect()
    }

    /// The programs in all shells write up to `n` bytes, as far as credit allows.
    pub fn programs_write(&mut self, n: u64) {
        for shell in self.agent.shells.values_mut().filter(|shell| shell.exit.is_none()) {
            let room = shell
                .window
                .map_or(n, |window| (shell.acked + window).saturating_sub(shell.end));
            shell.end += n.min(room);
        }
        self.agent_sends();
    }

    pub fn shell_exits(&mut self, stream: StreamId, code: i32) {
        self.agent_sends();
        let Some(shell) = self.agent.shells.get_mut(&stream) else {
            return;
        };
        let status = ExitStatus {
            code: Some(code),
            signal: None,
        };
        shell.exit = Some(status.clone());
        let end = shell.end;
        self.ends.insert(stream, end);
        if let Some(socket) = self.agent.socket {
            self.say_up(socket, &FromAgent::Exited { stream, end, status });
        }
    }

    pub fn command_ends(&mut self, stream: StreamId) {
        self.end_command(stream, Noted::Ended);
    }

    fn end_command(&mut self, stream: StreamId, how: Noted) {
        if let Some(noted) = self.agent.commands.get_mut(&stream)
            && *noted == Noted::Running
        {
            *noted = how;
            self.say_result(stream, how);
        }
    }

    fn say_result(&mut self, stream: StreamId, noted: Noted) {
        let (code, signal) = match noted {
            Noted::Running => return,
            Noted::Ended => (Some(0), None),
            Noted::Killed => (None, Some("SIGKILL".to_owned())),
            Noted::Lost => return self.say_no_result(stream, NoResult::Lost),
        };
        let ran = FromAgent::Ran {
            stream,
            stdout: format!("output of {stream}"),
            stderr: String::new(),
            truncated: false,
            timed_out: false,
            duration_ms: Some(7),
            status: ExitStatus { code, signal },
        };
        if let Some(socket) = self.agent.socket {
            self.say_up(socket, &ran);
        }
    }

    fn say_no_result(&mut self, stream: StreamId, reason: NoResult) {
        let error = "no result".to_owned();
        if let Some(socket) = self.agent.socket {
            self.say_up(socket, &FromAgent::RunFailed { stream, error, reason });
        }
    }

    fn agent_sends(&mut self) {
        let Some(socket) = self.agent.socket else { return };
        let mut frames = Vec::new();
        for (stream, shell) in &mut self.agent.shells {
            frames.extend(output_frames(*stream, shell.sent, shell.end));
            shell.sent = shell.end;
        }
        for frame in frames {
            self.send_up(socket, Wire::Binary(frame.bytes().clone()));
        }
    }

    fn agent_hears(&mut self, socket: Socket, wire: Wire) {
        match wire {
            Wire::Binary(bytes) => self.agent_hears_frame(socket, Frame::decode(bytes).unwrap()),
            Wire::Text(text) => match serde_json::from_str(&text).unwrap() {
                ToAgent::Open {
                    stream,
                    session_id,
                    size,
                    ..
                } => {
                    self.agent.shells.entry(stream).or_insert(Shell {
                        session_id,
                        size,
                        end: 0,
                        sent: 0,
                        acked: 0,
                        window: Some(LIVE_WINDOW),
                        inputs: BTreeMap::new(),
                        exit: None,
                    });
                    self.say_up(socket, &FromAgent::Opened { stream });
                }
                ToAgent::OpenInput { stream, input } => {
                    let Some(shell) = self.agent.shells.get_mut(&stream) else {
                        return;
                    };
                    let applied = shell.inputs.entry(input).or_default().applied();
                    self.send_up(socket, Wire::Binary(Frame::ack(input, applied).bytes().clone()));
                }
                ToAgent::Read { stream, from, to } => {
                    let Some(shell) = self.agent.shells.get(&stream) else {
                        return;
                    };
                    if from < shell.start() {
                        let start = shell.start();
                        return self.say_up(socket, &FromAgent::Missing { stream, from, start });
                    }
                    for frame in output_frames(stream, from, to.min(shell.end)) {
                        self.send_up(socket, Wire::Binary(frame.bytes().clone()));
                    }
                }
                ToAgent::Snapshot { stream } => {
                    let Some(shell) = self.agent.shells.get(&stream) else {
                        return;
                    };
                    let frame = Frame::new(Kind::Snapshot, stream, shell.sent, b"snapshot");
                    self.say_up(
                        socket,
                        &FromAgent::Snapshot {
                            stream,
                            size: SNAPSHOT_SIZE,
                        },
                    );
                    self.send_up(socket, Wire::Binary(frame.bytes().clone()));
                }
                ToAgent::Report => {
                    // A report on a live link says what there is; what was sent is on its way already.
                    self.agent_sends();
                    let streams = self.agent_report();
                    let commands = self.agent.commands.keys().copied().collect();
                    self.say_up(socket, &FromAgent::Report { streams, commands });
                }
                ToAgent::Run { stream, command, .. } => {
                    if let std::collections::btree_map::Entry::Vacant(entry) = self.agent.commands.entry(stream) {
                        entry.insert(Noted::Running);
                        self.agent.ran.push(command);
                    }
                }
                ToAgent::Collect { stream } => match self.agent.commands.get(&stream).copied() {
                    Some(noted) => self.say_result(stream, noted),
                    None => self.say_no_result(stream, NoResult::NotKnown),
                },
                ToAgent::Close { stream } => {
                    self.end_command(stream, Noted::Killed);
                    if self.agent.shells.get(&stream).is_some_and(|shell| shell.exit.is_none()) {
                        self.shell_exits(stream, 129);
                    }
                }
                ToAgent::Forget { stream } => {
                    self.agent.shells.remove(&stream);
                    self.agent.commands.remove(&stream);
                }
                ToAgent::CloseInput { input } => {
                    for shell in self.agent.shells.values_mut() {
                        shell.inputs.remove(&input);
                    }
                }
                ToAgent::Resize { stream, size } => {
                    if let Some(shell) = self.agent.shells.get_mut(&stream) {
                        shell.size = size;
                    }
                }
                ToAgent::Welcome { .. } | ToAgent::CommandsStored { .. } | ToAgent::Pong => {}
            },
            Wire::Close(_) => {}
        }
    }

    fn agent_hears_frame(&mut self, socket: Socket, frame: Frame) {
        match frame.kind {
            Kind::Credit => {
                let Some(shell) = self.agent.shells.get_mut(&frame.stream) else {
                    return;
                };
                shell.acked = frame.offset;
                shell.window = frame.window();
            }
            Kind::Input => {
                let mut shells = self.agent.shells.values_mut();
                let Some(applier) = shells.find_map(|shell| shell.inputs.get_mut(&frame.stream)) else {
                    return;
                };
                if let Applied::New(bytes) = applier.accept(frame.offset, frame.payload()) {
                    let first = applier.applied() - bytes.len() as u64;
                    let matches = |viewer: usize| {
                        bytes
                            .iter()
                            .enumerate()
                            .all(|(i, byte)| *byte == typed_at(viewer, first + i as u64))
                    };
                    let known = self.viewers.is_empty() || (0..self.viewers.len()).any(matches);
                    assert!(known, "foreign or misplaced input");
                    self.agent.heard.extend_from_slice(bytes);
                }
                let ack = Frame::ack(frame.stream, applier.applied());
                self.send_up(socket, Wire::Binary(ack.bytes().clone()));
            }
            kind => panic!("the relay sent a {kind:?} frame to the agent"),
        }
    }

    // ---- viewers ----

    pub fn viewer_connects(&mut self, i: usize) {
        if let Some(old) = self.viewers[i].socket {
            self.cut(old);
        }
        let socket = self.open_socket();
        let viewer = &mut self.viewers[i];
        viewer.socket = Some(socket);
        let hello = FromViewer::Hello {
            protocol: 1,
            viewer: viewer.id.clone(),
            received: viewer.reader.map(|reader| reader.received()),
            size: Size::default(),
        };
        let id = viewer.id.clone();
        let context = ViewerContext {
            recording: self.records.then(|| format!("{:024x}", socket.0).parse().unwrap()),
            ..viewer_context(Dialect::Stream)
        };
        self.relay.viewer_connected(self.now, socket, context, id);
        self.perform();
        self.say_up(socket, &hello);
    }

    pub fn viewer_types(&mut self, i: usize, count: u64) {
        let viewer = &mut self.viewers[i];
        let bytes: Vec<u8> = (viewer.typed..viewer.typed + count)
            .map(|offset| typed_at(i, offset))
            .collect();
        viewer.typed += count;
        viewer.writer.push(&bytes);
        self.viewer_flushes(i);
    }

    fn viewer_flushes(&mut self, i: usize) {
        let viewer = &mut self.viewers[i];
        let (Some(socket), Some((_, input))) = (viewer.socket, viewer.attached) else {
            return;
        };
        let frames: Vec<_> = std::iter::from_fn(|| viewer.writer.next_frame(input)).collect();
        for frame in frames {
            self.send_up(socket, Wire::Binary(frame.bytes().clone()));
        }
    }

    /// The viewer consumes what it has and acknowledges it.
    pub fn viewer_acks(&mut self, i: usize) -> bool {
        let viewer = &mut self.viewers[i];
        let (Some(socket), Some((stream, _)), Some(reader)) = (viewer.socket, viewer.attached, viewer.reader) else {
            return false;
        };
        if reader.received() <= viewer.acked {
            return false;
        }
        viewer.acked = reader.received();
        let ack = Frame::ack(stream, viewer.acked);
        self.send_up(socket, Wire::Binary(ack.bytes().clone()));
        true
    }

    fn viewer_hears(&mut self, i: usize, _socket: Socket, wire: Wire) {
        let viewer = &mut self.viewers[i];
        match wire {
            Wire::Binary(bytes) => {
                let frame = Frame::decode(bytes).unwrap();
                match frame.kind {
                    Kind::Output => {
                        let reader = viewer.reader.as_mut().expect("output before attached");
                        let new = reader
                            .receive(frame.offset, frame.payload())
                            .expect("a hole in the output");
                        let first = reader.received() - new.len() as u64;
                        assert!(new == output_at(first, new.len()), "wrong bytes at {first}");
                    }
                    Kind::Ack => {
                        viewer.writer.acknowledge(frame.offset);
                        self.viewer_flushes(i);
                    }
                    Kind::Snapshot => assert_eq!(viewer.reader.unwrap().received(), frame.offset),
                    kind => panic!("the relay sent a {kind:?} frame to a viewer"),
                }
            }
            Wire::Text(text) => {
                let message: ToViewer = serde_json::from_str(&text).unwrap();
                viewer.said.push(message.clone());
                match message {
                    ToViewer::Attached {
                        stream,
                        input,
                        applied,
                        offset,
                        resumed,
                        ..
                    } => {
                        assert_eq!(
                            resumed,
                            viewer.reader.is_some(),
                            "a viewer was resumed that was new, or the reverse"
                        );
                        viewer.attached = Some((stream, input));
                        viewer.reader.get_or_insert(OutputReader::starting_at(offset));
                        viewer.writer.resume(applied);
                        self.viewer_flushes(i);
                    }
                    ToViewer::ResumeInput { applied } => {
                        viewer.writer.resume(applied);
                        self.viewer_flushes(i);
                    }
                    ToViewer::Snapshot { offset, size } => {
                        assert_eq!(size, SNAPSHOT_SIZE, "the size is the agent's");
                        viewer.reader = Some(OutputReader::starting_at(offset));
                        viewer.acked = viewer.acked.max(offset);
                    }
                    ToViewer::Gap { .. } => viewer.gaps += 1,
                    ToViewer::Exit { status } => viewer.exit = Some(status),
                    ToViewer::Error { code, .. } if code == "recording_behind" => {}
                    ToViewer::Error { error, .. } => panic!("the relay refused a frame: {error}"),
                    _ => {}
                }
            }
            Wire::Close(_) => {}
        }
    }
}

fn output_frames(stream: StreamId, from: u64, to: u64) -> Vec<Frame> {
    (from..to)
        .step_by(MAX_PAYLOAD)
        .map(|at| {
            let len = (to - at).min(MAX_PAYLOAD as u64) as usize;
            Frame::new(Kind::Output, stream, at, output_at(at, len))
        })
        .collect()
}
