//! An agent that no service manager starts, as in a container: in the background, in a session of its own, so that it outlives
//! the terminal it was started from.
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tokio::time::{Duration, Instant, sleep};

use super::{PATH, Service, ServiceError, environment};
use crate::lock;

/// The log of an agent that root starts.
pub const SYSTEM_LOG: &str = "/var/log/vsay-agent.log";

/// How long an agent may take until it runs: it waits for the one before to end, which may take five seconds, and a service
/// manager has its own work.
const STARTED_WITHIN: Duration = Duration::from_secs(20);

/// How long one that was told to end may take: as long as a service manager gives it.
const STOPPED_WITHIN: Duration = Duration::from_secs(15);

/// How often it is looked. Nothing announces it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Where the log is.
pub fn log_file(config: &Path) -> PathBuf {
    if Uid::effective().is_root() {
        SYSTEM_LOG.into()
    } else {
        config.with_extension("log")
    }
}

/// Starts an agent, and ends the one that runs with its configuration. The log begins anew.
pub fn start(service: &Service<'_>) -> Result<(), ServiceError> {
    let log = log_file(service.config);
    let log = open(&log).map_err(|error| ServiceError::file(&log, error))?;
    // The new one first: it waits for the other to end, and whoever does this through the other is cut off by that.
    Command::new(service.program)
        .args(["start", "--detached", "--config"])
        .arg(service.config)
        // Not a token, and nothing else of whoever happens to start it.
        .env_clear()
        .env("PATH", PATH)
        .envs(environment::load(service.config))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|source| ServiceError::Run {
            program: "vsay-agent",
            source,
        })?;
    if let Some(before) = lock::running(service.config) {
        let _ = kill(before, Signal::SIGTERM);
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .open(path)
}

/// Waits until an agent runs with the configuration that is not `before`.
pub async fn started(config: &Path, before: Option<Pid>) -> Option<Pid> {
    let give_up = Instant::now() + STARTED_WITHIN;
    loop {
        match lock::running(config) {
            Some(pid) if Some(pid) != before => return Some(pid),
            _ if Instant::now() >= give_up => return None,
            _ => sleep(LOOK_EVERY).await,
        }
    }
}

/// Ends the agent that runs with the configuration, if one does. Answers whether none does now.
pub async fn stop(config: &Path) -> bool {
    let give_up = Instant::now() + STOPPED_WITHIN;
    let mut told = None;
    while let Some(pid) = lock::running(config) {
        if told != Some(pid) {
            let _ = kill(pid, Signal::SIGTERM);
            told = Some(pid);
        }
        if Instant::now() >= give_up {
            return false;
        }
        sleep(LOOK_EVERY).await;
    }
    true
}
