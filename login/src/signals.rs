//! What signals do.
#![allow(unsafe_code)]
use std::io;

use nix::libc::{self, c_int};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// The highest signal number.
const SIGNALS: c_int = 64;

/// What ends a process whose session, service or terminal ends.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Gives all signals their default effect. What a process handles becomes that by itself; what it was started to ignore, as
/// by `nohup`, would be ignored by everything below it.
pub(crate) fn reset() {
    for signal in 1..=SIGNALS {
        // SAFETY: sets a disposition by plain numbers. The two that cannot be set, and those of the C library, are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Has a signal end a call that waits, and do nothing else.
pub(crate) fn interrupt(signal: Signal) -> nix::Result<()> {
    extern "C" fn nothing(_: c_int) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, which is safe at any moment.
    unsafe { sigaction(signal, &action) }.map(drop)
}

/// Has this process live on when it is asked to end, because others depend on it; they end by themselves. What it starts
/// does not inherit that: a handler is gone with the next exec, while an ignored signal would stay ignored.
pub fn outlast() -> io::Result<()> {
    extern "C" fn nothing(_: c_int) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART, SigSet::empty());
    for signal in ENDING {
        // SAFETY: the handler does nothing, which is safe at any moment.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}
