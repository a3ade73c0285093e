//! What the agent says, and what its coming and going means.
use std::collections::BTreeMap;

use protocol::api::machines::Metrics;
use protocol::ids::StreamId;
use protocol::relay_contract::AgentContext;
use protocol::terminal::agent::{FromAgent, Report, ToAgent};
use protocol::terminal::close::Close;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::ToViewer;
use protocol::terminal::{ExitStatus, PROTOCOL, accepts_protocol};

use super::RelayState;
use super::action::{Action, Facts, Notice, Socket};
use super::command::Ran;
use super::record::{AgentMemory, MachineRecord, Phase, Record};
use super::session::Stage;

/// The directory hears of figures when one moved by this many percentage points…
const METRICS_STEP: f64 = 5.0;

/// …and at least this often, in milliseconds, so that a list is never staler than that.
const METRICS_EVERY: u64 = 5 * 60 * 1000;

/// The agent's end of the relay.
#[derive(Debug)]
pub struct AgentLink {
    /// Its socket.
    pub socket: Socket,
    /// What outlives memory, attached to the socket.
    pub memory: AgentMemory,
}

impl AgentLink {
    /// The link of a socket that outlived the object's memory.
    pub fn restored(socket: Socket, memory: AgentMemory) -> Self {
        Self { socket, memory }
    }
}

impl RelayState {
    /// An agent's socket was accepted. A machine has one agent: the newest.
    pub fn agent_connected(&mut self, now: u64, socket: Socket, context: AgentContext) {
        self.drop_agent(now, Close::Replaced);
        if self.machine.is_none() {
            self.remember_machine(&context);
        }
        let memory = AgentMemory {
            context,
            greeted: false,
            latest: None,
            written: None,
            last_seen: now,
        };
        self.agent = Some(AgentLink { socket, memory });
        self.out.push(Action::Remember(socket));
    }

    /// Learns which machine this object is for, from the first who connects.
    pub(super) fn remember_machine(&mut self, context: &AgentContext) {
        let machine = MachineRecord {
            machine: context.machine.clone(),
            agent_id: context.agent_id.clone(),
            next_stream: 1,
        };
        self.out.push(Action::Save(Record::Machine(machine.clone())));
        self.machine = Some(machine);
    }

    pub(super) fn agent_text(&mut self, now: u64, text: &str) {
        let Ok(message) = serde_json::from_str::<FromAgent>(text) else {
            return self.drop_agent(now, Close::ProtocolError);
        };
        let Some(agent) = self.agent.as_mut() else { return };
        agent.memory.last_seen = now;
        let greeted = agent.memory.greeted;
        match message {
            FromAgent::Hello {
                protocol,
                version,
                hostname,
                os,
                ip_address,
                linux_user,
                metadata,
                streams,
                commands,
                boot: _,
            } => {
                if greeted || !accepts_protocol(protocol) {
                    return self.drop_agent(now, Close::ProtocolError);
                }
                let facts = Facts {
                    version,
                    hostname,
                    os,
                    ip_address,
                    linux_user,
                    metadata,
                };
                self.agent_greeted(now, facts);
                self.reconcile(now, streams, commands);
            }
            _ if !greeted => self.drop_agent(now, Close::ProtocolError),
            FromAgent::Report { streams, commands } => self.reconcile(now, streams, commands),
            FromAgent::Opened { stream } => self.opened(now, stream),
            FromAgent::OpenFailed { stream, error } => {
                self.end_session(now, stream, Close::InternalError, &error, "open_failed");
            }
            FromAgent::Exited { stream, end, status } => self.exited(now, stream, end, status),
            FromAgent::Missing { stream, from, start } => self.missing(stream, from, start),
            FromAgent::Ran {
                stream,
                stdout,
                stderr,
                truncated,
                timed_out,
                status,
            } => {
                let ran = Ran {
                    stdout,
                    stderr,
                    truncated,
                    timed_out,
                    status,
                };
                self.ran(stream, ran);
            }
            FromAgent::RunFailed { stream, error } => self.run_failed(stream, error),
            FromAgent::Heartbeat { metrics } => self.heartbeat(now, metrics),
            FromAgent::Ping => self.tell_agent(&ToAgent::Pong),
        }
    }

