//! What the relays have: records of commands, on their way to the table.
use futures_util::future::LocalBoxFuture;
use protocol::ids::ObjectId;
use protocol::terminal::command_record::{CommandRecord, Outcome};
use worker::Env;

use super::mask::Masks;
use super::store::{self, NewCommand};
use crate::platform::db::{Db, stored_ms};

/// Stores records of a machine. Handed to the relays' crate when the Worker starts.
pub fn store(env: Env, machine: ObjectId, records: Vec<CommandRecord>) -> LocalBoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        let masks = db.run(store::masks_of(&machine)).await;
        let masks = Masks::of(&masks.map_err(|error| error.to_string())?);
        let new: Vec<_> = records.into_iter().map(|record| typed(record, &masks)).collect();
        let insert = store::insert(&machine, &new).map_err(|error| error.cause().to_string())?;
        db.run(insert).await.map(drop).map_err(|error| error.to_string())
    })
}

/// The row of what was typed at a prompt. Who typed it is its session's.
pub(super) fn typed(record: CommandRecord, masks: &Masks) -> NewCommand {
    let (outcome, exit_code) = match record.outcome {
        Outcome::Exited { exit_code } => ("exited", Some(exit_code)),
        Outcome::Stopped => ("stopped", None),
        Outcome::Unknown => ("unknown", None),
    };
    NewCommand {
        id: record.id,
        session_id: record.session_id.to_string(),
        text: record.text.as_str(),
        seen: record.seen.as_str(),
        command: masks.apply(&record.command),
        cwd: record.cwd,
        outcome,
        exit_code,
        started_at: stored_ms(record.started_at),
        duration_ms: record.seen.has_end().then_some(record.duration_ms),
        stream: Some(record.stream.0),
        from: Some(record.from),
        to: Some(record.to),
        missing: record.missing,
        policy: record.against_policy.then_some("warned"),
        command_id: None,
        by: None,
    }
}
