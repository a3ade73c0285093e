//! The shell's process, from fork to exec.
use std::ffi::{CStr, CString, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
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

/// Search path of a shell before its own start-up files change it (contract of the published terminal).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Character encoding of a shell on a machine that names none. Without one a shell is in the `C` locale, where every
/// program shows text beyond ASCII as question marks.
const FALLBACK_LANG: &str = "C.UTF-8";

/// The soft limit of open files the agent was started with. Shells get it back: a high one breaks programs that use
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

/// A shell to start.
#[derive(Debug)]
pub struct Shell {
    /// Who it runs as. Another account than the agent's own needs root.
    pub account: Account,
    /// Whether it may gain privileges: otherwise setuid programs such as `sudo` run without theirs, whatever `sudoers` says.
    pub privileges: bool,
}

impl Shell {
    /// Starts the shell as the leader of a new session whose controlling terminal is `slave`. Forking takes a
    /// millisecond or so: call it off the runtime's thread, but within the runtime.
    pub fn start(self, slave: OwnedFd) -> io::Result<Child> {
        let Shell { account, privileges } = self;
        let switch = Uid::effective().is_root();
        if !switch && account.uid != Uid::effective() {
            let text = format!(
                "the agent does not run as root, so it cannot start a shell as {}",
                account.name
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        if !privileges && account.uid.is_root() {
            let text = "shells run as root on this machine, and this session may not have root's rights";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        if switch {
            give_terminal(&slave, &account)?;
        }
        let file_limit = ORIGINAL_FILE_LIMIT
            .get()
            .copied()
            .zip(getrlimit(Resource::RLIMIT_NOFILE).ok());
        let home = CString::new(account.home.as_os_str().as_bytes())?;

        let mut command = Command::new(&account.shell);
        command
            .arg0(login_name(&account))
            .env_clear()
            .env("HOME", &account.home)
            .env("USER", &account.name)
            .env("LOGNAME", &account.name)
            .env("SHELL", &account.shell)
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor")
            .env("PATH", PATH)
            .env(
                "LANG",
                std::env::var_os("LANG").unwrap_or_else(|| OsString::from(FALLBACK_LANG)),
            )
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave));

        let prepare = move || -> io::Result<()> {
            setsid()?;
            // SAFETY: standard input is the terminal, and the argument says not to steal it from another session.
            unsafe { set_controlling_terminal(libc::STDIN_FILENO, 0) }?;
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
}

const ROOT_DIRECTORY: &CStr = c"/";

/// Makes the account the owner of its terminal, as a login does: programs such as `screen` and `gpg` open it by name.
fn give_terminal(slave: &OwnedFd, account: &Account) -> io::Result<()> {
    let tty_group = Group::from_name("tty")?.map(|group| group.gid);
    // In this order, because changing the mode of what belongs to another takes one more capability.
    fchmod(slave.as_fd(), Mode::from_bits_truncate(0o620))?;
    fchown(slave.as_fd(), Some(account.uid), tty_group.or(Some(account.gid)))?;
    Ok(())
}

/// A login shell is one whose own name starts with a dash.
fn login_name(account: &Account) -> OsString {
    let mut name = OsString::from("-");
    name.push(account.shell.file_name().unwrap_or(account.shell.as_os_str()));
    name
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
