//! Rights to start jobs, and to see them.
use protocol::api::jobs::JobStatus;
use protocol::ids::{JobId, ObjectId};
use serde_json::Value;

use super::row::{FoundJob, PastJob};
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::auth::permission::Permission;
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

    /// What opens the vaults of its organization, sealed.
    pub fn vault(&self) -> Option<&str> {
        self.target.vault_sealed.as_deref()
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

/// The right to run a job again: whoever sees it and may deploy has it, if they may do that with any.
#[derive(Debug)]
pub struct RerunRight {
    past: PastJob,
    deploy: DeployRight,
}

impl RerunRight {
    /// The right, if the rows that were found for a caller whom the operation's rule has let pass give it. What is there now counts: a
    /// service that its runner has no more is run no more.
    pub fn decide(caller: Caller, found: Vec<PastJob>, target: Vec<Target>) -> Result<Self, ApiError> {
        let needed = Permission::ServicesDeploy;
        if !caller.may(needed) {
            let words = format!("Permission denied: {}", needed.codename());
            return Err(ApiError::forbidden("forbidden", words));
        }
        let past = match found.into_iter().next() {
            None => return Err(ApiError::not_found("Job not found")),
            Some(past) if !past.sees => return Err(ApiError::forbidden("forbidden", "Permission denied")),
            Some(past) => past,
        };
        if past.status == JobStatus::Running {
            return Err(ApiError::conflict("job_running", "Job is still running"));
        }
        // Whether an action of the inventory may be done, that says.
        if past.type_slug.is_some() || !matches!(past.action.as_str(), "deploy" | "script") {
            let words = format!("A job of the kind '{}' cannot be run again", past.action);
            return Err(ApiError::conflict("job_not_repeatable", words));
        }
        let deploy = DeployRight::decide(caller, target, || format!("Service '{}' not found", past.service))?;
        Ok(Self { past, deploy })
    }

    /// The job.
    pub fn past(&self) -> &PastJob {
        &self.past
    }

    /// The right to run it.
    pub fn deploy(&self) -> &DeployRight {
        &self.deploy
    }

    /// That it is run again, for the log.
    pub fn event(&self) -> Event {
        self.deploy
            .caller
            .event(Action::JobRerun, Resource::Job)
            .on(&self.past.id)
            .detail("service", self.past.service.as_str())
            .detail("action", self.past.action.as_str())
    }
}

/// The right to call one job off: whoever may cancel jobs has it over their own, and over everybody's that see all.
#[derive(Debug)]
pub struct JobControl {
    found: FoundJob,
    caller: Caller,
}

impl JobControl {
    /// The right, if the row that was found for a caller whom the operation's rule has let pass gives it.
    pub fn decide(caller: Caller, found: Vec<FoundJob>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            None => Err(ApiError::not_found("Job not found")),
            Some(found) if !found.may_cancel => Err(ApiError::forbidden("forbidden", "Permission denied")),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    pub fn id(&self) -> &JobId {
        &self.found.id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The runner that is to end it; none of a job of the edge, which looks itself whether it was called off. The error is that there is
    /// nothing to end.
    pub fn runner(&self) -> Result<Option<&ObjectId>, ApiError> {
        match self.found.status {
            JobStatus::Running => Ok(self.found.machine_id.as_ref()),
            JobStatus::Completed | JobStatus::Failed => Err(ApiError::conflict("job_over", "Job is not running")),
        }
    }

    /// That it is called off, for the log.
    pub fn event(&self) -> Event {
        self.caller
            .event(Action::JobCancelled, Resource::Job)
            .on(&self.found.id)
            .detail("service", self.found.service.as_str())
            .detail("action", self.found.action.as_str())
    }
}
