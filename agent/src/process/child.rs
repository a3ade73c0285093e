//! A program that was started.
use std::io;
use std::process::ExitStatus;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{ChildStderr, ChildStdout};

use super::own::Own;
use super::utmp::Record;
use crate::cgroup::Group;

/// A child process, until it was waited for and this is dropped.
#[derive(Debug)]
pub struct Child {
    /// The program, its supervisor, or the helper that is the parent of either and ends as it does.
    process: tokio::process::Child,
    /// Of the program or its supervisor.
    pid: Pid,
    // In this order: the record of a login ends before the process may be taken for an orphan.
    record: Option<Record>,
    _own: Own,
    /// What binds it. After the process was waited for: a group goes when it is empty.
    _group: Option<Group>,
}

impl Child {
    pub(super) fn new(process: tokio::process::Child, own: Own) -> io::Result<Self> {
        let id = process.id().and_then(|id| i32::try_from(id).ok());
        let id = id.ok_or_else(|| io::Error::other("a new process has no number"))?;
        Ok(Self::below(process, own, Pid::from_raw(id)))
    }

    /// One whose parent is a helper of ours. That leaves it its number for as long as the helper lives.
    pub(super) fn below(helper: tokio::process::Child, own: Own, pid: Pid) -> Self {
        Self {
            process: helper,
            pid,
            record: None,
            _own: own,
            _group: None,
        }
    }

    pub(super) fn on_record(self, record: Record) -> Self {
        Self {
            record: Some(record),
            ..self
        }
    }

    /// The same, bound by a group.
    pub(super) fn within(self, group: Option<Group>) -> Self {
        Self { _group: group, ..self }
    }

    /// Its number, which is nobody else's until it was waited for.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits for its end. Nothing is lost if this is dropped before it is done.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.process.wait().await;
        self.record = None;
        status
    }

    /// Kills it, and nothing else.
    pub fn start_kill(&mut self) -> io::Result<()> {
        match self.process.id() {
            Some(_) => kill(self.pid, Signal::SIGKILL).map_err(Into::into),
            None => Ok(()),
        }
    }

    /// Its output, where that is a pipe.
    pub fn take_outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.process.stdout.take(), self.process.stderr.take())
    }
}
