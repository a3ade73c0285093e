//! Schedules: jobs that the clock starts (`docs/schedules.md`).
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::jobs::{JobStatus, MAX_SCRIPT};
use super::validate::{Faults, Validate};
use crate::ids::{JobId, ObjectId};

/// Longest name, in characters: a line of a list.
pub const MAX_NAME: usize = 100;

/// Longest name of a service, in characters: that of its directory, `@`, and its runner's.
const MAX_SERVICE: usize = 113;

/// Longest cron expression, in characters: enough for lists in all five fields.
pub const MAX_CRON: usize = 100;

/// Longest name of a time zone, in characters. The longest there is has 32.
pub const MAX_TIME_ZONE: usize = 64;

/// What a schedule starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleAction {
    /// `deploy.sh`.
    Deploy,
    /// A script by its name.
    Script,
}

/// What becomes of a run while the job of the one before it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// Both run.
    Allow,
    /// It waits until that is over. One waits at most: a further one is left out.
    Queue,
}

impl Overlap {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Allow => "allow",
            Self::Queue => "queue",
        }
    }
}

/// What becomes of a run for which the edge was not there in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// It is left out.
    #[default]
    Skip,
    /// It is made up for, once for however many were missed.
    RunOnce,
}

impl Missed {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::RunOnce => "run_once",
        }
    }
}

/// What of a schedule shall be otherwise; what is left out stays as it is, or is as of a new one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct SaveSchedule {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: Option<String>,
    /// The service's `name`.
    #[schema(min_length = 1, max_length = 113, format = "line")]
    pub service: Option<String>,
    /// What it starts: `script` if a script is named, otherwise `deploy`.
    pub action: Option<ScheduleAction>,
    /// The script's name in `scripts.yaml`.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub script: Option<String>,
    /// What the script is given. It is stored sealed, and no answer has more of it than its names. Another script begins with none.
    pub inputs: Option<Map<String, Value>>,
    /// When: minute, hour, day of the month, month, day of the week, or a name such as `@daily`.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub cron: Option<String>,
    /// In which time zone of the IANA database; `UTC` if nothing is said.
    #[schema(min_length = 1, max_length = 64, format = "line")]
    pub time_zone: Option<String>,
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// What becomes of a run while the job of the one before it runs.
    pub overlap: Option<Overlap>,
    /// What becomes of a run for which the edge was not there in time.
    pub missed: Option<Missed>,
}

impl SaveSchedule {
    /// Whether it asks for more than another name, or that the schedule is switched off.
    pub fn is_about_what_runs(&self) -> bool {
        let rest = Self {
            name: None,
            enabled: self.enabled.filter(|on| *on),
            ..self.clone()
        };
        rest != Self::default()
    }
}

impl Validate for SaveSchedule {
    fn validate(&self, faults: &mut Faults) {
        for (field, text, max) in [
            ("name", &self.name, MAX_NAME),
            ("service", &self.service, MAX_SERVICE),
            ("script", &self.script, MAX_SCRIPT),
            ("cron", &self.cron, MAX_CRON),
            ("time_zone", &self.time_zone, MAX_TIME_ZONE),
        ] {
            if let Some(text) = text {
                faults.line(field, text, 1, max);
            }
        }
        faults.check(
            self.action != Some(ScheduleAction::Deploy) || self.script.is_none(),
            "script",
            "must be left out where action is deploy",
        );
    }
}

