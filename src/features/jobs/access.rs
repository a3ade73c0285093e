//! Rights to start jobs, and to see them.
use protocol::ids::ObjectId;
use serde_json::Value;

use super::row::FoundJob;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::features::services::row::Target;
use crate::platform::error::ApiError;

/// The right to run what a service has: whoever may deploy has it for all services of the organization.
#[derive(Debug)]
pub struct DeployRight {
    caller: Caller,
    target: Target,
}

impl DeployRight {
    /// The right, if the service was found for a caller whom the operation's rule has let pass. Otherwise nothing is there, in these words.
    pub fn decide(caller: Caller, found: Vec<Target>, missing: impl FnOnce() -> String) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            Some(target) => Ok(Self { caller, target }),
            None => Err(ApiError::not_found(missing())),
        }
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The machine that runs it.
    pub fn machine(&self) -> &ObjectId {
        &self.target.machine_id
    }

    /// The service's directory.
    pub fn service(&self) -> &str {
        &self.target.name
    }

    /// Its scripts, as they were told of last.
    pub fn scripts(&self) -> &[Value] {
        &self.target.scripts
    }

    /// Something done to the service, for the log.
    pub fn event(&self, action: Action) -> Event {
        self.caller.event(action, Resource::Service).on(self.service())
    }
}

/// The right to see one job.
#[derive(Debug)]
pub struct JobAccess(FoundJob);

impl JobAccess {
    /// The right, if the row that was found for the caller gives it.
    pub fn decide(found: Vec<FoundJob>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Job not found")),
            Some(found) if !found.sees => Err(ApiError::forbidden("forbidden", "Permission denied")),
            Some(found) => Ok(Self(found)),
        }
    }

    pub fn found(&self) -> &FoundJob {
        &self.0
    }
}
