//! SQL of the runs of schedules: which are due, and what became of them.
use chrono::{DateTime, Utc};
use protocol::api::schedules::RunOutcome;
use protocol::ids::{JobId, ObjectId};

use crate::features::schedules::row::{Claimed, Due};
use crate::http::json_text::{BodyRow, json_time};
use crate::http::page::Page;
use crate::platform::db::{Count, Exists, Nothing, Query, statements, stored};

/// Most runs that are begun at once: each takes a few round trips, and the work of a minute should be done in one.
const AT_ONCE: i64 = 50;

/// Longest reason that is kept, in characters: a line for people.
const MAX_REASON: usize = 300;

/// What a run says that was claimed and of which nothing else was written.
const INTERRUPTED: &str = "The edge was interrupted when it was about to start";

/// SQL: a [`ScheduleRun`](protocol::api::schedules::ScheduleRun) (`r`) with its job (`j`).
macro_rules! run {
    () => {
        concat!(
            "json_object('due_at', ",
            json_time!("r.due_at"),
            ", 'at', ",
            json_time!("r.at"),
            ", 'outcome', r.outcome, 'reason', r.reason, 'job_id', r.job_id, 'job_status', j.status)"
        )
    };
}
pub(super) use run;

statements! {
    LIST = concat!(
        "SELECT ", run!(), " AS body FROM users u JOIN schedules s ON s.id = ?2 AND s.organization_id = u.organization_id
         JOIN schedule_runs r ON r.schedule_id = s.id LEFT JOIN jobs j ON j.id = r.job_id
         WHERE u.id = ?1 ORDER BY r.due_at DESC LIMIT ?3 OFFSET ?4"
    );

    COUNT = "SELECT COUNT(*) AS total FROM users u JOIN schedules s ON s.id = ?2 AND s.organization_id = u.organization_id
         JOIN schedule_runs r ON r.schedule_id = s.id WHERE u.id = ?1";

    DUE = "SELECT id, organization_id, name, service, script, inputs_sealed, cron, time_zone, overlap, missed, user_id,
           next_run_at AS due_at
         FROM schedules WHERE enabled = 1 AND next_run_at <= ?1 ORDER BY next_run_at LIMIT ?2";

    /// Whoever moves the next run (?3) on from the one that is due (?2) starts that.
    CLAIM = "UPDATE schedules SET next_run_at = ?3 WHERE id = ?1 AND enabled = 1 AND next_run_at = ?2
         RETURNING EXISTS (SELECT 1 FROM jobs j WHERE j.schedule_id = schedules.id AND j.status = 'running') AS is_running";

    /// It is written down before it is begun, if the statement before it in the same batch has claimed it.
    BEGIN = "INSERT INTO schedule_runs (schedule_id, due_at, at, outcome, reason) SELECT ?1, ?2, ?3, 'failed_to_start', ?4
         WHERE changes() > 0 ON CONFLICT (schedule_id, due_at) DO NOTHING";

    END = "UPDATE schedule_runs SET outcome = ?3, reason = ?4, job_id = ?5 WHERE schedule_id = ?1 AND due_at = ?2";

    /// Not if it is somebody else's (?2) by now.
    SWITCH_OFF = "UPDATE schedules SET enabled = 0, next_run_at = NULL, off_reason = ?3 WHERE id = ?1 AND enabled = 1 AND user_id IS ?2
         RETURNING id";

    PURGE = "DELETE FROM schedule_runs WHERE (schedule_id, due_at) IN
         (SELECT schedule_id, due_at FROM schedule_runs WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2)";
}

/// What became of the runs of a schedule of the caller's organization, newest first, and how many there are on all pages together.
pub fn list(caller: &ObjectId, schedule: &str, page: Page) -> (Query<BodyRow>, Query<Count>) {
    let (limit, offset) = page.window();
    (
        Query::new(LIST, [caller.into(), schedule.into(), limit.into(), offset.into()]),
        Query::new(COUNT, [caller.into(), schedule.into()]),
    )
}

/// The schedules whose time has come, those that wait longest first.
pub fn due(now: DateTime<Utc>) -> Query<Due> {
    Query::new(DUE, [stored(now).into(), AT_ONCE.into()])
}

/// Claims a run: a row if nobody else has.
pub fn claim(due: &Due, next: DateTime<Utc>, now: DateTime<Utc>) -> (Query<Claimed>, Query<Nothing>) {
    let at = stored(due.due_at);
    (
        Query::new(CLAIM, [(&due.id).into(), at.as_str().into(), stored(next).into()]),
        Query::new(
            BEGIN,
            [(&due.id).into(), at.into(), stored(now).into(), INTERRUPTED.into()],
        ),
    )
}

/// Writes down what became of it.
pub fn end(due: &Due, outcome: RunOutcome, reason: &str, job: Option<&JobId>) -> Query<Nothing> {
    let reason: String = reason.chars().take(MAX_REASON).collect();
    Query::new(
        END,
        [
            (&due.id).into(),
            stored(due.due_at).into(),
            outcome.as_str().into(),
            reason.into(),
            job.map(JobId::as_str).into(),
        ],
    )
}

/// Switches a schedule off that must not run any more. A row if it was on.
pub fn switch_off(due: &Due, reason: &str) -> Query<Exists> {
    let user = due.user_id.as_ref().map(ObjectId::as_str);
    Query::new(SWITCH_OFF, [(&due.id).into(), user.into(), reason.into()])
}

/// Removes runs that were due before, at most so many.
pub fn purge(before: &str, at_once: i64) -> Query<Nothing> {
    Query::new(PURGE, [before.into(), at_once.into()])
}
