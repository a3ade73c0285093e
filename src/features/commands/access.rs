//! Rights to run commands, and over those that were sent.
use protocol::ids::{AgentId, CommandId, ObjectId};
use protocol::terminal::limits::SessionLimits;

use super::row::{FoundCommand, TargetRow};
use crate::auth::caller::Caller;
use crate::features::machines::access::MachineAccess;
use crate::platform::error::ApiError;

/// The right to run commands on one machine.
#[derive(Debug, Clone)]
pub struct RunRight {
    machine: ObjectId,
    agent_id: AgentId,
    name: String,
    organization: ObjectId,
    sudo: bool,
    limits: SessionLimits,
}

impl RunRight {
    /// Whoever may use a machine may run commands on it.
    pub fn of(access: &MachineAccess) -> Self {
        let found = access.found();
        Self {
            machine: found.machine.id.clone(),
            agent_id: found.machine.agent_id.clone(),
            name: found.machine.name.clone(),
            organization: found.organization_id.clone(),
            sudo: access.may_sudo(),
            limits: found.limits,
        }
    }

    /// The right, if the row that was found for the caller gives it.
    pub fn decide(row: &TargetRow) -> Option<Self> {
        let machine = row.machine.as_ref().filter(|_| row.reaches)?;
        Some(Self {
            machine: machine.id.clone(),
            agent_id: machine.agent_id.clone(),
            name: machine.name.clone(),
            organization: machine.organization_id.clone(),
            sudo: row.may_sudo,
            limits: machine.limits,
        })
    }

    pub fn machine(&self) -> &ObjectId {
        &self.machine
    }

    pub fn agent_id(&self) -> &AgentId {
        &self.agent_id
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn organization(&self) -> &ObjectId {
        &self.organization
    }

    /// Whether a command may gain privileges.
    pub fn sudo(&self) -> bool {
        self.sudo
    }

    /// What a command may do.
    pub fn limits(&self) -> SessionLimits {
        self.limits
    }
}

/// The right to read one command and what it wrote.
#[derive(Debug)]
pub struct CommandAccess {
    found: FoundCommand,
    caller: Caller,
}

/// The right to call one command off.
#[derive(Debug)]
pub struct CommandControl(CommandAccess);

/// The right to approve or reject one command.
#[derive(Debug)]
pub struct CommandDecision(CommandAccess);

impl CommandAccess {
    /// The right, if the row that was found for the caller gives it.
    pub fn decide(caller: Caller, found: Vec<FoundCommand>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Command not found")),
            Some(found) if !found.reaches => Err(ApiError::not_authorized()),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    pub fn found(&self) -> &FoundCommand {
        &self.found
    }

    /// The right to call it off: whoever sent it has it, and whoever manages its machine.
    pub fn control(self) -> Result<CommandControl, ApiError> {
        match self.found.may_cancel {
            true => Ok(CommandControl(self)),
            false => Err(ApiError::not_authorized()),
        }
    }
}

impl CommandAccess {
    /// The right to decide of it: administrators have it. Nobody decides of what they have sent themselves, unless there is nobody
    /// else who could.
    pub fn decision(self) -> Result<CommandDecision, ApiError> {
        match self.found.may_decide {
            true => Ok(CommandDecision(self)),
            false if self.found.command.user_id == *self.caller.id() => Err(ApiError::forbidden(
                "own_command",
                "Another administrator has to decide of a command of yours",
            )),
            false => Err(ApiError::not_authorized()),
        }
    }
}

impl CommandDecision {
    pub fn id(&self) -> &CommandId {
        &self.0.found.command.command_id
    }

    pub fn found(&self) -> &FoundCommand {
        &self.0.found
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }
}

impl CommandControl {
    pub fn id(&self) -> &CommandId {
        &self.0.found.command.command_id
    }

    pub fn found(&self) -> &FoundCommand {
        &self.0.found
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }
}
