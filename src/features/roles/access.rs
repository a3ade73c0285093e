//! The right to change one role of an organization.
use super::row::FoundRole;
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// The right to see a role of one's organization.
#[derive(Debug)]
pub struct RoleAccess {
    found: FoundRole,
    caller: Caller,
}

/// The right to change or delete it, as far as the operation's rule goes.
#[derive(Debug)]
pub struct RoleControl(RoleAccess);

impl RoleAccess {
    /// The right, if the row that was found for this caller gives it.
    pub fn decide(caller: Caller, found: Vec<FoundRole>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Role not found")),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    pub fn into_found(self) -> FoundRole {
        self.found
    }

    /// The right to change it. Nobody has it over the system role; `refusal` says so.
    pub fn control(self, refusal: &'static str) -> Result<RoleControl, ApiError> {
        match self.found.is_system {
            true => Err(ApiError::bad_request(refusal)),
            false => Ok(RoleControl(self)),
        }
    }
}

impl RoleControl {
    pub fn found(&self) -> &FoundRole {
        &self.0.found
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }
}
