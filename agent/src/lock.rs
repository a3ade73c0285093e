//! One agent for one configuration. Two would take the link from each other, and end each other's shells by it.
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;
use thiserror::Error;

/// Longest process id that is read back.
const MAX_PID: u64 = 20;

/// Why this agent must not run.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another one does.
    #[error("an agent with this configuration runs already ({holder}); two would take the link from each other")]
    Held {
        /// Which process.
        holder: String,
    },
    /// The file beside the configuration.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
}

/// The right to run with a configuration, until it is dropped or the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    // Held by the open file (flock): nothing is left behind that a crash could leave in the way.
    _file: File,
}

impl Lock {
    /// Takes the lock of a configuration; nothing where no file can be made beside it, as in a read-only image.
    pub fn take(config: &Path) -> Result<Option<Self>, LockError> {
        let path = path_of(config);
        let failed = |source| LockError::File {
            path: path.display().to_string(),
            source,
        };
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                tracing::warn!(%error, "cannot make {}: nothing keeps a second agent from starting", path.display());
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Some(Self { _file: file }))
    }
}

/// Where the lock of a configuration is: the same for every name of it.
pub fn path_of(config: &Path) -> PathBuf {
    let mut path = fs::canonicalize(config)
        .unwrap_or_else(|_| config.to_owned())
        .into_os_string();
    path.push(".lock");
    path.into()
}

/// The agent that runs with a configuration, if one does and has said so by now.
pub fn running(config: &Path) -> Option<Pid> {
    let mut file = File::open(path_of(config)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => read_pid(&mut file),
        _ => None,
    }
}

fn holder(file: &mut File) -> String {
    read_pid(file).map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Nothing while the holder has just taken it and is about to say so.
fn read_pid(file: &mut File) -> Option<Pid> {
    let mut text = String::new();
    file.take(MAX_PID).read_to_string(&mut text).ok()?;
    text.trim().parse().ok().map(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_second_agent_is_told_who_the_first_is_until_that_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("agent.yaml");
        fs::write(&config, "").unwrap();
        let other_name = directory.path().join("other.yaml");
        symlink(&config, &other_name).unwrap();

        assert_eq!(running(&config), None);
        let lock = Lock::take(&config).unwrap().unwrap();
        assert_eq!(running(&config), Some(Pid::this()));
        for name in [&config, &other_name] {
            let error = Lock::take(name).unwrap_err().to_string();
            assert!(error.contains(&format!("(process {})", std::process::id())), "{error}");
        }
        drop(lock);
        assert_eq!(running(&config), None, "the file stays and says nothing");
        assert!(Lock::take(&other_name).unwrap().is_some());
        assert!(directory.path().join("agent.yaml.lock").exists());
    }

    #[test]
    fn configurations_of_their_own_do_not_meet() {
        let directory = tempfile::tempdir().unwrap();
        let [one, two] = ["one.yaml", "two.yaml"].map(|name| directory.path().join(name));
        let _lock = Lock::take(&one).unwrap().unwrap();
        assert!(Lock::take(&two).unwrap().is_some());
    }
}
