//! What the audit log has of commands that were run, however they were sent.
use protocol::ids::{AgentId, CommandId, ObjectId};

use super::access::RunRight;
use crate::audit::{Action, Event, Resource};

/// What somebody does by running a command.
pub const RUNS: (Action, Resource) = (Action::CommandExecuted, Resource::Machine);

/// Longest name of a program in the audit log, in characters.
const MAX_PROGRAM: usize = 64;

/// The machine that it ran on.
#[derive(Debug)]
pub struct Place<'a> {
    pub organization: &'a ObjectId,
    pub machine: &'a ObjectId,
    pub agent_id: &'a AgentId,
    pub name: &'a str,
}

impl<'a> From<&'a RunRight> for Place<'a> {
    fn from(right: &'a RunRight) -> Self {
        Self {
            organization: right.organization(),
            machine: right.machine(),
            agent_id: right.agent_id(),
            name: right.name(),
        }
    }
}

/// What somebody ran on a machine, for its log. Not the text: that may hold a secret, which nobody could take out of the log
/// again. The command's own row has it.
pub fn executed(event: Event, place: &Place, id: &CommandId, command: &str) -> Event {
    let event = event
        .within(place.organization)
        .on(place.machine)
        .detail("machine", place.name)
        .detail("agent_id", place.agent_id.as_str())
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
