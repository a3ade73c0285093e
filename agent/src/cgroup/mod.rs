//! Control groups of version 2: a group of its own for each shell and command that has limits of processes or memory. The kernel holds
//! it to them together with all it starts, so nothing is measured here, and nothing happens while somebody types.
//!
//! The groups lie beside that of the agent, in what its service manager handed over: systemd 254 or later puts the agent into a
//! [`AGENT`] group below the service's own (`DelegateSubgroup=`). An older one would put it into the service's own group. There no
//! group below could be bound in its memory, and one that outlived the agent, as the group of a detached `tmux`, would keep systemd from
//! starting the agent again. So there, and where no systemd is, limits of this kind do not hold, and the machine's page says so.
mod group;

pub use group::Group;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::terminal::limits::SessionLimits;

use crate::system::System;

/// The group of the agent's own processes; the unit names it, too.
pub const AGENT: &str = "agent";

/// What binds sessions.
const CONTROLLERS: [&str; 2] = ["pids", "memory"];

/// How the names of sessions' groups begin.
const PREFIX: &str = "session-";

/// The fact by which a machine says whether its sessions can be bound.
const FACT: &str = "session_limits";

/// What that says where they can.
const HELD: &str = "held";

/// The groups of the sessions, or why there are none.
#[derive(Debug, Clone)]
pub struct Cgroups(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Where they are made; or, in words, why none are.
    base: Result<PathBuf, String>,
    next: AtomicU64,
    /// Those whose session is over and that something lives on in.
    left: Mutex<Vec<PathBuf>>,
}

impl Cgroups {
    /// What the agent's service was handed on a system. What agents before this one have left empty goes.
    pub fn find(system: &System) -> Self {
        let base = delegated(system);
        let left = base.as_deref().map(left_behind).unwrap_or_default();
        let cgroups = Self(Arc::new(Inner {
            base,
            next: AtomicU64::new(0),
            left: Mutex::new(left),
        }));
        cgroups.sweep();
        cgroups
    }

    /// Whether limits hold here. The error says why not.
    pub fn hold(&self) -> Result<(), &str> {
        self.0.base.as_ref().map(drop).map_err(String::as_str)
    }

    /// The same for the machine's page.
    pub fn fact(&self) -> BTreeMap<String, String> {
        let value = match self.hold() {
            Ok(()) => HELD.to_owned(),
            Err(why) => format!("not held: {why}"),
        };
        BTreeMap::from([(FACT.to_owned(), value)])
    }

    /// A group for a session with these limits; nothing if it has none, or where none hold. The error is that they would not hold
    /// although they do here: then nothing may be started.
    pub fn group(&self, limits: &SessionLimits) -> io::Result<Option<Group>> {
        let Ok(base) = &self.0.base else {
            return Ok(None);
        };
        if limits.max_processes == 0 && limits.max_memory_mb == 0 {
            return Ok(None);
        }
        self.sweep();
        loop {
            let number = self.0.next.fetch_add(1, Ordering::Relaxed);
            let path = base.join(format!("{PREFIX}{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Group::bind(path, limits, self.clone()).map(Some),
                // What an agent before this one left lives on in it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io::Error::other(format!("cannot make a control group: {error}"))),
            }
        }
    }

    /// A session is over: its group goes, now or, if something lives on in it, after that.
    fn give_up(&self, group: PathBuf) {
        self.left().push(group);
        self.sweep();
    }

    /// Removes groups that have become empty.
    fn sweep(&self) {
        let in_use = |group: &PathBuf| match fs::remove_dir(group) {
            Ok(()) => false,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        self.left().retain(in_use);
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Vec<PathBuf>> {
        self.0.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The group above the agent's own, if it was handed to the agent, and hands controllers on.
fn delegated(system: &System) -> Result<PathBuf, String> {
    let groups = String::from_utf8_lossy(&system.read("proc/self/cgroup")).into_owned();
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"));
    let own = own.ok_or("this machine has no control groups of version 2")?;
    let own = system.path("sys/fs/cgroup").join(own);
    if own.file_name() != Some(AGENT.as_ref()) {
        return Err("it takes systemd 254 or later, and `vsay-agent configure` run again".to_owned());
    }
    let base = own.parent().unwrap_or(Path::new("/")).to_owned();
    let offered = fs::read_to_string(base.join("cgroup.controllers")).unwrap_or_default();
    let missing = |name: &&str| !offered.split_whitespace().any(|offered| offered == *name);
    if let Some(missing) = CONTROLLERS.iter().find(|name| missing(name)) {
        return Err(format!("the agent's service was not handed the controller {missing}"));
    }
    let on = CONTROLLERS.map(|name| format!("+{name}")).join(" ");
    fs::write(base.join("cgroup.subtree_control"), on)
        .map_err(|error| format!("the agent may not hand its control groups on: {error}"))?;
    Ok(base)
}

/// The groups that agents before this one have made.
fn left_behind(base: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests;
