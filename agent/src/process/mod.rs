//! Starting programs as the account they are to run as, and ending them. With [`crate::pty`] the only module of the agent
//! that may use `unsafe`.
#![allow(unsafe_code)]
mod session;

pub use session::kill_session;

use std::ffi::{CStr, CString, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, fchmod, umask};
use nix::unistd::{Group, Uid, chdir, fchown, setgid, setgroups, setsid, setuid};
use tokio::process::{Child, Command};

use crate::account::Account;

nix::ioctl_write_int_bad!(
    /// Makes a terminal the controlling one of the calling session leader.
    set_controlling_terminal,
    libc::TIOCSCTTY
);

/// Search path of a program before it changes it itself (contract of the published terminal).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Character encoding on a machine that names none. Without one a program is in the `C` locale, where most show text
/// beyond ASCII as question marks.
const FALLBACK_LANG: &str = "C.UTF-8";

/// Where a program starts whose account has no home.
const ROOT_DIRECTORY: &CStr = c"/";

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
}

impl RunAs {
    /// A program with the account's environment and nothing of the agent's own.
    pub fn program(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        command
            .env_clear()
            .env("HOME", &self.account.home)
            .env("USER", &self.account.name)
            .env("LOGNAME", &self.account.name)
            .env("SHELL", &self.account.shell)
            .env("PATH", PATH)
            .env(
                "LANG",
                std::env::var_os("LANG").unwrap_or_else(|| OsString::from(FALLBACK_LANG)),
            );
        command
    }

    /// Starts a program as the leader of a new session, so that all it starts can be found. Forking takes a millisecond or
    /// so: call it off the runtime's thread, but within the runtime.
    pub fn start(self, command: Command) -> io::Result<Child> {
        self.check()?;
        self.spawn(command, false)
    }

    /// The same, with `terminal` for its input and output and as the session's controlling terminal.
    pub fn start_on(self, mut command: Command, terminal: OwnedFd) -> io::Result<Child> {
        self.check()?;
        if self.switches() {
            give_terminal(&terminal, &self.account)?;
        }
        command
            .stdin(Stdio::from(terminal.try_clone()?))
            .stdout(Stdio::from(terminal.try_clone()?))
            .stderr(Stdio::from(terminal));
        self.spawn(command, true)
    }

    fn spawn(self, mut command: Command, controls_terminal: bool) -> io::Result<Child> {
        let switch = self.switches();
        let Self { account, privileges } = self;
        let file_limit = ORIGINAL_FILE_LIMIT
            .get()
            .copied()
            .zip(getrlimit(Resource::RLIMIT_NOFILE).ok());
        let home = CString::new(account.home.as_os_str().as_bytes())?;
        let prepare = move || -> io::Result<()> {
            setsid()?;
            if controls_terminal {
                // SAFETY: standard input is the terminal, and the argument says not to steal it from another session.
                unsafe { set_controlling_terminal(libc::STDIN_FILENO, 0) }?;
            }
            if let Some((soft, (_, hard))) = file_limit {
                setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
            }
            umask(Mode::from_bits_truncate(0o022));
            if switch {
                setgroups(&account.groups)?;
                setgid(account.gid)?;
                setuid(account.uid)?;
            }
            // After the switch, because a home on a network may be closed to root.
            if chdir(home.as_c_str()).is_err() {
                chdir(ROOT_DIRECTORY)?;
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
        command.spawn()
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

/// Makes the account the owner of its terminal, as a login does: programs such as `screen` and `gpg` open it by name.
fn give_terminal(slave: &OwnedFd, account: &Account) -> io::Result<()> {
    let tty_group = Group::from_name("tty")?.map(|group| group.gid);
    // In this order, because changing the mode of what belongs to another takes one more capability.
    fchmod(slave.as_fd(), Mode::from_bits_truncate(0o620))?;
    fchown(slave.as_fd(), Some(account.uid), tty_group.or(Some(account.gid)))?;
    Ok(())
}

/// Our own descriptors are all closed on exec. This is for those that the agent itself inherited from whoever started it.
/// A kernel before 5.11 does not know the call; there is nothing to be done about that here.
fn close_others_on_exec() {
    const FIRST_AFTER_STANDARD_ERROR: libc::c_uint = 3;
    // SAFETY: close_range takes plain numbers; marking a descriptor closes nothing before the exec.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST_AFTER_STANDARD_ERROR,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    let _ = Errno::result(result);
}
