//! What a job is given in files and not in its environment: a folder that only its account reads, and that goes when the job ends.
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use protocol::terminal::jobs::StartJob;

use crate::account::Account;
use crate::integration::write_for;

/// The file with what opens the vaults of Ansible.
const VAULT: &str = "vault-password";

/// The file with the variables of a playbook.
const VARIABLES: &str = "variables.yaml";

/// The folder of one job. It is removed when this is dropped, and by the next agent if this one is killed before.
#[derive(Debug)]
pub struct Private(PathBuf);

impl Private {
    /// Makes the folder with these files in it. Where others may make files, too, one that is there already is not used.
    fn with(folder: &Path, account: &Account, files: &[(PathBuf, String)]) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(folder)?;
        let private = Self(folder.to_owned());
        for (file, content) in files {
            write_for(account, file, content)?;
        }
        if Uid::effective() != account.uid {
            // The folder stays the agent's, who may lack the right to remove what lies in another's.
            fs::set_permissions(&private.0, Permissions::from_mode(0o711))?;
        }
        Ok(private)
    }

    /// Makes the folder of a job with what that is given in files, if that is anything.
    pub fn of(start: &StartJob, folder: &Path, account: &Account) -> io::Result<Option<Self>> {
        let vault = start.vault_password.clone();
        let variables = start.playbook.as_ref().map(|playbook| &playbook.variables);
        let variables = variables.filter(|variables| !variables.is_empty()).map(as_yaml);
        let files = [
            vault.map(|password| (vault_password_file(folder), password)),
            variables.map(|variables| (variables_file(folder), variables)),
        ];
        let files: Vec<_> = files.into_iter().flatten().collect();
        match files.is_empty() {
            true => Ok(None),
            false => Self::with(folder, account, &files).map(Some),
        }
    }
}

/// Where the password of vaults is in the folder of a job.
pub fn vault_password_file(folder: &Path) -> PathBuf {
    folder.join(VAULT)
}

/// Where the variables of a playbook are there.
pub fn variables_file(folder: &Path) -> PathBuf {
    folder.join(VARIABLES)
}

/// Variables as Ansible reads them from a file. What one says is no template, whoever has written it: `lookup` in one would run commands here.
/// All but plain ASCII is escaped, as YAML joins lines at some other characters and refuses more.
fn as_yaml(variables: &BTreeMap<String, String>) -> String {
    let mut yaml = String::new();
    for (name, value) in variables {
        yaml.push_str(&format!("\"{name}\": !unsafe \""));
        for c in value.chars() {
            match u32::from(c) {
                0x20..0x7f if !matches!(c, '"' | '\\') => yaml.push(c),
                code @ ..=0xffff => yaml.push_str(&format!("\\u{code:04x}")),
                code => yaml.push_str(&format!("\\U{code:08x}")),
            }
        }
        yaml.push_str("\"\n");
    }
    yaml
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
    fn what_a_variable_says_is_a_text_for_ansible_whatever_it_looks_like() {
        let variables = [("a", "{{ x }}"), ("b", "\"q\" \\ \n\u{85}é🦀"), ("c", "")];
        let variables = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let yaml = as_yaml(&variables);
        assert_eq!(
            yaml,
            "\"a\": !unsafe \"{{ x }}\"\n\"b\": !unsafe \"\\u0022q\\u0022 \\u005c \\u000a\\u0085\\u00e9\\U0001f980\"\n\"c\": !unsafe \"\"\n"
        );
        let read: BTreeMap<String, String> = serde_saphyr::from_str(&yaml.replace("!unsafe", "")).unwrap();
        assert_eq!(read, variables);
    }

    #[test]
    fn a_password_is_for_its_account_alone_and_goes_with_the_job() {
        let parent = tempfile::tempdir().unwrap();
        let name = nix::unistd::User::from_uid(Uid::effective()).unwrap().unwrap().name;
        let account = Account::find_on(&System::default(), &name).unwrap();
        let folder = parent.path().join("job");
        let file = vault_password_file(&folder);
        let files = [(file.clone(), "open sesame".to_owned())];
        let private = Private::with(&folder, &account, &files).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "open sesame");
        for (path, mode) in [(&folder, 0o700), (&file, 0o600)] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, mode, "{}", path.display());
        }
        // One that is there is nobody's to write into.
        assert!(Private::with(&folder, &account, &files).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "open sesame");
        drop(private);
        assert!(!folder.exists());
        remove(&folder);
    }
}
