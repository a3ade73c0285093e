//! Telling the processes of a terminal that it is gone.
use nix::sys::signal::{Signal, killpg};
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
