//! The operating-system account that shells run as.
use std::path::Path;

use super::{ServiceError, run};
use crate::account::{Account, AccountError};

/// Longest login name that Linux tools accept.
const MAX_NAME: usize = 32;

/// Whether a text can be a login name. Stricter than some systems: the name goes into files where other characters would
/// have a meaning.
pub fn is_login_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= MAX_NAME
        && bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// The shells that an account is made with, the first that is there.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

/// An account that was made a moment ago.
#[derive(Debug)]
pub struct Made {
    name: String,
    /// Whether its home was made with it, and so is nobody else's.
    home_is_new: bool,
}

/// Makes sure that the account exists. Answers what had to be made for it.
pub fn ensure(name: &str) -> anyhow::Result<Option<Made>> {
    match Account::find(name) {
        Ok(_) => Ok(None),
        Err(AccountError::Missing(_)) => Ok(Some(create(name)?)),
        Err(error) => Err(error.into()),
    }
}

fn create(name: &str) -> Result<Made, ServiceError> {
    let home = Path::new("/home").join(name);
    let home_was_there = home.exists();
    let shell = SHELLS.into_iter().find(|shell| Path::new(shell).is_file());
    let shell = shell.unwrap_or(SHELLS[1]);
    match run("useradd", &["--create-home", "--shell", shell, "--", name]) {
        // BusyBox has another, which asks for a password unless told not to.
        Err(ServiceError::NotInstalled(_)) => match run("adduser", &["-D", "-s", shell, name]) {
            Err(ServiceError::NotInstalled(_)) => return Err(ServiceError::NoAccount(name.to_owned())),
            made => made?,
        },
        made => made?,
    }
    let home_is_new = !home_was_there && Account::find(name).is_ok_and(|account| account.home == home);
    Ok(Made {
        name: name.to_owned(),
        home_is_new,
    })
}

impl Made {
    /// Removes the account again.
    pub fn remove(&self) -> Result<(), ServiceError> {
        let home: &[&str] = if self.home_is_new { &["--remove"] } else { &[] };
        match run("userdel", &[home, &["--", &self.name]].concat()) {
            Err(ServiceError::NotInstalled(_)) => {
                let home: &[&str] = if self.home_is_new { &["--remove-home"] } else { &[] };
                run("deluser", &[home, &[&self.name]].concat())
            }
            removed => removed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_name_has_no_character_with_a_meaning_elsewhere() {
        for good in ["deploy", "web-1", "_svc", "j.doe", "Admin2"] {
            assert!(is_login_name(good), "{good}");
        }
        for bad in [
            "",
            "1st",
            "-r",
            "a b",
            "a:b",
            "a\nb",
            "a%b",
            "ä",
            "a,b",
            &"x".repeat(33),
        ] {
            assert!(!is_login_name(bad), "{bad:?}");
        }
    }
}
