//! Commands that wait for approval: written down when a machine says that it wants one, with an entry in the log and a letter to those
//! who decide.
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use protocol::ids::{CommandId, ObjectId};
use worker::Env;

use super::row::AwaitingRow;
use super::store;
use crate::audit::{Action, Event, Resource, record_if_changed};
use crate::platform::background::Background;
use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::db::Db;
use crate::platform::log;
use crate::platform::mail::Letter;

/// Most administrators who are told of one command, its sender last. Each letter is a request to the mail service.
const MAX_TOLD: usize = 10;

/// Writes some down, each with why it waits. Handed to the relays' crate when the Worker starts. What is known already is no news.
pub fn store(
    env: Env,
    machine: ObjectId,
    awaiting: Vec<(CommandId, String)>,
) -> LocalBoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        for (id, why) in &awaiting {
            let rows = db.run(store::awaiting(&machine, id)).await;
            let Some(row) = rows.map_err(|error| error.to_string())?.into_iter().next() else {
                continue;
            };
            let event = entry(&machine, &row, id, why);
            let write = (store::await_approval(&machine, id, why), record_if_changed(&event));
            db.run(write).await.map_err(|error| error.to_string())?;
            tell(&env, &row, why);
        }
        Ok(())
    })
}

fn entry(machine: &ObjectId, row: &AwaitingRow, id: &CommandId, why: &str) -> Event {
    Event::of(Action::CommandAwaitsApproval, Resource::Machine)
        .by(&row.user_id, &row.username)
        .within(&row.organization_id)
        .on(machine)
        .detail("machine", row.machine_name.as_str())
        .detail("agent_id", row.agent_id.as_str())
        .detail("command_id", id.as_str())
        .detail("why", why)
}

/// Letters are on their way while the object goes on; one that does not arrive changes nothing.
fn tell(env: &Env, row: &AwaitingRow, why: &str) {
    let config = match Config::from_env(env) {
        Ok(config) => Arc::new(config),
        Err(error) => return log::error(&error.to_string()),
    };
    let background = Background::new(wasm_bindgen_futures::spawn_local);
    let mailer = App::new(config, env.clone(), background).mailer();
    let letter = Letter::CommandAwaits {
        sender: &row.username,
        machine: &row.machine_name,
        why,
    };
    for address in row.deciders.iter().take(MAX_TOLD) {
        mailer.post(address, &letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    #[test]
    fn what_is_told_twice_is_written_down_once_and_not_once_it_was_decided_of() {
        let db = TestDb::new();
        for (name, role) in [("ann", "company_admin"), ("bob", "user"), ("cid", "company_admin")] {
            db.user(name, "acme", role);
        }
        db.machine("web", "ann");
        let machine: ObjectId = id("web").parse().unwrap();
        let command: CommandId = format!("cmd_{}", id("c1")).parse().unwrap();
        db.command(command.as_str(), "ann", "web");
        let write = || {
            let row = db.run(store::awaiting(&machine, &command)).pop();
            let row = row?;
            let event = entry(&machine, &row, &command, "rm needs approval");
            db.run(store::await_approval(&machine, &command, "rm needs approval"));
            db.run(record_if_changed(&event));
            Some(row.deciders)
        };
        let told = write().expect("it is news");
        assert_eq!(told.len(), 2, "administrators: {told:?}");
        assert!(told[0].starts_with("cid"), "its sender is the last: {told:?}");
        assert_eq!(write(), None);
        let entries = "audit_log WHERE action = 'command_awaits_approval' AND details ->> 'why' = 'rm needs approval'";
        assert_eq!(db.count(entries), 1);
        assert_eq!(
            db.count("commands WHERE status = 'awaiting_approval' AND error = 'rm needs approval'"),
            1
        );
        // Approved, and told of once more.
        db.execute("UPDATE commands SET status = 'queued', decided_at = 'x'");
        assert_eq!(write(), None);
        assert_eq!(db.count("commands WHERE status = 'queued'"), 1);
    }
}
