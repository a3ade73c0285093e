//! Commands that were sent through the API: accepted here, started once at most, and their results kept.
//!
//! `Waiting` until the agent is there and the directory says that the right to it still holds; `Sent` once the agent was told;
//! then there is a result, and no record any more. The agent notes on its disk what it starts, before it does: so one that does
//! not know a command, and still has the notes it had when it was told, has not started it. Of any other it is not known what
//! became of it, and it is not run again.
use protocol::api::commands::{CommandResult, CommandStatus};
use protocol::ids::{CommandId, StreamId};
use protocol::limits::{MAX_COMMANDS, MAX_WAITING_COMMANDS};
use protocol::relay_contract::{CommandAnswer, RunCommand};
use protocol::terminal::agent::ToAgent;

use super::RelayState;
use super::action::Notice;
use super::approval::{NOT_APPROVED, TOO_OLD};
use super::commands::Command;
use super::record::{AnswerTo, Approval, CommandRecord, Label, Order, Progress, Stop};
use super::rights::{CommandClaim, Question};

/// How long a command waits for its agent, in milliseconds (contract of the API).
pub const WAITS_FOR_AGENT: u64 = 24 * 3600 * 1000;

/// How long a command that does not wait for its agent may take to be on its way, in milliseconds. All that is done in that
/// time is to ask the directory.
const STARTS_WITHIN: u64 = 30_000;

/// How long a result is awaited of an agent that was told of the command, in milliseconds. Agents are away over a weekend; what
/// has not come after a week stays unknown.
const RESULT_AWAITED: u64 = 7 * 24 * 3600 * 1000;

/// How long after a question that has no answer it is asked again, in milliseconds.
const ASK_AGAIN_AFTER: u64 = 30_000;

const OFFLINE: &str = "agent not connected";
const EXPIRED: &str = "the machine did not come back in time; it did not run";
const NOT_REACHED: &str = "the link was lost before the machine had it; it did not run";
const UNCHECKED: &str = "the right to it could not be checked just now; it did not run";
const NEVER_HEARD_OF: &str = "the machine has lost its notes of what it started; whether it ran is not known";
const NOT_HEARD_OF: &str = "the machine was told to run it and has not come back; whether it ran is not known";

impl Stop {
    /// For people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Cancelled => "it was cancelled",
            Self::AccessRevoked => "the right to it was withdrawn",
        }
    }
}

impl RelayState {
    /// Takes a command that was sent through the API. The answer, if there is one, is that it is not taken. One that is known
    /// goes on.
    pub fn run_command(&mut self, now: u64, run: RunCommand) -> Option<CommandAnswer> {
        if self.commands.find(&run.command_id).is_some() {
            return None;
        }
        self.machine.learn(&run.machine, &run.agent_id, &mut self.out);
        if !run.when_online && !self.agent.is_online() {
            return Some(CommandAnswer::Offline);
        }
        if !run.when_online && self.commands.under_way() >= MAX_COMMANDS {
            return Some(CommandAnswer::Busy { limit: MAX_COMMANDS });
        }
        if self.commands.waiting() >= MAX_WAITING_COMMANDS {
            let limit = MAX_WAITING_COMMANDS;
            return Some(CommandAnswer::Busy { limit });
        }
        let stream = self.machine.mint_stream(&mut self.out)?;
        let patience = if run.when_online {
            WAITS_FOR_AGENT
        } else {
            STARTS_WITHIN
        };
        let record = CommandRecord {
            stream,
            command_id: run.command_id,
            label: Label::new(&run.username, &run.command),
            answer_to: AnswerTo::Edge {
                user: run.user,
                until: now + patience,
                when_online: run.when_online,
            },
            progress: Progress::Waiting {
                order: Order {
                    username: run.username,
                    command: run.command,
                    timeout_seconds: run.timeout_seconds,
                    allow_sudo: run.allow_sudo,
                    script: run.script,
                    limits: run.limits,
                },
            },
            approval: Approval::NotNeeded,
        };
        self.commands.add(record, &mut self.out);
        self.recheck_soon(now);
        self.start_commands(now);
        None
    }

    /// How far a command has come that has not ended.
    pub fn command_status(&self, command_id: &CommandId) -> Option<CommandStatus> {
        let command = self.commands.find(command_id).filter(|command| !command.has_ended())?;
        Some(if command.awaits_approval() {
            CommandStatus::AwaitingApproval
        } else if command.is_waiting() {
            CommandStatus::Queued
        } else {
            CommandStatus::Sent
        })
    }

    /// Calls a command off by order of somebody who may.
    pub fn cancel_command(&mut self, now: u64, command_id: &CommandId) {
        let command = self.commands.find(command_id).filter(|command| !command.has_ended());
        if let Some(stream) = command.map(Command::stream) {
            self.stop_command(now, stream, Stop::Cancelled);
        }
    }

    /// One that waits has ended with this; one that runs is killed, now or when its agent is back.
    pub(super) fn stop_command(&mut self, now: u64, stream: StreamId, why: Stop) {
        if self.commands.get(stream).is_some_and(Command::is_waiting) {
            let result = CommandResult::without_output(CommandStatus::Cancelled, why.words());
            return self.answer(now, stream, result);
        }
        self.commands.stop(stream, why, &mut self.out);
        self.tell_agent(&ToAgent::Close { stream });
    }

