//! Jobs of runners (contract).
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::validate::{Faults, Validate};
use crate::ids::{JobId, ObjectId};

/// Longest name of a script, in characters (contract).
pub const MAX_SCRIPT: usize = 100;

/// Run a script of a service.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct RunScript {
    /// Its name in `scripts.yaml`.
    #[schema(min_length = 1, max_length = 100)]
    pub script: String,
    /// What it is given: each as `INPUT_` and its name in capitals. Lists are joined by commas, objects are JSON, and what is null is left out.
    #[serde(default)]
    pub inputs: Map<String, Value>,
}

impl Validate for RunScript {
    fn validate(&self, faults: &mut Faults) {
        faults.line("script", &self.script, 1, MAX_SCRIPT);
    }
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// It runs.
    Running,
    /// It ended well.
    Completed,
    /// It did not.
    Failed,
}

/// A job that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobStarted {
    /// Its `id`.
    pub job_id: JobId,
    /// `running`.
    pub status: JobStatus,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// Of which service it is.
    pub service: String,
    /// What it does, such as `deploy` or `script`, or the name of an action of the inventory.
    pub action: String,
    /// Which script it runs, if it runs one by name.
    pub script: Option<String>,
    /// The job that it repeats, as long as that is kept.
    pub parent_job_id: Option<JobId>,
    /// How far it has come.
    pub status: JobStatus,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// What the deployment calls itself, if it wrote `DEPLOYMENT_ID=…`.
    pub deployment_id: Option<String>,
    /// The exit code of its script; none while it runs, and if a signal ended it.
    pub exit_code: Option<i32>,
    /// Who started it, by `int_id`, unless that account is gone.
    pub user_id: Option<i64>,
    /// By which name.
    pub username: String,
    /// The same.
    pub started_by: String,
    /// The object of the inventory that it is about.
    pub object_id: Option<i64>,
    /// The type of that.
    pub type_slug: Option<String>,
    /// Whether somebody called it off.
    pub cancelled: bool,
    /// The schedule that started it, if the clock did and that is still there.
    pub schedule_id: Option<ObjectId>,
    /// What people call that.
    pub schedule_name: Option<String>,
    /// What it wrote, a line each. Lists have none unless they are asked for it.
    pub output: Vec<String>,
}

/// A job that was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobCancelled {
    /// `cancelled`.
    pub status: String,
    /// Its `id`.
    pub job_id: JobId,
}

impl JobCancelled {
    /// Of this job.
    pub fn of(job_id: JobId) -> Self {
        Self {
            status: "cancelled".to_owned(),
            job_id,
        }
    }
}

/// A page of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobList {
    /// The newest first.
    pub jobs: Vec<Job>,
    /// How many there are in all.
    pub total: u64,
    /// Which page it is.
    pub page: u64,
    /// How many fit on a page.
    pub per_page: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_script_needs_a_name_on_one_line_and_inputs_may_be_absent() {
        let run: RunScript = serde_json::from_value(json!({"script": "add-user"})).unwrap();
        assert!(run.inputs.is_empty());
        for (script, accepted) in [
            ("add-user", true),
            ("", false),
            ("a\nb", false),
            (&"x".repeat(101), false),
        ] {
            let run = RunScript {
                script: script.to_owned(),
                ..run.clone()
            };
            let mut faults = Faults::default();
            run.validate(&mut faults);
            assert_eq!(faults.into_vec().is_empty(), accepted, "{script:?}");
        }
    }
}

/// An event of a job's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobEvent {
    /// What it is: `message`, which is not written, `done` or `error`.
    pub event: String,
    /// A line; with `done` the job's status, with `error` what is wrong.
    pub data: String,
}
