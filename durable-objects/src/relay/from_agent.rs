//! What the agent says, and what its coming and going means.
use protocol::api::machines::Metrics;
use protocol::ids::StreamId;
use protocol::relay_contract::AgentContext;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::close::Close;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::ToViewer;
use protocol::terminal::{PROTOCOL, accepts_protocol};

use super::RelayState;
use super::action::{Action, Facts, Notice, Socket};
use super::command::Ran;
use super::record::{AgentMemory, MachineRecord, Record};
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
