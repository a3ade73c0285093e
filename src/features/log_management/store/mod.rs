//! SQL of what was removed because its time was over, and of how old the oldest is that was not.
use chrono::{DateTime, Utc};
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::features::command_logs::store::over::logs_over;
use crate::features::commands::store::over::commands_over;
use crate::features::jobs::store::over::jobs_over;
use crate::features::organizations::access::OrganizationControl;
use crate::features::sessions::store::over::sessions_over;
use crate::http::json_text::{BodyRow, json_time};
use crate::http::page::Page;
use crate::platform::db::{Count, Nothing, Query, statements};

/// SQL: adds to the row of an hour.
macro_rules! added {
    () => {
        " ON CONFLICT (organization_id, hour) DO UPDATE SET finished_at = excluded.finished_at,
           commands_logged = commands_logged + excluded.commands_logged, sessions = sessions + excluded.sessions,
           commands_sent = commands_sent + excluded.commands_sent, recordings = recordings + excluded.recordings,
           jobs = jobs + excluded.jobs"
    };
}

statements! {
    /// Counts what is removed behind it in the same batch, at ?1, of each kind as much as at once (?2). What is left of organizations
    /// that are gone is nobody's to read of.
    NOTE = concat!(
        "INSERT INTO log_runs (organization_id, hour, started_at, finished_at, commands_logged, sessions, commands_sent, jobs)
         SELECT o.id, substr(?1, 1, 13), ?1, ?1, SUM(listed.kind = 1), SUM(listed.kind = 2), SUM(listed.kind = 3), SUM(listed.kind = 4)
         FROM (SELECT organization_id, 1 AS kind FROM (", logs_over!(), ")
           UNION ALL SELECT organization_id, 2 FROM (", sessions_over!(), ")
           UNION ALL SELECT organization_id, 3 FROM (", commands_over!(), ")
           UNION ALL SELECT organization_id, 4 FROM (", jobs_over!(), ")) listed
         CROSS JOIN organizations o ON o.id = listed.organization_id WHERE true GROUP BY o.id",
        added!()
    );

    /// The same of a recording (?1), if it has expired by then (?2).
    NOTE_RECORDING = concat!(
        "INSERT INTO log_runs (organization_id, hour, started_at, finished_at, recordings)
         SELECT o.id, substr(?2, 1, 13), ?2, ?2, 1 FROM recordings r JOIN organizations o ON o.id = r.organization_id
         WHERE r.id = ?1 AND r.expires_at <= ?2",
        added!()
    );

    LIST = concat!(
        "SELECT json_object('id', r.hour, 'started_at', ", json_time!("r.started_at"), ", 'finished_at', ", json_time!("r.finished_at"),
        ", 'status', 'success', 'storage_type', NULL, 'trigger', 'auto', 'logs_archived', 0, 'sessions_archived', 0,
           'bytes_archived', 0, 'logs_deleted', r.commands_logged, 'sessions_deleted', r.sessions, 'commands_deleted', r.commands_sent,
           'recordings_deleted', r.recordings, 'jobs_deleted', r.jobs, 'archive_key', NULL, 'error_msg', NULL) AS body
         FROM log_runs r WHERE r.organization_id = ?1 ORDER BY r.hour DESC LIMIT ?2 OFFSET ?3"
    );

    COUNT = "SELECT COUNT(*) AS total FROM log_runs WHERE organization_id = ?1";

    /// Each is the first of an index.
    OLDEST = "SELECT (SELECT MIN(listed.at) FROM (
             SELECT MIN(started_at) AS at FROM command_logs WHERE organization_id = ?1
             UNION ALL SELECT MIN(ended_at) FROM terminal_sessions WHERE organization_id = ?1 AND status = 'closed'
             UNION ALL SELECT MIN(finished_at) FROM commands WHERE organization_id = ?1 AND source <> 'script' AND finished_at > ''
             UNION ALL SELECT MIN(finished_at) FROM jobs WHERE organization_id = ?1 AND finished_at > ''
           ) listed) AS log_at,
           (SELECT MIN(started_at) FROM recordings WHERE organization_id = ?1) AS recording_at";

    /// Of hours before one (?1), some at once (?2).
    PURGE = "DELETE FROM log_runs WHERE (organization_id, hour) IN
           (SELECT organization_id, hour FROM log_runs WHERE hour < ?1 ORDER BY hour LIMIT ?2)";
}

/// How old the oldest is of what an organization has.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub struct OldestRow {
    pub log_at: Option<DateTime<Utc>>,
    pub recording_at: Option<DateTime<Utc>>,
}

/// Notes, before it, what is removed at `now` of the command log, of sessions, commands and jobs: of each kind as much as at once.
pub fn note(now: &str, at_once: i64) -> Query<Nothing> {
    Query::new(NOTE, [now.into(), at_once.into()])
}

/// Notes, before it, that a recording is removed if it has expired by then.
pub fn note_recording(recording: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(NOTE_RECORDING, [recording.into(), now.into()])
}

/// What was removed of an organization, the newest hour first, and in how many hours something was.
pub fn list(control: &OrganizationControl, page: Page) -> (Query<BodyRow>, Query<Count>) {
    let (limit, offset) = page.window();
    (
        Query::new(LIST, [control.id().into(), limit.into(), offset.into()]),
        Query::new(COUNT, [control.id().into()]),
    )
}

/// How old the oldest is of what an organization has.
pub fn oldest(control: &OrganizationControl) -> Query<OldestRow> {
    Query::new(OLDEST, [control.id().into()])
}

/// Removes some of what was noted in the hours before `before`.
pub fn purge(before: &str, at_once: i64) -> Query<Nothing> {
    Query::new(PURGE, [before.into(), at_once.into()])
}

#[cfg(test)]
mod tests;
