//! The operating-system account that shells run as.
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

/// Makes sure that the account exists, and says whether it had to be made.
pub fn ensure(name: &str) -> anyhow::Result<bool> {
    match Account::find(name) {
        Ok(_) => Ok(false),
        Err(AccountError::Missing(_)) => Ok(create(name).map(|()| true)?),
        Err(error) => Err(error.into()),
    }
}

fn create(name: &str) -> Result<(), ServiceError> {
    run("useradd", &["--create-home", "--shell", "/bin/bash", "--", name])
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
