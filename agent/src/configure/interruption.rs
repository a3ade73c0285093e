//! Being told to stop half-way, by a person or by a terminal that is closed.
use std::future::Future;
use std::io;

use anyhow::{Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that tell so. While this lives none of them ends the process by itself.
#[derive(Debug)]
pub struct Interruption {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Interruption {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Does `work`, unless it is interrupted: also by a terminal that hangs up, if that counts.
    pub async fn or<T>(&mut self, hang_up_counts: bool, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => bail!("interrupted"),
            _ = self.interrupt.recv() => bail!("interrupted"),
            _ = self.hang_up.recv(), if hang_up_counts => bail!("interrupted"),
            done = work => done,
        }
    }
}
