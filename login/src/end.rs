//! Ending as somebody else ended.
#![allow(unsafe_code)]
use nix::libc::{self, c_int};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::signals;

/// Ends this process at once as another ended that it stands for, by the status that `waitpid` gave of that one: with the
/// same code, or by the same signal. It leaves no core of its own.
pub fn end_as(status: c_int) -> ! {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_CORE) {
            let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
        }
        signals::reset();
        // SAFETY: plain numbers; the disposition is the default one, so the process ends here.
        unsafe { libc::kill(libc::getpid(), signal) };
        exit(128 + signal);
    }
    exit(libc::WEXITSTATUS(status))
}

/// Ends this process without running what was set up to run at its end, which a fork of the agent is not to run.
pub(crate) fn exit(code: c_int) -> ! {
    // SAFETY: ends the process, whatever state it is in.
    unsafe { libc::_exit(code) }
}
