//! Commands of which the agent says that somebody has to approve them: they wait here, are told to the directory, and are given to
//! the agent again with what proves that they were approved. It is the agent that asks, so a relay that knows nothing of approvals
//! starts nothing that needs one.
use protocol::api::command_policy::Policies;
use protocol::api::commands::{CommandResult, CommandStatus};
use protocol::ids::StreamId;
use protocol::relay_contract::DecideCommand;
use protocol::terminal::agent::ToAgent;

use super::RelayState;
use super::action::Notice;
use super::commands::Command;
use super::queued::WAITS_FOR_AGENT;

/// How long a command waits for somebody to approve it, in milliseconds: the next working day, and not the next week, when nobody
/// remembers why.
pub const WAITS_FOR_APPROVAL: u64 = 24 * 3600 * 1000;

const NEEDS_API: &str = "what is sent through the API waits for that";
pub const NOT_APPROVED: &str = "nobody approved it in time; it did not run";
pub const TOO_OLD: &str = "the machine's agent is too old to hold to what commands may run there: update it";

impl RelayState {
    /// The agent wants a command approved: it waits for that. One that was asked for in a terminal's socket does not.
    pub(super) fn await_approval(&mut self, now: u64, stream: StreamId, error: &str) {
        let Some(command) = self.commands.get(stream).filter(|command| command.is_sent()) else {
            return;
        };
        let (command_id, error) = (command.id().clone(), error.to_owned());
        // What was called off meanwhile has ended: it did not start.
        if let Some(why) = command.stopped() {
            let result = CommandResult::without_output(CommandStatus::Cancelled, why.words());
            return self.answer(now, stream, result);
        }
        let until = now + WAITS_FOR_APPROVAL;
        if !self.commands.await_approval(stream, until, &mut self.out) {
            let error = format!("{error}; {NEEDS_API}");
            return self.answer(
                now,
                stream,
                CommandResult::without_output(CommandStatus::Refused, &error),
            );
        }
        self.out.notify(Notice::CommandAwaits { command_id, error });
        // It would take a second order for the first.
        self.tell_agent(&ToAgent::Forget { stream });
        // There is room for another.
        self.start_commands(now);
    }

    /// Somebody who may has decided of a command. One that does not wait for that stays as it is.
    pub fn decide_command(&mut self, now: u64, decided: DecideCommand) {
        let command = self.commands.find(&decided.command_id);
        let Some(stream) = command.filter(|command| command.awaits_approval()).map(Command::stream) else {
            return;
        };
        match decided.approval {
            Some(proof) => {
                let until = now + WAITS_FOR_AGENT;
                if self.commands.approve(stream, proof, until, &mut self.out) {
                    self.start_commands(now);
                }
            }
            None => {
                let result = CommandResult::without_output(CommandStatus::Rejected, &decided.error);
                self.answer(now, stream, result);
            }
        }
    }

    /// What commands may run on the machine, as the directory has it.
    pub(super) fn police(&mut self, policies: Policies) {
        self.agent.police(policies, &mut self.out);
    }
}
