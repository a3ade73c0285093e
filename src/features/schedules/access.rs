//! Rights over schedules: the rule of an operation says what its caller may do with schedules, and this with which.
use protocol::ids::ObjectId;

use super::row::FoundSchedule;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// The right to do with one schedule what the rule of the operation is about.
#[derive(Debug)]
pub struct ScheduleAccess {
    caller: Caller,
    found: FoundSchedule,
}

impl ScheduleAccess {
    /// The right, if a schedule was found for a caller whom the operation's rule has let pass.
    pub fn decide(caller: Caller, found: Vec<FoundSchedule>) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            Some(found) => Ok(Self { caller, found }),
            None => Err(ApiError::not_found("Schedule not found")),
        }
    }

    pub fn id(&self) -> &ObjectId {
        &self.found.id
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The schedule as it was found.
    pub fn found(&self) -> &FoundSchedule {
        &self.found
    }

    /// The body that was found.
    pub fn into_body(self) -> String {
        self.found.body
    }

    /// Something done to the schedule, for the log.
    pub fn event(&self, action: Action) -> Event {
        self.caller
            .event(action, Resource::Schedule)
            .on(&self.found.id)
            .detail("name", self.found.name.as_str())
    }
}
