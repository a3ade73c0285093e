//! Rights over requests: whoever may know of a machine asks for it, whoever manages it decides, and whoever asked may think better
//! of it.
use protocol::api::access_requests::AccessRequest;
use protocol::api::access_requests::AccessRequestStatus;
use protocol::ids::ObjectId;

use super::row::Found;
use crate::auth::caller::Caller;
use crate::features::machines::row as machines;
use crate::platform::error::ApiError;

/// The right to ask for one machine.
#[derive(Debug)]
pub struct Askable {
    found: machines::Found,
    caller: Caller,
}

/// The right to decide upon one request.
#[derive(Debug)]
pub struct RequestControl {
    found: Found,
    caller: Caller,
}

/// The right to give what one request asks for.
#[derive(Debug)]
pub struct Approval(RequestControl);

/// The right to take a request back that one made.
#[derive(Debug)]
pub struct OwnRequest(RequestControl);

impl Askable {
    /// The right, if the row that was found for this caller gives it: of somebody in the machine's organization who does not
    /// own it. `sudo` says whether privileges are asked for, which only some machines have.
    pub fn decide(caller: Caller, found: Vec<machines::Found>, sudo: bool) -> Result<Self, ApiError> {
        let Some(found) = found.into_iter().next() else {
            return Err(ApiError::not_found("Machine not found"));
        };
        if found.organization_id != *caller.organization_id() {
            return Err(ApiError::forbidden(
                "other_organization",
                "The machine belongs to another organization",
            ));
        }
        if found.machine.owner_id == *caller.id() {
            return Err(ApiError::bad_request("You own this machine"));
        }
        if sudo && !found.machine.allow_sudo {
            return Err(ApiError::invalid_field(
                "machine_role",
                "cannot be allow_sudo: the machine was enrolled without privileges",
            ));
        }
        Ok(Self { found, caller })
    }

    /// The machine.
    pub fn machine(&self) -> &machines::MachineRow {
        &self.found.machine
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl RequestControl {
    /// The right, if the row that was found for this caller gives it: of those who manage the machine.
    pub fn decide(caller: Caller, found: Vec<Found>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Access request not found")),
            Some(found) if !found.manages => Err(ApiError::not_authorized()),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    /// The right to approve. Nobody approves a request of their own, nor gives privileges on a machine where they have none.
    pub fn approval(self) -> Result<Approval, ApiError> {
        if self.request().requester_id == *self.caller.id() {
            return Err(ApiError::forbidden(
                "own_request",
                "Somebody else has to approve a request of yours",
            ));
        }
        if !self.request().machine_role.is_empty() && !self.found.has_sudo {
            return Err(ApiError::forbidden(
                "privileges",
                "You have no privileges on this machine to give: somebody who has them must approve this",
            ));
        }
        Ok(Approval(self))
    }

    /// The request as it was found.
    pub fn request(&self) -> &AccessRequest {
        &self.found.request
    }

    /// Fails with 400 unless the request is in this state.
    pub fn expect(&self, status: AccessRequestStatus) -> Result<(), ApiError> {
        match self.request().status {
            found if found == status => Ok(()),
            found => Err(ApiError::bad_request(format!(
                "The request is {}, not {}",
                found.as_str(),
                status.as_str()
            ))),
        }
    }

    /// The organization of the machine.
    pub fn organization_id(&self) -> &ObjectId {
        &self.found.organization_id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Approval {
    /// The right to decide.
    pub fn control(&self) -> &RequestControl {
        &self.0
    }
}

impl OwnRequest {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<Found>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Access request not found")),
            Some(found) if found.request.requester_id != *caller.id() => Err(ApiError::not_authorized()),
            Some(found) => Ok(Self(RequestControl { found, caller })),
        }
    }

    /// The request, for what its maker and its deciders share.
    pub fn request(&self) -> &RequestControl {
        &self.0
    }
}
