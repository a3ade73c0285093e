//! Commands that were asked for in a terminal's socket: written down as those are that the API takes. The relay has checked the right
//! when it let the socket in, and has told the machine when it tells us.
use futures_util::future::LocalBoxFuture;
use protocol::ids::ObjectId;
use protocol::relay_contract::AskedCommand;
use worker::Env;

use super::event::{Place, RUNS, executed};
use super::row::AskerRow;
use super::store;
use crate::audit::{Event, record_if_changed};
use crate::http::client::Client;
use crate::platform::db::{Db, stored_ms};

/// Writes some down. Handed to the relays' crate when the Worker starts. One that is there already stays, and so does its entry.
pub fn store(env: Env, machine: ObjectId, asked: Vec<AskedCommand>) -> LocalBoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        for command in &asked {
            let rows = db.run(store::asker(&machine, command)).await;
            // Nobody: the account or the machine is gone, and so is all that is kept of them.
            let Some(asker) = rows.map_err(|error| error.to_string())?.into_iter().next() else {
                continue;
            };
            let at = stored_ms(command.at);
            let event = entry(&machine, asker, command, &at);
            let write = (store::insert_asked(&machine, command, &at), record_if_changed(&event));
            db.run(write).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    })
}

fn entry(machine: &ObjectId, asker: AskerRow, command: &AskedCommand, at: &str) -> Event {
    let client = Client {
        address: asker.ip_address,
        user_agent: asker.user_agent,
        source: asker.source,
    };
    let place = Place {
        organization: &asker.organization_id,
        machine,
        agent_id: &asker.agent_id,
        name: &asker.machine_name,
    };
    let event = Event::of(RUNS.0, RUNS.1)
        .by(&command.user, &asker.username)
        .with(client)
        .at(at);
    let event = event.detail("session_id", command.session_id.as_str());
    executed(event, &place, &command.command_id, &command.command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    #[test]
    fn what_is_told_twice_is_written_down_once_with_who_asked_and_without_what_may_be_a_secret() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.machine("web", "ann");
        db.session("vscode_1", "ann", "web");
        let machine: ObjectId = id("web").parse().unwrap();
        let asked = AskedCommand {
            command_id: "cmd_0190a1b2c3d40000000312345678abcd".parse().unwrap(),
            session_id: "vscode_1".parse().unwrap(),
            user: id("ann").parse().unwrap(),
            command: "mysql --password hunter2".to_owned(),
            timeout_seconds: 300,
            allow_sudo: true,
            at: 0x0190_a1b2_c3d4,
        };
        let at = stored_ms(asked.at);
        for _ in 0..2 {
            let asker = db.run(store::asker(&machine, &asked)).remove(0);
            let event = entry(&machine, asker, &asked, &at);
            db.run(store::insert_asked(&machine, &asked, &at));
            db.run(record_if_changed(&event));
        }
        assert_eq!((db.count("commands"), db.count("audit_log")), (1, 1));
        let row = db.run(store::find(&asked.user, asked.command_id.as_str())).remove(0);
        assert_eq!(
            (row.command.session_id.as_deref(), row.command.sudo, row.command.sent_at),
            (Some("vscode_1"), true, Some(row.command.created_at))
        );
        let entries = "audit_log WHERE action = 'command_executed' AND username = 'ann'
            AND details LIKE '%\"program\":\"mysql\"%' AND details LIKE '%\"session_id\":\"vscode_1\"%'";
        assert_eq!(db.count(entries), 1);
        assert_eq!(db.count("audit_log WHERE details LIKE '%hunter2%'"), 0);
    }
}
