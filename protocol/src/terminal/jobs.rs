//! Jobs of a runner: a script of a service that runs there, and what it writes. That is a log of text with offsets in bytes, which the
//! agent keeps until the edge has stored it.
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// What bash runs there.
    pub file: String,
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
    fn what_a_job_is_given_is_in_no_log() {
        let start = StartJob {
            job: "0123abcd".parse().unwrap(),
            number: None,
            service: "web".into(),
            file: "deploy.sh".into(),
            title: "deploy.sh".into(),
            username: "ann".into(),
            environment: BTreeMap::from([("INPUT_PASSWORD".into(), "hunter2".into())]),
            secrets: vec!["hunter2".into()],
            vault_password: Some("hunter2".into()),
        };
        let said = format!("{start:?}");
        assert!(said.contains("0123abcd") && !said.contains("hunter2"), "{said}");
    }
}
