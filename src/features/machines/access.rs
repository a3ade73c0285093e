//! Rights over machines, as values that only this module makes. Store functions and the relay ask for the value, so a forgotten
//! check does not compile.
use protocol::api::machines::MachineStatus;
use protocol::ids::ObjectId;

use super::row::{Found, MachineRow};
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// The right to see and use one machine.
#[derive(Debug)]
pub struct MachineAccess {
    found: Found,
    caller: Caller,
}

/// The right to change and delete one machine.
#[derive(Debug)]
pub struct MachineControl(MachineAccess);

impl MachineAccess {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<Found>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Machine not found")),
            Some(found) if !found.reaches => Err(ApiError::not_authorized()),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether shells may gain privileges.
    pub fn may_sudo(&self) -> bool {
        self.found.may_sudo
    }

    /// Whether it would also give [`Self::control`].
    pub fn manages(&self) -> bool {
        self.found.manages
    }

    /// The right to change the machine.
    pub fn control(self) -> Result<MachineControl, ApiError> {
        if self.manages() {
            Ok(MachineControl(self))
        } else {
            Err(ApiError::not_authorized())
        }
    }
}

impl MachineControl {
    pub fn id(&self) -> &ObjectId {
        &self.0.found.machine.id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    pub fn organization_id(&self) -> &ObjectId {
        &self.0.found.organization_id
    }

    /// The row that was found.
    pub fn machine(&self) -> &MachineRow {
        &self.0.found.machine
    }

    pub fn name(&self) -> &str {
        &self.0.found.machine.name
    }

    /// What the machine is doing.
    pub fn status(&self) -> MachineStatus {
        self.0.found.machine.status
    }
}
