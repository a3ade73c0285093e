//! What was changed so far, so that a failure half-way can put it back as it was.
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::account::Made;
use super::program::Placed;
use crate::say;

/// Changes in the order they were made.
#[derive(Debug, Default)]
pub struct Changes(Vec<Change>);

#[derive(Debug)]
enum Change {
    File { path: PathBuf, before: Option<Content> },
    Directory(PathBuf),
    Made(PathBuf),
    Obsolete(PathBuf),
    Account(Made),
    Program(Placed),
}

#[derive(Debug)]
struct Content {
    bytes: Vec<u8>,
    mode: u32,
}

impl Changes {
    /// Remembers a file as it is, before it is changed, made or removed.
    pub fn file(&mut self, path: &Path) -> io::Result<()> {
        let before = match fs::read(path) {
            Ok(bytes) => {
                let mode = fs::metadata(path)?.permissions().mode();
                Some(Content { bytes, mode })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let path = path.to_owned();
        self.0.push(Change::File { path, before });
        Ok(())
    }

    /// Remembers which of a folder and those it lies in are not there, before they are made.
    pub fn directory(&mut self, path: &Path) {
        let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
        let missing = missing.into_iter().rev();
        self.0.extend(missing.map(|path| Change::Directory(path.to_owned())));
    }

    /// Remembers a file or folder of ours that is not there, before it is made and filled.
    pub fn made(&mut self, path: &Path) {
        if !path.exists() {
            self.0.push(Change::Made(path.to_owned()));
        }
    }

    /// A file or folder of ours that is to go once everything stays.
    pub fn obsolete(&mut self, path: PathBuf) {
        self.0.push(Change::Obsolete(path));
    }

    /// Remembers an account that was made.
    pub fn account(&mut self, made: Made) {
        self.0.push(Change::Account(made));
    }

    /// Remembers a program that was put in its place.
    pub fn program(&mut self, placed: Placed) {
        self.0.push(Change::Program(placed));
    }

    /// Lets a file stay as it is now, whatever comes.
    pub fn keep(&mut self, files: &[&Path]) {
        self.0
            .retain(|change| !matches!(change, Change::File { path, .. } if files.contains(&path.as_path())));
    }

    /// Lets everything stay.
    pub fn keep_all(self) {
        for change in self.0 {
            match change {
                Change::Program(placed) => placed.keep(),
                Change::Obsolete(path) => {
                    if let Err(error) = remove(&path) {
                        say!("Could not remove {}: {error}", path.display());
                    }
                }
                _ => {}
            }
        }
    }

    /// Puts everything back, the last change first. What cannot be is said, and the rest is put back all the same.
    pub fn undo(self) {
        for change in self.0.into_iter().rev() {
            if let Err(words) = change.undo() {
                say!("Could not put back what was changed: {words}");
            }
        }
    }
}

impl Change {
    fn undo(self) -> Result<(), String> {
        match self {
            Self::File { path, before } => {
                put_back(&path, before).map_err(|error| format!("{}: {error}", path.display()))
            }
            Self::Directory(path) => {
                // Not if there is something in it that is worth keeping.
                let _ = fs::remove_dir(path);
                Ok(())
            }
            Self::Made(path) => remove(&path).map_err(|error| format!("{}: {error}", path.display())),
            Self::Obsolete(_) => Ok(()),
            Self::Account(made) => made.remove().map_err(|error| error.to_string()),
            Self::Program(placed) => placed.undo().map_err(|error| error.to_string()),
        }
    }
}

fn put_back(path: &Path, before: Option<Content>) -> io::Result<()> {
    match before {
        // In place and not by renaming: in a container the hosts file is often a mount of its own.
        Some(Content { bytes, mode }) if fs::read(path).ok().as_ref() != Some(&bytes) => {
            fs::write(path, bytes)?;
            fs::set_permissions(path, Permissions::from_mode(mode))
        }
        Some(_) => Ok(()),
        None => remove(path),
    }
}

/// Removes a file, or a folder with what is in it, if there is one.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        _ => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_made_and_removed_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("changed"), "before").unwrap();
        fs::set_permissions(at("changed"), Permissions::from_mode(0o600)).unwrap();
        fs::write(at("removed"), "before").unwrap();

        let mut changes = Changes::default();
        changes.directory(&at("new/deep"));
        fs::create_dir_all(at("new/deep")).unwrap();
        for name in ["changed", "removed", "new/deep/made"] {
            changes.file(&at(name)).unwrap();
        }
        fs::write(at("changed"), "after").unwrap();
        fs::set_permissions(at("changed"), Permissions::from_mode(0o644)).unwrap();
        fs::remove_file(at("removed")).unwrap();
        fs::write(at("new/deep/made"), "after").unwrap();
        changes.undo();

        assert_eq!(fs::read_to_string(at("changed")).unwrap(), "before");
        assert_eq!(fs::metadata(at("changed")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(at("removed")).unwrap(), "before");
        assert!(!at("new").exists());
    }

    #[test]
    fn a_folder_that_was_made_and_filled_goes_and_one_that_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("there")).unwrap();
        let mut changes = Changes::default();
        for name in ["made", "there", "never"] {
            changes.made(&at(name));
        }
        for name in ["made/deep", "there"] {
            fs::create_dir_all(at(name)).unwrap();
            fs::write(at(name).join("file"), "after").unwrap();
        }
        changes.obsolete(at("there"));
        changes.undo();
        assert!(!at("made").exists() && at("there/file").exists());
        let mut changes = Changes::default();
        for name in ["there", "never"] {
            changes.obsolete(at(name));
        }
        changes.keep_all();
        assert!(!at("there").exists());
    }

    #[test]
    fn what_is_to_stay_stays_and_its_folder_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (new, kept, other) = (
            folder.path().join("new"),
            folder.path().join("new/kept"),
            folder.path().join("new/other"),
        );
        let mut changes = Changes::default();
        changes.directory(&new);
        fs::create_dir(&new).unwrap();
        for path in [&kept, &other] {
            changes.file(path).unwrap();
            fs::write(path, "after").unwrap();
        }
        changes.keep(&[&kept]);
        changes.undo();
        assert!(kept.exists() && !other.exists());
    }
}
