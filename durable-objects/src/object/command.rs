//! Commands that the Worker hands over.
use std::time::Duration;

use protocol::api::commands::{CommandResult, CommandStatus};
use protocol::ids::CommandId;
use protocol::relay_contract::{CommandAnswer, DecideCommand, NamedCommand, RunCommand};
use worker::{Request, Response, Result};

use super::arrival::told;
use super::{Relay, now};

/// How long a result is awaited in one answer beyond the time that the command may take, in milliseconds: for the agent to start
/// and to kill it, and for the way there and back.
const ANSWERS_WITHIN: u64 = 10_000;

/// It is looked for a result as often as makes the answer a tenth later than it could be, within these bounds.
const LOOK_AGAIN_MS: std::ops::RangeInclusive<u64> = 5..=250;

impl Relay {
    /// Takes a command, and waits for its result if that is wanted. While somebody waits the object stays in memory.
    pub(super) async fn run_command(&self, mut req: Request) -> Result<Response> {
        let run: RunCommand = told(&mut req).await?;
        let command_id = run.command_id.clone();
        let begun = now();
        let until = begun + u64::from(run.timeout_seconds) * 1000 + ANSWERS_WITHIN;
        let waits = run.wait;
        let mut refused = None;
        self.event(|relay, now| refused = relay.run_command(now, run)).await;
        if let Some(refusal) = refused {
            return Response::from_json(&refusal);
        }
        loop {
            let answer = self.command_answer(&command_id)?;
            let at = now();
            let is_held = matches!(
                answer,
                CommandAnswer::Ended { .. }
                    | CommandAnswer::Pending {
                        status: CommandStatus::AwaitingApproval
                    }
            );
            if !waits || at >= until || is_held {
                return Response::from_json(&answer);
            }
            let pause = ((at - begun) / 10).clamp(*LOOK_AGAIN_MS.start(), *LOOK_AGAIN_MS.end());
            worker::Delay::from(Duration::from_millis(pause)).await;
        }
    }

    /// How far a command has come that was taken.
    fn command_answer(&self, command_id: &CommandId) -> Result<CommandAnswer> {
        let pending = self.live.borrow().relay.command_status(command_id);
        if let Some(status) = pending {
            return Ok(CommandAnswer::Pending { status });
        }
        match self.storage()?.result(command_id)? {
            Some(result) => Ok(CommandAnswer::Ended { result }),
            // The machine was deleted meanwhile, and all that was kept of it.
            None => Ok(CommandAnswer::Offline),
        }
    }

    pub(super) async fn cancel_command(&self, mut req: Request) -> Result<Response> {
        let NamedCommand { command_id } = told(&mut req).await?;
        self.event(|relay, now| relay.cancel_command(now, &command_id)).await;
        Response::empty().map(|response| response.with_status(204))
    }

    pub(super) async fn decide_command(&self, mut req: Request) -> Result<Response> {
        let decided: DecideCommand = told(&mut req).await?;
        self.event(|relay, now| relay.decide_command(now, decided)).await;
        Response::empty().map(|response| response.with_status(204))
    }

    pub(super) async fn command_result(&self, mut req: Request) -> Result<Response> {
        let NamedCommand { command_id } = told(&mut req).await?;
        let result: Option<CommandResult> = self.storage()?.result(&command_id)?;
        Response::from_json(&result)
    }
}
