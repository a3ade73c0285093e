//! The process behind a session's terminal, from its start to its end.
use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process;

use nix::sys::signal::Signal;
use protocol::terminal::ExitStatus;
use protocol::terminal::limits::SessionLimits;
use protocol::terminal::ssh::SshConnected;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::account::Account;
use crate::cgroup::Cgroups;
use crate::integration::{self, Hooks};
use crate::process::{Child, Origin, RunAs};
use crate::ssh::{Remote, RemoteEvent};
use crate::system::System;

/// What programs are told of the terminals that people look at here.
const TERMINAL: [(&str, &str); 2] = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];

/// Who logs in, and where.
#[derive(Debug, Clone)]
pub struct Login {
    /// Name of the account that the shell runs as.
    pub account: String,
    /// Whether it may gain privileges.
    pub privileges: bool,
    /// Who asked for it.
    pub origin: Origin,
    /// Whose accounts and files these are.
    pub system: System,
    /// What it may do…
    pub limits: SessionLimits,
    /// …and what binds it.
    pub cgroups: Cgroups,
}

/// How a shell is to tell what it runs, if there are hooks for it.
#[derive(Debug)]
pub struct Telling {
    /// What its marks carry.
    pub secret: String,
    /// Where its hooks may lie.
    pub directory: PathBuf,
}

/// A shell that was started, and its hooks, which lie on disk as long as it runs.
#[derive(Debug)]
pub struct Started {
    /// The process.
    pub child: Child,
    /// None if it has none.
    pub hooks: Option<Hooks>,
    /// Whether it is a shell, and no other program that an account has in its place.
    pub is_shell: bool,
}

/// Where a shell stands.
pub enum Shell {
    /// Being started, off the runtime's thread.
    Starting(JoinHandle<io::Result<Started>>),
    /// Alive.
    Running(Box<Started>),
    /// On another host, or on the way there.
    Remote(Box<Remote>),
    /// Ended; the terminal is read until it has no more, or up to this offset.
    Ended { status: ExitStatus, read_to: u64 },
    /// Ended, and its terminal is read.
    Over,
}

/// What can happen to a shell.
pub enum ShellEvent {
    /// It runs.
    Started(Box<Started>),
    /// It runs on another host.
    Connected(SshConnected),
    /// It ended.
    Exited(ExitStatus),
}

impl Shell {
    /// Starts the shell of an account on a terminal, with hooks if it is to tell what it runs.
    pub fn start(login: Login, slave: OwnedFd, telling: Option<Telling>) -> Self {
        Self::Starting(spawn_blocking(move || {
            let Login {
                account,
                privileges,
                origin,
                system,
                limits,
                cgroups,
            } = login;
            let account = Account::find_on(&system, &account).map_err(io::Error::other)?;
            let shell = account.login_shell()?.to_owned();
            let (arg0, name) = (login_name(&account), account.name.clone());
            let told_of = account.clone();
            let run_as = RunAs {
                account,
                privileges,
                system,
                origin,
                group: cgroups.group(&limits)?,
            };
            let mut program = run_as.program(&shell);
            program.name = Some(arg0);
            let ours = TERMINAL.map(|(name, value)| (name.into(), value.into()));
            program.environment.extend(ours);
            let prepared = telling.map(|Telling { secret, directory }| {
                let environment = program.environment.iter().cloned().collect();
                Hooks::prepare(&shell, &told_of, &environment, &secret, &directory)
            });
            let hooks = prepared.unwrap_or(Ok(None)).unwrap_or_else(|error| {
                tracing::warn!(%error, "a shell starts without hooks: its commands are not logged");
                None
            });
            if let Some(hooks) = &hooks {
                program.environment.extend(hooks.environment.iter().cloned());
                program.arguments.extend(hooks.arguments.iter().cloned());
            }
            let child = run_as
                .start_on(program, slave)
                .map_err(|error| cannot_start(&shell, &name, error))?;
            let is_shell = integration::is_shell(&shell);
            Ok(Started { child, hooks, is_shell })
        }))
    }

    /// Waits for what happens next; for ever once the shell has ended. The error is why it could not be started.
    pub async fn event(&mut self) -> io::Result<ShellEvent> {
        match self {
            Self::Starting(starting) => {
                let started = starting.await.map_err(io::Error::other)??;
                Ok(ShellEvent::Started(Box::new(started)))
            }
            Self::Running(started) => Ok(ShellEvent::Exited(exit_status(started.child.wait().await))),
            Self::Remote(remote) => Ok(match remote.event().await? {
                RemoteEvent::Connected(connected) => ShellEvent::Connected(connected),
                RemoteEvent::Exited(status) => ShellEvent::Exited(status),
            }),
            Self::Ended { .. } | Self::Over => pending().await,
        }
    }

    /// Whether it is not there yet.
    pub fn is_starting(&self) -> bool {
        match self {
            Self::Starting(_) => true,
            Self::Remote(remote) => !remote.is_open(),
            Self::Running(_) | Self::Ended { .. } | Self::Over => false,
        }
    }
}

/// A login shell is one whose own name starts with a dash.
fn login_name(account: &Account) -> OsString {
    let mut name = OsString::from("-");
    name.push(account.shell.file_name().unwrap_or(account.shell.as_os_str()));
    name
}

/// Adds to an error of the system what it is about.
fn cannot_start(shell: &Path, name: &str, error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(_) => io::Error::other(format!("cannot start {} as {name}: {error}", shell.display())),
        None => error,
    }
}

/// Kills a shell, and nothing else of its session.
pub fn start_kill(child: &mut Child) {
    if let Err(error) = child.start_kill() {
        tracing::warn!(%error, "cannot kill a shell");
    }
}

/// How a process ended, as the relay is told.
pub fn exit_status(status: io::Result<process::ExitStatus>) -> ExitStatus {
    match status {
        Ok(status) => {
            let signal = status.signal().map(|number| {
                Signal::try_from(number).map_or_else(|_| format!("SIG{number}"), |signal| signal.as_str().to_owned())
            });
            ExitStatus {
                code: status.code(),
                signal,
                reason: None,
            }
        }
        Err(error) => {
            tracing::warn!(%error, "cannot learn how a program ended");
            ExitStatus::default()
        }
    }
}
