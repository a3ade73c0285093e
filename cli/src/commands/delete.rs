//! `vsay delete`
use super::{ask, say};
use crate::client::Client;
use crate::error::Error;

/// Deletes a machine, once somebody has said yes.
pub async fn run(client: &Client, name: &str, yes: bool) -> Result<(), Error> {
    let machine = client.machine(name).await?;
    if !yes {
        let question = format!(
            "Delete {} ({})? Its terminals end. [y/N] ",
            machine.name, machine.agent_id
        );
        let answer = ask(&question)?.ok_or_else(|| {
            Error::Argument("there is no terminal to ask on; say --yes to delete without being asked".to_owned())
        })?;
        if !matches!(answer.to_lowercase().as_str(), "y" | "yes") {
            return say("Nothing was deleted.");
        }
    }
    client.delete_machine(&machine.agent_id).await?;
    say(format!("Deleted {}.", machine.name))
}
