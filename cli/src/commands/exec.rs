//! `vsay exec`: a command without a terminal, followed to its end.
use std::io::Write;
use std::time::Duration;

use protocol::api::commands::{Command, CommandDetail, CommandStatus, RunOnMachine};
use protocol::ids::CommandId;
use protocol::terminal::ExitStatus;

use crate::args::Exec;
use crate::client::Client;
use crate::config::ConfigFile;
use crate::error::{Error, FAILED, tell};
use crate::terminal;

/// Exit status if its time was up, as that of timeout(1).
const TIMED_OUT: i32 = 124;

/// Exit status if nobody knows what came of it, or it was not run: no command means this by it, as with env(1) and nohup(1).
const NOT_KNOWN: i32 = 125;

/// Exit status if it must not run, as that of shells for what may not be executed.
const REFUSED: i32 = 126;

/// Pause before the first look at what came of it; each is twice as long as the one before.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// Longest pause between two looks: short for whoever waits, and no load to speak of.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Sends a command and follows it to its end, whose exit status is ours.
pub async fn run(file: &ConfigFile, exec: Exec) -> Result<i32, Error> {
    match send(file, exec).await {
        // Its own exit status may be that of our failures.
        Err(error) if error.exit_status() == FAILED => {
            tell(&format!("vsay: {error}\n"));
            Ok(NOT_KNOWN)
        }
        outcome => outcome,
    }
}

async fn send(file: &ConfigFile, exec: Exec) -> Result<i32, Error> {
    let client = Client::signed_in(&file.load()?)?;
    let machine = client.machine(&exec.machine).await?;
    let command = RunOnMachine {
        command: exec.command.join(" "),
        wait: false,
        timeout_seconds: exec.timeout,
        when_online: exec.when_online,
    };
    let sent = client.send_command(&machine.agent_id, &command).await?;
    let asked = terminal::asked_to_end();
    tokio::select! {
        ended = follow(&client, &sent.command_id) => report(&ended?),
        status = asked => {
            let status = status?;
            let id = &sent.command_id;
            tell(&format!("\nIt goes on without you. In the console, Commands has it, by the id {id}.\n"));
            Ok(status)
        }
    }
}

/// Waits for the end of a command, and says meanwhile what it waits for.
async fn follow(client: &Client, id: &CommandId) -> Result<CommandDetail, Error> {
    let (mut pause, mut said) = (FIRST_LOOK, String::new());
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_EVERY);
        let words = match client.command(id).await {
            Ok(detail) if detail.command.status.is_final() => return Ok(detail),
            Ok(detail) => waits_for(&detail.command),
            // A network that is away for a moment does not end a wait.
            Err(error @ Error::Unreachable { .. }) => format!("{error}; trying again"),
            Err(error) => return Err(error),
        };
        if words != said {
            tell(&words);
            if !words.is_empty() {
                tell("\n");
            }
            said = words;
        }
    }
}

/// What a command waits for that has not ended; nothing while it runs.
fn waits_for(command: &Command) -> String {
    let why = command.error.as_deref().unwrap_or("It needs approval");
    match (command.status, &command.decided_by) {
        (CommandStatus::AwaitingApproval, None) => {
            format!("{why}. It waits for an administrator to approve it, for 24 hours at most.")
        }
        (CommandStatus::Queued | CommandStatus::Sent, Some(who)) => format!("{who} approved it."),
        (CommandStatus::Queued, None) => "It waits for its machine, for 24 hours at most.".to_owned(),
        _ => String::new(),
    }
}

/// Writes what a command wrote, says what else is to be said of its end, and answers the exit status.
fn report(detail: &CommandDetail) -> Result<i32, Error> {
    std::io::stdout().write_all(detail.stdout.as_bytes())?;
    tell(&detail.stderr);
    if detail.command.truncated {
        tell("vsay: it wrote more than is kept\n");
    }
    let (words, status) = end_of(&detail.command);
    if let Some(words) = words {
        tell(&format!("vsay: {words}\n"));
    }
    Ok(status)
}

/// What is to be said of how a command ended, and the exit status.
fn end_of(command: &Command) -> (Option<String>, i32) {
    let word = command.status.as_str();
    let words = || command.error.clone().unwrap_or_else(|| format!("the command: {word}"));
    match command.status {
        CommandStatus::Completed => {
            let exit = ExitStatus {
                code: command.exit_code,
                signal: command.signal.clone(),
                reason: None,
            };
            (None, terminal::exit_status(&exit))
        }
        CommandStatus::Timeout => (Some("its time was up, and it was killed".to_owned()), TIMED_OUT),
        CommandStatus::Refused | CommandStatus::Rejected => (Some(words()), REFUSED),
        _ => (Some(words()), NOT_KNOWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(change: impl FnOnce(&mut Command)) -> Command {
        let mut command: Command = serde_json::from_str(SAMPLE).unwrap();
        change(&mut command);
        command
    }

    const SAMPLE: &str = r#"{
        "command_id": "cmd_00000000000000000000000a", "batch_id": null, "session_id": null, "agent_id": "0123456789ab",
        "machine_id": "00000000000000000000000b", "machine_name": "web", "user_id": "00000000000000000000000c",
        "username": "ann", "source": "api", "command": "id", "allow_sudo": false, "status": "completed", "exit_code": 0,
        "signal": null, "error": null, "decided_by": null, "decided_at": null, "decision_reason": null,
        "truncated": false, "duration_ms": 1, "created_at": "2026-01-01T00:00:00Z", "sent_at": null, "finished_at": null
    }"#;

    #[test]
    fn the_exit_status_says_what_came_of_it() {
        let end = |change: fn(&mut Command)| end_of(&command(change));
        assert_eq!(end(|command| command.exit_code = Some(7)), (None, 7));
        let killed = end(|command| {
            (command.exit_code, command.signal) = (None, Some("SIGKILL".to_owned()));
        });
        assert_eq!(killed, (None, 137));
        assert_eq!(end(|command| command.status = CommandStatus::Timeout).1, 124);
        let rejected = end(|command| {
            command.status = CommandStatus::Rejected;
            command.error = Some("ada rejected it: not today".to_owned());
        });
        assert_eq!(rejected, (Some("ada rejected it: not today".to_owned()), 126));
        assert_eq!(end(|command| command.status = CommandStatus::Refused).1, 126);
        for status in [
            CommandStatus::Cancelled,
            CommandStatus::Failed,
            CommandStatus::Unknown,
            CommandStatus::Expired,
        ] {
            let (words, code) = end_of(&command(|command| command.status = status));
            assert_eq!((code, words.is_some()), (125, true), "{status:?}");
        }
    }

    #[test]
    fn who_waits_is_told_for_what() {
        let waits = |change: fn(&mut Command)| waits_for(&command(change));
        let words = waits(|command| {
            command.status = CommandStatus::AwaitingApproval;
            command.error = Some("tee needs approval: approval_required_commands of the machine has it".to_owned());
        });
        assert_eq!(
            words,
            "tee needs approval: approval_required_commands of the machine has it. \
             It waits for an administrator to approve it, for 24 hours at most."
        );
        let approved = waits(|command| {
            (command.status, command.decided_by) = (CommandStatus::Queued, Some("ada".to_owned()));
        });
        assert_eq!(approved, "ada approved it.");
        assert!(waits(|command| command.status = CommandStatus::Queued).contains("its machine"));
        assert_eq!(waits(|command| command.status = CommandStatus::Sent), "");
    }
}
