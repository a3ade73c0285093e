//! What a job runs: a script by bash, or a playbook by Ansible. Both are begun by bash in the directory of their service.
use std::ffi::OsString;
use std::path::Path;

use protocol::terminal::jobs::StartJob;

use super::private;

/// What goes into the directory before it becomes the script. One that cannot be entered is no place to run it in.
const SCRIPT: &str = r#"cd -- "$1" && exec "$BASH" -- "$2""#;

/// The same for what is looked for in the search path, as which this machine need not have it.
const PROGRAM: &str = r#"cd -- "$1" && shift && { type -P -- "$1" >/dev/null || {
echo "[ERROR: $1 is not installed on this machine, or not where $USER finds it: install Ansible, or let the agent pass PATH on]"
exit 127; }; } && exec "$@""#;

/// What runs playbooks.
const ANSIBLE: &str = "ansible-playbook";

/// What runs, word for word, as the output says it. What a playbook is given is in the folder `files`, and not in here.
pub fn words(start: &StartJob, files: &Path) -> Vec<String> {
    let Some(playbook) = &start.playbook else {
        return vec!["bash".to_owned(), start.file.clone()];
    };
    // What begins with a dash is an option to it.
    let file = match start.file.starts_with('-') {
        true => format!("./{}", start.file),
        false => start.file.clone(),
    };
    let mut words = vec![ANSIBLE.to_owned(), file];
    if start.vault_password.is_some() {
        let file = private::vault_password_file(files);
        words.extend(["--vault-password-file".to_owned(), file.display().to_string()]);
    }
    if !playbook.variables.is_empty() {
        let file = private::variables_file(files);
        words.extend(["-e".to_owned(), format!("@{}", file.display())]);
    }
    words
}

/// The arguments of the bash that begins it.
pub fn arguments(start: &StartJob, directory: &Path, files: &Path) -> Vec<OsString> {
    let begin = |text: &str| vec!["-c".into(), text.into(), "bash".into(), directory.into()];
    match &start.playbook {
        None => [begin(SCRIPT), vec![start.file.clone().into()]].concat(),
        Some(_) => {
            let words = words(start, files).into_iter().map(OsString::from);
            begin(PROGRAM).into_iter().chain(words).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use protocol::terminal::jobs::Playbook;

    fn start(file: &str, playbook: Option<&[(&str, &str)]>, vault_password: Option<&str>) -> StartJob {
        let variables = |pairs: &[(&str, &str)]| pairs.iter().map(|&(k, v)| (k.into(), v.into())).collect();
        StartJob {
            job: "0123abcd".parse().unwrap(),
            number: None,
            service: "web".into(),
            file: file.into(),
            playbook: playbook.map(|pairs| Playbook {
                variables: variables(pairs),
            }),
            title: "x".into(),
            username: "ann".into(),
            environment: BTreeMap::new(),
            secrets: Vec::new(),
            vault_password: vault_password.map(str::to_owned),
        }
    }

    fn said(start: &StartJob) -> String {
        words(start, Path::new("/f")).join(" ")
    }

    #[test]
    fn what_runs_is_said_and_nothing_that_it_is_given() {
        assert_eq!(said(&start("a b.sh", None, Some("open"))), "bash a b.sh");
        assert_eq!(said(&start("main.yaml", Some(&[]), None)), "ansible-playbook main.yaml");
        assert_eq!(
            said(&start("main.yaml", Some(&[("token", "hunter2")]), Some("open"))),
            "ansible-playbook main.yaml --vault-password-file /f/vault-password -e @/f/variables.yaml"
        );
        assert_eq!(said(&start("-x.yaml", Some(&[]), None)), "ansible-playbook ./-x.yaml");
    }

    #[test]
    fn bash_is_told_the_directory_and_the_words_apart() {
        let told = |start: &StartJob| arguments(start, Path::new("/s/web"), Path::new("/f"))[2..].to_vec();
        assert_eq!(told(&start("a b.sh", None, None)), ["bash", "/s/web", "a b.sh"]);
        assert_eq!(
            told(&start("a b.yaml", Some(&[("n", "v")]), None)),
            [
                "bash",
                "/s/web",
                "ansible-playbook",
                "a b.yaml",
                "-e",
                "@/f/variables.yaml"
            ]
        );
    }
}
