//! Starting programs as the account they are to run as, and ending them. With [`crate::pty`] the only module of the agent
//! that may use `unsafe`.
#![allow(unsafe_code)]
mod child;
mod environment;
mod own;
mod session;
mod supervisor;
mod umask;
mod utmp;

pub use child::Child;
pub use own::{adopt_orphans, output};
pub use session::{kill_descendants, kill_session};

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::libc::{self, c_int};
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, fchmod, umask};
use nix::unistd::{Uid, chdir, fchown, setgid, setgroups, setsid, setuid, ttyname, write};
use tokio::process::Command;

use crate::account::{self, Account};
use crate::system::System;
use own::Own;
use utmp::Record;

nix::ioctl_write_int_bad!(
    /// Makes a terminal the controlling one of the calling session leader.
    set_controlling_terminal,
    libc::TIOCSCTTY
);

/// Where a program starts whose account has no home.
const ROOT_DIRECTORY: &CStr = c"/";

/// The highest signal number.
const SIGNALS: c_int = 64;

/// Descriptors that are closed one by one where the kernel cannot close them all at once; nobody hands more down.
const DESCRIPTORS: c_int = 4096;

/// The soft limit of open files the agent was started with. Programs get it back: a high one breaks those that use
/// `select`.
static ORIGINAL_FILE_LIMIT: OnceLock<u64> = OnceLock::new();

/// Raises the number of files the agent may open to what the system allows: a shell takes up to four descriptors, and
/// the usual soft limit of 1024 is short of [`protocol::limits::MAX_STREAMS`] of them.
pub fn raise_file_limit() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    ORIGINAL_FILE_LIMIT.get_or_init(|| soft);
    if let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

/// Who a program runs as, and what it may become.
#[derive(Debug, Clone)]
pub struct RunAs {
    /// The account. Another than the agent's own needs root.
    pub account: Account,
    /// Whether it may gain privileges: otherwise setuid programs such as `sudo` run without theirs, whatever `sudoers` says.
    pub privileges: bool,
    /// Whose files a login reads.
    pub system: System,
}

/// What a program is started with, beside its account.
enum Setting {
    /// A terminal, as its input and output and the controlling one of its session.
    Terminal,
    /// A supervisor above it, below which stays whatever it starts.
    Supervised,
}

impl RunAs {
    /// A program with the environment of a login and nothing of the agent's own.
    pub fn program(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        command
            .env_clear()
            .envs(environment::environment(&self.account, &self.system));
        command
    }

    /// Starts a program without a terminal, and above it a supervisor, which is the child: [`kill_descendants`] ends all
    /// that the program started. Forking takes a millisecond or so: call it off the runtime's thread, but within the runtime.
    pub fn start(self, command: Command) -> io::Result<Child> {
        self.check()?;
        self.spawn(command, Setting::Supervised)
    }

    /// Starts a program as the leader of a session of its own, on `terminal`. `from` says where the person is who logs in.
    pub fn start_on(self, mut command: Command, terminal: OwnedFd, from: &str) -> io::Result<Child> {
        self.check()?;
        if self.switches() {
            give_terminal(&terminal, &self.account, &self.system)?;
        }
        let line = ttyname(&terminal)?;
        let line = line.strip_prefix("/dev").unwrap_or(&line).display().to_string();
        let (system, user) = (self.system.clone(), self.account.name.clone());
        command
            .stdin(Stdio::from(terminal.try_clone()?))
            .stdout(Stdio::from(terminal.try_clone()?))
            .stderr(Stdio::from(terminal));
        let child = self.spawn(command, Setting::Terminal)?;
        let record = Record::begin(system, line, child.pid(), &user, from);
        Ok(child.on_record(record))
    }

    fn spawn(self, mut command: Command, setting: Setting) -> io::Result<Child> {
        let switch = self.switches();
        let Self {
            account,
            privileges,
            system,
        } = self;
        let file_limit = ORIGINAL_FILE_LIMIT
            .get()
            .copied()
            .zip(getrlimit(Resource::RLIMIT_NOFILE).ok());
        let umask_of_logins = umask::of_logins(&system);
        let home = CString::new(account.home.as_os_str().as_bytes())?;
        let no_home = no_home(account.home.as_os_str());
        let prepare = move || -> io::Result<()> {
            setsid()?;
            reset_signals();
            match setting {
                // SAFETY: standard input is the terminal, and the argument says not to steal it from another session.
                Setting::Terminal => unsafe { set_controlling_terminal(libc::STDIN_FILENO, 0) }.map(drop)?,
                Setting::Supervised => supervisor::supervise()?,
            }
            if let Some((soft, (_, hard))) = file_limit {
                setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
            }
            umask(umask_of_logins);
            if switch {
                setgroups(&account.groups)?;
                setgid(account.gid)?;
                setuid(account.uid)?;
            }
            // After the switch, because a home on a network may be closed to root.
            if chdir(home.as_c_str()).is_err() {
                chdir(ROOT_DIRECTORY)?;
                // Whoever reads what a command writes to standard error did not ask for this.
                if matches!(setting, Setting::Terminal) {
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
        let (child, own) = Own::start(|| command.spawn(), |child| child.id())?;
        Child::new(child, own)
    }

    fn switches(&self) -> bool {
        Uid::effective().is_root()
    }

    fn check(&self) -> io::Result<()> {
        let refuse = |text: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        if !self.switches() && self.account.uid != Uid::effective() {
            let name = &self.account.name;
            return refuse(format!(
                "the agent does not run as root, so it cannot run anything as {name}"
            ));
        }
        if !self.privileges && self.account.uid.is_root() {
            return refuse(
                "everything runs as root on this machine, and this session may not have root's rights".to_owned(),
            );
        }
        Ok(())
    }
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

/// Makes the account the owner of its terminal, as a login does: programs such as `screen` and `gpg` open it by name.
fn give_terminal(slave: &OwnedFd, account: &Account, system: &System) -> io::Result<()> {
    let tty_group = account::group(system, "tty")?;
    // In this order, because changing the mode of what belongs to another takes one more capability.
    fchmod(slave.as_fd(), Mode::from_bits_truncate(0o620))?;
    fchown(slave.as_fd(), Some(account.uid), tty_group.or(Some(account.gid)))?;
    Ok(())
}

/// Gives all signals their default effect. What the agent handles becomes that by itself; what it was started to ignore, as
/// by `nohup`, would be ignored by everything below it.
fn reset_signals() {
    for signal in 1..=SIGNALS {
        // SAFETY: sets a disposition by plain numbers. The two that cannot be set, and those of the C library, are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Our own descriptors are all closed on exec. This is for those that the agent itself inherited from whoever started it.
fn close_others_on_exec() {
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
fn most_descriptors() -> c_int {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(DESCRIPTORS, |(soft, _)| {
        c_int::try_from(soft).unwrap_or(DESCRIPTORS).min(DESCRIPTORS)
    })
}