    pub(super) fn agent_frame(&mut self, now: u64, frame: Frame) {
        if self.agent().is_none() {
            return self.drop_agent(now, Close::ProtocolError);
        }
        match frame.kind {
            Kind::Output => self.output(now, frame),
            Kind::Ack => self.input_applied(now, frame.stream, frame.offset),
            Kind::Snapshot => self.snapshot(now, frame),
            // Those go the other way only.
            Kind::Input | Kind::Credit => self.drop_agent(now, Close::ProtocolError),
        }
    }

    fn agent_greeted(&mut self, now: u64, facts: Facts) {
        let Some(agent) = self.agent.as_mut() else { return };
        agent.memory.greeted = true;
        let (socket, agent_id) = (agent.socket, agent.memory.context.agent_id.clone());
        let welcome = ToAgent::Welcome {
            protocol: PROTOCOL,
            agent_id,
            heartbeat_seconds: self.settings.heartbeat_seconds,
        };
        self.say(socket, &welcome);
        self.out.push(Action::Remember(socket));
        self.out.push(Action::Notify(Notice::AgentOnline { facts, at: now }));
        for viewer in self.viewers.keys().copied().collect::<Vec<_>>() {
            if !self.speaks_published(viewer) {
                self.tell_viewer(viewer, &ToViewer::Agent { online: true });
            }
        }
    }

    /// Brings what the relay knows of the shells in line with the agent's, which is the truth.
    fn reconcile(&mut self, now: u64, streams: Vec<Report>, commands: Vec<StreamId>) {
        let mut reports: BTreeMap<StreamId, Report> =
            streams.into_iter().map(|report| (report.stream, report)).collect();
        for stream in self.sessions.keys().copied().collect::<Vec<_>>() {
            match reports.remove(&stream) {
                Some(report) => self.reconcile_reported(now, report),
                None => self.reconcile_absent(now, stream),
            }
        }
        // Shells whose session was ended while the agent was away.
        for stream in reports.into_keys() {
            self.tell_agent(&ToAgent::Close { stream });
            self.tell_agent(&ToAgent::Forget { stream });
        }
        self.reconcile_commands(commands);
    }

    fn reconcile_reported(&mut self, now: u64, report: Report) {
        let stream = report.stream;
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        session.end = Some(report.end);
        session.log_start = report.start;
        session.record.size = report.size;
        session.granted = None;
        session.snapshot = None;
        session.snapshot_asked = false;
        if session.record.phase == Phase::Opening {
            session.record.phase = Phase::Running;
            self.save_session(stream);
        }
        for input in self.readers_of(stream) {
            if let Some(reader) = self.readers.get_mut(&input) {
                reader.applied = None;
            }
            self.tell_agent(&ToAgent::OpenInput { stream, input });
        }
        for socket in self.attached_to(stream) {
            if let Some(viewer) = self.viewers.get_mut(&socket) {
                viewer.fetching = None;
                if let Stage::Snapshot { begun, .. } = &mut viewer.stage {
                    *begun = None;
                }
            }
        }
        if let Some(status) = report.exit {
            self.exited(now, stream, report.end, status);
        }
        self.pace(stream);
        self.ask_snapshot_if_awaited(stream);
        for socket in self.attached_to(stream) {
            self.try_attach(now, socket);
            self.pump(now, socket);
        }
    }

    fn reconcile_absent(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        match session.record.phase {
            Phase::Opening => self.open(stream),
            Phase::Running => self.lose(now, stream),
            // The log of an ended shell is gone too: whoever has not read all of it never will.
            Phase::Ended { .. } => self.lose(now, stream),
            Phase::Lost => {}
        }
    }

    /// Asks the agent for the session's shell.
    pub(super) fn open(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(&stream) else {
            return;
        };
        let record = &session.record;
        let open = ToAgent::Open {
            stream,
            session_id: record.session_id.clone(),
            size: record.size,
            allow_sudo: record.allow_sudo,
            username: record.username.clone(),
        };
        self.tell_agent(&open);
        for input in self.readers_of(stream) {
            self.tell_agent(&ToAgent::OpenInput { stream, input });
        }
    }

