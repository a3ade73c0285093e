//! Rights over rules and alerts: whoever administers an organization has those over its own, and nobody over another's.
use protocol::ids::ObjectId;

use super::row::{Found, Named};
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::platform::error::ApiError;

/// The right over one rule.
#[derive(Debug)]
pub struct RuleControl(Control);

/// The right over one alert.
#[derive(Debug)]
pub struct AlertControl(Control);

/// The right to have a rule name what it names.
#[derive(Debug)]
pub struct Naming {
    /// The row of the machine, if it names one.
    machine: Option<ObjectId>,
}

#[derive(Debug)]
struct Control {
    found: Found,
    caller: Caller,
}

impl Control {
    fn decide(caller: Caller, found: Vec<Found>, absent: &'static str) -> Result<Self, ApiError> {
        match found.into_iter().next() {
            _ if !caller.is_admin() => Err(ApiError::not_authorized()),
            None => Err(ApiError::not_found(absent)),
            Some(found) => Ok(Self { found, caller }),
        }
    }

    fn event(&self, action: Action) -> Event {
        self.caller
            .event(action, Resource::Alert)
            .on(&self.found.id)
            .detail("name", self.found.name.as_str())
    }
}

macro_rules! control {
    ($name:ident, $absent:literal) => {
        impl $name {
            /// The right, if the row that was found for this caller gives it.
            pub fn decide(caller: Caller, found: Vec<Found>) -> Result<Self, ApiError> {
                Control::decide(caller, found, $absent).map(Self)
            }

            pub fn id(&self) -> &ObjectId {
                &self.0.found.id
            }

            /// Who has the right.
            pub fn caller(&self) -> &Caller {
                &self.0.caller
            }

            /// The body that was found.
            pub fn into_body(self) -> String {
                self.0.found.body
            }

            /// Something done to it, for the log.
            pub fn event(&self, action: Action) -> Event {
                self.0.event(action)
            }
        }
    };
}
control!(RuleControl, "Alert rule not found");
control!(AlertControl, "Alert not found");

impl Naming {
    /// The right, if all is there that a rule names. `machine` says whether it names one.
    pub fn decide(named: Vec<Named>, machine: bool) -> Result<Self, ApiError> {
        let absent = |field| Err(ApiError::invalid_field(field, "must be of your organization"));
        match named.into_iter().next() {
            None => Err(ApiError::not_authorized()),
            Some(named) if !named.group => absent("group_id"),
            Some(named) if machine && named.machine_id.is_none() => absent("machine_id"),
            Some(named) if !named.users => absent("user_ids"),
            Some(named) if !named.webhooks => absent("webhook_ids"),
            Some(named) => Ok(Self {
                machine: named.machine_id,
            }),
        }
    }

    /// The row of the machine.
    pub fn machine(&self) -> Option<&ObjectId> {
        self.machine.as_ref()
    }
}
