//! The machine's key, and the one that takes its place when the edge asks for that.
//!
//! The next key is on the disk, beside the other, before anybody hears of it, and stays there until the edge has accepted it; only then
//! does it replace the other, in one step. So whatever is lost in between, one of the two files has the key that the edge knows, and
//! an agent that is refused with one tries the other. Asked once more, it hands in the same key again, for nobody can say what
//! became of the request before.
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::identity::{Identity, IdentityError};

/// What the next key's file has behind the name of the key's own.
const NEXT: &str = ".next";

/// The keys of one machine.
#[derive(Debug)]
pub struct Keys {
    file: PathBuf,
    current: Identity,
    next: Option<Identity>,
    /// Whether links are opened with the next one.
    tries_next: bool,
    /// What the edge said when it asked for another key: the next link hands one in.
    asked: Option<String>,
}

/// Where the next key is, if there is one.
pub fn next_file(key_file: &Path) -> PathBuf {
    let mut name = OsString::from(key_file);
    name.push(NEXT);
    name.into()
}

impl Keys {
    /// What is in the files.
    pub fn load(file: &Path) -> Result<Self, IdentityError> {
        let next = match Identity::load(&next_file(file)) {
            Ok(next) => Some(next),
            Err(IdentityError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!("the next key is left alone: {error}");
                None
            }
        };
        Ok(Self {
            file: file.to_owned(),
            current: Identity::load(file)?,
            next,
            tries_next: false,
            asked: None,
        })
    }

    /// What the next link is opened with.
    pub fn identity(&self) -> &Identity {
        self.next.as_ref().filter(|_| self.tries_next).unwrap_or(&self.current)
    }

    /// The edge asked for another key.
    pub fn ask(&mut self, challenge: String) {
        self.asked = Some(challenge);
    }

    /// What the next link hands in: another key and what the edge said, if it asked. From here on the key is on the disk.
    pub fn hand_in(&mut self) -> Result<Option<(&Identity, String)>, IdentityError> {
        let Some(challenge) = self.asked.take().filter(|_| !self.tries_next) else {
            return Ok(None);
        };
        if self.next.is_none() {
            let next = Identity::generate()?;
            next.save(&next_file(&self.file))?;
            self.settle()?;
            self.next = Some(next);
        }
        Ok(self.next.as_ref().map(|next| (next, challenge)))
    }

    /// The edge opened a link, and counts the key that was handed in with it.
    pub fn accepted(&mut self, handed_in: bool) {
        let Some(next) = self.next.clone().filter(|_| self.tries_next || handed_in) else {
            return;
        };
        let replaced = fs::rename(next_file(&self.file), &self.file).map_err(|source| self.failed(source));
        match replaced.and_then(|()| self.settle()) {
            Ok(()) => {
                tracing::info!("the machine has a new key");
                (self.current, self.next, self.tries_next) = (next, None, false);
            }
            Err(error) => {
                // It is on the disk under its own name: the next start finds it there.
                tracing::error!("the new key is in use, and does not replace the old one: {error}");
                self.tries_next = true;
            }
        }
    }

    /// The edge does not know the key. Answers whether there is another to try at once.
    pub fn refused(&mut self) -> bool {
        self.tries_next = self.next.is_some() && !self.tries_next;
        self.tries_next
    }

    /// Waits until what was done to the files' names is on the disk.
    fn settle(&self) -> Result<(), IdentityError> {
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let synced = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        synced.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> IdentityError {
        IdentityError::File {
            path: self.file.display().to_string(),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
