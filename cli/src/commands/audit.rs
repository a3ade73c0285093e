//! `vsay audit`
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

use crate::args::{Audit, Format};
use crate::audit::{self, Chains};
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
        Audit::Verify {
            file: export,
            head,
            kept,
        } => {
            let mut seals: BTreeSet<String> = head.into_iter().collect();
            if let Some(path) = kept {
                let kept = check_file(&path, BTreeSet::new())?;
                seals.extend(kept_heads(&path, kept)?);
            }
            match export {
                Some(path) => say(check_file(&path, seals)?, Vec::new()),
                None => {
                    let client = Client::signed_in(&file.load()?)?;
                    let chains = check_server(&client, seals).await?;
                    let refused = ask_server(&client, &chains).await?;
                    say(chains, refused)
                }
            }
        }
    }
}

/// The seals of an export that was kept, which must be in order itself.
fn kept_heads(path: &Path, kept: Chains) -> Result<BTreeSet<String>, Error> {
    let heads = kept.clone().heads();
    match kept.verdict() {
        (true, _) => Ok(heads),
        (false, lines) => Err(Error::Argument(format!("{}: {}", path.display(), lines.join(" ")))),
    }
}

/// What only the server can tell: whether it wrote every entry.
async fn ask_server(client: &Client, chains: &Chains) -> Result<Vec<String>, Error> {
    let mut refused = Vec::new();
    for tenant in chains.tenants() {
        let mut after = None;
        loop {
            let report = client.audit_verify(&tenant, after).await?;
            refused.extend(audit::refused(&tenant, &report));
            // A server that named the same place twice would be asked for ever.
            match report.next.filter(|next| Some(*next) > after) {
                None => break,
                next => after = next,
            }
        }
    }
    Ok(refused)
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

fn check_file(path: &Path, seals: BTreeSet<String>) -> Result<Chains, Error> {
    let named = |problem: String| Error::Argument(format!("{}: {problem}", path.display()));
    let file = File::open(path).map_err(|error| named(error.to_string()))?;
    Chains::read(BufReader::new(file), seals)
        .map_err(|error| named(format!("this is no JSON export of the audit log ({error})")))
}

async fn check_server(client: &Client, seals: BTreeSet<String>) -> Result<Chains, Error> {
    let mut download = client.audit_export(Format::Json.as_str()).await?;
    let (parts, waiting) = mpsc::channel(WAITING_PARTS);
    let checking = tokio::task::spawn_blocking(move || Chains::read(BufReader::new(Parts::new(waiting)), seals));
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

fn say(chains: Chains, refused: Vec<String>) -> Result<i32, Error> {
    let (valid, mut lines) = chains.verdict();
    let valid = valid && refused.is_empty();
    lines.extend(refused);
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
