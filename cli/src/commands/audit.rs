//! `vsay audit`
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

use crate::args::{Audit, Format};
use crate::audit::Chains;
use crate::client::Client;
use crate::config::ConfigFile;
use crate::error::{Error, FAILED};

/// Parts of a download that wait to be read: enough to keep both sides busy.
const WAITING_PARTS: usize = 16;

/// Runs one of the subcommands and answers its exit status.
pub async fn run(file: &ConfigFile, command: Audit) -> Result<i32, Error> {
    match command {
        Audit::Export { format } => {
            export(&Client::signed_in(&file.load()?)?, format).await?;
            Ok(0)
        }
        Audit::Verify { file: Some(path) } => say(check_file(&path)?),
        Audit::Verify { file: None } => say(check_server(&Client::signed_in(&file.load()?)?).await?),
    }
}

async fn export(client: &Client, format: Format) -> Result<(), Error> {
    let mut download = client.audit_export(format.as_str()).await?;
    let mut stdout = io::stdout().lock();
    while let Some(part) = download.next().await? {
        stdout.write_all(&part)?;
    }
    stdout.flush()?;
    Ok(())
}

fn check_file(path: &Path) -> Result<Chains, Error> {
    let named = |problem: String| Error::Argument(format!("{}: {problem}", path.display()));
    let file = File::open(path).map_err(|error| named(error.to_string()))?;
    Chains::read(BufReader::new(file))
        .map_err(|error| named(format!("this is no JSON export of the audit log ({error})")))
}

async fn check_server(client: &Client) -> Result<Chains, Error> {
    let mut download = client.audit_export(Format::Json.as_str()).await?;
    let (parts, waiting) = mpsc::channel(WAITING_PARTS);
    let checking = tokio::task::spawn_blocking(move || Chains::read(BufReader::new(Parts::new(waiting))));
    while let Some(part) = download.next().await? {
        if parts.send(part).await.is_err() {
            // The check has failed and says why.
            break;
        }
    }
    drop(parts);
    let checked = checking.await.map_err(|error| Error::Unexpected(error.to_string()))?;
    checked.map_err(|error| Error::Unexpected(error.to_string()))
}

fn say(chains: Chains) -> Result<i32, Error> {
    let (valid, lines) = chains.verdict();
    let mut stdout = io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{line}")?;
    }
    Ok(if valid { 0 } else { FAILED })
}

/// The parts of a download as one text, for a reader that waits for them on a thread of its own.
struct Parts {
    waiting: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Parts {
    fn new(waiting: mpsc::Receiver<Bytes>) -> Self {
        Self {
            waiting,
            current: Bytes::new(),
        }
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.waiting.blocking_recv() {
                Some(part) => self.current = part,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
