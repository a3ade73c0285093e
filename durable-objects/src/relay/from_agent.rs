//! What the agent says, and what its coming and going means.
use protocol::ids::StreamId;
use protocol::json;
use protocol::relay_contract::AgentContext;
use protocol::terminal::accepts_protocol;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::close::Close;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::ToViewer;

use super::RelayState;
use super::action::{Facts, Notice, Socket};
use super::agent_link::Says;
use super::command::Ran;
use super::jobs::JobNews;
use super::reader::Reader;

impl RelayState {
    /// An agent's socket was accepted: [`Self::arrival`] welcomed it. A machine has one agent.
    pub fn agent_connected(&mut self, now: u64, socket: Socket, context: AgentContext) {
        self.drop_agent(now, Close::Replaced);
        self.machine.learn(&context.machine, &context.agent_id, &mut self.out);
        self.machine.spend(&context.token, &mut self.out);
        self.agent.connected(now, socket, context, &mut self.out);
    }

    pub(super) fn agent_text(&mut self, now: u64, text: &str) {
        let Ok(message) = json::from_str::<FromAgent>(text) else {
            return self.drop_agent(now, Close::ProtocolError);
        };
        self.agent.heard(now);
        let greeted = self.agent.is_online();
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
                journal,
                pulled_metrics,
                policies,
                services,
                playbooks,
                ssh,
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
                let says = Says {
                    journal,
                    pulled_metrics,
                    policed: policies,
                    services,
                    playbooks,
                    ssh,
                };
                self.agent_greeted(now, facts, says);
                if !self.agent.was_told_policies() {
                    // The object has lost its memory since the agent connected: it is told once they were looked up.
                    self.recheck(now);
                }
                self.describe_anew();
                self.reconcile(now, streams, commands);
                self.start_commands(now);
            }
            _ if !greeted => self.drop_agent(now, Close::ProtocolError),
            FromAgent::Report { streams, commands } => self.reconcile(now, streams, commands),
            FromAgent::SshConnected { stream, connected } => self.ssh_connected(now, stream, connected.within_bounds()),
            FromAgent::Opened { stream } => self.opened(now, stream),
            FromAgent::OpenFailed { stream, error } => {
                self.end_session(now, stream, Close::ShellRefused, &error, "open_failed");
            }
            FromAgent::Exited { stream, end, status } => self.exited(now, stream, end, status),
            FromAgent::Missing { stream, from, start } => self.missing(now, stream, from, start),
            FromAgent::Snapshot { stream, size } => {
                if let Some(session) = self.sessions.get_mut(stream) {
                    session.snapshot_comes(size);
                }
            }
            FromAgent::Screen {
                stream,
                offset,
                size,
                screen,
            } => self.record_screen(now, stream, offset, size, &screen),
            FromAgent::Running {
                stream,
                part,
                stdout,
                stderr,
            } => self.command_wrote(stream, part, stdout, stderr),
            FromAgent::Ran {
                stream,
                stdout,
                stderr,
                truncated,
                timed_out,
                duration_ms,
                status,
            } => {
                let ran = Ran {
                    stdout,
                    stderr,
                    truncated,
                    timed_out,
                    duration_ms,
                    status,
                };
                self.ran(now, stream, ran);
            }
            FromAgent::RunFailed { stream, error, reason } => self.run_failed(now, stream, &error, reason),
            FromAgent::Notice {
                stream,
                input,
                error,
                code,
            } => self.notice(stream, input, &code, &error),
            FromAgent::Commands { now: clock, records } => self.commands_run(now, clock, records),
            FromAgent::Heartbeat { metrics } => self.agent.measured(now, metrics, None, &mut self.out),
            FromAgent::History { metrics, series } => self.agent.measured(now, metrics, Some(series), &mut self.out),
            FromAgent::Logins { now: clock, logins } => self.logins(now, clock, logins),
            FromAgent::Catalog { part } if self.agent.is_runner() => self.catalog_part(now, part, text.len()),
            FromAgent::Service { number, answer } if self.agent.is_runner() => self.runner_answered(number, answer),
            // Nobody asked it.
            FromAgent::Catalog { .. } | FromAgent::Service { .. } => self.drop_agent(now, Close::ProtocolError),
            FromAgent::Jobs { jobs } => self.job_news(now, JobNews::Known(jobs)),
            FromAgent::JobOutput { output } => self.job_news(now, JobNews::Output(output)),
            FromAgent::JobEnded { end } => self.job_news(now, JobNews::Ended(end)),
            FromAgent::Described { shells } => self.described(now, shells),
            FromAgent::Ping => self.tell_agent(&ToAgent::Pong),
        }
    }

    pub(super) fn agent_frame(&mut self, now: u64, frame: Frame) {
        if !self.agent.is_online() {
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

    fn agent_greeted(&mut self, now: u64, facts: Facts, says: Says) {
        let runner = says.services;
        self.agent.greeted(says, &mut self.out);
        self.machine.went_online(&mut self.out);
        self.out.notify(Notice::AgentOnline { facts, runner, at: now });
        for viewer in self.viewers.sockets_where(|viewer| !viewer.is_published()) {
            self.out.say(viewer, &ToViewer::Agent { online: true });
        }
    }

    /// Passes on what the machine has to say to one typist, or to all who look at a terminal.
    fn notice(&mut self, stream: StreamId, input: Option<StreamId>, code: &str, error: &str) {
        let sockets = match input {
            Some(input) => self
                .sessions
                .reader(input)
                .and_then(Reader::socket)
                .into_iter()
                .collect(),
            None => self.viewers.attached_to(stream),
        };
        for socket in sockets {
            self.say_error(socket, code, error);
        }
    }

    /// Input of one typist has reached the terminal up to `offset`.
    fn input_applied(&mut self, now: u64, input: StreamId, offset: u64) {
        let Some(reader) = self.sessions.reader_mut(input) else {
            return;
        };
        let first = reader.input_applied(offset);
        let Some(socket) = reader.socket() else { return };
        let Some(viewer) = self.viewers.get_mut(socket) else {
            return;
        };
        let waits = viewer.is_waiting();
        if let Some(published) = viewer.published_mut() {
            let idle = published.input_applied(offset, first);
            self.try_attach(now, socket);
            if !waits {
                self.announce(socket);
            }
            self.flush_typed(socket);
            if idle {
                self.out.remember(socket);
            }
        } else if waits {
            self.try_attach(now, socket);
        } else if first {
            self.out.say(socket, &ToViewer::ResumeInput { applied: offset });
        } else {
            self.out.frame(socket, &Frame::ack(input, offset));
        }
    }

    /// Cuts the agent's link: it broke the protocol, fell silent, or has made another.
    pub(super) fn drop_agent(&mut self, now: u64, close: Close) {
        self.agent.close(close, &mut self.out);
        self.agent_gone(now);
    }

    pub(super) fn agent_gone(&mut self, now: u64) {
        if !self.agent.gone(now) {
            return;
        }
        self.machine.went_offline(&mut self.out);
        self.out.notify(Notice::AgentOffline { at: now });
        self.sessions.link_lost();
        self.commands.link_lost();
        self.runner.link_lost();
        self.asks.link_lost();
        self.viewers.link_lost();
        self.recorders_lose_link();
        for socket in self.viewers.sockets() {
            self.tell_offline(now, socket);
        }
    }
}
