//! What tells this installation from every other: a random number, made when it is enrolled for the first time and kept
//! beside its key. Enrolled again with an account's key, it is the same machine.
//!
//! The system's own `/etc/machine-id` is no such thing. Machines made from one image share it, containers and small systems
//! have none, and systemd writes the word `uninitialized` into it. It counts only for an installation that was enrolled by
//! it, before there were ids of our own.
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::identity::write_private;

/// Bytes of an id. As many as the edge takes, so that no two are ever the same.
const BYTES: usize = 32;

/// The system's own name for its installation.
const MACHINE_ID: &str = "/etc/machine-id";

/// Keeps the machine id itself, which other programs use as a secret of sorts, from leaving the machine.
const HASHED_WITH: &str = "vsay-host:";

/// Why there is no id.
#[derive(Debug, Error)]
pub enum HostIdError {
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{0} holds no host id; run configure with --new-identity to become a machine of its own")]
    Malformed(String),
    /// The system's source of randomness failed.
    #[error("no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// The id of an installation, as it travels: 64 lowercase hex characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostId(String);

impl HostId {
    /// The id of the installation with this configuration: the one it has, or else a new one. `enrolled` says whether it
    /// was enrolled before, perhaps by an agent that went by the machine id.
    pub fn of(config: &Path, enrolled: bool) -> Result<Self, HostIdError> {
        if let Some(id) = Self::load(&file_of(config))? {
            return Ok(id);
        }
        let former = fs::read_to_string(MACHINE_ID).ok().filter(|_| enrolled);
        former
            .and_then(|machine_id| Self::of_machine_id(&machine_id))
            .map_or_else(Self::generate, Ok)
    }

    /// A new id.
    pub fn generate() -> Result<Self, HostIdError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(HostIdError::Randomness)?;
        Ok(Self(HEXLOWER.encode(&bytes)))
    }

    fn load(path: &Path) -> Result<Option<Self>, HostIdError> {
        let name = || path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Some(Self(text.trim().to_owned()))
                .filter(Self::is_well_formed)
                .ok_or_else(|| HostIdError::Malformed(name()))
                .map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(HostIdError::Malformed(name())),
            Err(source) => Err(HostIdError::File { path: name(), source }),
        }
    }

    /// Writes the id to a file that only its owner may read, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), HostIdError> {
        write_private(path, format!("{}\n", self.0).as_bytes()).map_err(|source| HostIdError::File {
            path: path.display().to_string(),
            source,
        })
    }

    /// As it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_well_formed(&self) -> bool {
        self.0.len() == 2 * BYTES && self.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Nothing for what is no machine id: 32 hex digits that are not all zero.
    fn of_machine_id(machine_id: &str) -> Option<Self> {
        let machine_id = machine_id.trim();
        let is_one = machine_id.len() == 32
            && machine_id.bytes().all(|byte| byte.is_ascii_hexdigit())
            && machine_id.bytes().any(|byte| byte != b'0');
        is_one.then(|| Self(HEXLOWER.encode(&Sha256::digest(format!("{HASHED_WITH}{machine_id}")))))
    }
}

/// Where the id of the installation with this configuration is kept.
pub fn file_of(config: &Path) -> PathBuf {
    config.with_extension("host-id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_installation_keeps_its_id_and_another_has_another() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("agent.yaml");
        let id = HostId::of(&config, false).unwrap();
        assert!(id.is_well_formed());
        id.save(&file_of(&config)).unwrap();
        for enrolled in [false, true] {
            assert_eq!(HostId::of(&config, enrolled).unwrap(), id);
        }
        assert_ne!(HostId::of(&directory.path().join("other.yaml"), false).unwrap(), id);
        let mode = fs::metadata(file_of(&config)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_machine_id_is_hashed_and_what_is_none_is_not_taken_for_one() {
        let id = HostId::of_machine_id("0123456789abcdef0123456789abcdef\n").unwrap();
        assert!(id.is_well_formed() && !id.as_str().contains("0123456789abcdef"));
        for none in [
            "",
            "\n",
            "uninitialized\n",
            "00000000000000000000000000000000\n",
            "0123456789abcdef",
        ] {
            assert_eq!(HostId::of_machine_id(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_file_that_holds_no_id_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("agent.yaml");
        for bad in [&b""[..], b"abc", b"\xff\xfe"] {
            fs::write(file_of(&config), bad).unwrap();
            let error = HostId::of(&config, false).unwrap_err().to_string();
            assert!(error.contains("agent.host-id holds no host id"), "{error}");
        }
    }
}
