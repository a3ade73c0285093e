//! What a job finds in its environment: all that scripts count on that work by hand, and nothing of the agent's own that the operator does
//! not let through.
use std::ffi::OsString;
use std::path::Path;

use protocol::terminal::jobs::StartJob;

use super::private;

/// The variable by which a job's processes are found, whatever becomes of their parents.
pub const MARK: &str = "VSAY_JOB_ID";

/// How the names begin of what a job is given (contract of the published API).
const INPUT: &str = "INPUT_";

/// What a job has unless the operator says otherwise. Without the three about inventories Ansible ends with 0 although it has found no host;
/// it decides by none of the usual variables but its own whether to write in colour.
const OURS: [(&str, &str); 6] = [
    ("LC_ALL", "C.UTF-8"),
    ("TERM", "xterm-256color"),
    ("ANSIBLE_INVENTORY_UNPARSED_FAILED", "1"),
    ("ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", "1"),
    ("ANSIBLE_HOST_PATTERN_MISMATCH", "error"),
    ("ANSIBLE_FORCE_COLOR", "1"),
];

/// What a playbook has besides that is run by itself: nobody has named an inventory for it, and it may well be for this computer alone. One for
/// groups or hosts that there are not still fails.
const OF_PLAYBOOKS: (&str, &str) = ("ANSIBLE_INVENTORY_UNPARSED_FAILED", "0");

/// By what Ansible finds the file with the password of vaults, and what scripts call it that hand it on.
const VAULT_FILES: [&str; 2] = ["ANSIBLE_VAULT_PASSWORD_FILE", "VAULT_PASSWORD_FILE"];

/// All that is added to the environment of a login, in the order in which it counts. The error is that the edge gives what it may not.
pub fn of_job(start: &StartJob, files: &Path, passed: &[String]) -> Result<Vec<(OsString, OsString)>, String> {
    let inputs = &start.environment;
    let is_input =
        |name: &str| name.starts_with(INPUT) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if let Some((name, _)) = inputs
        .iter()
        .find(|(name, value)| !is_input(name) || value.contains('\0'))
    {
        return Err(format!("{name:?} is no input"));
    }
    let mut environment: Vec<(OsString, OsString)> = OURS.map(|(name, value)| (name.into(), value.into())).into();
    environment.extend(
        start
            .playbook
            .as_ref()
            .map(|_| (OF_PLAYBOOKS.0.into(), OF_PLAYBOOKS.1.into())),
    );
    let vault = start
        .vault_password
        .as_ref()
        .map(|_| private::vault_password_file(files));
    let vault = vault.map(|file| VAULT_FILES.map(|name| (name.into(), file.clone().into())));
    environment.extend(vault.into_iter().flatten());
    environment.extend(
        passed
            .iter()
            .filter_map(|name| Some((name.into(), std::env::var_os(name)?))),
    );
    environment.extend(inputs.iter().map(|(name, value)| (name.into(), value.into())));
    environment.push((MARK.into(), start.job.as_str().into()));
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::terminal::jobs::Playbook;

    fn start(inputs: &[(&str, &str)]) -> StartJob {
        let inputs = inputs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        StartJob {
            job: "0123abcd".parse().unwrap(),
            number: None,
            service: "web".into(),
            file: "deploy.sh".into(),
            playbook: None,
            title: "x".into(),
            username: "ann".into(),
            environment: inputs.collect(),
            secrets: Vec::new(),
            vault_password: Some("open".into()),
        }
    }

    fn of(start: &StartJob, passed: &[&str]) -> Result<Vec<(OsString, OsString)>, String> {
        let passed: Vec<String> = passed.iter().map(|&name| name.to_owned()).collect();
        of_job(start, Path::new("/f"), &passed)
    }

    /// What counts of a variable.
    fn last(environment: &[(OsString, OsString)], name: &str) -> Option<OsString> {
        let mut found = environment.iter().rev().filter(|(of, _)| of == name);
        found.next().map(|(_, value)| value.clone())
    }

    #[test]
    fn ansible_fails_where_it_found_no_host_unless_it_was_told_of_no_inventory() {
        let mut start = start(&[]);
        let inventory = "ANSIBLE_INVENTORY_UNPARSED_FAILED";
        let of_script = of(&start, &[]).unwrap();
        for (name, value) in OURS {
            assert_eq!(last(&of_script, name), Some(value.into()), "{name}");
        }
        start.playbook = Some(Playbook::default());
        let of_playbook = of(&start, &[]).unwrap();
        assert_eq!(last(&of_playbook, inventory), Some("0".into()));
        assert_eq!(
            last(&of_playbook, "ANSIBLE_HOST_PATTERN_MISMATCH"),
            Some("error".into())
        );
    }

    #[test]
    fn a_job_has_its_inputs_and_what_the_operator_lets_through() {
        let environment = of(&start(&[("INPUT_NAME", "x")]), &["PATH", "NOT_SET_ANYWHERE"]).unwrap();
        let last = |name: &str| last(&environment, name);
        assert_eq!(last("INPUT_NAME"), Some("x".into()));
        assert_eq!(last("PATH"), std::env::var_os("PATH"));
        assert_eq!(last("ANSIBLE_VAULT_PASSWORD_FILE"), Some("/f/vault-password".into()));
        assert_eq!(last("NOT_SET_ANYWHERE"), None);
        assert_eq!(last(MARK), Some("0123abcd".into()));
    }

    #[test]
    fn nothing_but_inputs_comes_from_the_edge() {
        for (name, value) in [("LD_PRELOAD", "x"), ("INPUT_A=B", "x"), ("INPUT_A", "x\0"), ("", "")] {
            assert!(of(&start(&[(name, value)]), &[]).is_err(), "{name}");
        }
    }
}
