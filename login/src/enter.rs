//! Becoming an account.
#![allow(unsafe_code)]
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc::{self, c_int};
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, chdir, setgid, setgroups, setsid, setuid, write};
use serde::{Deserialize, Serialize};

use super::{Beginning, signals, supervisor};

nix::ioctl_write_int_bad!(
    /// Makes a terminal the controlling one of the calling session leader.
    set_controlling_terminal,
    libc::TIOCSCTTY
);

/// Where a program starts whose account has no home.
const ROOT_DIRECTORY: &CStr = c"/";

/// What a process writes to come into a control group itself.
const THIS_PROCESS: &[u8] = b"0";

/// Descriptors that are closed one by one where the kernel cannot close them all at once; nobody hands more down.
const DESCRIPTORS: c_int = 4096;

/// What a program has about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setting {
    /// A terminal, as its input and output and the controlling one of its session.
    Terminal,
    /// A supervisor above it, below which stays whatever it starts.
    Supervised,
}

/// Who a program becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// All groups, the primary one included.
    pub groups: Vec<u32>,
}

impl Identity {
    /// Takes the groups into this process, which stays who it is otherwise: what PAM adds to them comes after.
    pub fn take_groups(&self) -> io::Result<()> {
        Ok(setgroups(&self.group_ids())?)
    }

    fn group_ids(&self) -> Vec<Gid> {
        self.groups.iter().copied().map(Gid::from_raw).collect()
    }
}

/// How a program becomes an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// What it has about it.
    pub setting: Setting,
    /// Who it becomes; nothing if it stays who it is.
    pub identity: Option<Identity>,
    /// Where it starts, if it may.
    pub home: OsString,
    /// Whether it may gain privileges: otherwise setuid programs such as `sudo` run without theirs.
    pub privileges: bool,
    /// The file by which it comes into a control group that binds it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<OsString>,
}

impl Login {
    /// Has a command do all of it, after what it begins with.
    pub fn of(&self, command: &mut Command, beginning: Beginning) -> io::Result<()> {
        let groups = self.identity.as_ref().map(Identity::group_ids);
        self.prepare(command, Some(beginning), groups)
    }

    /// The same for a command that begins as this process is, which has taken the groups.
    pub fn of_begun(&self, command: &mut Command) -> io::Result<()> {
        self.prepare(command, None, None)
    }

    fn prepare(&self, command: &mut Command, beginning: Option<Beginning>, groups: Option<Vec<Gid>>) -> io::Result<()> {
        let (setting, privileges) = (self.setting, self.privileges);
        let ids = self.identity.as_ref();
        let ids = ids.map(|identity| (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid)));
        let home = CString::new(self.home.as_bytes())?;
        let no_home = no_home(&self.home);
        let group = self
            .group
            .as_ref()
            .map(|group| CString::new(group.as_bytes()))
            .transpose()?;
        let prepare = move || -> io::Result<()> {
            // First: it takes root's rights, and whatever is started below belongs into it, too.
            if let Some(group) = &group {
                come_into(group)?;
            }
            setsid()?;
            signals::reset();
            match setting {
                // SAFETY: standard input is the terminal, and the argument says not to steal it from another session.
                Setting::Terminal => unsafe { set_controlling_terminal(libc::STDIN_FILENO, 0) }.map(drop)?,
                Setting::Supervised => supervisor::supervise()?,
            }
            if let Some(beginning) = &beginning {
                beginning.take()?;
            }
            if let Some(groups) = &groups {
                setgroups(groups)?;
            }
            if let Some((uid, gid)) = ids {
                setgid(gid)?;
                setuid(uid)?;
            }
            // After the switch, because a home on a network may be closed to root.
            if chdir(home.as_c_str()).is_err() {
                chdir(ROOT_DIRECTORY)?;
                // Whoever reads what a command writes to standard error did not ask for this.
                if setting == Setting::Terminal {
                    let _ = write(io::stderr(), &no_home);
                }
            }
            if !privileges {
                set_no_new_privs()?;
            }
            close_others_on_exec();
            Ok(())
        };
        // SAFETY: between fork and exec only this closure runs. It makes system calls through thin wrappers that neither
        // allocate nor lock; everything it needs was prepared before the fork.
        unsafe { command.pre_exec(prepare) };
        Ok(())
    }
}

/// Brings this process into a control group. A limit that does not hold although it was promised is worse than no program.
fn come_into(entrance: &CStr) -> io::Result<()> {
    let file = open(entrance, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(file, THIS_PROCESS)?;
    Ok(())
}

/// What a person is told whose home cannot be entered.
fn no_home(home: &OsStr) -> Vec<u8> {
    [
        b"Could not enter the home directory ",
        home.as_bytes(),
        b"; starting in /\n",
    ]
    .concat()
}

/// Our own descriptors are all closed on exec. This is for those that were inherited from whoever started us.
pub(crate) fn close_others_on_exec() {
    const FIRST_AFTER_STANDARD_ERROR: c_int = 3;
    // SAFETY: close_range takes plain numbers; marking a descriptor closes nothing before the exec.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST_AFTER_STANDARD_ERROR,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    // A kernel before 5.11 does not know the call.
    if Errno::result(result).is_err() {
        for descriptor in FIRST_AFTER_STANDARD_ERROR..most_descriptors() {
            // SAFETY: marking a descriptor closes nothing before the exec, and one that is not open cannot be marked.
            unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

/// One more than the highest descriptor worth looking at.
pub(crate) fn most_descriptors() -> c_int {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(DESCRIPTORS, |(soft, _)| {
        c_int::try_from(soft).unwrap_or(DESCRIPTORS).min(DESCRIPTORS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn run(group: &std::path::Path) -> io::Result<std::process::Output> {
        let login = Login {
            setting: Setting::Supervised,
            identity: None,
            home: "/".into(),
            privileges: true,
            group: Some(group.into()),
        };
        let beginning = Beginning {
            file_limit: None,
            umask: Mode::from_bits_truncate(0o022),
        };
        let mut command = Command::new("/bin/cat");
        command.arg(group);
        login.of(&mut command, beginning)?;
        command.output()
    }

    #[test]
    fn a_program_is_in_its_group_before_it_runs_and_one_that_cannot_come_in_does_not_run() {
        let directory = tempfile::tempdir().unwrap();
        let entrance = directory.path().join("cgroup.procs");
        assert_eq!(run(&entrance).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::write(&entrance, "").unwrap();
        assert_eq!(run(&entrance).unwrap().stdout, b"0");
    }
}
