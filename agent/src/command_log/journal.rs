//! Records on their way to the edge. They wait on disk, so that neither a cut link nor the end of the agent loses one.
//!
//! The file is a log of lines, each whole or nothing: what began, what ended, what is stored. It is emptied when nothing is
//! left to say, and written anew when most of it is over. Lines are not forced to the disk: they outlive the agent, and a
//! machine that loses its power may lose the last few seconds of them.
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::libc::O_NOFOLLOW;
use nix::unistd::Uid;
use protocol::ids::ObjectId;
use protocol::terminal::command_record::{CommandRecord, MAX_RECORDS, MAX_RECORDS_BYTES, Outcome, Seen, Text};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// Records that wait at most. Someone who types one every ten seconds without a link is heard for a day.
const MAX_WAITING: usize = 10_000;

/// What they may take as JSON: a few hundred bytes each as a rule, and much less than a disk has.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The file is written anew when it is longer than this and than twice what is left of it.
const REWRITTEN_FROM: u64 = 256 * 1024;

/// The longest file that is read: no agent writes one.
const MAX_FILE: u64 = 4 * MAX_BYTES as u64;

/// Its name in the agent's directory.
const FILE: &str = "commands";

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// A command began; the record is as it is if its end is not seen.
    Began(CommandRecord),
    /// It ended. A later line with the same number replaces it.
    Ended(CommandRecord),
    /// The edge has these.
    Stored(Vec<ObjectId>),
}

/// What waits.
#[derive(Debug, Default)]
pub struct Journal {
    /// Where the file is, or will be: it is made for the first record.
    directory: Option<PathBuf>,
    file: Option<File>,
    /// The length of the file.
    written: u64,
    /// Whether the last line may be there in part.
    torn: bool,
    warned: bool,
    /// Those that began and have not ended.
    open: BTreeMap<ObjectId, CommandRecord>,
    /// Those that ended, oldest first, each with its length as JSON.
    waiting: VecDeque<(CommandRecord, usize)>,
    bytes: usize,
    /// How many of the oldest are on their way.
    on_the_way: usize,
    max_waiting: usize,
}

impl Journal {
    /// One without a file: what waits is lost with the agent.
    pub fn in_memory() -> Self {
        Self {
            max_waiting: MAX_WAITING,
            ..Self::default()
        }
    }

