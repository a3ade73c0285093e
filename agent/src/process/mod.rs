//! Starting programs as the account they are to run as, and ending them. How a program becomes an account is in [`login`].
mod capabilities;
mod child;
mod environment;
mod family;
mod own;
pub mod pam;
mod session;
mod umask;
pub(crate) mod utmp;
mod waiting;

pub use child::Child;
pub use environment::search_path;
pub use family::Family;
pub use own::{adopt_orphans, output, output_of};
pub use session::{kill_descendants, kill_session, parent};
pub use waiting::{Waiting, directory, waiting};

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use login::question::Question;
use login::{Beginning, Identity, Login, Program, Setting};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, Uid, fchown, ttyname};

use crate::account::{self, Account};
use crate::cgroup::Group;
use crate::system::System;
use own::Own;
use pam::{Asked, Pam};
use utmp::Record;

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

/// Who wants something to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The person, as the edge calls them.
    pub person: String,
    /// The edge's host, from which the machine hears of it.
    pub edge: String,
}

/// Who a program runs as, and what it may become.
#[derive(Debug)]
pub struct RunAs {
    /// The account. Another than the agent's own needs root.
    pub account: Account,
    /// Whether it may gain privileges: otherwise setuid programs such as `sudo` run without theirs, whatever `sudoers` says.
    pub privileges: bool,
    /// Whose files a login reads.
    pub system: System,
    /// Who wants it.
    pub origin: Origin,
    /// What binds it, if something does.
    pub group: Option<Group>,
}

/// How the hosts begin that logins of ours come from, as `who` shows them: a person of the edge.
pub(crate) const OURS: &str = "vsay:";

/// What a program's input and outputs are.
enum Streams {
    /// A terminal, by its file's name.
    Terminal(OwnedFd, PathBuf),
    /// Nothing to read, and pipes that the agent reads.
    Captured,
    /// Nothing to read, and a terminal for both outputs that controls no session: programs write as for people, and cannot ask them.
    Shown(OwnedFd),
}

impl RunAs {
    /// A program with the environment of a login and nothing of the agent's own.
    pub fn program(&self, path: &Path) -> Program {
        Program {
            path: path.into(),
            name: None,
            arguments: Vec::new(),
            environment: environment::environment(&self.account, &self.system)
                .into_iter()
                .collect(),
        }
    }

    /// Starts a program without a terminal, and above it a supervisor, whose number is the child's: [`kill_descendants`] ends
    /// all that the program started. The child's outputs are pipes. Forking takes a millisecond or so, and PAM takes what it
    /// takes: call it off the runtime's thread, but within the runtime.
    pub fn start(self, program: Program) -> io::Result<Child> {
        self.check()?;
        let child = self.spawn(program, &Streams::Captured)?;
        Ok(child.within(self.group))
    }

    /// The same, with both outputs on `terminal`, from which it reads nothing.
    pub fn start_shown(self, program: Program, terminal: OwnedFd) -> io::Result<Child> {
        self.check()?;
        if self.switches() {
            give_terminal(&terminal, &self.account, &self.system)?;
        }
        let child = self.spawn(program, &Streams::Shown(terminal))?;
        Ok(child.within(self.group))
    }

    /// Starts a program as the leader of a session of its own, on `terminal`. The same holds for where it is called.
    pub fn start_on(self, program: Program, terminal: OwnedFd) -> io::Result<Child> {
        self.check()?;
        if self.switches() {
            give_terminal(&terminal, &self.account, &self.system)?;
        }
        let file = ttyname(&terminal)?;
        let line = file.strip_prefix("/dev").unwrap_or(&file).display().to_string();
        let child = self.spawn(program, &Streams::Terminal(terminal, file))?;
        let from = format!("{OURS}{}", self.origin.person);
        let record = Record::begin(self.system, line, child.pid(), &self.account.name, &from);
        Ok(child.on_record(record).within(self.group))
    }

    fn spawn(&self, program: Program, streams: &Streams) -> io::Result<Child> {
        if self.switches()
            && let Ok(pam) = Pam::find(&self.system)
        {
            match self.spawn_within(&pam, program.clone(), streams)? {
                Asked::Started(child) => return Ok(*child),
                Asked::NoPam(why) => tracing::warn!("starting without PAM: {why}"),
            }
        }
        let mut command = program.command();
        streams.attach(&mut command, None)?;
        self.login(streams).of(&mut command, self.beginning())?;
        let mut command = tokio::process::Command::from(command);
        let (child, own) = Own::start(|| command.spawn(), |child| child.id())?;
        Child::new(child, own)
    }

    /// The same within a session of PAM.
    fn spawn_within(&self, pam: &Pam, program: Program, streams: &Streams) -> io::Result<Asked> {
        let beginning = self.beginning();
        let ask = |service: String, directory: Option<PathBuf>| Question {
            service,
            directory: directory.map(PathBuf::into_os_string),
            user: self.account.name.clone(),
            terminal: streams.terminal(),
            person: self.origin.person.clone(),
            host: self.origin.edge.clone(),
            login: self.login(streams),
            program,
        };
        pam.start(
            |helper| beginning.of_helper(helper),
            |helper, socket| streams.attach(helper, Some(socket)),
            ask,
        )
    }

    fn beginning(&self) -> Beginning {
        let before = ORIGINAL_FILE_LIMIT.get().copied();
        let now = getrlimit(Resource::RLIMIT_NOFILE).ok();
        Beginning {
            file_limit: before.zip(now).map(|(soft, (_, hard))| (soft, hard)),
            umask: umask::of_logins(&self.system),
        }
    }

    fn login(&self, streams: &Streams) -> Login {
        let account = &self.account;
        let identity = || Identity {
            uid: account.uid.as_raw(),
            gid: account.gid.as_raw(),
            groups: account.groups.iter().copied().map(Gid::as_raw).collect(),
        };
        Login {
            setting: match streams {
                Streams::Terminal(..) => Setting::Terminal,
                Streams::Captured | Streams::Shown(_) => Setting::Supervised,
            },
            identity: self.switches().then(identity),
            home: account.home.clone().into_os_string(),
            privileges: self.privileges,
            group: self.group.as_ref().map(|group| group.entrance().into_os_string()),
        }
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

impl Streams {
    /// Gives a command its outputs, and its input unless that is something else.
    fn attach(&self, command: &mut Command, input: Option<OwnedFd>) -> io::Result<()> {
        let end = || -> io::Result<Stdio> {
            Ok(match self {
                Self::Terminal(terminal, _) | Self::Shown(terminal) => terminal.try_clone()?.into(),
                Self::Captured => Stdio::piped(),
            })
        };
        let input = match (input, self) {
            (Some(input), _) => input.into(),
            (None, Self::Terminal(..)) => end()?,
            (None, Self::Captured | Self::Shown(_)) => Stdio::null(),
        };
        command.stdin(input).stdout(end()?).stderr(end()?);
        Ok(())
    }

    fn terminal(&self) -> Option<String> {
        match self {
            Self::Terminal(_, file) => Some(file.display().to_string()),
            Self::Captured | Self::Shown(_) => None,
        }
    }
}

/// Makes the account the owner of its terminal, as a login does: programs such as `screen` and `gpg` open it by name.
fn give_terminal(slave: &OwnedFd, account: &Account, system: &System) -> io::Result<()> {
    let tty_group = account::group(system, "tty")?;
    // In this order, because changing the mode of what belongs to another takes one more capability.
    fchmod(slave.as_fd(), Mode::from_bits_truncate(0o620))?;
    fchown(slave.as_fd(), Some(account.uid), tty_group.or(Some(account.gid)))?;
    Ok(())
}
