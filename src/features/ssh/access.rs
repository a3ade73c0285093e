//! The right to a terminal on another host, as a value that only this module makes.
use crate::audit::{Action, Event, Resource};
use crate::auth::caller::Caller;
use crate::auth::permission::Permission;
use crate::features::inventory::access::Known;
use crate::features::inventory::row::FoundObject;
use crate::platform::error::ApiError;

/// The permission that comes with the kind of thing that hosts are in the inventory.
pub const SERVER_SSH: &str = "inventory.server.ssh";

/// What may be done with a server whose terminal may be opened.
const SSH: &str = "ssh";

fn denied() -> ApiError {
    ApiError::forbidden("forbidden", "Permission denied: SSH access")
}

/// By which of the published paths somebody comes, and so how the audit log calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `/api/instances/ssh/{hostname}`.
    Instance,
    /// `/api/inventory/server/ssh/{hostname}`, and whatever else leads to a server of the inventory.
    Server,
}

/// The right to open a terminal on a host that the organization's services know.
#[derive(Debug)]
pub struct SshRight {
    caller: Caller,
    permission: String,
    /// The thing that the host is, where the right is over that one.
    thing: Option<i64>,
    way: Way,
}

impl SshRight {
    /// The right to a host by its name. Where the inventory has it as a server, what may be done with that one counts, and rules about it with
    /// it; elsewhere the caller holds one of the permissions that give it.
    pub fn decide(caller: Caller, server: Vec<FoundObject>, way: Way) -> Result<Self, ApiError> {
        if !server.is_empty() {
            let known = Known::decide_any(caller, server)?;
            return Self::over(known, SSH, way);
        }
        let all = [Permission::InstancesSsh.codename(), SERVER_SSH];
        match all.into_iter().find(|permission| caller.holds(permission)) {
            Some(permission) => Ok(Self {
                permission: permission.to_owned(),
                caller,
                thing: None,
                way,
            }),
            None => Err(denied()),
        }
    }

    /// The right to the host that a thing is, by an action of its type.
    pub fn over(known: Known, action: &str, way: Way) -> Result<Self, ApiError> {
        if !known.may(action) {
            return Err(denied());
        }
        let (caller, id, _) = known.into_parts();
        Ok(Self {
            caller,
            permission: action.to_owned(),
            thing: Some(id),
            way,
        })
    }

    /// The same on a host that the inventory has as a server, too: what may be done with that one counts beside it.
    pub fn on_host(self, server: Vec<FoundObject>) -> Result<Self, ApiError> {
        if server.is_empty() || Known::decide_any(self.caller.clone(), server)?.may(SSH) {
            return Ok(self);
        }
        Err(denied())
    }

    /// Who has it.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The codename of what gives it; or, over a thing, what may be done with that.
    pub fn permission(&self) -> &str {
        &self.permission
    }

    /// The thing that it is over.
    pub fn thing(&self) -> Option<i64> {
        self.thing
    }

    /// That a terminal is opened, for the log.
    pub fn event(&self, hostname: &str, user: Option<&str>) -> Event {
        let event = match self.way {
            Way::Instance => self.caller.event(Action::InstanceSsh, Resource::Instance).on(hostname),
            Way::Server => {
                let event = self.caller.event(Action::ServerSsh, Resource::Inventory);
                event.on(format!("server/{hostname}"))
            }
        };
        match user {
            Some(user) => event.detail("ssh_user", user),
            None => event,
        }
    }
}
