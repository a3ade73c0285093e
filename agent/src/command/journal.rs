//! What an agent notes on the machine's disk of its commands: that one is about to be started, and what came of it. So a command
//! that was started is not started again after a crash, and a result that the edge has not stored is not lost.
//!
//! A command has two files: `N.started`, on the disk before the command is run, and `N.result` once it has ended. The journal has
//! a name of its own in a third, with that of the machine, whose edge counted the commands. An edge that is told of another name
//! knows that the notes it counted on are gone.
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use protocol::ids::{AgentId, JournalId, StreamId};
use protocol::limits::{MAX_AGENT_TEXT, MAX_COMMANDS};
use protocol::terminal::agent::{FromAgent, NoResult};

use crate::config::Config;

/// The file with the journal's name.
const NAME: &str = "name";

const STARTED: &str = "started";
const RESULT: &str = "result";

/// What a file is called that is not whole yet.
const UNFINISHED: &str = "new";

/// A result that the agent ended before it had.
const LOST: &str = "the agent ended while it ran; what came of it is not known";

/// A folder of notes, of this agent alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    folder: PathBuf,
    name: JournalId,
}

impl Journal {
    /// Opens the journal of a configuration: beside its key, or where that cannot be written, as in a read-only image, among what
    /// does not fit into memory. Gives the results that nobody has taken.
    pub fn of(config: &Config) -> io::Result<(Self, Vec<(StreamId, FromAgent)>)> {
        let beside = Self::folder_of(&config.server.key_file);
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
    pub fn folder_of(key_file: &Path) -> PathBuf {
        key_file.with_extension("commands")
    }

    fn open(folder: PathBuf, machine: &AgentId) -> io::Result<(Self, Vec<(StreamId, FromAgent)>)> {
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // In a folder that everybody may write to, somebody else may have been faster.
        let metadata = fs::symlink_metadata(&folder)?;
        if !metadata.is_dir() || metadata.uid() != Uid::effective().as_raw() || metadata.mode() & 0o077 != 0 {
            let error = format!("{} is not a folder of this account alone", folder.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        let found = read(&folder.join(NAME)).unwrap_or_default();
        let found = found.split_once(' ').filter(|(_, of)| *of == machine.as_str());
        let name = match found.and_then(|(name, _)| name.parse().ok()) {
            Some(name) => name,
            None => {
                // The notes of another machine, or of nobody knows which.
                for entry in fs::read_dir(&folder)? {
                    fs::remove_file(entry?.path())?;
                }
                let name = new_name()?;
                write(&folder, NAME, format!("{name} {machine}").as_bytes())?;
                name
            }
        };
        let journal = Self { folder, name };
        let left = journal.left()?;
        Ok((journal, left))
    }

    /// Its name, which it has as long as its notes are whole.
    pub fn name(&self) -> &JournalId {
        &self.name
    }

    /// Notes that a command is about to be started. When this returns, it is on the disk. A command that was noted before is
    /// refused.
    pub fn start(&self, stream: StreamId) -> io::Result<()> {
        let path = self.path(stream, STARTED);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.sync_all()?;
        sync(&self.folder)
    }

    /// Notes what came of a command.
    pub fn end(&self, stream: StreamId, result: &FromAgent) -> io::Result<()> {
        let text = serde_json::to_vec(result)?;
        write(&self.folder, &format!("{stream}.{RESULT}"), &text)
    }

    /// Removes the notes of a command. Nothing asks for it any more.
    pub fn forget(&self, stream: StreamId) {
        for kind in [RESULT, STARTED] {
            // What is left of it is forgotten at the next start.
            let _ = fs::remove_file(self.path(stream, kind));
        }
    }

    /// What an agent before this one has noted, as many as there can be.
    fn left(&self) -> io::Result<Vec<(StreamId, FromAgent)>> {
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().into_string().unwrap_or_default();
            let Some(stream) = name
                .strip_suffix(&format!(".{STARTED}"))
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let stream = StreamId(stream);
            let noted = read(&self.path(stream, RESULT)).ok();
            let result = noted.and_then(|text| serde_json::from_str::<FromAgent>(&text).ok());
            let lost = || FromAgent::RunFailed {
                stream,
                error: LOST.to_owned(),
                reason: NoResult::Lost,
            };
            left.push((stream, result.unwrap_or_else(lost)));
        }
        left.sort_unstable_by_key(|(stream, _)| *stream);
        left.truncate(MAX_COMMANDS);
        Ok(left)
    }

    fn path(&self, stream: StreamId, kind: &str) -> PathBuf {
        self.folder.join(format!("{stream}.{kind}"))
    }
}

/// Writes a file that is there whole, or not at all.
fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let (path, unfinished) = (folder.join(name), folder.join(format!("{name}.{UNFINISHED}")));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    sync(folder)
}

/// A folder knows its files for good.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A file of ours, which is no longer than a message.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_AGENT_TEXT as u64)
        .read_to_string(&mut text)?;
    Ok(text)
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

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.commands");
        (folder, path)
    }

    #[test]
    fn a_command_that_was_started_is_known_to_the_next_agent_and_starts_no_more() {
        let (_folder, path) = folder();
        let (journal, left) = open(path.clone()).unwrap();
        assert!(left.is_empty());
        journal.start(ONE).unwrap();
        let (again, left) = open(path.clone()).unwrap();
        assert_eq!(again.name(), journal.name());
        assert!(
            matches!(
                &left[..],
                [(
                    ONE,
                    FromAgent::RunFailed {
                        reason: NoResult::Lost,
                        ..
                    }
                )]
            ),
            "{left:?}"
        );
        assert_eq!(again.start(ONE).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        again.end(ONE, &ran(ONE, "whole")).unwrap();
        let (_, left) = open(path.clone()).unwrap();
        assert_eq!(left, [(ONE, ran(ONE, "whole"))]);
        again.forget(ONE);
        assert!(open(path).unwrap().1.is_empty());
    }

    #[test]
    fn a_result_that_is_not_whole_counts_as_lost() {
        let (_folder, path) = folder();
        let (journal, _) = open(path.clone()).unwrap();
        journal.start(ONE).unwrap();
        fs::write(path.join("7.result.new"), "{\"type\":\"ran\"").unwrap();
        fs::write(path.join("7.result"), "{\"type\":\"ran\"").unwrap();
        let (_, left) = open(path).unwrap();
        assert!(
            matches!(
                &left[..],
                [(
                    ONE,
                    FromAgent::RunFailed {
                        reason: NoResult::Lost,
                        ..
                    }
                )]
            ),
            "{left:?}"
        );
    }

    #[test]
    fn a_journal_that_was_removed_comes_back_under_another_name() {
        let (_folder, path) = folder();
        let (journal, _) = open(path.clone()).unwrap();
        fs::remove_dir_all(&path).unwrap();
        assert!(journal.start(ONE).is_err(), "what cannot be noted is not started");
        let (another, _) = open(path).unwrap();
        assert_ne!(another.name(), journal.name());
    }

    #[test]
    fn what_another_machine_has_noted_is_not_this_ones() {
        let (_folder, path) = folder();
        let (journal, _) = open(path.clone()).unwrap();
        journal.start(ONE).unwrap();
        let (another, left) = Journal::open(path.clone(), &"ba9876543210".parse().unwrap()).unwrap();
        assert!(left.is_empty() && another.name() != journal.name());
        another.start(ONE).unwrap();
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_no_journal() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = folder();
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(open(path.clone()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/tmp", &path).unwrap();
        assert_eq!(open(path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
