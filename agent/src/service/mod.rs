//! What `configure` does to the system: as root the account, its sudo rights and host names; the program's place, and what
//! keeps it running.
pub mod account;
pub mod background;
pub mod changes;
pub mod environment;
pub mod hosts;
pub mod manager;
mod openrc;
pub mod program;
pub mod sudoers;
mod systemd;

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use thiserror::Error;

/// Where system programs are, whatever the caller's environment says.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// An agent that is to be kept running.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its configuration.
    pub config: &'a Path,
    /// Whether its sessions may use sudo.
    pub allow_sudo: bool,
}

/// Why a change to the system was not made.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// A program is not installed.
    #[error("{0} is not installed")]
    NotInstalled(&'static str),
    /// There is no account, and nothing to make it with.
    #[error(
        "there is no user {0:?} on this machine, and no useradd or adduser to make it; make it, or name one that is there"
    )]
    NoAccount(String),
    /// A program could not be started.
    #[error("cannot run {program}: {source}")]
    Run {
        /// Which.
        program: &'static str,
        /// What went wrong.
        source: io::Error,
    },
    /// A program said no.
    #[error("{program} failed: {words}")]
    Failed {
        /// Which.
        program: &'static str,
        /// What it said.
        words: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
}

impl ServiceError {
    fn file(path: &Path, source: io::Error) -> Self {
        Self::File {
            path: path.display().to_string(),
            source,
        }
    }
}

/// Runs a system program to its end.
fn run(program: &'static str, arguments: &[&str]) -> Result<(), ServiceError> {
    let output = Command::new(program)
        .args(arguments)
        .env("PATH", PATH)
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ServiceError::NotInstalled(program),
        _ => ServiceError::Run { program, source },
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let words = match said.trim() {
        "" => output.status.to_string(),
        said => said.to_owned(),
    };
    Err(ServiceError::Failed { program, words })
}
