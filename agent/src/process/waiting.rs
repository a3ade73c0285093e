//! Whether a shell is what takes a terminal's keys.
use std::fs;
use std::path::PathBuf;

use nix::unistd::Pid;

use super::session::process;

/// A shell that takes the terminal's keys itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its program.
    pub program: PathBuf,
    /// Its directory.
    pub directory: PathBuf,
}

impl Waiting {
    /// A shell on another host, of which no more is known.
    pub fn elsewhere() -> Self {
        Self {
            program: PathBuf::new(),
            directory: PathBuf::new(),
        }
    }
}

/// The directory of a process, if the system says.
pub fn directory(process: Pid) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{process}/cwd")).ok()
}

/// The shell with this number, if the keys of its terminal, whose foreground is `group`, go to it and to nothing that it runs. Nothing, too,
/// where the system does not say.
pub fn waiting(shell: Pid, group: Pid) -> Option<Waiting> {
    if group != shell {
        return None;
    }
    // A shell without job control runs programs in its own group.
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).ok()?;
    let mut children = children.split_whitespace().filter_map(|id| process(id.parse().ok()?));
    if children.any(|child| child.group == shell) {
        return None;
    }
    Some(Waiting {
        program: fs::read_link(format!("/proc/{shell}/exe")).ok()?,
        directory: fs::read_link(format!("/proc/{shell}/cwd")).unwrap_or_default(),
    })
}
