//! Ending the processes of a terminal.
use std::fs;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::Pty;

/// Tells a shell, and what runs in its foreground, that the terminal is gone, as closing a terminal window does.
pub fn hang_up(pty: &Pty, shell: Pid) {
    let groups = [Some(shell), pty.foreground_group().filter(|group| *group != shell)];
    for group in groups.into_iter().flatten() {
        // A group that is gone needs no signal.
        let _ = killpg(group, Signal::SIGHUP);
        // A stopped process would keep the signal until it is continued.
        let _ = killpg(group, Signal::SIGCONT);
    }
}

/// Kills every process of the session that `shell` leads. What made itself a session of its own, as a daemon does, is
/// not reached.
pub fn kill_session(shell: Pid) {
    for process in processes_of_session(shell) {
        let _ = kill(process, Signal::SIGKILL);
    }
}

fn processes_of_session(session: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|process| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat"));
            stat.is_ok_and(|stat| session_in_stat(&stat) == Some(session.as_raw()))
        })
        .map(Pid::from_raw)
        .collect()
}

/// The session id in a line of `/proc/<pid>/stat`. The name in parentheses may itself hold spaces and parentheses.
fn session_in_stat(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    // state, parent, process group, session
    after_name.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_behind_a_name_that_tries_to_hide_it() {
        assert_eq!(session_in_stat("42 (a) b (c 1 2 3 4) S 1 42 77 34816 42"), Some(77));
        assert_eq!(session_in_stat("42"), None);
    }
}
