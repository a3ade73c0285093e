//! Commands without a terminal: how the agent is told of them, and who is told what came of them.
//!
//! Of each there is a record, made before the agent hears of it, and the agent keeps the result until the relay has it. So
//! neither a cut link nor a loss of memory loses a result. One that was sent through the API may wait for its agent; its
//! result is kept here ([`queued`](super::queued) has what is special about it). One that a published client asked for in its
//! terminal is answered there, once, when that client comes back if it was cut.
use protocol::api::commands::{CommandResult, CommandStatus};
use protocol::ids::{CommandId, StreamId};
use protocol::limits::MAX_COMMANDS;
use protocol::relay_contract::Dialect;
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::{NoResult, ToAgent};
use protocol::terminal::published::ToClient;

use super::RelayState;
use super::action::Socket;
use super::commands::Command;
use super::published::Published;
use super::record::CommandRecord;
use super::viewer::Viewer;

/// How a command went, as the agent says.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub truncated: bool,
    pub timed_out: bool,
    pub duration_ms: Option<u64>,
    pub status: ExitStatus,
}

impl RelayState {
    /// A published client wants a command run.
    pub(super) fn run(&mut self, now: u64, socket: Socket, command: String, timeout_seconds: u32) {
        let Some(viewer) = self.viewers.get(socket) else {
            return;
        };
        // A raw client gets terminal output and nothing else, so it could not learn what came of it.
        if viewer.dialect() == Dialect::Raw {
            return;
        }
        if !viewer.can_type() {
            return self.say_error(
                socket,
                "READ_ONLY",
                "you are watching this terminal and cannot run commands",
            );
        }
        let username = viewer.context().username.clone();
        let Some(of) = viewer.stream() else { return };
        if !self.agent.is_online() {
            return self.say_error(socket, "AGENT_OFFLINE", "agent not connected");
        }
        if self.commands.under_way() >= MAX_COMMANDS {
            let error = format!("{MAX_COMMANDS} commands run on this machine already; wait for one to end");
            return self.say_error(socket, "TOO_MANY_COMMANDS", &error);
        }
        let Some(stream) = self.machine.mint_stream(&mut self.out) else {
            return;
        };
        let (Some(command_id), Some(session)) = (self.command_id(stream), self.sessions.get(of)) else {
            return;
        };
        let run = ToAgent::Run {
            stream,
            session_id: Some(session.id().clone()),
            command: command.clone(),
            timeout_seconds,
            allow_sudo: session.allow_sudo(),
            username,
            script: false,
        };
        let journal = self.agent.journal().cloned();
        let record = CommandRecord::asked_for_in(of, stream, command_id.clone(), journal, now);
        // Before the command is on its way: what runs is known.
        self.commands.add(record, &mut self.out);
        self.tell_agent(&run);
        let command_id = command_id.into();
        self.out.say(socket, &ToClient::CommandStarted { command_id, command });
    }

    /// The name of a command that was asked for in a terminal: the machine, and a number it never has twice.
    pub(super) fn command_id(&self, stream: StreamId) -> Option<CommandId> {
        format!("cmd_{}{:08x}", self.machine.id()?, stream.0).parse().ok()
    }

    /// A command ended.
    pub(super) fn ran(&mut self, now: u64, stream: StreamId, ran: Ran) {
        let stopped = self.commands.get(stream).and_then(Command::stopped);
        // One that ended before it could be stopped has ended by itself.
        let stopped = stopped.filter(|_| ran.status.code.is_none());
        let error = match (&ran.status, stopped) {
            (_, Some(why)) => Some(why.words().to_owned()),
            _ if ran.timed_out => Some("it ran out of time and was killed".to_owned()),
            (
                ExitStatus {
                    code: None,
                    signal: Some(signal),
                },
                None,
            ) => Some(format!("it was ended by {signal}")),
            _ => None,
        };
        let status = match stopped {
            Some(_) => CommandStatus::Cancelled,
            None if ran.timed_out => CommandStatus::Timeout,
            None => CommandStatus::Completed,
        };
        let result = CommandResult {
            status,
            stdout: ran.stdout,
            stderr: ran.stderr,
            truncated: ran.truncated,
            exit_code: ran.status.code,
            signal: ran.status.signal,
            duration_ms: ran.duration_ms,
            error,
        };
        self.answer(now, stream, result);
    }

