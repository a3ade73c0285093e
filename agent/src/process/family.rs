//! All processes of a job, whatever parents and sessions they give themselves: whoever ends a job ends all of them, and it is not over
//! before.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::session::{Process, processes};

/// A process for certain: its number, and when it began.
type Id = (Pid, u64);

/// The processes that carry a mark in their environment, descend from one that does or from the job's supervisor, or are in a session of such.
/// One is known from the first look at it on, so that it is found when its parent is gone.
#[derive(Debug)]
pub struct Family {
    mark: Vec<u8>,
    supervisor: Option<Pid>,
    members: BTreeSet<Id>,
    sessions: BTreeSet<Pid>,
    /// Those that were looked at and have no mark. No process gets one later.
    strangers: BTreeSet<Id>,
}

impl Family {
    /// What has the variable `name` with this value, and what is below a supervisor, if there is one.
    pub fn new(name: &str, value: &str, supervisor: Option<Pid>) -> Self {
        Self {
            mark: format!("{name}={value}").into_bytes(),
            supervisor,
            members: BTreeSet::new(),
            sessions: BTreeSet::new(),
            strangers: BTreeSet::new(),
        }
    }

    /// Looks who there is, without the supervisor.
    pub fn look(&mut self) -> Vec<Pid> {
        let all: Vec<Process> = processes().collect();
        self.strangers
            .retain(|id| all.iter().any(|process| id_of(process) == *id));
        loop {
            let before = self.members.len();
            let numbers: BTreeMap<Pid, Id> = all.iter().map(|process| (process.id, id_of(process))).collect();
            for process in &all {
                let parent = numbers.get(&process.parent);
                let belongs = Some(process.parent) == self.supervisor
                    || parent.is_some_and(|parent| self.members.contains(parent))
                    || self.sessions.contains(&process.session)
                    || self.is_marked(process);
                if belongs && Some(process.id) != self.supervisor && self.members.insert(id_of(process)) {
                    // The supervisor leads one itself.
                    if Some(process.session) != self.supervisor {
                        self.sessions.insert(process.session);
                    }
                }
            }
            if self.members.len() == before {
                break;
            }
        }
        let alive = |process: &&Process| !process.is_over && self.members.contains(&id_of(process));
        all.iter().filter(alive).map(|process| process.id).collect()
    }

    /// Asks what the supervisor has started to end, and its group.
    pub fn ask_to_end(&mut self) {
        let groups: BTreeSet<Pid> = processes()
            .filter(|process| Some(process.parent) == self.supervisor)
            .map(|process| process.group)
            .collect();
        for group in groups {
            let _ = killpg(group, Signal::SIGTERM);
        }
    }

    /// Kills whoever there is. Answers how many there were.
    pub fn kill(&mut self) -> usize {
        let alive = self.look();
        for id in &alive {
            let _ = kill(*id, Signal::SIGKILL);
        }
        alive.len()
    }

    fn is_marked(&mut self, process: &Process) -> bool {
        let id = id_of(process);
        if self.members.contains(&id) {
            return true;
        }
        if self.strangers.contains(&id) {
            return false;
        }
        // One that nobody may read is no job of ours.
        let environment = fs::read(format!("/proc/{}/environ", process.id)).unwrap_or_default();
        let is_marked = environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == self.mark);
        if !is_marked {
            self.strangers.insert(id);
        }
        is_marked
    }
}

fn id_of(process: &Process) -> Id {
    (process.id, process.began)
}