/// A schedule to be made: the same, of which some must be there.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NewSchedule {
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: String,
    /// The service's `name`.
    #[schema(min_length = 1, max_length = 113, format = "line")]
    pub service: String,
    /// What it starts: `script` if a script is named, otherwise `deploy`.
    pub action: Option<ScheduleAction>,
    /// The script's name in `scripts.yaml`.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub script: Option<String>,
    /// What the script is given. It is stored sealed, and no answer has more of it than its names.
    pub inputs: Option<Map<String, Value>>,
    /// When: minute, hour, day of the month, month, day of the week, or a name such as `@daily`.
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub cron: String,
    /// In which time zone of the IANA database; `UTC` if nothing is said.
    #[schema(min_length = 1, max_length = 64, format = "line")]
    pub time_zone: Option<String>,
    /// Whether it is on, as it is if nothing is said.
    pub enabled: Option<bool>,
    /// What becomes of a run while the job of the one before it runs.
    pub overlap: Option<Overlap>,
    /// What becomes of a run for which the edge was not there in time.
    pub missed: Option<Missed>,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Its id.
    pub id: ObjectId,
    /// What people call it.
    pub name: String,
    /// Of which service it starts something.
    pub service: String,
    /// What it starts.
    pub action: ScheduleAction,
    /// Which script that is, if it is one by name.
    pub script: Option<String>,
    /// The names of what the script is given.
    pub inputs: Vec<String>,
    /// When.
    pub cron: String,
    /// In which time zone.
    pub time_zone: String,
    /// Whether it is on.
    pub enabled: bool,
    /// Why it has switched itself off; empty if it has not.
    pub off_reason: String,
    /// What becomes of a run while the job of the one before it runs.
    pub overlap: Overlap,
    /// What becomes of a run for which the edge was not there in time.
    pub missed: Missed,
    /// Whose jobs it starts: who made it, or changed last what it does.
    pub runs_as: String,
    /// When it runs next, while it is on.
    pub next_run_at: Option<DateTime<Utc>>,
    /// What became of its last run.
    pub last_run: Option<ScheduleRun>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// The schedules of an organization, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleList {
    /// All of them: there are at most 100.
    pub schedules: Vec<Schedule>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Its job was started.
    Started,
    /// It waits until the job of the one before is over, or another deployment of the service.
    Queued,
    /// It was left out, as the job of the one before ran, or another deployment of the service.
    SkippedRunning,
    /// The runner was not connected.
    RunnerOffline,
    /// It was left out, as the edge was not there in time.
    Missed,
    /// Whose jobs it starts may not start them any more.
    NotAllowed,
    /// Something was wrong, such as a script that is not there any more.
    FailedToStart,
}

impl RunOutcome {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Queued => "queued",
            Self::SkippedRunning => "skipped_running",
            Self::RunnerOffline => "runner_offline",
            Self::Missed => "missed",
            Self::NotAllowed => "not_allowed",
            Self::FailedToStart => "failed_to_start",
        }
    }
}

/// A run of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleRun {
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// When the edge came to it.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub outcome: RunOutcome,
    /// Why it did not run; empty if there is no more to say.
    pub reason: String,
    /// The job that it started, as long as that is kept.
    pub job_id: Option<JobId>,
    /// How far that has come.
    pub job_status: Option<JobStatus>,
}

/// A page of a schedule's runs, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleHistory {
    /// The runs.
    pub runs: Vec<ScheduleRun>,
    /// How many there are in all.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// A time at which something would run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextRun {
    /// The time.
    pub at: DateTime<Utc>,
    /// The same as clocks show it in the time zone, with its distance from UTC.
    pub local: String,
}

/// When a cron expression comes next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchedulePreview {
    /// The next times, the first one first.
    pub runs: Vec<NextRun>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn what_is_said_of_a_schedule_is_within_its_bounds() {
        let faults = refused_fields::<SaveSchedule>;
        assert!(faults("{}").is_empty());
        assert!(faults(r#"{"name":"nightly","service":"web","cron":"@daily","overlap":"allow"}"#).is_empty());
        let long = "x".repeat(114);
        for field in ["name", "service", "script", "cron", "time_zone"] {
            for text in ["", " ", "a\\nb", &long] {
                assert_eq!(faults(&format!(r#"{{"{field}":"{text}"}}"#)), [field], "{text}");
            }
        }
        assert_eq!(faults(r#"{"action":"deploy","script":"backup"}"#), ["script"]);
    }

    #[test]
    fn another_name_and_being_off_are_not_about_what_runs() {
        let about = |json: &str| serde_json::from_str::<SaveSchedule>(json).unwrap().is_about_what_runs();
        for json in ["{}", r#"{"name":"x"}"#, r#"{"enabled":false,"name":"x"}"#] {
            assert!(!about(json), "{json}");
        }
        for json in [
            r#"{"enabled":true}"#,
            r#"{"cron":"@daily"}"#,
            r#"{"inputs":{}}"#,
            r#"{"enabled":false,"missed":"skip"}"#,
        ] {
            assert!(about(json), "{json}");
        }
    }

    #[test]
    fn words_are_stored_as_they_are_said() {
        for overlap in [Overlap::Skip, Overlap::Allow, Overlap::Queue] {
            assert_eq!(serde_json::to_value(overlap).unwrap(), overlap.as_str());
        }
        for missed in [Missed::Skip, Missed::RunOnce] {
            assert_eq!(serde_json::to_value(missed).unwrap(), missed.as_str());
        }
        for outcome in [
            RunOutcome::Started,
            RunOutcome::SkippedRunning,
            RunOutcome::RunnerOffline,
            RunOutcome::Missed,
            RunOutcome::NotAllowed,
            RunOutcome::FailedToStart,
        ] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
    }
}
