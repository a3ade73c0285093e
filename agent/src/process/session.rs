//! Ending all processes of a session.
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Kills every process of the session that `leader` leads. What made itself a session of its own, as a daemon does, is
/// not reached.
pub fn kill_session(leader: Pid) {
    for process in processes_of_session(leader) {
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
