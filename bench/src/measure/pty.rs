//! What a terminal gives to a program that only reads it: the kernel's part of bulk output.
use std::env;
use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::pty::{OpenptyResult, openpty};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use super::bulk::Bulk;
use crate::source::{BEGIN, Verifier};

/// Read at once, which is what `cat` and most terminals do: more than the kernel ever has.
const READ: usize = 64 * 1024;

/// Reads `len` bytes of the source from a raw terminal, with nothing but checking them in between.
pub async fn measure(len: u64) -> Result<Bulk> {
    tokio::task::spawn_blocking(move || read(len)).await?
}

fn read(len: u64) -> Result<Bulk> {
    let OpenptyResult { master, slave } = openpty(None, None)?;
    let mut mode = tcgetattr(&slave)?;
    cfmakeraw(&mut mode);
    tcsetattr(&slave, SetArg::TCSANOW, &mode)?;
    // The writer ends when nobody reads any more, whatever becomes of us.
    let mut writer = Command::new(env::current_exe()?)
        .args(["source", &len.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::from(slave))
        .spawn()
        .context("the source cannot be started")?;
    let mut master = File::from(master);
    let mut begin = vec![0; BEGIN.len()];
    master.read_exact(&mut begin)?;
    ensure!(begin == BEGIN, "the source begins otherwise");
    let mut verifier = Verifier::default();
    let mut buffer = vec![0; READ];
    let began = Instant::now();
    while verifier.verified() < len {
        let count = master.read(&mut buffer)?;
        verifier.check(&buffer[..count])?;
    }
    let seconds = began.elapsed().as_secs_f64();
    writer.wait()?;
    Ok(Bulk {
        rate: len as f64 / 1e6 / seconds,
        workerd: None,
        agent: None,
    })
}
