//! Commands without a terminal: how the agent is told of them, and who is told what came of them.
//!
//! Of each there is a record, made before the agent hears of it, and the agent keeps the result until the relay has it. So
//! neither a cut link nor a loss of memory loses a result. Every result is kept here. One that was sent through the API may wait
//! for its agent ([`queued`](super::queued) has what is special about it). One that a published client asked for in its
//! terminal is told to the directory like any other; it ends with its session, and that client is answered once, when it comes back
//! if it was cut.
use protocol::api::commands::{CommandResult, CommandStatus};
use protocol::ids::{CommandId, StreamId};
use protocol::limits::MAX_COMMANDS;
use protocol::relay_contract::{AskedCommand, Dialect};
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::{NoResult, ToAgent};
use protocol::terminal::published::ToClient;

use super::RelayState;
use super::action::{Notice, Socket};
use super::approval::TOO_OLD;
use super::command_output::hears_of_commands;
use super::commands::Command;
use super::record::{CommandRecord, Label};

const GUESTS_RUN_NOTHING: &str = "you were invited to this terminal; only whose it is runs commands beside it";
const SESSION_OVER: &str = "its terminal session ended, and it was killed";

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
        if viewer.is_guest() {
            return self.say_error(socket, "FORBIDDEN", GUESTS_RUN_NOTHING);
        }
        let (user, username) = (viewer.context().user.clone(), viewer.context().username.clone());
        let Some(of) = viewer.stream() else { return };
        if !self.agent.is_online() {
            return self.say_error(socket, "AGENT_OFFLINE", "agent not connected");
        }
        if !self.agent.was_told_policies() {
            return self.say_error(socket, "AGENT_OFFLINE", "the machine is just coming back; try again");
        }
        if self.agent.is_too_old() {
            return self.say_error(socket, "AGENT_TOO_OLD", TOO_OLD);
        }
        if self.commands.under_way() >= MAX_COMMANDS {
            let error = format!("{MAX_COMMANDS} commands run on this machine already; wait for one to end");
            return self.say_error(socket, "TOO_MANY_COMMANDS", &error);
        }
        let Some(stream) = self.machine.mint_stream(&mut self.out) else {
            return;
        };
        let (Some(command_id), Some(session)) = (self.new_command_id(now, stream), self.sessions.get(of)) else {
            return;
        };
        let session_id = session.id().clone();
        let (allow_sudo, limits) = (session.allow_sudo(), session.limits());
        let journal = self.agent.journal().cloned();
        let label = Label::new(&username, &command);
        let record = CommandRecord::asked_for_in(of, stream, command_id.clone(), label, journal, now);
        // Before the command is on its way: what runs is known.
        self.commands.add(record, &mut self.out);
        self.out.notify(Notice::CommandAsked(AskedCommand {
            command_id: command_id.clone(),
            session_id: session_id.clone(),
            user,
            command: command.clone(),
            timeout_seconds,
            allow_sudo,
            at: now,
        }));
        self.tell_agent(&ToAgent::Run {
            stream,
            session_id: Some(session_id),
            command: command.clone(),
            timeout_seconds,
            allow_sudo,
            username,
            script: false,
            limits,
            approval: None,
        });
        let command_id = command_id.into();
        self.out.say(socket, &ToClient::CommandStarted { command_id, command });
    }

    /// The name of a command that is asked for in a terminal: the time, as those of all commands begin, a number that the machine
    /// never has twice, and what it has of its own.
    fn new_command_id(&self, now: u64, stream: StreamId) -> Option<CommandId> {
        let own = self.machine.id()?.as_str().get(12..)?;
        format!("cmd_{:012x}{:08x}{own}", now & 0xffff_ffff_ffff, stream.0)
            .parse()
            .ok()
    }

    /// The same, as a version before this one made it.
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
                    ..
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
            NoResult::NeedsApproval => return self.await_approval(now, stream, error),
            NoResult::Refused => CommandStatus::Refused,
            NoResult::Lost => CommandStatus::Unknown,
            NoResult::NotRun | NoResult::NotKnown => CommandStatus::Failed,
        };
        self.answer(now, stream, CommandResult::without_output(status, error));
    }

    /// A command has ended: keeps its result, tells who should know, and lets the agent forget it. The client that asked for it
    /// and is not there is answered when it comes back.
    pub(super) fn answer(&mut self, now: u64, stream: StreamId, result: CommandResult) {
        let Some(command) = self.commands.get(stream).filter(|command| !command.has_ended()) else {
            return self.tell_agent(&ToAgent::Forget { stream });
        };
        let command_id = command.id().clone();
        let told = !command.is_waiting();
        let waits = command.session().is_some_and(|of| self.commander_of(of).is_none());
        self.out.keep(command_id.clone(), result.clone());
        self.out.notify(Notice::CommandEnded {
            command_id,
            status: result.status,
            exit_code: result.exit_code,
            signal: result.signal.clone(),
            error: result.error.clone(),
            truncated: result.truncated,
            duration_ms: result.duration_ms,
            at: now,
        });
        if waits {
            self.commands.ended(stream, &mut self.out);
        }
        self.tell_ended(stream, result);
        if !waits {
            self.commands.remove(stream, &mut self.out);
        }
        if told {
            self.tell_agent(&ToAgent::Forget { stream });
        }
        // There may be room for another.
        self.start_commands(now);
    }

    /// A session's client is there: it is told of the results that waited for it, and the agent is asked for the others. That answers
    /// at once, or when a command ends.
    pub(super) fn collect(&mut self, of: StreamId) {
        let Some(socket) = self.commander_of(of) else { return };
        for stream in self.commands.of_session(of) {
            match self.commands.get(stream).filter(|command| command.has_ended()) {
                Some(command) => {
                    self.out.answer(socket, command.id().clone());
                    self.commands.remove(stream, &mut self.out);
                }
                None => self.tell_agent(&ToAgent::Collect { stream }),
            }
        }
    }

    /// Kills the commands of a session that is over.
    pub(super) fn end_commands(&mut self, now: u64, of: StreamId) {
        for stream in self.commands.of_session(of) {
            if self.commands.get(stream).is_some_and(Command::is_sent) {
                self.tell_agent(&ToAgent::Close { stream });
                let result = CommandResult::without_output(CommandStatus::Cancelled, SESSION_OVER);
                self.answer(now, stream, result);
            }
            self.commands.remove(stream, &mut self.out);
        }
    }

    /// Brings the agent's commands in line with the relay's: those that were ended while it was away, and those whose result is
    /// awaited. What the agent does not list is asked for like the rest: an order to run it may be on its way.
    pub(super) fn reconcile_commands(&mut self, listed: &[StreamId]) {
        for stream in listed.iter().copied() {
            // What waits it was never told of: it is another's.
            if self.commands.get(stream).is_none_or(|command| !command.is_sent()) {
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
