//! Accounts of the operating system.
mod lookup;

pub use lookup::group;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid};
use protocol::terminal::agent::LinuxUser;
use thiserror::Error;

use crate::system::System;
use lookup::User;

/// The shell of an account that names none, as `passwd(5)` has it.
const UNNAMED_SHELL: &str = "/bin/sh";

/// The system's list of shells that people log in with.
const SHELLS: &str = "etc/shells";

/// Shells that let an account run whatever it likes, so that running its commands with another takes nothing from anybody.
const FREE_SHELLS: [&str; 12] = [
    "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "mksh", "nu", "sh", "tcsh", "zsh",
];

/// The shells that run commands, in this order.
const COMMAND_SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

/// Someone a shell can run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: Uid,
    /// Primary group.
    pub gid: Gid,
    /// All groups, the primary one included.
    pub groups: Vec<Gid>,
    /// Home directory, which may not exist.
    pub home: PathBuf,
    /// The account's own shell, which may not exist either.
    pub shell: PathBuf,
}

/// Why there is no account.
#[derive(Debug, Error)]
pub enum AccountError {
    /// Nobody of that name.
    #[error("there is no user {0:?} on this machine")]
    Missing(String),
    /// The user database did not answer.
    #[error("cannot look up user {name:?}: {source}")]
    Lookup {
        /// Who was looked up.
        name: String,
        /// What went wrong.
        source: io::Error,
    },
}

impl Account {
    /// Looks an account up by name. A network directory may take its time: call it off the runtime's thread.
    pub fn find(name: &str) -> Result<Self, AccountError> {
        Self::find_on(&System::default(), name)
    }

    /// The same, on another system.
    pub fn find_on(system: &System, name: &str) -> Result<Self, AccountError> {
        Self::load(system, name, |user| user.name == name)
    }

    /// The account this process runs as.
    pub fn current() -> Result<Self, AccountError> {
        let uid = Uid::effective();
        Self::load(&System::default(), &uid.to_string(), |user| user.uid == uid)
    }

    fn load(system: &System, key: &str, fits: impl FnOnce(&User) -> bool) -> Result<Self, AccountError> {
        let failed = |source| AccountError::Lookup {
            name: key.to_owned(),
            source,
        };
        let user = lookup::user(system, key)
            .map_err(failed)?
            .filter(fits)
            .ok_or_else(|| AccountError::Missing(key.to_owned()))?;
        let groups = lookup::groups(system, &user).map_err(failed)?;
        let unnamed = user.shell.as_os_str().is_empty();
        Ok(Self {
            groups,
            shell: if unnamed { UNNAMED_SHELL.into() } else { user.shell },
            name: user.name,
            uid: user.uid,
            gid: user.gid,
            home: user.home,
        })
    }

    /// The shell to log in with: the account's own, listed in `/etc/shells` or not, as `sshd` does. The error says in words
    /// why it cannot be started; another in its place could do what this account is not to do.
    pub fn login_shell(&self) -> io::Result<&Path> {
        let fault = match fs::metadata(&self.shell) {
            Ok(_) if !self.shell.is_absolute() => "is no absolute path".to_owned(),
            Ok(file) if !file.is_file() => "is no file".to_owned(),
            Ok(file) if file.permissions().mode() & 0o111 == 0 => "cannot be executed".to_owned(),
            Ok(_) => return Ok(&self.shell),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "does not exist".to_owned(),
            Err(error) => format!("cannot be looked at ({error})"),
        };
        let (shell, name) = (self.shell.display(), &self.name);
        Err(io::Error::other(format!(
            "the login shell {shell} of {name} {fault}, and no other is started in its place"
        )))
    }

    /// The shell that runs a command given to `-c`. A command means the same on all machines, so this is bash wherever the
    /// account's own shell lets it run anything; one that does not, such as `rbash` or `nologin`, gets the command itself.
    pub fn command_shell(&self, system: &System) -> io::Result<PathBuf> {
        let own = self.login_shell()?;
        let name = own.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let shells = String::from_utf8_lossy(&system.read(SHELLS)).into_owned();
        let listed = shells.is_empty() || shells.lines().any(|line| Path::new(line.trim()) == own);
        let [bash, sh] = COMMAND_SHELLS.map(PathBuf::from);
        Ok(match FREE_SHELLS.contains(&name) && listed {
            true if bash.is_file() => bash,
            true => sh,
            false => own.to_owned(),
        })
    }

    /// The account as the edge shows it.
    pub fn describe(&self) -> LinuxUser {
        LinuxUser {
            username: self.name.clone(),
            uid: self.uid.as_raw(),
            gid: self.gid.as_raw(),
            home_dir: self.home.to_string_lossy().into_owned(),
            shell: self.shell.to_string_lossy().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_shell(shell: &Path) -> Account {
        let shell = shell.to_owned();
        Account {
            shell,
            ..Account::current().unwrap()
        }
    }

    fn executable(path: &Path, mode: u32) {
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_login_shell_is_the_accounts_own_or_an_error_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("limited");
        executable(&path, 0o755);
        assert_eq!(with_shell(&path).login_shell().unwrap(), path);
        executable(&path, 0o644);
        for (shell, words) in [
            (path.as_path(), "cannot be executed"),
            (Path::new("/no/such/shell"), "does not exist"),
            (folder.path(), "is no file"),
        ] {
            let error = with_shell(shell).login_shell().unwrap_err().to_string();
            assert!(
                error.contains(words) && error.contains("no other is started"),
                "{error}"
            );
        }
    }

    #[test]
    fn commands_of_an_account_whose_shell_restricts_it_go_to_that_shell() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        let system = System::at(folder.path().to_owned());
        // With and without a list of login shells.
        for list in [None, Some("/bin/sh\n/bin/bash\n/bin/rbash\n")] {
            if let Some(list) = list {
                fs::write(system.path(SHELLS), list).unwrap();
            }
            assert_eq!(
                with_shell(Path::new("/bin/sh")).command_shell(&system).unwrap(),
                Path::new("/bin/bash")
            );
            for name in ["rbash", "nologin", "limited"] {
                let path = folder.path().join(name);
                executable(&path, 0o755);
                assert_eq!(with_shell(&path).command_shell(&system).unwrap(), path);
            }
        }
        // Somebody's own program that is merely called like a shell.
        let path = folder.path().join("bash");
        executable(&path, 0o755);
        assert_eq!(with_shell(&path).command_shell(&system).unwrap(), path);
    }

    #[test]
    fn an_unknown_user_is_named_in_the_error() {
        let error = Account::find("no-such-user-here").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no user \"no-such-user-here\" on this machine"
        );
        // A user id is no name.
        assert!(matches!(Account::find("0"), Err(AccountError::Missing(_))));
    }

    #[test]
    fn the_current_account_is_in_its_own_primary_group() {
        let account = Account::current().unwrap();
        assert!(account.groups.contains(&account.gid));
        assert_eq!(Account::find(&account.name).unwrap(), account);
    }
}
