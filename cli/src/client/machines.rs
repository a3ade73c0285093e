//! Machines: listing, finding, adding and deleting them.
use protocol::api::Message;
use protocol::api::machines::{CreateMachine, Machine, MachineCreated, MachineDetail, MachineList, MachineStatus};
use protocol::ids::AgentId;
use reqwest::Method;

use super::Client;
use crate::error::Error;

impl Client {
    /// All machines the caller can reach, by name.
    pub async fn machines(&self) -> Result<Vec<Machine>, Error> {
        let found: MachineList = self.ask(self.request(Method::GET, "/api/machines")).await?;
        Ok(found.machines)
    }

    /// The one machine of that name or agent id.
    pub async fn machine(&self, name: &str) -> Result<Machine, Error> {
        pick(self.machines().await?, name)
    }

    /// The machine of that agent id, as it is now.
    pub async fn machine_by_agent_id(&self, agent_id: &AgentId) -> Result<Machine, Error> {
        let request = self.request(Method::GET, &format!("/api/machines/{agent_id}"));
        Ok(self.ask::<MachineDetail>(request).await?.machine)
    }

    /// Makes a machine that waits for its agent.
    pub async fn create_machine(&self, machine: &CreateMachine) -> Result<MachineCreated, Error> {
        self.ask(self.request(Method::POST, "/api/machines").json(machine))
            .await
    }

    /// Deletes a machine.
    pub async fn delete_machine(&self, agent_id: &AgentId) -> Result<(), Error> {
        let request = self.request(Method::DELETE, &format!("/api/machines/{agent_id}"));
        self.ask::<Message>(request).await.map(drop)
    }
}

/// A machine's status for people.
pub fn status_word(status: MachineStatus) -> &'static str {
    match status {
        MachineStatus::Pending => "pending",
        MachineStatus::Online => "online",
        MachineStatus::ExecutingScript => "executing script",
        MachineStatus::Offline => "offline",
        MachineStatus::Revoked => "revoked",
    }
}

fn pick(machines: Vec<Machine>, name: &str) -> Result<Machine, Error> {
    if let Some(machine) = machines.iter().find(|machine| machine.agent_id.as_str() == name) {
        return Ok(machine.clone());
    }
    let mut named: Vec<Machine> = machines.into_iter().filter(|machine| machine.name == name).collect();
    match (named.pop(), named.is_empty()) {
        (None, _) => Err(Error::NoMachine(name.to_owned())),
        (Some(machine), true) => Ok(machine),
        (Some(machine), false) => {
            named.push(machine);
            let line = |machine: &Machine| format!("  {}  {}", machine.agent_id, status_word(machine.status));
            let candidates = named.iter().map(line).collect::<Vec<_>>().join("\n");
            Err(Error::Ambiguous {
                name: name.to_owned(),
                count: named.len(),
                candidates,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(agent_id: &str, name: &str) -> Machine {
        let sample = include_str!("../../../protocol/fixtures/api/machine.json");
        let sample = serde_json::from_str(sample).unwrap();
        Machine {
            agent_id: agent_id.parse().unwrap(),
            name: name.to_owned(),
            ..sample
        }
    }

    #[test]
    fn a_machine_is_found_by_name_or_agent_id() {
        let all = vec![machine("00000000000a", "web"), machine("00000000000b", "db")];
        assert_eq!(pick(all.clone(), "db").unwrap().agent_id.as_str(), "00000000000b");
        assert_eq!(pick(all.clone(), "00000000000a").unwrap().name, "web");
        assert!(matches!(pick(all, "mail"), Err(Error::NoMachine(_))));
    }

    #[test]
    fn an_ambiguous_name_lists_every_candidate() {
        let all = vec![machine("00000000000a", "web"), machine("00000000000b", "web")];
        let error = pick(all.clone(), "web").unwrap_err();
        assert_eq!(error.exit_status(), 2);
        let text = error.to_string();
        assert!(text.contains("00000000000a") && text.contains("00000000000b"), "{text}");
        assert!(pick(all, "00000000000b").is_ok());
    }
}
