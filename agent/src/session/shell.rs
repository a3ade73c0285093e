//! The process behind a session's terminal, from its start to its end.
use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use protocol::terminal::ExitStatus;
use tokio::process::Child;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::account::Account;
use crate::process::RunAs;

/// Where a shell stands.
pub enum Shell {
    /// Being started, off the runtime's thread.
    Starting(JoinHandle<io::Result<Child>>),
    /// Alive.
    Running(Child),
    /// Ended; the terminal is read until it has no more, or up to this offset.
    Ended { status: ExitStatus, read_to: u64 },
    /// Ended, and its terminal is read.
    Over,
}

/// What can happen to a shell.
pub enum ShellEvent {
    /// It runs.
    Started(Child),
    /// It ended.
    Exited(ExitStatus),
}

impl Shell {
    /// Starts the shell of an account on a terminal.
    pub fn start(account: String, privileges: bool, slave: OwnedFd) -> Self {
        Self::Starting(spawn_blocking(move || {
            let account = Account::find(&account).map_err(io::Error::other)?;
            let login = login_name(&account);
            let run_as = RunAs { account, privileges };
            let mut command = run_as.program(&run_as.account.shell);
            command
                .arg0(login)
                .env("TERM", "xterm-256color")
                .env("COLORTERM", "truecolor");
            run_as.start_on(command, slave)
        }))
    }

    /// Waits for what happens next; for ever once the shell has ended. The error is why it could not be started.
    pub async fn event(&mut self) -> io::Result<ShellEvent> {
        match self {
            Self::Starting(starting) => Ok(ShellEvent::Started(starting.await.map_err(io::Error::other)??)),
            Self::Running(child) => Ok(ShellEvent::Exited(exit_status(child.wait().await))),
            Self::Ended { .. } | Self::Over => pending().await,
        }
    }
}

/// A login shell is one whose own name starts with a dash.
fn login_name(account: &Account) -> OsString {
    let mut name = OsString::from("-");
    name.push(account.shell.file_name().unwrap_or(account.shell.as_os_str()));
    name
}

/// The process of a shell that has not been waited for.
pub fn pid_of(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
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
            }
        }
        Err(error) => {
            tracing::warn!(%error, "cannot learn how a program ended");
            ExitStatus::default()
        }
    }
}
