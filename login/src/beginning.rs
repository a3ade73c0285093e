//! What a program begins with, whoever it is to be.
#![allow(unsafe_code)]
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, setpgid};

use super::{enter, signals};

/// What of the agent's own a program does not inherit. PAM may change all of it, and so it comes before PAM.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    /// The soft and the hard limit of open files; nothing leaves them.
    pub file_limit: Option<(u64, u64)>,
    /// Which rights new files do not give.
    pub umask: Mode,
}

impl Beginning {
    /// To be called between fork and exec: it neither allocates nor locks.
    pub(crate) fn take(&self) -> io::Result<()> {
        signals::reset();
        if let Some((soft, hard)) = self.file_limit {
            setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
        }
        umask(self.umask);
        Ok(())
    }

    /// Has a helper of the agent begin with this. It stays who the agent is, in a process group of its own, so that keys of a
    /// terminal that the agent was started on do not reach it. A session of its own it does not lead: a module that opened
    /// a terminal would take that from the shell.
    pub fn of_helper(self, helper: &mut Command) {
        let prepare = move || {
            self.take()?;
            setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
            enter::close_others_on_exec();
            Ok(())
        };
        // SAFETY: between fork and exec only this closure runs. It makes system calls through thin wrappers that neither
        // allocate nor lock.
        unsafe { helper.pre_exec(prepare) };
    }
}
