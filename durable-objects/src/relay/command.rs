//! Commands that published clients ask for: run by the agent without a terminal, answered once with what they wrote.
//!
//! The agent keeps a result until the relay has passed it on. What the relay knows of a command is its number, in its
//! session's record; so neither a cut link nor a loss of memory loses a result, and a client that was cut gets it when it
//! comes back to its session.
use protocol::ids::StreamId;
use protocol::limits::MAX_COMMANDS;
use protocol::relay_contract::Dialect;
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::published::ToClient;

use super::RelayState;
use super::action::Socket;
use super::published::Published;
use super::viewer::Viewer;

/// How a command went, as the agent says.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub truncated: bool,
    pub timed_out: bool,
    pub status: ExitStatus,
}

impl RelayState {
    /// A published client wants a command run.
    pub(super) fn run(&mut self, socket: Socket, command: String, timeout_seconds: u32) {
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
        let running: usize = self.sessions.iter().map(|session| session.commands().len()).sum();
        if running >= MAX_COMMANDS {
            let error = format!("{MAX_COMMANDS} commands run on this machine already; wait for one to end");
            return self.say_error(socket, "TOO_MANY_COMMANDS", &error);
        }
        let Some(stream) = self.machine.mint_stream(&mut self.out) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(of) else {
            return;
        };
        let run = ToAgent::Run {
            stream,
            session_id: session.id().clone(),
            command: command.clone(),
            timeout_seconds,
            allow_sudo: session.allow_sudo(),
            username,
        };
        // Before the command is on its way: what runs is known.
        session.command_started(stream, &mut self.out);
        self.tell_agent(&run);
        let command_id = self.command_id(stream);
        self.out.say(socket, &ToClient::CommandStarted { command_id, command });
    }

    /// A command ended.
    pub(super) fn ran(&mut self, stream: StreamId, ran: Ran) {
        let error = match &ran.status {
            _ if ran.timed_out => Some("it ran out of time and was killed".to_owned()),
            ExitStatus {
                code: None,
                signal: Some(signal),
            } => Some(format!("it was ended by {signal}")),
            _ => None,
        };
        let result = ToClient::CommandOutput {
            command_id: self.command_id(stream),
            stdout: ran.stdout,
            stderr: ran.stderr,
            exit_code: ran.status.code,
            completed: !ran.timed_out,
            truncated: ran.truncated,
            error,
        };
        self.pass_on(stream, &result);
    }

    /// A command did not run, or what came of it is lost.
    pub(super) fn run_failed(&mut self, stream: StreamId, error: String) {
        let result = ToClient::CommandOutput {
            command_id: self.command_id(stream),
            stdout: String::new(),
            stderr: String::new(),
            exit_code: None,
            completed: false,
            truncated: false,
            error: Some(error),
        };
        self.pass_on(stream, &result);
    }

    /// Gives a result to the client of its session and forgets the command; without one the agent keeps it.
    fn pass_on(&mut self, stream: StreamId, result: &ToClient) {
        let Some(of) = self.sessions.find_by_command(stream) else {
            return self.tell_agent(&ToAgent::Forget { stream });
        };
        let Some(socket) = self.commander_of(of) else { return };
        self.out.say(socket, result);
        if let Some(session) = self.sessions.get_mut(of) {
            session.command_answered(stream, &mut self.out);
        }
        self.tell_agent(&ToAgent::Forget { stream });
    }

    /// Asks for the results that a session's client waits for. The agent answers at once, or when the command ends.
    pub(super) fn collect(&mut self, of: StreamId) {
        if self.commander_of(of).is_none() {
            return;
        }
        for stream in self.commands_of(of) {
            self.tell_agent(&ToAgent::Collect { stream });
        }
    }

    /// Kills the commands of a session that is over.
    pub(super) fn end_commands(&mut self, of: StreamId) {
        for stream in self.commands_of(of) {
            self.tell_agent(&ToAgent::Close { stream });
            self.tell_agent(&ToAgent::Forget { stream });
        }
    }

    /// Brings the agent's commands in line with the sessions', which ended while it was away or are still waited for.
    pub(super) fn reconcile_commands(&mut self, commands: Vec<StreamId>) {
        for stream in commands {
            if self.sessions.find_by_command(stream).is_none() {
                self.tell_agent(&ToAgent::Close { stream });
                self.tell_agent(&ToAgent::Forget { stream });
            }
        }
        for of in self.sessions.streams() {
            self.collect(of);
        }
    }

    fn commands_of(&self, of: StreamId) -> Vec<StreamId> {
        self.sessions
            .get(of)
            .map_or_else(Vec::new, |session| session.commands().to_vec())
    }

    /// The client that hears of a session's commands, once it was told that the session is there. There is one at most.
    fn commander_of(&self, of: StreamId) -> Option<Socket> {
        let hears = |viewer: &Viewer| {
            let ready = viewer.published().is_some_and(Published::is_ready);
            viewer.stream() == Some(of) && viewer.dialect() == Dialect::Published && ready
        };
        self.viewers.find(hears)
    }

    /// What clients know a command by: the machine, and a number it never has twice.
    fn command_id(&self, stream: StreamId) -> String {
        let machine = self.machine.id().map_or("", |machine| machine.as_str());
        format!("cmd_{machine}{:08x}", stream.0)
    }
}
