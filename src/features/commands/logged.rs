//! Commands that were sent, in the log of all that was run: added when they have ended, with what the organization wants masked.
use futures_util::future::LocalBoxFuture;
use protocol::api::commands::CommandStatus;
use protocol::ids::{CommandId, ObjectId};
use protocol::terminal::command_record::{MAX_COMMAND_TEXT, Seen, Text, within};
use worker::Env;

use super::row::{CommandRow, Ended};
use super::store;
use crate::audit::{Action, Event, Resource, record_if_changed};
use crate::features::command_logs::mask::Masks;
use crate::features::command_logs::store::{self as log, NewCommand, Sender};
use crate::platform::db::{Db, stored};

/// Adds some that have ended. Handed to the relays' crate when the Worker starts. One that is there already stays.
pub fn store(env: Env, machine: ObjectId, ended: Vec<CommandId>) -> LocalBoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        let find = (store::ended(&machine, &ended), log::masks_of(&machine));
        let (rows, masks) = db.run(find).await.map_err(|error| error.to_string())?;
        let masks = Masks::of(&masks);
        let mut new = Vec::new();
        for row in rows {
            let refusal = (row.command.status == CommandStatus::Refused).then(|| refusal(&machine, &row));
            let Some(entry) = entry(row.command, &masks) else {
                continue;
            };
            let Some(refusal) = refusal else {
                new.push(entry);
                continue;
            };
            let insert = log::insert(&machine, &[entry]).map_err(|error| error.cause().to_string())?;
            let write = (insert, record_if_changed(&refusal));
            db.run(write).await.map_err(|error| error.to_string())?;
        }
        if new.is_empty() {
            return Ok(());
        }
        let insert = log::insert(&machine, &new).map_err(|error| error.cause().to_string())?;
        db.run(insert).await.map(drop).map_err(|error| error.to_string())
    })
}

/// That a machine refused a command, for its organization's log.
fn refusal(machine: &ObjectId, row: &Ended) -> Event {
    let command = &row.command;
    Event::of(Action::CommandRefused, Resource::Machine)
        .by(&command.user_id, &command.username)
        .within(&row.organization_id)
        .on(machine)
        .detail("machine", command.machine_name.as_str())
        .detail("agent_id", command.agent_id.as_str())
        .detail("command_id", command.command_id.as_str())
        .detail("why", command.error.as_deref())
}

/// The row of a command that was started, or refused by its machine; nothing for one that never was there.
fn entry(command: CommandRow, masks: &Masks) -> Option<NewCommand> {
    let started = command.sent_at?;
    let (outcome, exit_code) = match (command.status, command.exit_code) {
        (CommandStatus::Completed, Some(code)) => ("exited", Some(code)),
        (CommandStatus::Completed | CommandStatus::Timeout | CommandStatus::Cancelled | CommandStatus::Unknown, _) => {
            ("unknown", None)
        }
        (CommandStatus::Refused, _) => ("unknown", None),
        _ => return None,
    };
    let kept = within(&command.command, MAX_COMMAND_TEXT);
    let text = if kept.len() == command.command.len() {
        Text::Whole
    } else {
        Text::Cut
    };
    Some(NewCommand {
        id: log_id(&command.command_id)?,
        session_id: command.session_id.clone().unwrap_or_default(),
        text: text.as_str(),
        seen: Seen::Announced.as_str(),
        command: masks.apply(kept),
        cwd: String::new(),
        outcome,
        exit_code,
        started_at: stored(started),
        duration_ms: command.duration_ms,
        stream: None,
        from: None,
        to: None,
        missing: 0,
        policy: (command.status == CommandStatus::Refused).then_some("refused"),
        command_id: Some(command.command_id.to_string()),
        // Of one that was asked for in a terminal the session knows it, as of what is typed there.
        by: command.session_id.is_none().then_some(Sender {
            user_id: command.user_id,
            username: command.username,
            source: command.source,
            browser: String::new(),
            os_info: String::new(),
            ip_address: String::new(),
        }),
    })
}

/// The row's own name, which a command has once on its machine: the end of the command's.
fn log_id(command: &CommandId) -> Option<ObjectId> {
    let hex = command.as_str().strip_prefix("cmd_")?;
    hex.get(hex.len().checked_sub(24)?..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::features::command_logs::store::MasksRow;

    fn row(status: &str, exit_code: Option<i32>, sent: bool) -> CommandRow {
        let at = "2026-01-01T00:00:00Z";
        serde_json::from_value(json!({
            "command_id": "cmd_0123456789abcdef01234567", "batch_id": null, "session_id": null, "agent_id": "00000000000a",
            "machine_id": "00000000000000000000000a", "machine_name": "web", "user_id": "00000000000000000000000b",
            "username": "ann", "source": "api", "command": "mysql --password hunter2", "sudo": 0, "status": status,
            "exit_code": exit_code, "signal": null, "error": null, "decided_by": null, "decided_at": null,
            "decision_reason": null, "truncated": 0, "duration_ms": 5, "created_at": at,
            "sent_at": sent.then_some(at), "finished_at": at
        }))
        .unwrap()
    }

    #[test]
    fn what_was_started_is_logged_without_what_is_masked() {
        let masks = Masks::of(&[MasksRow {
            command_masks: vec!["--password *".into()],
        }]);
        let logged = entry(row("completed", Some(3), true), &masks).unwrap();
        assert_eq!((logged.outcome, logged.exit_code), ("exited", Some(3)));
        assert!(!logged.command.contains("hunter2"), "{}", logged.command);
        assert_eq!(logged.id.as_str(), "0123456789abcdef01234567");
        for status in ["timeout", "cancelled", "unknown"] {
            let logged = entry(row(status, None, true), &masks).unwrap();
            assert_eq!((logged.outcome, logged.exit_code), ("unknown", None), "{status}");
        }
    }

    #[test]
    fn what_was_refused_is_marked_as_that() {
        let logged = entry(row("refused", None, true), &Masks::default()).unwrap();
        assert_eq!(
            (logged.outcome, logged.exit_code, logged.policy),
            ("unknown", None, Some("refused"))
        );
        let logged = entry(row("completed", Some(0), true), &Masks::default()).unwrap();
        assert_eq!(logged.policy, None);
    }

    #[test]
    fn what_never_ran_is_in_no_log() {
        for (status, sent) in [
            ("failed", true),
            ("expired", false),
            ("cancelled", false),
            ("rejected", false),
        ] {
            assert!(entry(row(status, None, sent), &Masks::default()).is_none(), "{status}");
        }
    }
}