    /// Reads what an agent before this one has left in `directory`, which is kept for this account alone. What had begun then has
    /// no end that anybody saw.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let mut journal = Self {
            directory: Some(directory.to_owned()),
            ..Self::in_memory()
        };
        if !directory.try_exists()? {
            return Ok(journal);
        }
        let mut file = open(directory)?;
        if file.metadata()?.len() > MAX_FILE {
            return Err(io::Error::other(
                "the records that wait are longer than any agent writes them",
            ));
        }
        for line in BufReader::new((&mut file).take(MAX_FILE)).split(b'\n') {
            // One that is there in part, since the disk was full or the machine lost its power.
            if let Ok(line) = serde_json::from_slice(&line?) {
                journal.replay(line);
            }
        }
        for record in std::mem::take(&mut journal.open).into_values() {
            journal.push(record);
        }
        journal.file = Some(file);
        journal.rewrite();
        Ok(journal)
    }

    fn replay(&mut self, line: Line) {
        match line {
            Line::Began(record) => drop(self.open.insert(record.id.clone(), record)),
            Line::Ended(record) => {
                self.open.remove(&record.id);
                if record.text == Text::Missing {
                    self.remove(std::slice::from_ref(&record.id));
                }
                self.push(record);
            }
            Line::Stored(ids) => self.remove(&ids),
        }
    }

    /// A command began.
    pub fn began(&mut self, record: CommandRecord) {
        if self.open.len() < self.max_waiting {
            self.write(&Line::Began(record.clone()));
            self.open.insert(record.id.clone(), record);
        }
    }

    /// A command ended. Where there is no room, those that came first stay, and that some are missing is a record of its own.
    pub fn ended(&mut self, record: CommandRecord) {
        self.open.remove(&record.id);
        let is_full = self.waiting.len() >= self.max_waiting || self.bytes >= MAX_BYTES;
        let kept = if is_full { self.missing(record) } else { Some(record) };
        if let Some(record) = kept {
            self.write(&Line::Ended(record.clone()));
            self.push(record);
        }
    }

    /// Counts a record that there is no room for. Answers what is to be written of it.
    fn missing(&mut self, record: CommandRecord) -> Option<CommandRecord> {
        let counts = self.waiting.len() > self.on_the_way;
        match self.waiting.back_mut() {
            Some((last, _)) if counts && last.text == Text::Missing => {
                last.missing = last.missing.saturating_add(1);
                // Not each time: the disk may be what is full.
                if !last.missing.is_power_of_two() {
                    return None;
                }
                self.waiting.pop_back().map(|(last, length)| {
                    self.bytes -= length;
                    last
                })
            }
            _ => Some(CommandRecord {
                text: Text::Missing,
                command: String::new(),
                cwd: String::new(),
                outcome: Outcome::Unknown,
                missing: 1,
                seen: Seen::Announced,
                ..record
            }),
        }
    }

    fn push(&mut self, record: CommandRecord) {
        let length = serde_json::to_string(&record).map_or(0, |text| text.len());
        self.bytes += length;
        self.waiting.push_back((record, length));
    }

    /// The oldest that wait, as many as one message holds. They stay until they are stored.
    pub fn batch(&mut self) -> Vec<CommandRecord> {
        let mut bytes = 0;
        let fits = |(_, length): &&(CommandRecord, usize)| {
            bytes += length + 1;
            bytes <= MAX_RECORDS_BYTES
        };
        let batch = self.waiting.iter().take(MAX_RECORDS).take_while(fits);
        let batch: Vec<_> = batch.map(|(record, _)| record.clone()).collect();
        self.on_the_way = batch.len();
        batch
    }

    /// Whether anything waits.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The edge has these.
    pub fn stored(&mut self, ids: &[ObjectId]) {
        let before = self.waiting.len();
        self.remove(ids);
        self.on_the_way = 0;
        if self.waiting.len() == before {
            return;
        }
        let left = (self.bytes + self.open.len()) as u64;
        if left == 0 || self.written > REWRITTEN_FROM.max(2 * left) {
            self.rewrite();
        } else {
            self.write(&Line::Stored(ids.to_vec()));
        }
    }

    fn remove(&mut self, ids: &[ObjectId]) {
        let ids: BTreeSet<_> = ids.iter().collect();
        self.waiting.retain(|(record, length)| {
            let stays = !ids.contains(&record.id);
            self.bytes -= if stays { 0 } else { *length };
            stays
        });
    }

    fn write(&mut self, line: &Line) {
        if let (None, Some(directory)) = (&self.file, &self.directory) {
            self.file = open(directory)
                .inspect_err(|error| warn_once(&mut self.warned, error))
                .ok();
        }
        let Some(file) = &mut self.file else { return };
        let mut text = if self.torn { "\n".to_owned() } else { String::new() };
        // These types have no map with keys that are not text, the one thing that JSON cannot write.
        text += &serde_json::to_string(line).unwrap_or_default();
        text.push('\n');
        match file.write_all(text.as_bytes()) {
            Ok(()) => {
                self.written += text.len() as u64;
                self.torn = false;
            }
            Err(error) => {
                self.torn = true;
                warn_once(&mut self.warned, &error);
            }
        }
    }

    /// Writes the file anew, with nothing but what is left.
    fn rewrite(&mut self) {
        let Some(directory) = self.directory.clone().filter(|_| self.file.is_some()) else {
            return;
        };
        match self.written_anew(&directory.join(FILE)) {
            Ok((file, length)) => {
                (self.file, self.written) = (Some(file), length);
                (self.torn, self.warned) = (false, false);
            }
            Err(error) => tracing::debug!(%error, "the file of records is not written anew"),
        }
    }

    fn written_anew(&self, path: &Path) -> io::Result<(File, u64)> {
        let mut text = String::new();
        let open = self.open.values().cloned().map(Line::Began);
        let ended = self.waiting.iter().map(|(record, _)| Line::Ended(record.clone()));
        for line in open.chain(ended) {
            text += &serde_json::to_string(&line).unwrap_or_default();
            text.push('\n');
        }
        crate::identity::write_private(path, text.as_bytes())?;
        let mut file = OpenOptions::new().append(true).custom_flags(O_NOFOLLOW).open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        Ok((file, length))
    }
}

/// The file, in a directory that is this account's alone; both are made if they are not there.
fn open(directory: &Path) -> io::Result<File> {
    private_directory(directory)?;
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(O_NOFOLLOW)
        .open(directory.join(FILE))
}

fn warn_once(warned: &mut bool, error: &io::Error) {
    if !std::mem::replace(warned, true) {
        tracing::warn!(%error, "what was run at prompts cannot be written down, and is lost if the agent ends");
    }
}

/// Makes a directory that is this account's alone. One that somebody else has made in its place is not used.
fn private_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(path)?;
    let is_ours = found.is_dir() && found.uid() == Uid::effective().as_raw() && found.permissions().mode() & 0o077 == 0;
    match is_ours {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "{} is not a directory of this account's alone",
            path.display()
        ))),
    }
}

/// The journal of one agent, for its sessions and its link.
#[derive(Debug)]
pub struct SharedJournal {
    journal: Mutex<Journal>,
    changed: Notify,
}

impl SharedJournal {
    /// For many.
    pub fn new(journal: Journal) -> Self {
        Self {
            journal: Mutex::new(journal),
            changed: Notify::new(),
        }
    }

    /// Locks it. Writing to the page cache is short enough for the runtime's thread.
    pub fn lock(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a command.
    pub fn note(&self, event: super::Event) {
        match event {
            super::Event::Began(record) => self.lock().began(record),
            super::Event::Ended(record) => {
                self.lock().ended(record);
                self.changed.notify_one();
            }
        }
    }

    /// Waits until a record was added.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests;
