//! The group of one session.
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use protocol::terminal::limits::SessionLimits;

use super::Cgroups;

/// Bytes of a MiB.
const MIB: u64 = 1024 * 1024;

/// A group, for as long as its session's first process lives.
#[derive(Debug)]
pub struct Group {
    path: PathBuf,
    cgroups: Cgroups,
}

impl Group {
    /// Binds a group that was just made.
    pub(super) fn bind(path: PathBuf, limits: &SessionLimits, cgroups: Cgroups) -> io::Result<Self> {
        // Given up again, should a limit be refused.
        let group = Self { path, cgroups };
        if limits.max_processes > 0 {
            group.set("pids.max", u64::from(limits.max_processes))?;
        }
        if limits.max_memory_mb > 0 {
            group.set("memory.max", u64::from(limits.max_memory_mb) * MIB)?;
            // Or it would take as much again from the disk. A kernel without swap has no such file.
            if group.path.join("memory.swap.max").exists() {
                group.set("memory.swap.max", 0)?;
            }
        }
        Ok(group)
    }

    fn set(&self, file: &str, value: u64) -> io::Result<()> {
        fs::write(self.path.join(file), value.to_string())
            .map_err(|error| io::Error::other(format!("cannot set {file} of a session: {error}")))
    }

    /// The file that a process writes `0` to, to come into the group with all it starts.
    pub fn entrance(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.cgroups.give_up(std::mem::take(&mut self.path));
    }
}
