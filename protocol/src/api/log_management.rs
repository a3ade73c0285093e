//! How long logs and recordings are kept, and what was removed because its time was over.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::organizations::within_kept_days;
use super::validate::{Faults, Validate};

/// How long an organization's logs and recordings are kept. Nothing is archived: there is no other store that it could go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogConfig {
    /// For how many days the command log is kept, ended sessions and jobs, and commands that were sent and ended; 0 is for ever.
    pub retention_days: u32,
    /// For how many days a recording is kept after its end; 0 is for ever.
    pub recording_days: u32,
    /// When the oldest of what `retention_days` is about ended or was run, if there is any.
    pub oldest_log_at: Option<DateTime<Utc>>,
    /// When the oldest recording began, if there is any.
    pub oldest_recording_at: Option<DateTime<Utc>>,
    /// False.
    pub archive_enabled: bool,
    /// Nothing.
    pub archive_every_days: Option<u32>,
    /// Nothing.
    pub storage_type: Option<String>,
    /// Nothing.
    pub last_archive_at: Option<DateTime<Utc>>,
    /// Nothing.
    pub next_archive_at: Option<DateTime<Utc>>,
}

/// Longest name of an organization in URLs, and longer than an id, in characters.
const MAX_TENANT: usize = 100;

/// What to change of it. What is absent stays. It counts for what is kept already, too.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateLogConfig {
    /// Of which organization, by its `id` or name in URLs, if `tenant_id` in the address does not say so; else the caller's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub tenant_id: Option<String>,
    /// For how many days the command log is kept, ended sessions and jobs, and commands that were sent and ended; 0 is for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 3650)]
    pub retention_days: Option<u32>,
    /// For how many days a recording is kept after its end; 0 is for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 3650)]
    pub recording_days: Option<u32>,
    /// Nothing is archived: only `false` is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = false)]
    pub archive_enabled: Option<bool>,
}

impl Validate for UpdateLogConfig {
    fn validate(&self, faults: &mut Faults) {
        let named = self.tenant_id.as_deref().unwrap_or_default();
        faults.check(
            named.chars().count() <= MAX_TENANT,
            "tenant_id",
            format!("must have at most {MAX_TENANT} characters"),
        );
        within_kept_days(faults, "retention_days", self.retention_days);
        within_kept_days(faults, "recording_days", self.recording_days);
        faults.check(
            self.archive_enabled != Some(true),
            "archive_enabled",
            "must be false: nothing is archived. Take things away by GET /api/command-logs, GET /api/audit/export and the files of recordings",
        );
    }
}

/// What was removed within an hour because its time was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogRun {
    /// The hour: `2026-01-31T23`.
    pub id: String,
    /// When the first of it was removed.
    pub started_at: DateTime<Utc>,
    /// When the last was.
    pub finished_at: DateTime<Utc>,
    /// `success`: what cannot be removed is tried again.
    pub status: String,
    /// Nothing.
    pub storage_type: Option<String>,
    /// `auto`: it happens by itself.
    pub trigger: String,
    /// 0.
    pub logs_archived: u64,
    /// 0.
    pub sessions_archived: u64,
    /// 0.
    pub bytes_archived: u64,
    /// Rows of the command log.
    pub logs_deleted: u64,
    /// Sessions that had ended.
    pub sessions_deleted: u64,
    /// Commands that had been sent.
    pub commands_deleted: u64,
    /// Recordings.
    pub recordings_deleted: u64,
    /// Jobs that had ended, with what they wrote.
    pub jobs_deleted: u64,
    /// Nothing.
    pub archive_key: Option<String>,
    /// Nothing.
    pub error_msg: Option<String>,
}

/// What was removed, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogRuns {
    /// Those of this page.
    pub runs: Vec<LogRun>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &str) -> Vec<String> {
        let request: UpdateLogConfig = serde_json::from_str(body).unwrap();
        let mut faults = Faults::default();
        request.validate(&mut faults);
        faults.into_vec().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn what_is_kept_has_bounds_and_nothing_is_archived() {
        for accepted in [
            "{}",
            r#"{"retention_days":0,"recording_days":3650,"archive_enabled":false,"storage_type":"s3"}"#,
        ] {
            assert_eq!(wrong(accepted), [""; 0], "{accepted}");
        }
        assert_eq!(
            wrong(r#"{"retention_days":3651,"recording_days":3651,"archive_enabled":true}"#),
            ["retention_days", "recording_days", "archive_enabled"]
        );
    }
}
