//! Commands: sending one, and what came of it.
use protocol::api::commands::{CommandDetail, CommandSent, RunOnMachine};
use protocol::ids::{AgentId, CommandId};
use reqwest::Method;

use super::Client;
use crate::error::Error;

impl Client {
    /// Sends a command to a machine.
    pub async fn send_command(&self, machine: &AgentId, command: &RunOnMachine) -> Result<CommandSent, Error> {
        let path = format!("/api/machines/{machine}/command");
        self.ask(self.request(Method::POST, &path).json(command)).await
    }

    /// How far a command is, and what it wrote if it has ended.
    pub async fn command(&self, id: &CommandId) -> Result<CommandDetail, Error> {
        self.ask(self.request(Method::GET, &format!("/api/commands/{id}")))
            .await
    }
}
