//! Where a system writes down who is logged in: utmp, which everybody has kept for decades, or where a system no longer does (systemd
//! gives it up, as it cannot tell times after 2038), the sessions of systemd-logind.
use std::path::{Path, PathBuf};

use protocol::terminal::logins::ExternalLogin;

use super::{logind, utmp};
use crate::process::utmp::UTMP;
use crate::system::System;

/// Where logind keeps its sessions: a file for each.
const SESSIONS: &str = "run/systemd/sessions";

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Utmp(PathBuf),
    Logind(PathBuf),
    /// A container, mostly: nobody logs in there.
    Nothing,
}

impl Source {
    /// What a system has.
    pub fn find(system: &System) -> Self {
        let (utmp, sessions) = (system.path(UTMP), system.path(SESSIONS));
        if utmp.is_file() {
            Self::Utmp(utmp)
        } else if sessions.is_dir() {
            Self::Logind(sessions)
        } else {
            Self::Nothing
        }
    }

    /// What to watch.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Utmp(path) | Self::Logind(path) => Some(path),
            Self::Nothing => None,
        }
    }

    /// Who is logged in now, but for sessions of ours.
    pub fn read(&self, system: &System) -> Vec<ExternalLogin> {
        match self {
            Self::Utmp(_) => utmp::logins(&system.read(UTMP)),
            Self::Logind(path) => logind::logins(path),
            Self::Nothing => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn utmp_is_read_where_it_is_and_logind_where_it_is_not() {
        let root = tempfile::tempdir().unwrap();
        let system = System::at(root.path().to_owned());
        assert_eq!(Source::find(&system), Source::Nothing);
        assert!(Source::Nothing.read(&system).is_empty());
        fs::create_dir_all(system.path(SESSIONS)).unwrap();
        assert_eq!(Source::find(&system), Source::Logind(system.path(SESSIONS)));
        fs::create_dir_all(system.path("var/run")).unwrap();
        fs::write(system.path(UTMP), "").unwrap();
        assert_eq!(Source::find(&system).path(), Some(system.path(UTMP).as_path()));
    }
}
