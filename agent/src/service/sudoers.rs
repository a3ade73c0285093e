//! Leave for the shells' account to use sudo without a password: a terminal in a browser has no password to give. It is
//! there only on machines enrolled with `--allow-sudo`, and sessions whose user may not use it run without new privileges.
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{ServiceError, run};

/// The directory whose files sudo reads.
pub const DIRECTORY: &str = "/etc/sudoers.d";

/// Ours. Without a dot: sudo passes over names that have one, and an account's name may.
const NAME: &str = "vsay-agent";

/// Our file.
pub fn file() -> PathBuf {
    Path::new(DIRECTORY).join(NAME)
}

/// Whether sudo, and with it the checker, is there.
pub fn is_available() -> Result<(), ServiceError> {
    run("visudo", &["-V"])
}

/// Lets `account` use sudo, after visudo has checked the file: a broken one would lock everybody out of sudo.
pub fn allow(directory: &Path, account: &str) -> Result<(), ServiceError> {
    let path = directory.join(NAME);
    // With a dot, so that sudo passes over it until it is checked.
    let unchecked = directory.join(format!("{NAME}.new"));
    write(&unchecked, &content(account)).map_err(|error| ServiceError::file(&unchecked, error))?;
    let installed = run("visudo", &["-c", "-q", "-f", &unchecked.display().to_string()])
        .and_then(|()| fs::rename(&unchecked, &path).map_err(|error| ServiceError::file(&path, error)));
    if installed.is_err() {
        let _ = fs::remove_file(&unchecked);
    }
    installed
}

/// Takes the leave back, and says whether there was one.
pub fn forbid(directory: &Path) -> Result<bool, ServiceError> {
    let path = directory.join(NAME);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ServiceError::file(&path, error)),
    }
}

fn content(account: &str) -> String {
    format!(
        "# Written by vsay-agent configure --allow-sudo; removed when it is run without.\n{account} ALL=(ALL:ALL) NOPASSWD: ALL\n"
    )
}

fn write(path: &Path, content: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o440).open(path)?;
    file.write_all(content.as_bytes())?;
    // Whatever the caller's umask took away.
    file.set_permissions(Permissions::from_mode(0o440))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leave_is_for_one_account_and_nobody_may_change_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write(&path, &content("deploy")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o440);
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .lines()
                .any(|line| line == "deploy ALL=(ALL:ALL) NOPASSWD: ALL")
        );
        // Again, over the old one.
        write(&path, &content("other")).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains("deploy ALL"));
    }

    #[test]
    fn taking_back_what_was_never_given_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!forbid(directory.path()).unwrap());
        fs::write(directory.path().join(NAME), "x").unwrap();
        assert!(forbid(directory.path()).unwrap());
        assert!(!directory.path().join(NAME).exists());
    }

    #[test]
    fn a_file_that_was_not_checked_is_never_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        // Not a line that sudo understands; without visudo nothing is installed either.
        assert!(allow(directory.path(), "deploy ALL=(((").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
