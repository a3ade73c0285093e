//! What a caller may do, as values that only this module makes. Store functions and the relay ask for the value, so a
//! forgotten check does not compile.
//!
//! Who reaches a machine is decided in SQL, over `u`, the caller's row, and `m`, the machine's. The predicates below are
//! the only place that says so.
use protocol::api::machines::MachineStatus;
use protocol::ids::{ObjectId, SessionId};

use super::caller::Caller;
use crate::error::ApiError;
use crate::machines::store::Found;
use crate::sessions::store::FoundSession;

/// SQL: the caller may learn that the machine exists. Others get the answer of an unknown id.
macro_rules! in_sight {
    () => {
        "(m.organization_id = u.organization_id OR u.role = 'super_admin')"
    };
}

/// SQL: the caller may change and delete the machine: its owner and administrators.
macro_rules! manages {
    () => {
        "(m.owner_id = u.id OR u.role = 'super_admin' OR (u.role = 'company_admin' AND m.organization_id = u.organization_id))"
    };
}

/// SQL: the caller may use the machine: whoever manages it.
macro_rules! reaches {
    () => {
        $crate::auth::access::manages!()
    };
}

pub(crate) use {in_sight, manages, reaches};

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

    /// The machine.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
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
    /// The machine's row.
    pub fn id(&self) -> &ObjectId {
        &self.0.found.machine.id
    }

    /// What the machine is doing.
    pub fn status(&self) -> MachineStatus {
        self.0.found.machine.status
    }
}

/// The right to end one terminal session.
#[derive(Debug)]
pub struct SessionControl {
    session: SessionId,
    machine: ObjectId,
}

impl SessionControl {
    /// The right, if the row that was found for the caller gives it.
    pub fn decide(found: Vec<FoundSession>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Session not found")),
            Some(found) if !found.may_close => Err(ApiError::not_authorized()),
            Some(found) => Ok(Self {
                session: found.session_id,
                machine: found.machine_id,
            }),
        }
    }

    /// The session.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The machine it runs on.
    pub fn machine(&self) -> &ObjectId {
        &self.machine
    }
}
