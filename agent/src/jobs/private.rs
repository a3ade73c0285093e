//! What a job is given in files and not in its environment: a folder that only its account reads, and that goes when the job ends.
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use crate::account::Account;
use crate::integration::write_for;

/// The file with what opens the vaults of Ansible.
const VAULT: &str = "vault-password";

/// The folder of one job. It is removed when this is dropped, and by the next agent if this one is killed before.
#[derive(Debug)]
pub struct Private(PathBuf);

impl Private {
    /// Makes the folder with the password of vaults in it. Where others may make files, too, one that is there already is not used.
    pub fn with_vault_password(folder: PathBuf, account: &Account, password: &str) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(&folder)?;
        let private = Self(folder);
        write_for(account, &private.vault_password_file(), password)?;
        if Uid::effective() != account.uid {
            // The folder stays the agent's, who may lack the right to remove what lies in another's.
            fs::set_permissions(&private.0, Permissions::from_mode(0o711))?;
        }
        Ok(private)
    }

    /// Where the password is.
    pub fn vault_password_file(&self) -> PathBuf {
        self.0.join(VAULT)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes the folder of a job, if there is one of ours.
pub fn remove(folder: &Path) {
    let found = fs::symlink_metadata(folder);
    let is_ours = found.is_ok_and(|found| found.is_dir() && found.uid() == Uid::effective().as_raw());
    if is_ours && let Err(error) = fs::remove_dir_all(folder) {
        tracing::warn!(folder = %folder.display(), %error, "what a job was given cannot be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::System;

    #[test]
    fn a_password_is_for_its_account_alone_and_goes_with_the_job() {
        let parent = tempfile::tempdir().unwrap();
        let name = nix::unistd::User::from_uid(Uid::effective()).unwrap().unwrap().name;
        let account = Account::find_on(&System::default(), &name).unwrap();
        let folder = parent.path().join("job");
        let private = Private::with_vault_password(folder.clone(), &account, "open sesame").unwrap();
        let file = private.vault_password_file();
        assert_eq!(fs::read_to_string(&file).unwrap(), "open sesame");
        for (path, mode) in [(&folder, 0o700), (&file, 0o600)] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, mode, "{}", path.display());
        }
        // One that is there is nobody's to write into.
        assert!(Private::with_vault_password(folder.clone(), &account, "x").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "open sesame");
        drop(private);
        assert!(!folder.exists());
        remove(&folder);
    }
}