    fn opened(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            // Ended before it began.
            return self.tell_agent(&ToAgent::Close { stream });
        };
        if session.record.phase != Phase::Opening {
            return;
        }
        session.record.phase = Phase::Running;
        // This comes before the first output.
        session.end.get_or_insert(0);
        self.save_session(stream);
        for socket in self.attached_to(stream) {
            self.try_attach(now, socket);
        }
        self.pace(stream);
    }

    fn exited(&mut self, now: u64, stream: StreamId, end: u64, status: ExitStatus) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        if !matches!(session.record.phase, Phase::Opening | Phase::Running) {
            return;
        }
        session.end = Some(end);
        session.record.phase = Phase::Ended { end, status };
        let session_id = session.record.session_id.clone();
        self.save_session(stream);
        self.out.push(Action::Notify(Notice::SessionClosed {
            session_id,
            reason: "exited".to_owned(),
            at: now,
        }));
        for socket in self.attached_to(stream) {
            self.try_attach(now, socket);
            self.pump(now, socket);
        }
        self.forget_if_read(stream);
    }

    /// The shell died with its agent. Those who are here are told now; those who were cut are told when they return.
    fn lose(&mut self, now: u64, stream: StreamId) {
        let Some(session) = self.sessions.get_mut(&stream) else {
            return;
        };
        let notify = session.running();
        session.record.phase = Phase::Lost;
        let session_id = session.record.session_id.clone();
        for socket in self.attached_to(stream) {
            self.tell_lost(now, socket);
        }
        if notify {
            let reason = "agent_restarted".to_owned();
            self.out.push(Action::Notify(Notice::SessionClosed {
                session_id,
                reason,
                at: now,
            }));
        }
        self.save_session(stream);
        self.forget_if_read(stream);
    }

    /// Input of one typist has reached the terminal up to `offset`.
    fn input_applied(&mut self, now: u64, input: StreamId, offset: u64) {
        let Some(reader) = self.readers.get_mut(&input) else {
            return;
        };
        let first = reader.applied.replace(offset).is_none();
        let Some(socket) = reader.socket else { return };
        let Some(viewer) = self.viewers.get_mut(&socket) else {
            return;
        };
        if let Some(published) = viewer.published.as_mut() {
            if first {
                published.input.resume(offset);
            } else {
                published.input.acknowledge(offset);
            }
            let idle = published.input.pending() == 0;
            let waits = matches!(viewer.stage, Stage::Waiting { .. });
            self.try_attach(now, socket);
            if !waits {
                self.announce(socket);
            }
            self.flush_typed(socket);
            if idle {
                self.out.push(Action::Remember(socket));
            }
            return;
        }
        if let Stage::Waiting { .. } = viewer.stage {
            self.try_attach(now, socket);
        } else if first {
            self.tell_viewer(socket, &ToViewer::ResumeInput { applied: offset });
        } else {
            self.out
                .push(Action::Binary(socket, Frame::ack(input, offset).bytes().clone()));
        }
    }

    fn heartbeat(&mut self, now: u64, metrics: Metrics) {
        let Some(agent) = self.agent.as_mut() else { return };
        let due = agent.memory.written.as_ref().is_none_or(|(written, at)| {
            now.saturating_sub(*at) >= METRICS_EVERY
                || (written.cpu_percent - metrics.cpu_percent).abs() >= METRICS_STEP
                || (written.memory_percent - metrics.memory_percent).abs() >= METRICS_STEP
                || (written.disk_percent - metrics.disk_percent).abs() >= METRICS_STEP
        });
        agent.memory.latest = Some(metrics.clone());
        if due {
            agent.memory.written = Some((metrics.clone(), now));
            self.out.push(Action::Notify(Notice::Metrics { metrics, at: now }));
        }
        self.out.push(Action::Remember(agent.socket));
    }

    /// The agent broke the protocol: its link is cut.
    pub(super) fn drop_agent(&mut self, now: u64, close: Close) {
        if let Some(agent) = &self.agent {
            self.out.push(Action::Close(agent.socket, close));
            self.agent_gone(now);
        }
    }

    pub(super) fn agent_gone(&mut self, now: u64) {
        let Some(agent) = self.agent.take() else { return };
        self.agent_gone_since = now;
        if !agent.memory.greeted {
            return;
        }
        self.out.push(Action::Notify(Notice::AgentOffline { at: now }));
        for reader in self.readers.values_mut() {
            // It may have got more than it acknowledged; it will say when it is back.
            reader.applied = None;
        }
        for viewer in self.viewers.values_mut() {
            viewer.fetching = None;
            if let Some(published) = viewer.published.as_mut() {
                published.ready = false;
            }
        }
        for socket in self.viewers.keys().copied().collect::<Vec<_>>() {
            self.tell_offline(socket);
        }
    }
}