    /// While the agent is there and has room for more: asks whether those that wait may start.
    pub(super) fn start_commands(&mut self, now: u64) {
        if !self.agent.is_online() {
            return;
        }
        let room = MAX_COMMANDS.saturating_sub(self.commands.under_way());
        let asked = self.commands.ask_for(room, now + ASK_AGAIN_AFTER);
        if !asked.is_empty() {
            let claim = |(stream, command_id)| CommandClaim {
                stream,
                command_id,
                starts: true,
            };
            let claims = asked.into_iter().map(claim).collect();
            let agent_key = self.agent.key().map(str::to_owned);
            self.out.ask(Question::of_commands(claims, agent_key, self.epoch()));
        }
    }

    /// The directory says whether a command may be run. `old` is an answer to a question from before something was withdrawn.
    pub(super) fn judge_command(&mut self, now: u64, claim: &CommandClaim, holds: bool, old: bool) {
        let stream = claim.stream;
        if claim.starts {
            self.commands.answered(stream);
        }
        if self.commands.get(stream).is_none() {
            return;
        }
        match claim.starts {
            _ if !holds => self.stop_command(now, stream, Stop::AccessRevoked),
            true if old => self.start_commands(now),
            true => self.send_command(now, stream),
            false => {}
        }
    }

    /// Whether a command may be run could not be asked. One that waits for its agent waits on.
    pub(super) fn command_not_judged(&mut self, now: u64, claim: &CommandClaim) {
        let command = self.commands.get(claim.stream).filter(|_| claim.starts);
        if command.is_some_and(|command| command.is_waiting() && !command.waits_for_agent()) {
            let result = CommandResult::without_output(CommandStatus::Failed, UNCHECKED);
            self.answer(now, claim.stream, result);
        }
    }

    fn send_command(&mut self, now: u64, stream: StreamId) {
        let Some(command) = self.commands.get(stream) else {
            return;
        };
        if !self.agent.is_online() {
            if command.is_waiting() && !command.waits_for_agent() {
                let result = CommandResult::without_output(CommandStatus::Failed, OFFLINE);
                self.answer(now, stream, result);
            }
            return;
        }
        if command.is_waiting() && self.agent.is_too_old() {
            let result = CommandResult::without_output(CommandStatus::Failed, TOO_OLD);
            return self.answer(now, stream, result);
        }
        let command_id = command.id().clone();
        let approval = command.approval().map(str::to_owned);
        let journal = self.agent.journal();
        let Some(order) = self.commands.send(now, stream, journal, &mut self.out) else {
            return;
        };
        self.out.notify(Notice::CommandSent { command_id, at: now });
        self.tell_agent(&ToAgent::Run {
            stream,
            session_id: None,
            command: order.command,
            timeout_seconds: order.timeout_seconds,
            allow_sudo: order.allow_sudo,
            username: order.username,
            script: order.script,
            limits: order.limits,
            approval,
        });
    }

    /// The agent knows nothing of a command that it was told of.
    pub(super) fn never_arrived(&mut self, now: u64, stream: StreamId) {
        // An answer to what was asked before it was told again.
        if !self.commands.is_not_known(stream) {
            return;
        }
        let Some(command) = self.commands.get(stream) else {
            return;
        };
        let Progress::Sent { journal, stop, .. } = command.progress() else {
            return;
        };
        // With the notes it had then, it would know what it has started.
        let noted = journal.is_some() && journal.as_ref() == self.agent.journal();
        let stop = *stop;
        let result = match (noted, stop) {
            (true, Some(why)) => CommandResult::without_output(CommandStatus::Cancelled, why.words()),
            (true, None) if self.commands.wait_again(stream, &mut self.out) => return self.start_commands(now),
            (true, None) => CommandResult::without_output(CommandStatus::Failed, NOT_REACHED),
            (false, _) => CommandResult::without_output(CommandStatus::Unknown, NEVER_HEARD_OF),
        };
        self.answer(now, stream, result);
    }

    /// Asks for the results that are to be kept here.
    pub(super) fn collect_queued(&mut self) {
        for (stream, stopped) in self.commands.collect() {
            if stopped {
                self.tell_agent(&ToAgent::Close { stream });
            }
            self.tell_agent(&ToAgent::Collect { stream });
        }
    }

    /// When something of the commands is due.
    pub(super) fn commands_due(&self) -> Option<u64> {
        let again = self.commands.ask_again_at();
        self.commands
            .iter()
            .filter_map(|command| command.due(RESULT_AWAITED))
            .chain(again)
            .min()
    }

    /// Gives up what has waited long enough, and asks again what has no answer.
    pub(super) fn expire_commands(&mut self, now: u64) {
        let due = |command: &&Command| command.due(RESULT_AWAITED).is_some_and(|at| now >= at);
        let due: Vec<StreamId> = self.commands.iter().filter(due).map(Command::stream).collect();
        for stream in due {
            let Some(command) = self.commands.get(stream) else {
                continue;
            };
            let result = match (command.is_waiting(), command.waits_for_agent()) {
                (true, _) if command.awaits_approval() => {
                    CommandResult::without_output(CommandStatus::Expired, NOT_APPROVED)
                }
                (true, true) => CommandResult::without_output(CommandStatus::Expired, EXPIRED),
                (true, false) => CommandResult::without_output(CommandStatus::Failed, UNCHECKED),
                (false, _) => CommandResult::without_output(CommandStatus::Unknown, NOT_HEARD_OF),
            };
            self.answer(now, stream, result);
        }
        if self.commands.ask_again_at().is_some_and(|at| now >= at) {
            self.commands.forget_questions();
            self.start_commands(now);
        }
    }
}
