//! Which processes are our own children. The others that end up with us are orphans: of a container whose first process we
//! are, or of a shell, because we are a subreaper. Nobody but us can wait for those, and nobody must wait for ours but those
//! who started them.
#![allow(unsafe_code)]
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError, RwLock};

use nix::libc::{self, pid_t};
use nix::sys::prctl::set_child_subreaper;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Those that were started and not yet given up.
static OWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Read while a process is started: it may end before it is among [`OWN`], and would then look like an orphan.
static STARTING: RwLock<()> = RwLock::new(());

/// A child was given up, or a start is over: what was passed over because of it can be looked at again.
static CHANGED: Notify = Notify::const_new();

/// A child of ours for as long as this lives.
#[derive(Debug)]
pub struct Own(u32);

impl Own {
    /// Starts a child; `id` tells which process it is.
    pub fn start<C>(
        start: impl FnOnce() -> io::Result<C>,
        id: impl FnOnce(&C) -> Option<u32>,
    ) -> io::Result<(C, Self)> {
        let started = {
            let _starting = STARTING.read().unwrap_or_else(PoisonError::into_inner);
            start().and_then(|child| {
                let id = id(&child).ok_or_else(|| io::Error::other("a new process has no number"))?;
                OWN.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                Ok((child, Self(id)))
            })
        };
        CHANGED.notify_one();
        started
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        OWN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
        CHANGED.notify_one();
    }
}

/// Runs a program to its end that reads this before it writes anything.
pub fn output_of(command: &mut Command, input: &[u8]) -> io::Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let (mut child, _own) = Own::start(|| command.spawn(), |child| Some(child.id()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early says so by its status.
        let _ = stdin.write_all(input);
    }
    child.wait_with_output()
}

/// Runs a program of the system to its end.
pub fn output(command: &mut Command) -> io::Result<Output> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (child, _own) = Own::start(|| command.spawn(), |child| Some(child.id()))?;
    child.wait_with_output()
}

/// Takes in the orphans of this process's descendants, and waits for each that ends: a zombie takes a place in the system's
/// table of processes. For ever; must be called within a tokio runtime, in a process all of whose children are [`Own`].
pub async fn adopt_orphans() -> io::Result<()> {
    if let Err(error) = set_child_subreaper(true) {
        tracing::debug!(%error, "orphans go to the system's first process");
    }
    let mut ended = signal(SignalKind::child())?;
    loop {
        tokio::select! {
            _ = ended.recv() => {}
            () = CHANGED.notified() => {}
        }
        reap();
    }
}

/// Waits for all orphans that have ended. A child of ours among them hides those behind it until it is given up.
fn reap() {
    let Ok(_nothing_starts) = STARTING.try_write() else {
        return;
    };
    while let Some(ended) = peek()
        && !is_own(ended)
    {
        // SAFETY: the status of a stranger's process is of no interest, so there is nothing to write to.
        unsafe { libc::waitpid(ended, std::ptr::null_mut(), libc::WNOHANG) };
    }
}

/// A child that has ended, which stays for others to wait for. Not by `nix`, which has no word for processes that real-time
/// signals ended.
fn peek() -> Option<pid_t> {
    // SAFETY: all zeros are a value of this plain structure.
    let mut ended: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the structure is written to and is our own; after success its fields are those of a child.
    let child = unsafe { (libc::waitid(libc::P_ALL, 0, &mut ended, options) == 0).then(|| ended.si_pid()) };
    // None has ended when the number is still zero.
    child.filter(|child| *child > 0)
}

fn is_own(process: pid_t) -> bool {
    let own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    u32::try_from(process).is_ok_and(|id| own.contains(&id))
}
