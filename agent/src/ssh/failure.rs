//! Why there is no shell on a host, in words for whoever wanted one.
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::services::yaml;

/// Why there is none.
#[derive(Debug, Error)]
pub enum Failure {
    /// No service has the key to it.
    #[error("no service knows how to get there")]
    NoCredentials,
    /// It is left alone for a while.
    #[error(
        "several logins at {host} have failed, whoever wanted them, and a server that is bothered refuses everybody: try again in {} s",
        left.as_secs() + 1
    )]
    Pause {
        /// Its address and port.
        host: String,
        /// For so long.
        left: Duration,
    },
    /// The key that a service has is of no use.
    #[error("the key of the service {service} {fault}")]
    Key {
        /// Which service.
        service: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Nobody answers there.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// Its address and port.
        host: String,
        /// What the system says.
        why: String,
    },
    /// The host shows another key than is known of it.
    #[error(
        "the host key of {host} has changed: it shows {shown}, and line {line} of {} has {known}. Somebody may be listening in. If the \
         host was set up anew, remove that line",
        file.display()
    )]
    Changed {
        /// Its address and port.
        host: String,
        /// The key it shows.
        shown: String,
        /// The key that is known.
        known: String,
        /// Where.
        line: usize,
        /// In which file.
        file: PathBuf,
    },
    /// The host shows a key that is revoked.
    #[error("the host key of {host}, {shown}, is revoked by line {line} of {}", file.display())]
    Revoked {
        /// Its address and port.
        host: String,
        /// The key it shows.
        shown: String,
        /// Where.
        line: usize,
        /// In which file.
        file: PathBuf,
    },
    /// Nobody knows the host, and the configuration lets nobody trust it by seeing it.
    #[error(
        "the host key of {host}, {shown}, is not known, and this runner trusts no host that {} does not have \
         (services.trust_new_hosts)",
        file.display()
    )]
    Unknown {
        /// Its address and port.
        host: String,
        /// The key it shows.
        shown: String,
        /// In which file.
        file: PathBuf,
    },
    /// The file with the hosts that are known is out of reach.
    #[error("{} cannot be {what}: {why}", file.display())]
    KnownHosts {
        /// Which file.
        file: PathBuf,
        /// What was to be done with it.
        what: &'static str,
        /// What the system says.
        why: String,
    },
    /// The host does not take the key.
    #[error("{host} does not let {user} in by the key of the service {service}")]
    Refused {
        /// Its address and port.
        host: String,
        /// As whom.
        user: String,
        /// Whose key it was.
        service: String,
    },
    /// The host lets us in, and gives no shell.
    #[error("{host} gives no {what}")]
    NoShell {
        /// Its address and port.
        host: String,
        /// What it does not give.
        what: &'static str,
    },
    /// The connection broke before there was a shell.
    #[error("{0}")]
    Broken(String),
}

impl Failure {
    /// Whether the host has seen somebody come and not get in, which it may hold against all who come from here.
    pub fn bothers(&self) -> bool {
        match self {
            Self::Changed { .. }
            | Self::Revoked { .. }
            | Self::Unknown { .. }
            | Self::Refused { .. }
            | Self::Broken(_) => true,
            Self::NoCredentials
            | Self::Pause { .. }
            | Self::Key { .. }
            | Self::Unreachable { .. }
            | Self::KnownHosts { .. }
            | Self::NoShell { .. } => false,
        }
    }
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        use russh::Error::{Disconnect, HUP, IO, RecvError, SendError};
        Self::Broken(match error {
            Disconnect | HUP | IO(_) | RecvError | SendError => {
                "the other end closed the connection before anybody was let in; one at which logins failed may do so for a while".to_owned()
            }
            // Some of them repeat what the other end has said, at whatever length.
            error => yaml::cut(&error.to_string()),
        })
    }
}
