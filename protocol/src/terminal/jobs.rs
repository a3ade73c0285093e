//! Jobs of a runner: a script of a service that runs there, and what it writes. That is a log of text with offsets in bytes, which the
//! agent keeps until the edge has stored it.
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::services::{MAX_DETAIL, is_service_name};
use crate::ids::JobId;

/// What is kept of a job's output, in bytes. It is answered as one JSON text, of which a Worker has several copies at once in the 128 MB for
/// all it does; a deployment that Ansible tells of with `-vvv` writes a fifth of it.
pub const MAX_JOB_OUTPUT: u64 = 4 * 1024 * 1024;

/// What the agent itself may say in the output besides, in bytes: a few lines at its beginning and its end.
pub const MAX_JOB_REMARKS: u64 = 16 * 1024;

/// What one message has of it, in bytes. As JSON writes it that is six times as much at worst, and fits
/// [`MAX_AGENT_TEXT`](crate::limits::MAX_AGENT_TEXT).
pub const MAX_JOB_PART: usize = 32 * 1024;

/// Jobs of one runner that run at once, or have ended and are not stored. Each has [`MAX_JOB_OUTPUT`] on the machine's disk at most.
pub const MAX_JOBS: usize = 16;

/// Longest path of a script within its service, in bytes.
pub const MAX_SCRIPT_FILE: usize = 1024;

/// Longest name that a deployment gives itself, in bytes (contract of the published API).
pub const MAX_DEPLOYMENT_ID: usize = 100;

/// Whether a path names a file within a service's directory, as far as its text says: the runner walks it without following a link.
pub fn is_script_file(path: &str) -> bool {
    let is_step = |step: &str| !matches!(step, "" | "." | "..") && !step.chars().any(char::is_control);
    path.len() <= MAX_SCRIPT_FILE && path.split('/').all(is_step)
}

/// Below which the definitions of the inventory name what services have (contract of the published API).
const SERVICES: &str = "/services/";

/// Variables of one playbook. What takes more takes a file.
pub const MAX_VARIABLES: usize = 64;

/// Longest name of a variable, in bytes.
pub const MAX_VARIABLE_NAME: usize = 100;

/// What the values of all have together, in bytes.
pub const MAX_VARIABLES_SIZE: usize = 64 * 1024;

/// The service and the file in it that the path of a playbook names, as definitions of the inventory do: `/services/<service>/<file>`.
pub fn playbook_of(path: &str) -> Option<(&str, &str)> {
    let (service, file) = path.strip_prefix(SERVICES)?.split_once('/')?;
    (is_service_name(service) && is_script_file(file)).then_some((service, file))
}

/// The same in the other direction, for people.
pub fn playbook_path(service: &str, file: &str) -> String {
    [SERVICES, service, "/", file].concat()
}

/// How `ansible-playbook` runs a job's file.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playbook {
    /// Variables that count before all others, by name. They are texts as they stand: what looks like a template in one is none.
    pub variables: BTreeMap<String, String>,
}

impl Playbook {
    /// What is wrong with it, in words, if anything is. Both ends look.
    pub fn fault(&self) -> Option<String> {
        if self.variables.len() > MAX_VARIABLES {
            return Some(format!("variables must be at most {MAX_VARIABLES}"));
        }
        let mut left = MAX_VARIABLES_SIZE;
        for (name, value) in &self.variables {
            if !is_variable(name) {
                return Some(format!(
                    "Variable name '{}' must be letters, digits and underscores, not begin with a digit, and have at most {MAX_VARIABLE_NAME}",
                    name.chars().take(MAX_VARIABLE_NAME).collect::<String>()
                ));
            }
            if value.contains('\0') {
                return Some(format!("Variable '{name}' must not contain NUL characters"));
            }
            match left.checked_sub(value.len()) {
                Some(rest) => left = rest,
                None => {
                    return Some(format!(
                        "variables must have at most {MAX_VARIABLES_SIZE} bytes together"
                    ));
                }
            }
        }
        None
    }
}

fn is_variable(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    name.len() <= MAX_VARIABLE_NAME
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Its values are nobody's to read.
impl fmt::Debug for Playbook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

/// A job to run.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartJob {
    /// Which.
    pub job: JobId,
    /// Under which number the runner answers, before anything runs, that it runs or why it does not: then nobody hears of the job again. An
    /// edge of before gives none, and hears of a job that failed. A runner of before does not answer, and says at once what the job writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The directory of its service.
    pub service: String,
    /// What runs there.
    pub file: String,
    /// That Ansible runs it as a playbook, and bash does not. Only for a runner whose hello says `playbooks`: another would have bash run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<Playbook>,
    /// What its output says that it is.
    pub title: String,
    /// Who wants it.
    pub username: String,
    /// What it is given, by the names of variables.
    pub environment: BTreeMap<String, String>,
    /// Which values of these its output must not show.
    pub secrets: Vec<String>,
    /// What opens the vaults of Ansible, which it is given in a file, and which its output must not show either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_password: Option<String>,
}

