//! What an agent notes on the machine's disk of its commands: that one is about to be started, and what came of it. So a command
//! that was started is not started again after a crash, and a result that the edge has not stored is not lost.
//!
//! The journal is one file, a line of JSON for each note, which are only ever added. The first is its name, with that of the
//! machine, whose edge counted the commands: an edge that is told of another name knows that the notes it counted on are gone. It
//! is written anew, with what still counts, when an agent opens it and when it has become long.
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nix::libc::O_NOFOLLOW;
use nix::unistd::Uid;
use protocol::ids::{AgentId, JournalId, StreamId};
use protocol::limits::{MAX_AGENT_TEXT, MAX_COMMANDS};
use protocol::terminal::agent::{FromAgent, NoResult};
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// What a file is called that is not whole yet.
const UNFINISHED: &str = "new";

/// A journal that has grown by this is written anew: some thousand small commands, and a few milliseconds.
const GROWTH: u64 = 1024 * 1024;

/// What is read of a journal: one that was about to be written anew, with the results of as many commands as there can be.
const LARGEST: u64 = GROWTH + (MAX_COMMANDS as u64 + 1) * MAX_AGENT_TEXT as u64;

/// A result that the agent ended before it had.
const LOST: &str = "the agent ended while it ran; what came of it is not known";

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Note {
    Journal { name: JournalId, machine: AgentId },
    Started(StreamId),
    Ended(StreamId, Box<FromAgent>),
    Forgotten(StreamId),
}

/// Commands that were started, and what came of them.
type Notes = BTreeMap<StreamId, Option<FromAgent>>;

/// The notes of this agent alone.
#[derive(Debug, Clone)]
pub struct Journal {
    name: JournalId,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    heading: Note,
    file: File,
    /// What counts of the file.
    notes: Notes,
    /// What was added since it was written anew.
    grown: u64,
}

