//! The place of the program itself, where it is put as a whole or not at all.
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::ServiceError;

/// For everybody to run and its owner to change.
const MODE: u32 = 0o755;

/// A copy of the program that runs, beside the place it is to have.
#[derive(Debug)]
pub struct Staged {
    copy: PathBuf,
    target: PathBuf,
}

/// A program in its place, with the one that was there before, if one was.
#[derive(Debug)]
pub struct Placed {
    target: PathBuf,
    before: Option<PathBuf>,
}

impl Staged {
    /// Copies `program` to the file system of `target`; nothing if it is there already. A copy and no link: whoever owns the
    /// one that runs must not be able to change the other.
    pub fn copy(program: &Path, target: &Path) -> Result<Option<Self>, ServiceError> {
        if is_same(program, target) {
            return Ok(None);
        }
        let staged = Self {
            copy: beside(target, "new"),
            target: target.to_owned(),
        };
        staged
            .fill(program)
            .map_err(|error| ServiceError::file(&staged.copy, error))?;
        Ok(Some(staged))
    }

    fn fill(&self, program: &Path) -> io::Result<()> {
        remove(&self.copy)?;
        let mut copy = File::create_new(&self.copy)?;
        io::copy(&mut File::open(program)?, &mut copy)?;
        copy.set_permissions(Permissions::from_mode(MODE))?;
        copy.sync_all()
    }

    /// Puts the copy in its place. Whoever runs the one that was there goes on running it.
    pub fn place(self) -> Result<Placed, ServiceError> {
        let before = beside(&self.target, "before");
        let failed = |error| ServiceError::file(&self.target, error);
        remove(&before).map_err(failed)?;
        let before = match fs::hard_link(&self.target, &before) {
            Ok(()) => Some(before),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        fs::rename(&self.copy, &self.target).map_err(failed)?;
        Ok(Placed {
            target: self.target.clone(),
            before,
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = remove(&self.copy);
    }
}

impl Placed {
    /// Where it is.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Forgets the one before.
    pub fn keep(&self) {
        if let Some(before) = &self.before {
            let _ = remove(before);
        }
    }

    /// Puts the one before back, or leaves nothing there.
    pub fn undo(self) -> Result<(), ServiceError> {
        let undone = match &self.before {
            Some(before) => fs::rename(before, &self.target),
            None => remove(&self.target),
        };
        undone.map_err(|error| ServiceError::file(&self.target, error))
    }
}

/// A name that nobody would run by accident, in the same folder.
fn beside(target: &Path, suffix: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{suffix}"))
}

fn is_same(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(fs::metadata);
    matches!((one, other), (Ok(one), Ok(other)) if (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_program_is_put_in_its_place_and_taken_away_again() {
        let folder = tempfile::tempdir().unwrap();
        let (program, target) = (folder.path().join("one"), folder.path().join("agent"));
        fs::write(&program, "new").unwrap();
        let place = || Staged::copy(&program, &target).unwrap().unwrap().place().unwrap();

        place().undo().unwrap();
        assert_eq!(names(folder.path()), ["one"]);

        fs::write(&target, "old").unwrap();
        place().undo().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        place().keep();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(names(folder.path()), ["agent", "one"]);
    }

    #[test]
    fn a_copy_that_is_not_used_is_gone_and_one_that_is_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let (program, target) = (folder.path().join("one"), folder.path().join("agent"));
        fs::write(&program, "new").unwrap();
        drop(Staged::copy(&program, &target).unwrap());
        assert_eq!(names(folder.path()), ["one"]);
        assert!(Staged::copy(&program, &program).unwrap().is_none());
        let none = Staged::copy(&program, &folder.path().join("no/such/folder")).unwrap_err();
        assert!(none.to_string().contains(".folder.new"), "{none}");
    }
}
