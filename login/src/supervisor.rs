//! A process above a command, below which all that the command starts stays, `setsid` or not: it is a subreaper, so what
//! loses its parent becomes its child, and whoever wants to end all of it finds it there.
//!
//! It is a fork of whoever starts the command that runs no other program and keeps the account it has, so the command cannot
//! end it; and it does nothing but wait. An agent that is killed kills no command: then it does that, since nobody else could any
//! more, and nobody will ask what comes of it.
#![allow(unsafe_code)]
use std::io;
use std::ptr::null_mut;

use nix::errno::Errno;
use nix::libc::{self, c_int};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid, fork, getppid, setsid};

use super::end::{end_as, exit};
use super::{enter, signals};

/// How often it is looked whether the agent is still there, in seconds. The signal that Linux would send comes at the end of the
/// thread that has forked, which may be long before.
const LOOK_EVERY: libc::time_t = 2;

/// Makes this process the supervisor of a new one, in which alone the function returns. To be called between fork and exec,
/// by the leader of a session; the new process leads another.
pub fn supervise() -> io::Result<()> {
    match set_child_subreaper(true) {
        // Programs that are emulated have no such call (qemu-user 7.2). What leaves the session outlives its command there.
        Ok(()) | Err(Errno::EINVAL) => {}
        Err(error) => return Err(error.into()),
    }
    let agent = getppid();
    // SAFETY: this process has one thread, and neither branch does more than system calls.
    match unsafe { fork() }? {
        ForkResult::Child => setsid().map(drop).map_err(Into::into),
        ForkResult::Parent { child } => wait(child.as_raw(), agent),
    }
}

/// Waits for the command, and ends as it ended.
fn wait(command: libc::pid_t, agent: Pid) -> ! {
    // Its outputs end when the command closes them, and its start is over when it has run its program.
    close_all();
    interrupt();
    loop {
        let mut status: c_int = 0;
        // SAFETY: the status is written to a number of our own.
        let ended = unsafe { libc::waitpid(-1, &mut status, 0) };
        if ended == -1 && Errno::last() != Errno::EINTR {
            exit(1);
        }
        if getppid() != agent {
            // It leads a session, and so a group.
            // SAFETY: as many numbers as the call takes.
            unsafe { libc::kill(-command, libc::SIGKILL) };
        }
        if ended != command {
            continue;
        }
        end_as(status);
    }
}

/// Has the wait end now and then. Without that, the command is only not looked after.
fn interrupt() {
    let every = libc::timeval {
        tv_sec: LOOK_EVERY,
        tv_usec: 0,
    };
    let timer = libc::itimerval {
        it_interval: every,
        it_value: every,
    };
    if signals::interrupt(Signal::SIGALRM).is_ok() {
        // SAFETY: the timer is read, and the one before is not asked for.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, null_mut()) };
    }
}

fn close_all() {
    // SAFETY: nothing in this process uses a descriptor any more.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, 0) };
    if closed != 0 {
        for descriptor in 0..enter::most_descriptors() {
            // SAFETY: as above.
            unsafe { libc::close(descriptor) };
        }
    }
}