    /// The agent has no result of a command, and will have none.
    pub(super) fn run_failed(&mut self, now: u64, stream: StreamId, error: &str, reason: NoResult) {
        let command = self.commands.get(stream);
        let status = match reason {
            NoResult::NotKnown if command.is_some_and(|command| command.session().is_none()) => {
                return self.never_arrived(now, stream);
            }
            NoResult::Lost => CommandStatus::Unknown,
            NoResult::NotRun | NoResult::NotKnown => CommandStatus::Failed,
        };
        self.answer(now, stream, CommandResult::without_output(status, error));
    }

    /// Gives a result to whom it is for, and lets the agent forget it. While nobody can take it, the agent keeps it.
    pub(super) fn answer(&mut self, now: u64, stream: StreamId, result: CommandResult) {
        match self.commands.get(stream).map(Command::session) {
            None => self.tell_agent(&ToAgent::Forget { stream }),
            Some(None) => self.end_queued(now, stream, result),
            Some(Some(of)) => {
                let Some(socket) = self.commander_of(of) else { return };
                if let Some(command) = self.commands.remove(stream, &mut self.out) {
                    self.out.say(socket, &output_frame(command.id(), result));
                }
                self.tell_agent(&ToAgent::Forget { stream });
                // There is room for another.
                self.start_commands(now);
            }
        }
    }

    /// Asks for the results that a session's client waits for. The agent answers at once, or when the command ends.
    pub(super) fn collect(&mut self, of: StreamId) {
        if self.commander_of(of).is_none() {
            return;
        }
        for stream in self.commands.of_session(of) {
            self.tell_agent(&ToAgent::Collect { stream });
        }
    }

    /// Kills the commands of a session that is over.
    pub(super) fn end_commands(&mut self, of: StreamId) {
        for stream in self.commands.of_session(of) {
            self.commands.remove(stream, &mut self.out);
            self.tell_agent(&ToAgent::Close { stream });
            self.tell_agent(&ToAgent::Forget { stream });
        }
    }

    /// Brings the agent's commands in line with the relay's: those that were ended while it was away, and those whose result is
    /// awaited. What the agent does not list is asked for like the rest: an order to run it may be on its way.
    pub(super) fn reconcile_commands(&mut self, listed: &[StreamId]) {
        for stream in listed.iter().copied() {
            // What waits it was never told of: it is another's.
            if self.commands.get(stream).is_none_or(Command::is_waiting) {
                self.tell_agent(&ToAgent::Close { stream });
                self.tell_agent(&ToAgent::Forget { stream });
            }
        }
        for of in self.sessions.streams() {
            self.collect(of);
        }
        self.collect_queued();
    }

    /// The client that hears of a session's commands, once it was told that the session is there. There is one at most.
    fn commander_of(&self, of: StreamId) -> Option<Socket> {
        self.viewers
            .find(|viewer| viewer.stream() == Some(of) && hears_of_commands(viewer))
    }
}

/// Whether a viewer is a published client that was told that its session is there.
pub(super) fn hears_of_commands(viewer: &Viewer) -> bool {
    let ready = viewer.published().is_some_and(Published::is_ready);
    viewer.dialect() == Dialect::Published && ready
}

/// What a published client is told of a result.
pub(super) fn output_frame(command_id: &CommandId, result: CommandResult) -> ToClient {
    ToClient::CommandOutput {
        command_id: command_id.to_string(),
        completed: result.status == CommandStatus::Completed,
        stdout: result.stdout,
        stderr: result.stderr,
        exit_code: result.exit_code,
        truncated: result.truncated,
        error: result.error,
    }
}
