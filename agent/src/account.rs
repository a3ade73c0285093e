//! Accounts of the operating system.
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, User, getgrouplist};
use protocol::terminal::agent::LinuxUser;
use thiserror::Error;

/// The system's list of shells that people log in with.
const SHELLS: &str = "/etc/shells";

/// Shells tried in this order when an account's own is none to log in with.
const FALLBACK_SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

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
    /// The shell to start: the account's own if it is one to log in with, else a fallback.
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
        source: nix::Error,
    },
}

impl Account {
    /// Looks an account up by name. A network directory may take its time: call it off the runtime's thread.
    pub fn find(name: &str) -> Result<Self, AccountError> {
        let failed = |source| AccountError::Lookup {
            name: name.to_owned(),
            source,
        };
        let user = User::from_name(name)
            .map_err(failed)?
            .ok_or_else(|| AccountError::Missing(name.to_owned()))?;
        Self::from_user(user)
    }

    /// The account this process runs as.
    pub fn current() -> Result<Self, AccountError> {
        let uid = Uid::effective();
        let failed = |source| AccountError::Lookup {
            name: uid.to_string(),
            source,
        };
        let user = User::from_uid(uid)
            .map_err(failed)?
            .ok_or_else(|| AccountError::Missing(uid.to_string()))?;
        Self::from_user(user)
    }

    fn from_user(user: User) -> Result<Self, AccountError> {
        let failed = |source| AccountError::Lookup {
            name: user.name.clone(),
            source,
        };
        let name = CString::new(user.name.as_str()).map_err(|_| AccountError::Missing(user.name.clone()))?;
        let groups = getgrouplist(&name, user.gid).map_err(failed)?;
        let shell = login_shell(&user.shell, fs::read_to_string(SHELLS).ok().as_deref());
        Ok(Self {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
            groups,
            home: user.dir,
            shell,
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

/// `own` if it can be run and, where the system has a list of login shells, is on it; else a fallback. Service accounts
/// have a shell such as `nologin`, which is on no list.
fn login_shell(own: &Path, shells: Option<&str>) -> PathBuf {
    let listed = |path: &Path| shells.is_none_or(|shells| shells.lines().any(|line| Path::new(line.trim()) == path));
    if is_executable(own) && listed(own) {
        return own.to_owned();
    }
    posix_shell()
}

/// A shell that understands what any POSIX shell does, whatever shell an account logs in with.
pub fn posix_shell() -> PathBuf {
    let [bash, sh] = FALLBACK_SHELLS.map(PathBuf::from);
    if is_executable(&bash) { bash } else { sh }
}

fn is_executable(path: &Path) -> bool {
    path.is_absolute() && fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_is_not_for_logging_in_gives_way_to_one_that_is() {
        let shells = "# comment\n/bin/sh\n/bin/bash\n";
        assert_eq!(login_shell(Path::new("/bin/sh"), Some(shells)), Path::new("/bin/sh"));
        let fallback = login_shell(Path::new("/bin/true"), Some(shells));
        assert!(FALLBACK_SHELLS.iter().any(|shell| fallback == Path::new(shell)));
        assert_eq!(login_shell(Path::new("/no/such/shell"), None), fallback);
        assert_eq!(login_shell(Path::new(""), None), fallback);
    }

    #[test]
    fn an_unknown_user_is_named_in_the_error() {
        let error = Account::find("no-such-user-here").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no user \"no-such-user-here\" on this machine"
        );
    }

    #[test]
    fn the_current_account_is_in_its_own_primary_group() {
        let account = Account::current().unwrap();
        assert!(account.groups.contains(&account.gid));
        assert_eq!(Account::find(&account.name).unwrap(), account);
    }
}
