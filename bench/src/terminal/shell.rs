//! Bringing what is behind a terminal to where it can be measured.
use std::env;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tokio::time::timeout;

use super::Terminal;
use crate::source::BEGIN;

/// How long a shell may take to start and to do as it is told.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// Has the terminal itself echo each key at once, and somebody read the keys, so that the terminal takes ever more.
pub async fn echoes(terminal: &mut impl Terminal) -> Result<()> {
    // The marker is written in another way than it reads: what is echoed of the command is not it.
    let begun = begin(
        terminal,
        "stty -icanon echo; printf '\\002begin\\003'; exec cat >/dev/null",
    )
    .await?;
    ensure!(begun.is_empty(), "the shell says more than it was told to");
    Ok(())
}

/// Has the source write `len` bytes, unchanged by the terminal. Returns what came of them already.
pub async fn pours(terminal: &mut impl Terminal, len: u64) -> Result<Bytes> {
    let program = env::current_exe()?;
    begin(
        terminal,
        &format!("stty raw -echo; exec '{}' source {len}", program.display()),
    )
    .await
}

/// Types a command and waits for [`BEGIN`]; returns what follows it.
pub async fn begin(terminal: &mut impl Terminal, command: &str) -> Result<Bytes> {
    terminal.send(format!("{command}\r").as_bytes()).await?;
    begun(terminal).await
}

/// Waits for [`BEGIN`] in what comes; returns what follows it.
pub async fn begun(terminal: &mut impl Terminal) -> Result<Bytes> {
    let wait = async {
        let mut seen = Vec::new();
        loop {
            seen.extend_from_slice(&terminal.output().await?);
            if let Some(at) = seen.windows(BEGIN.len()).position(|window| window == BEGIN) {
                return anyhow::Ok(seen.split_off(at + BEGIN.len()).into());
            }
        }
    };
    timeout(READY_WITHIN, wait)
        .await
        .context("what was asked for did not begin in time")?
}
