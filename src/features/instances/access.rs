//! Rights to have instances stopped.
use protocol::api::instances::StopInstance;
use protocol::ids::JobId;

use super::row::Known;
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::features::services::row::ServiceRow;
use crate::platform::error::ApiError;

/// Which instances of an organization are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one of this label in this region; destroyed rather than halted, if that was confirmed.
    Named {
        label: String,
        region: String,
        destroy: bool,
    },
    /// Those of a service: they have its name for a tag.
    OfService(String),
    /// All of them.
    All,
}

/// The right to have some instances stopped: a caller whom the operation's rule has let pass has it over those of the organization.
#[derive(Debug)]
pub struct StopRight {
    caller: Caller,
    which: Which,
}

impl StopRight {
    /// The right over one instance, unless it is known that there is none.
    pub fn of_instance(caller: Caller, found: &[Known], stop: StopInstance) -> Result<Self, ApiError> {
        let StopInstance {
            label,
            region,
            destroy,
            confirm,
        } = stop;
        if destroy && confirm.as_ref() != Some(&label) {
            let text = "To destroy an instance, confirm must be its label";
            return Err(ApiError::refused_field("confirm", "must be the instance's label", text));
        }
        if found.first().is_some_and(|known| known.fresh && !known.there) {
            return Err(ApiError::not_found("Instance not found"));
        }
        let which = Which::Named { label, region, destroy };
        Ok(Self { caller, which })
    }

    /// The right over those of a service.
    pub fn of_service(caller: Caller, found: Vec<ServiceRow>) -> Result<Self, ApiError> {
        let service = found.into_iter().next();
        let service = service.ok_or_else(|| ApiError::not_found("Service not found"))?;
        let which = Which::OfService(service.name);
        Ok(Self { caller, which })
    }

    /// The right over all.
    pub fn of_all(caller: Caller) -> Self {
        let which = Which::All;
        Self { caller, which }
    }

    /// Who has the right.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What a job is about that does it, and what it does (contract).
    pub fn names(&self) -> (&str, &'static str) {
        match &self.which {
            Which::Named { label, destroy, .. } => (label, if *destroy { "destroy_instance" } else { "stop_instance" }),
            Which::OfService(name) => (name, "stop"),
            Which::All => ("all", "stop_all"),
        }
    }

    /// That a job does it, for the log.
    pub fn event(&self, job: &JobId) -> Event {
        let event = |action, resource| self.caller.event(action, resource);
        match &self.which {
            Which::Named { label, region, destroy } => {
                let action = if *destroy {
                    Action::InstanceDestroyed
                } else {
                    Action::InstanceStopped
                };
                event(action, Resource::Instance)
                    .on(label)
                    .detail("label", label.as_str())
                    .detail("region", region.as_str())
            }
            Which::OfService(name) => event(Action::ServiceStopped, Resource::Service)
                .on(name)
                .detail("job_id", job.as_str()),
            Which::All => event(Action::AllStopped, Resource::Instance),
        }
    }

    /// Which they are.
    pub fn into_which(self) -> Which {
        self.which
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    fn stop(destroy: bool, confirm: Option<&str>, known: &[Known]) -> Result<StopRight, (u16, String)> {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        let stop = StopInstance {
            label: "my web".to_owned(),
            region: "mel".to_owned(),
            destroy,
            confirm: confirm.map(str::to_owned),
        };
        StopRight::of_instance(db.caller("ann"), known, stop)
            .map_err(|error| (error.status().as_u16(), error.text().to_owned()))
    }

    #[test]
    fn an_instance_is_halted_unless_its_label_confirms_that_it_is_destroyed() {
        assert_eq!(stop(false, None, &[]).unwrap().names(), ("my web", "stop_instance"));
        let confirmed = stop(true, Some("my web"), &[]).unwrap();
        assert_eq!(confirmed.names(), ("my web", "destroy_instance"));
        for confirm in [None, Some(""), Some("My web"), Some("mel")] {
            assert_eq!(stop(true, confirm, &[]).unwrap_err().0, 400, "{confirm:?}");
        }
    }

    #[test]
    fn what_a_fresh_list_has_not_is_not_found_and_what_an_old_one_has_not_is_looked_for() {
        let known = |fresh, there| [Known { fresh, there }];
        assert_eq!(stop(false, None, &known(true, false)).unwrap_err().0, 404);
        for (fresh, there) in [(true, true), (false, true), (false, false)] {
            assert!(stop(false, None, &known(fresh, there)).is_ok(), "{fresh} {there}");
        }
    }
}
