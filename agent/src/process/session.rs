//! Ending processes together.
use std::collections::BTreeSet;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How often descendants are looked for that were started while others were killed. Each look finds what was missed, so a
/// second is mostly the last; a program that does nothing but start others is not chased for ever.
const LOOKS: usize = 64;

/// Kills every process of the session that `leader` leads. What made itself a session of its own, as a daemon does, is
/// not reached.
pub fn kill_session(leader: Pid) {
    for process in processes().filter(|process| process.session == leader) {
        let _ = kill(process.id, Signal::SIGKILL);
    }
}

/// Kills everything that a subreaper has below itself, whatever sessions it is in. The subreaper stands still meanwhile, so
/// that what loses its parent stays below it; it goes on and sees that nothing is left.
pub fn kill_descendants(subreaper: Pid) {
    let _ = kill(subreaper, Signal::SIGSTOP);
    let mut killed = BTreeSet::new();
    for _ in 0..LOOKS {
        let found: Vec<Pid> = descendants(subreaper)
            .into_iter()
            .filter(|id| !killed.contains(id))
            .collect();
        if found.is_empty() {
            break;
        }
        for process in found {
            let _ = kill(process, Signal::SIGKILL);
            killed.insert(process);
        }
    }
    if killed.is_empty() {
        // It has nothing left, or the system does not show us what.
        let _ = kill(subreaper, Signal::SIGKILL);
    }
    let _ = kill(subreaper, Signal::SIGCONT);
}

fn descendants(of: Pid) -> BTreeSet<Pid> {
    let all: Vec<Process> = processes().collect();
    let mut found = BTreeSet::from([of]);
    let mut before = 0;
    while found.len() > before {
        before = found.len();
        found.extend(
            all.iter()
                .filter(|process| found.contains(&process.parent))
                .map(|process| process.id)
                .collect::<Vec<_>>(),
        );
    }
    found.remove(&of);
    found
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) id: Pid,
    pub(super) parent: Pid,
    pub(super) group: Pid,
    pub(super) session: Pid,
    /// When it began, in ticks since the system did: another process with its number has another.
    pub(super) began: u64,
    /// Whether it has ended, and its parent has not asked how.
    pub(super) is_over: bool,
}

pub(super) fn processes() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| process(entry.ok()?.file_name().to_str()?.parse().ok()?))
}

/// A process by its number.
pub(super) fn process(id: i32) -> Option<Process> {
    from_stat(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

/// The process that started one, or has taken it in.
pub fn parent(id: Pid) -> Option<Pid> {
    process(id.as_raw()).map(|process| process.parent)
}

/// A process by its line of `/proc/<pid>/stat`. The name in parentheses may itself hold spaces and parentheses.
fn from_stat(id: i32, stat: &str) -> Option<Process> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    // state, parent, process group, session, and 15 others before the time it began
    let is_over = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let began = fields.nth(15)?.parse().ok()?;
    Some(Process {
        id: Pid::from_raw(id),
        parent: Pid::from_raw(parent),
        group: Pid::from_raw(group),
        session: Pid::from_raw(session),
        began,
        is_over,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_and_session_are_found_behind_a_name_that_tries_to_hide_them() {
        let rest = "34816 42 4194304 100 0 0 0 1 2 0 0 20 0 1 0 123456 1000";
        let process = from_stat(42, &format!("42 (a) b (c 1 2 3 4) S 1 42 77 {rest}")).unwrap();
        let numbers = [process.parent, process.group, process.session];
        assert_eq!(numbers.map(Pid::as_raw), [1, 42, 77]);
        assert_eq!((process.began, process.is_over), (123_456, false));
        assert!(from_stat(42, &format!("42 (a) Z 1 42 77 {rest}")).unwrap().is_over);
        assert_eq!(from_stat(42, "42"), None);
    }
}
