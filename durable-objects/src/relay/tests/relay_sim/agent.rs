//! The agent: shells that write, commands that run, and a journal.
use std::collections::BTreeMap;

use protocol::api::command_policy::Policies;
use protocol::ids::{JournalId, SessionId, StreamId};
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY, MAX_PAYLOAD};
use protocol::relay_contract::AgentContext;
use protocol::stream::{Applied, InputApplier};
use protocol::terminal::agent::{Described, FromAgent, InputReport, NoResult, Report, ToAgent};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::ssh::SshConnected;
use protocol::terminal::{ExitStatus, Size};

use super::{RelaySim, Wire, agent_id, object_id, output_at, typed_at};
use crate::relay::Socket;

/// What the agent says of its snapshots, whatever size anybody has.
pub const SNAPSHOT_SIZE: Size = Size { cols: 91, rows: 17 };

/// An agent with at most one shell per stream.
#[derive(Debug)]
pub struct AgentModel {
    /// Whether it measures when it is told to.
    pub pulled: bool,
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
    /// Whether it does not know `describe`.
    pub deaf: bool,
    /// Whether it holds to policies.
    pub policed: bool,
    /// The key of a host that it sees for the first time.
    pub trusts: Option<String>,
    /// Whether it says that it has Ansible run playbooks.
    pub playbooks: bool,
    /// Whether it has services…
    pub services: bool,
    /// …and was asked for them.
    pub tells_services: bool,
    /// What it was told that commands may run: of each, by its text, whether it is refused and whether it needs approval.
    pub policies: Policies,
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

impl Default for AgentModel {
    fn default() -> Self {
        Self {
            pulled: true,
            policed: true,
            services: false,
            playbooks: false,
            trusts: None,
            tells_services: false,
            policies: Policies::default(),
            socket: None,
            shells: BTreeMap::new(),
            commands: BTreeMap::new(),
            journal: 0,
            ran: Vec::new(),
            heard: Vec::new(),
            deaf: false,
        }
    }
}

impl AgentModel {
    fn refuses(&self, command: &String) -> bool {
        self.policed && self.policies.machine.blocked_commands.contains(command)
    }

    fn needs_approval(&self, command: &String) -> bool {
        self.policed && self.policies.machine.approval_required_commands.contains(command)
    }

    fn journal_id(&self) -> JournalId {
        format!("{:032x}", self.journal).parse().unwrap()
    }
}

impl Shell {
    fn start(&self) -> u64 {
        self.end.saturating_sub(LOG_CAPACITY)
    }
}

impl RelaySim {
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
            thresholds: Default::default(),
            policies: Some(Box::new(self.policies.clone())),
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
            pulled_metrics: self.agent.pulled,
            policies: self.agent.policed,
            services: self.agent.services,
            playbooks: self.agent.playbooks,
            ssh: self.agent.services,
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
    pub(super) fn agent_report(&mut self) -> Vec<Report> {
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
            reason: None,
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

    pub(super) fn end_command(&mut self, stream: StreamId, how: Noted) {
        if let Some(noted) = self.agent.commands.get_mut(&stream)
            && *noted == Noted::Running
        {
            *noted = how;
            self.say_result(stream, how);
        }
    }

    /// A command that runs writes something.
    pub fn command_writes(&mut self, stream: StreamId, part: u32, text: &str) {
        let (stdout, stderr) = (text.to_owned(), String::new());
        let running = FromAgent::Running {
            stream,
            part,
            stdout,
            stderr,
        };
        if let Some(socket) = self.agent.socket {
            self.say_up(socket, &running);
        }
    }

    pub(super) fn say_result(&mut self, stream: StreamId, noted: Noted) {
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
            status: ExitStatus {
                code,
                signal,
                reason: None,
            },
        };
        if let Some(socket) = self.agent.socket {
            self.say_up(socket, &ran);
        }
    }

    pub(super) fn say_no_result(&mut self, stream: StreamId, reason: NoResult) {
        let error = "no result".to_owned();
        if let Some(socket) = self.agent.socket {
            self.say_up(socket, &FromAgent::RunFailed { stream, error, reason });
        }
    }

    pub(super) fn agent_sends(&mut self) {
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

    pub(super) fn agent_hears(&mut self, socket: Socket, wire: Wire) {
        match wire {
            Wire::Binary(bytes) => self.agent_hears_frame(socket, Frame::decode(bytes).unwrap()),
            Wire::Text(text) => match serde_json::from_str(&text).unwrap() {
                ToAgent::Open {
                    stream,
                    session_id,
                    size,
                    ssh,
                    ..
                } => {
                    if let Some(target) = ssh {
                        let connected = SshConnected {
                            ip: "10.0.0.5".to_owned(),
                            user: target.user.unwrap_or_else(|| "root".to_owned()),
                            default_user: "root".to_owned(),
                            trusted: self.agent.trusts.clone(),
                        };
                        self.say_up(socket, &FromAgent::SshConnected { stream, connected });
                    }
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
                ToAgent::Screen { stream } => {
                    self.agent_sends();
                    let Some(shell) = self.agent.shells.get(&stream) else {
                        return;
                    };
                    let screen = FromAgent::Screen {
                        stream,
                        offset: shell.sent,
                        size: SNAPSHOT_SIZE,
                        screen: format!("screen at {}", shell.sent),
                    };
                    self.say_up(socket, &screen);
                }
                ToAgent::Describe if self.agent.deaf => {}
                ToAgent::Describe => {
                    let shells = self.agent.shells.keys().map(|stream| Described {
                        stream: *stream,
                        title: format!("shell {stream}"),
                        command: None,
                        cwd: "/".to_owned(),
                    });
                    let shells = shells.collect();
                    self.say_up(socket, &FromAgent::Described { shells });
                }
                ToAgent::Report => {
                    // A report on a live link says what there is; what was sent is on its way already.
                    self.agent_sends();
                    let streams = self.agent_report();
                    let commands = self.agent.commands.keys().copied().collect();
                    self.say_up(socket, &FromAgent::Report { streams, commands });
                }
                ToAgent::Run {
                    stream, ref command, ..
                } if self.agent.refuses(command) => {
                    self.say_no_result(stream, NoResult::Refused);
                }
                ToAgent::Run {
                    stream,
                    ref command,
                    approval: None,
                    ..
                } if self.agent.needs_approval(command) => self.say_no_result(stream, NoResult::NeedsApproval),
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
                ToAgent::Welcome { policies, services, .. } => {
                    self.agent.policies = policies;
                    self.agent.tells_services = services;
                }
                ToAgent::Policies { policies } => self.agent.policies = policies,
                ToAgent::Watch { .. }
                | ToAgent::Thresholds { .. }
                | ToAgent::RotateKey { .. }
                | ToAgent::CommandsStored { .. }
                | ToAgent::LoginsStored { .. }
                | ToAgent::CatalogStored { .. }
                | ToAgent::Service { .. }
                | ToAgent::Job { .. }
                | ToAgent::JobStored { .. }
                | ToAgent::CancelJob { .. }
                | ToAgent::ForgetJob { .. }
                | ToAgent::Pong => {}
            },
            Wire::Close(_) => {}
        }
    }

    pub(super) fn agent_hears_frame(&mut self, socket: Socket, frame: Frame) {
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
