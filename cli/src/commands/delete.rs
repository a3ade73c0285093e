//! `vsay delete`
use super::ask;
use crate::client::Client;
use crate::error::Error;

/// Deletes a machine after asking, if there is somebody to ask.
pub async fn run(client: &Client, name: &str, yes: bool) -> Result<(), Error> {
    let machine = client.machine(name).await?;
    if !yes {
        let question = format!(
            "Delete {} ({})? Its terminals end. [y/N] ",
            machine.name, machine.agent_id
        );
        let answer = ask(&question)?;
        if answer.is_some_and(|answer| !matches!(answer.to_lowercase().as_str(), "y" | "yes")) {
            println!("Nothing was deleted.");
            return Ok(());
        }
    }
    client.delete_machine(&machine.agent_id).await?;
    println!("Deleted {}.", machine.name);
    Ok(())
}