impl Journal {
    /// Opens the journal of a configuration: beside its key, or where that cannot be written, as in a read-only image, among what
    /// does not fit into memory. Gives the results that nobody has taken.
    pub fn of(config: &Config) -> io::Result<(Self, Vec<(StreamId, FromAgent)>)> {
        let beside = Self::file_of(&config.server.key_file);
        match Self::open(beside, &config.agent.id) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Self::open(config.storage.commands(&config.agent.id), &config.agent.id)
            }
            opened => opened,
        }
    }

    /// Where the journal of an identity is.
    pub fn file_of(key_file: &Path) -> PathBuf {
        key_file.with_extension("journal")
    }

    fn open(path: PathBuf, machine: &AgentId) -> io::Result<(Self, Vec<(StreamId, FromAgent)>)> {
        // Those of another machine, or of nobody knows which, are not this one's.
        let found = read(&path)?.filter(|(_, of, _)| of == machine);
        let (name, notes) = match found {
            Some((name, _, notes)) => (name, notes),
            None => (new_name()?, Notes::new()),
        };
        let heading = Note::Journal {
            name: name.clone(),
            machine: machine.clone(),
        };
        let file = write(&path, &heading, &notes)?;
        let left = notes.iter().take(MAX_COMMANDS);
        let left = left
            .map(|(stream, result)| (*stream, result.clone().unwrap_or_else(|| lost(*stream))))
            .collect();
        let open = Open {
            path,
            heading,
            file,
            notes,
            grown: 0,
        };
        let open = Arc::new(Mutex::new(open));
        Ok((Self { name, open }, left))
    }

    /// Its name, which it has as long as its notes are whole.
    pub fn name(&self) -> &JournalId {
        &self.name
    }

    /// Notes that a command is about to be started. When this returns, it is on the disk. A command that was noted before is
    /// refused.
    pub fn start(&self, stream: StreamId) -> io::Result<()> {
        self.with(|open| {
            if open.notes.contains_key(&stream) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            open.add(&Note::Started(stream))?;
            open.file.sync_data()
        })
    }

    /// Notes what came of a command.
    pub fn end(&self, stream: StreamId, result: &FromAgent) -> io::Result<()> {
        self.with(|open| {
            open.add(&Note::Ended(stream, Box::new(result.clone())))?;
            open.file.sync_data()
        })
    }

    /// Drops the notes of a command. Nothing asks for it any more.
    pub fn forget(&self, stream: StreamId) {
        // What could not be dropped is dropped when the edge is told of it again.
        let _ = self.with(|open| match open.notes.contains_key(&stream) {
            true => open.add(&Note::Forgotten(stream)),
            false => Ok(()),
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Open) -> io::Result<T>) -> io::Result<T> {
        work(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Open {
    fn add(&mut self, note: &Note) -> io::Result<()> {
        // A file that is gone keeps nothing.
        if self.file.metadata()?.nlink() == 0 {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("{} was removed", self.path.display()),
            ));
        }
        if self.grown > GROWTH {
            self.file = write(&self.path, &self.heading, &self.notes)?;
            self.grown = 0;
        }
        let line = line(note)?;
        let noted = self.file.write_all(&line);
        if noted.is_err() {
            // A line that is not whole would swallow the next one: the file is written anew before that.
            self.grown = u64::MAX;
        }
        noted?;
        self.grown += line.len() as u64;
        count(&mut self.notes, note);
        Ok(())
    }
}

/// What a note changes.
fn count(notes: &mut Notes, note: &Note) {
    match note {
        Note::Journal { .. } => {}
        Note::Started(stream) => {
            notes.insert(*stream, None);
        }
        Note::Ended(stream, result) => {
            notes.insert(*stream, Some((**result).clone()));
        }
        Note::Forgotten(stream) => {
            notes.remove(stream);
        }
    }
}

/// What a journal says, up to the first line that is not whole. Nothing if there is none, or it does not say whose it is.
fn read(path: &Path) -> io::Result<Option<(JournalId, AgentId, Notes)>> {
    let opened = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // In a folder that everybody may write to, somebody else may have been faster.
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != Uid::effective().as_raw() || metadata.mode() & 0o077 != 0 {
        let error = format!("{} is not a file of this account alone", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
    }
    let mut lines = BufReader::new(file.take(LARGEST))
        .split(b'\n')
        .map_while(Result::ok)
        .map_while(|line| serde_json::from_slice(&line).ok());
    let Some(Note::Journal { name, machine }) = lines.next() else {
        return Ok(None);
    };
    let mut notes = Notes::new();
    lines.for_each(|note| count(&mut notes, &note));
    Ok(Some((name, machine, notes)))
}

/// Writes a journal that is there whole, or not at all. It is open for what follows.
fn write(path: &Path, heading: &Note, notes: &Notes) -> io::Result<File> {
    let unfinished = PathBuf::from(format!("{}.{UNFINISHED}", path.display()));
    let _ = fs::remove_file(&unfinished);
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(&line(heading)?)?;
    for (stream, result) in notes {
        let note = match result {
            None => Note::Started(*stream),
            Some(result) => Note::Ended(*stream, Box::new(result.clone())),
        };
        file.write_all(&line(&note)?)?;
    }
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    // A folder knows its files for good.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file)
}

fn line(note: &Note) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(note)?;
    line.push(b'\n');
    Ok(line)
}

fn lost(stream: StreamId) -> FromAgent {
    FromAgent::RunFailed {
        stream,
        error: LOST.to_owned(),
        reason: NoResult::Lost,
    }
}

fn new_name() -> io::Result<JournalId> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    data_encoding::HEXLOWER.encode(&bytes).parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::terminal::ExitStatus;

    const ONE: StreamId = StreamId(7);

    fn open(folder: PathBuf) -> io::Result<(Journal, Vec<(StreamId, FromAgent)>)> {
        Journal::open(folder, &"0123456789ab".parse().unwrap())
    }

    fn ran(stream: StreamId, stdout: &str) -> FromAgent {
        FromAgent::Ran {
            stream,
            stdout: stdout.to_owned(),
            stderr: String::new(),
            truncated: false,
            timed_out: false,
            duration_ms: Some(1),
            status: ExitStatus::default(),
        }
    }

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.journal");
        (folder, path)
    }

    #[test]
    fn a_command_that_was_started_is_known_to_the_next_agent_and_starts_no_more() {
        let (_folder, path) = file();
        let (journal, left) = open(path.clone()).unwrap();
        assert!(left.is_empty());
        journal.start(ONE).unwrap();
        let (again, left) = open(path.clone()).unwrap();
        assert_eq!(again.name(), journal.name());
        assert_eq!(left, [(ONE, lost(ONE))]);
        assert_eq!(again.start(ONE).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        again.end(ONE, &ran(ONE, "whole")).unwrap();
        let (third, left) = open(path.clone()).unwrap();
        assert_eq!(left, [(ONE, ran(ONE, "whole"))]);
        third.forget(ONE);
        assert!(open(path).unwrap().1.is_empty());
    }

    #[test]
    fn a_result_that_is_not_whole_counts_as_lost_and_what_comes_after_it_counts() {
        let (_folder, path) = file();
        let (journal, _) = open(path.clone()).unwrap();
        journal.start(ONE).unwrap();
        let mut half = OpenOptions::new().append(true).open(&path).unwrap();
        half.write_all(b"{\"ended\":[7,{\"type\":\"ran\"").unwrap();
        let (again, left) = open(path.clone()).unwrap();
        assert_eq!(left, [(ONE, lost(ONE))]);
        again.end(ONE, &ran(ONE, "whole")).unwrap();
        assert_eq!(open(path).unwrap().1, [(ONE, ran(ONE, "whole"))]);
    }

    #[test]
    fn a_journal_that_was_removed_comes_back_under_another_name() {
        let (_folder, path) = file();
        let (journal, _) = open(path.clone()).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(journal.start(ONE).is_err(), "what cannot be noted is not started");
        let (another, _) = open(path).unwrap();
        assert_ne!(another.name(), journal.name());
    }

    #[test]
    fn a_journal_stays_short_and_keeps_what_counts() {
        let (_folder, path) = file();
        let (journal, _) = open(path.clone()).unwrap();
        journal.start(ONE).unwrap();
        let long = "x".repeat(MAX_AGENT_TEXT / 2);
        for number in 8..40 {
            let stream = StreamId(number);
            journal.start(stream).unwrap();
            journal.end(stream, &ran(stream, &long)).unwrap();
            journal.forget(stream);
            assert!(fs::metadata(&path).unwrap().len() < GROWTH + 2 * MAX_AGENT_TEXT as u64);
        }
        journal.forget(StreamId(99));
        let (again, left) = open(path).unwrap();
        assert_eq!((again.name(), &left[..]), (journal.name(), &[(ONE, lost(ONE))][..]));
    }

    #[test]
    fn what_another_machine_has_noted_is_not_this_ones() {
        let (_folder, path) = file();
        let (journal, _) = open(path.clone()).unwrap();
        journal.start(ONE).unwrap();
        let (another, left) = Journal::open(path.clone(), &"ba9876543210".parse().unwrap()).unwrap();
        assert!(left.is_empty() && another.name() != journal.name());
        another.start(ONE).unwrap();
    }

    #[test]
    fn a_file_that_others_may_write_to_is_no_journal() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = file();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(open(path.clone()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(open(path.clone()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        assert!(open(path).is_err());
    }
}
