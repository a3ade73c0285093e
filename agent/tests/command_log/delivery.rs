//! Records wait on disk until they are stored, whatever is cut or restarted.
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::command_record::CommandRecord;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{Typed, exited, shell};
use crate::support::{Connection, Machine, Relay, system, within};

/// The next records on a link, of which nothing is said.
async fn records(link: &mut Connection) -> Vec<CommandRecord> {
    within("records", async {
        loop {
            if let FromAgent::Commands { records, .. } = link.message().await {
                return records;
            }
        }
    })
    .await
}

async fn stored(link: &mut Connection, records: &[CommandRecord]) {
    let ids = records.iter().map(|record| record.id.clone()).collect();
    link.send(ToAgent::CommandsStored { ids }).await;
}

#[tokio::test]
async fn records_come_again_on_each_link_until_they_are_stored() {
    let Some(mut typed) = Typed::at("bash", "").await else {
        return;
    };
    assert_eq!(typed.one("echo first").await, ("echo first".into(), exited(0)));
    typed.keys("echo second\r").await;
    let said = records(&mut typed.link).await;
    assert_eq!(said.len(), 1);
    typed.link.cut();
    let mut link = typed.relay.welcome_with_log().await;
    assert_eq!(records(&mut link).await, said);
    link.cut();
    // The agent ends, and its shell with it.
    drop(typed.agent);
    let agent = typed.machine.start();
    let mut link = typed.relay.welcome_with_log().await;
    assert_eq!(records(&mut link).await, said);
    stored(&mut link, &said).await;
    let mut terminal = link.open_shell().await;
    terminal.wait_for_prompt(&mut link, 0).await;
    terminal.type_text(&mut link, "echo third\r").await;
    let next = records(&mut link).await;
    assert_eq!(
        next.iter().map(|record| record.command.as_str()).collect::<Vec<_>>(),
        ["echo third"]
    );
    drop(agent);
}

#[tokio::test]
async fn a_relay_that_does_not_take_records_is_told_none() {
    let Some(path) = shell("bash") else { return };
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    system::set_shell(&machine.system, &path);
    let _agent = machine.start();
    let mut link = relay.accept().await;
    // As it was before there were records.
    let welcome = json!({"type": "welcome", "protocol": 1, "agent_id": "0123456789ab", "heartbeat_seconds": 30});
    link.send_raw(Message::text(welcome.to_string())).await;
    let mut terminal = link.open_shell().await;
    terminal.wait_for_prompt(&mut link, 0).await;
    assert_eq!(terminal.run(&mut link, "echo quiet").await, "quiet");
    // Whatever it says next is no record: a report is the answer to this.
    link.send(ToAgent::Report).await;
    assert!(matches!(
        terminal.wait_for_message(&mut link).await,
        FromAgent::Report { .. }
    ));
}