/// Its values are nobody's to read.
impl fmt::Debug for StartJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartJob")
            .field("job", &self.job)
            .field("service", &self.service)
            .field("file", &self.file)
            .field("playbook", &self.playbook)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// What a job has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOutput {
    /// Which.
    pub job: JobId,
    /// How many bytes come before it.
    pub offset: u64,
    /// At most [`MAX_JOB_PART`] of it.
    pub text: String,
    /// What the deployment calls itself, once it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
}

/// How a job ended. All that it wrote is stored, or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEnd {
    /// Which.
    pub job: JobId,
    /// The script's exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The name of the signal that ended it.
    pub signal: Option<String>,
    /// What people should know who see no more of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What its service says of itself, if it was a script of it that ended well.
    #[serde(default, skip_serializing_if = "Outputs::is_empty")]
    pub outputs: Outputs,
}

/// The outputs of a service with the values of credentials, which nothing but the link seals: they are in no log, and an edge passes them on to
/// what keeps them or drops them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outputs(pub Vec<Value>);

impl Outputs {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is no more than may be told of one service.
    pub fn is_within_bounds(&self) -> bool {
        serde_json::to_string(&self.0).is_ok_and(|text| text.len() <= MAX_DETAIL)
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} outputs", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_within_its_service() {
        for path in ["deploy.sh", "scripts/add-user.sh", "a b", ".hidden", "..."] {
            assert!(is_script_file(path), "{path}");
        }
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            ".",
            "./a",
            "a\nb",
            "a\0",
        ] {
            assert!(!is_script_file(path), "{path:?}");
        }
        assert!(!is_script_file(&"x".repeat(MAX_SCRIPT_FILE + 1)));
    }

    #[test]
    fn a_playbook_is_named_by_a_path_below_the_services() {
        assert_eq!(playbook_of("/services/web/main.yaml"), Some(("web", "main.yaml")));
        assert_eq!(playbook_of("/services/web/a/b.yml"), Some(("web", "a/b.yml")));
        assert_eq!(playbook_path("web", "main.yaml"), "/services/web/main.yaml");
        for path in [
            "",
            "main.yaml",
            "/services/main.yaml",
            "/services/web/",
            "/services//main.yaml",
            "/services/../etc/main.yaml",
            "/services/web/../db/main.yaml",
            "services/web/main.yaml",
            "/other/web/main.yaml",
            "/services/-x/main.yaml",
        ] {
            assert_eq!(playbook_of(path), None, "{path:?}");
        }
    }

    #[test]
    fn variables_are_a_few_texts_by_plain_names() {
        let fault = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|&(name, value)| (name.into(), value.into()));
            let variables = variables.collect();
            Playbook { variables }.fault()
        };
        assert_eq!(fault(&[("instance_label", "web-1 {{ x }}\n"), ("_", "")]), None);
        for name in ["", "1a", "a-b", "a b", "ä", &"a".repeat(MAX_VARIABLE_NAME + 1)] {
            assert!(fault(&[(name, "x")]).unwrap().starts_with("Variable name"), "{name}");
        }
        assert_eq!(
            fault(&[("a", "\0")]).unwrap(),
            "Variable 'a' must not contain NUL characters"
        );
        let half = "x".repeat(MAX_VARIABLES_SIZE / 2);
        assert_eq!(fault(&[("a", &half), ("b", &half)]), None);
        let words = "variables must have at most 65536 bytes together";
        assert_eq!(fault(&[("a", &half), ("b", &half), ("c", "x")]).unwrap(), words);
        let names: Vec<String> = (0..=MAX_VARIABLES).map(|n| format!("a{n}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        assert_eq!(fault(&many).unwrap(), "variables must be at most 64");
    }

    #[test]
    fn what_a_job_is_given_is_in_no_log() {
        let start = StartJob {
            job: "0123abcd".parse().unwrap(),
            number: None,
            service: "web".into(),
            file: "deploy.sh".into(),
            playbook: Some(Playbook {
                variables: BTreeMap::from([("token".into(), "hunter2".into())]),
            }),
            title: "deploy.sh".into(),
            username: "ann".into(),
            environment: BTreeMap::from([("INPUT_PASSWORD".into(), "hunter2".into())]),
            secrets: vec!["hunter2".into()],
            vault_password: Some("hunter2".into()),
        };
        let end = JobEnd {
            job: start.job.clone(),
            code: Some(0),
            signal: None,
            note: None,
            outputs: Outputs(vec![serde_json::json!({"name": "root", "value": "hunter2"})]),
        };
        let said = format!("{start:?} {end:?}");
        assert!(said.contains("0123abcd") && !said.contains("hunter2"), "{said}");
        assert!(end.outputs.is_within_bounds());
        assert!(!Outputs(vec!["x".repeat(MAX_DETAIL).into()]).is_within_bounds());
    }
}
