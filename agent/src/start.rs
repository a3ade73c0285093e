//! Running the agent in the foreground, as a service manager or a person does.
use std::future::Future;
use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Context, Result};
use nix::sys::prctl::set_dumpable;
use nix::unistd::setsid;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Duration, Instant, sleep};
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::lock::{Lock, LockError};
use crate::say::Log;
use crate::service::manager::Manager;
use crate::service::{Service, background};
use crate::system::System;
use crate::{link, lock, process, say};

/// Runs the agent until it is told to stop by SIGTERM or SIGINT.
pub async fn start(path: &Path, system: System) -> Result<()> {
    let loaded = Config::load(path)?;
    log_to_stderr(&loaded.config.logging.level)?;
    for key in &loaded.unknown {
        tracing::warn!("{}: {key} means nothing; is it misspelt?", path.display());
    }
    let _lock = take_lock(path).await?;
    // The key is in our memory: no core dump, and no looking in by other processes of the same account.
    if let Err(error) = set_dumpable(false) {
        tracing::warn!(%error, "cannot keep others from looking into this process");
    }
    process::raise_file_limit();
    tokio::spawn(async {
        if let Err(error) = process::adopt_orphans().await {
            tracing::warn!(%error, "processes that lost their parent are not waited for");
        }
    });
    let stop = stop_signal().context("cannot wait for signals")?;
    link::run(system, loaded.config, stop).await?;
    tracing::info!("the agent has stopped");
    Ok(())
}

/// Starts the agent in the background and returns once it runs.
pub async fn in_background(path: &Path) -> Result<()> {
    let path = std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))?;
    let config = Config::load(&path)?.config;
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let service = Service {
        program: &program,
        config: &path,
        allow_sudo: config.permissions.allow_sudo,
    };
    let before = lock::running(&path);
    background::start(&service)?;
    let pid = background::started(&path, before)
        .await
        .with_context(|| Manager::Background.not_started(&service, before))?;
    say!(
        "The agent runs as process {pid}. Its log is {}.",
        background::log_file(&path).display()
    );
    Ok(())
}

/// Leaves the session, and with it the terminal, of whoever started this. A leader of one has left already.
pub fn detach() {
    let _ = setsid();
}

/// How long an agent that was told to stop may take to end its shells and say goodbye.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether it has ended. Nothing announces it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Takes the configuration's lock. One that was stopped a moment ago, as by a script that starts it anew, is waited for.
async fn take_lock(path: &Path) -> Result<Option<Lock>, LockError> {
    let give_up = Instant::now() + STOPPED_WITHIN;
    loop {
        match Lock::take(path) {
            Err(LockError::Held { .. }) if Instant::now() < give_up => sleep(LOOK_EVERY).await,
            taken => return taken,
        }
    }
}

/// Libraries that write what they carry, terminal bytes and tokens included, to the log at their finest levels.
const DISCREET: [&str; 2] = ["tungstenite=info", "tokio_tungstenite=info"];

fn log_to_stderr(level: &str) -> Result<()> {
    let mut filter = match std::env::var("RUST_LOG") {
        Ok(filter) if !filter.is_empty() => EnvFilter::try_new(filter).context("RUST_LOG is no log filter")?,
        _ => EnvFilter::try_new(level).with_context(|| format!("logging.level {level:?} is no log filter"))?,
    };
    for directive in DISCREET {
        filter = filter.add_directive(directive.parse()?);
    }
    // No colours for a journal.
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_writer(Log::new(io::stderr))
        .init();
    Ok(())
}

fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
