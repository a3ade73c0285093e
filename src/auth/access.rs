//! What a caller may do, as values that only this module makes. Store functions and the relay ask for the value, so a
//! forgotten check does not compile.
//!
//! Who reaches a machine is decided in SQL, over `u`, the caller's row, and `m`, the machine's. The predicates below are
//! the only place that says so. Other things than machines have files of their own.
pub mod group;
pub mod organization;
pub mod role;
pub mod user;

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

/// SQL: the grant (`g`) has not expired. Until the scheduled handler removes it, one that has is as good as none.
macro_rules! unexpired {
    () => {
        "(g.expires_at IS NULL OR g.expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
    };
}

/// SQL: a grant (`g`) of the machine to the caller that has not expired.
macro_rules! granted {
    () => {
        concat!(
            "machine_grants g WHERE g.machine_id = m.id AND g.user_id = u.id AND ",
            $crate::auth::access::unexpired!()
        )
    };
}

/// SQL: the caller may use the machine: whoever manages it, whom it was granted to, and the members of its groups. Worked out
/// for each request, so that withdrawing one way leaves the others as they are.
macro_rules! reaches {
    () => {
        concat!(
            "(",
            $crate::auth::access::manages!(),
            " OR EXISTS (SELECT 1 FROM ",
            $crate::auth::access::granted!(),
            ") OR EXISTS (SELECT 1 FROM group_machines x JOIN group_members y ON y.group_id = x.group_id
               WHERE x.machine_id = m.id AND y.user_id = u.id))"
        )
    };
}

/// SQL: the caller's shells on the machine may gain privileges: the machine was enrolled with it, and the grant says so, or
/// else the account, or else the caller manages the machine.
macro_rules! may_sudo {
    () => {
        concat!(
            "(m.allow_sudo = 1 AND COALESCE((SELECT NULLIF(g.machine_role, '') FROM ",
            $crate::auth::access::granted!(),
            "), NULLIF(u.machine_role, ''), CASE WHEN ",
            $crate::auth::access::manages!(),
            " THEN 'allow_sudo' END, 'non_sudo') = 'allow_sudo')"
        )
    };
}

/// SQL: the account (`u`) of the organization (`o`) may sign in and stay signed in.
macro_rules! stands {
    () => {
        "(u.disabled_at IS NULL AND u.deleted_at IS NULL AND u.pending = 0 AND o.disabled_at IS NULL)"
    };
}

pub(crate) use {granted, in_sight, manages, may_sudo, reaches, stands, unexpired};

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
    /// The machine's row.
    pub fn id(&self) -> &ObjectId {
        &self.0.found.machine.id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// The machine's organization.
    pub fn organization_id(&self) -> &ObjectId {
        &self.0.found.organization_id
    }

    /// The machine's name.
    pub fn name(&self) -> &str {
        &self.0.found.machine.name
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
    organization: ObjectId,
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
                organization: found.organization_id,
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

    /// The machine's organization.
    pub fn organization(&self) -> &ObjectId {
        &self.organization
    }
}
