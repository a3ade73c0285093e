//! What people do with commands.
pub mod cancel;
pub mod find;
pub mod list;
pub mod run;
pub mod run_many;

use protocol::ids::CommandId;

use super::access::RunRight;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// Longest name of a program in the audit log, in characters.
const MAX_PROGRAM: usize = 64;

/// What a client is told of a machine whose agent is not there (contract).
const OFFLINE: &str = "agent not connected";

/// What somebody ran on a machine, for its log. Not the text: that may hold a secret, which nobody could take out of the log
/// again. The command's own row has it.
fn executed(caller: &Caller, right: &RunRight, id: &CommandId, command: &str) -> Event {
    let event = caller
        .event(Action::CommandExecuted, Resource::Machine)
        .within(right.organization())
        .on(right.machine())
        .detail("machine", right.name())
        .detail("agent_id", right.agent_id().as_str())
        .detail("command_id", id.as_str());
    match program(command) {
        Some(program) => event.detail("program", program),
        None => event,
    }
}

/// The program that a command begins with, where that is plainly a program and nothing else: no assignment, no quotes.
fn program(command: &str) -> Option<&str> {
    let word = command.split_whitespace().next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
    (word.len() <= MAX_PROGRAM && word.chars().all(plain)).then_some(word)
}

fn busy(limit: usize) -> ApiError {
    ApiError::conflict(
        "too_many_commands",
        format!("{limit} commands are running or waiting on this machine already; wait for one to end"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_gets_the_name_of_a_program_and_nothing_that_could_be_a_secret() {
        for (command, expected) in [
            ("uptime", Some("uptime")),
            ("  /usr/bin/apt-get install nginx", Some("/usr/bin/apt-get")),
            ("PGPASSWORD=hunter2 psql", None),
            ("echo hunter2 | sudo -S true", Some("echo")),
            ("'my program'", None),
            ("$(cat key)", None),
            ("x;rm", None),
            ("", None),
        ] {
            assert_eq!(program(command), expected, "{command}");
        }
        assert_eq!(program(&"x".repeat(MAX_PROGRAM + 1)), None);
    }
}
