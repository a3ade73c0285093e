//! Shells on other hosts, by SSH: what a runner opens for people where there is no agent. `docs/ssh.md` has the whole.
//!
//! [`credentials`] finds in the services how to get there and [`connect`] goes there, if no [`pause`] is on and the host is the one that is
//! known ([`known_hosts`]). [`remote`] then is to a session what a shell is: it has the other end of its terminal.
mod connect;
mod credentials;
mod failure;
pub mod inventory;
mod known_hosts;
mod pause;
mod remote;

pub use remote::{Remote, RemoteEvent};

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::config::Config;
use crate::system::System;
use pause::Pauses;

/// What all connections of a runner share.
#[derive(Debug)]
pub struct Ssh {
    /// Where the services are.
    root: PathBuf,
    /// Whose `known_hosts` it is: the account that shells run as.
    account: String,
    system: System,
    /// Whether a host that nobody knows is trusted when it is first seen.
    trust_new_hosts: bool,
    pauses: Pauses,
    /// Of two that see a host for the first time, the second sees what the first has written.
    trusting: Mutex<()>,
}

impl Ssh {
    /// Of a runner; nothing if the machine is none.
    pub fn of(config: &Config, system: &System) -> Option<Arc<Self>> {
        let services = config.services.as_ref()?;
        Some(Arc::new(Self {
            root: services.directory.clone(),
            account: config.linux_user.username.clone(),
            system: system.clone(),
            trust_new_hosts: services.trust_new_hosts,
            pauses: Pauses::default(),
            trusting: Mutex::default(),
        }))
    }
}
