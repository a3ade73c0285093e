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
            ", 'outcome', iif(r.waiting, 'queued', r.outcome), 'reason', r.reason, 'job_id', r.job_id, 'job_status', j.status)"
        )
    };
}
pub(super) use run;

/// SQL: what is known of a schedule (`s`) of which a run is due, for a [`Due`], but when.
macro_rules! due {
    () => {
        concat!(
            "s.id, s.organization_id, s.name, s.service, s.script, s.inputs_sealed, s.cron, s.time_zone, ",
            overlap!(),
            " AS overlap, s.missed, s.user_id, "
        )
    };
}

/// SQL: whether a job of a schedule runs.
macro_rules! is_running {
    ($schedule:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM jobs j WHERE j.schedule_id = ",
            $schedule,
            " AND j.status = 'running')"
        )
    };
}

statements! {
    LIST = concat!(
        "SELECT ", run!(), " AS body FROM users u JOIN schedules s ON s.id = ?2 AND s.organization_id = u.organization_id
         JOIN schedule_runs r ON r.schedule_id = s.id LEFT JOIN jobs j ON j.id = r.job_id
         WHERE u.id = ?1 ORDER BY r.due_at DESC LIMIT ?3 OFFSET ?4"
    );

    COUNT = "SELECT COUNT(*) AS total FROM users u JOIN schedules s ON s.id = ?2 AND s.organization_id = u.organization_id
         JOIN schedule_runs r ON r.schedule_id = s.id WHERE u.id = ?1";

    DUE = concat!("SELECT ", due!(), "s.next_run_at AS due_at FROM schedules s
         WHERE s.enabled = 1 AND s.next_run_at <= ?1 ORDER BY s.next_run_at LIMIT ?2");

    /// Runs that waited for a job of their schedule, which is over.
    WAITING = concat!("SELECT ", due!(), "r.due_at FROM schedule_runs r JOIN schedules s ON s.id = r.schedule_id AND s.enabled = 1
         WHERE r.waiting = 1 AND r.due_at <= ?1 AND NOT ", is_running!("s.id"), " ORDER BY r.due_at LIMIT ?2");

    /// Whoever moves the next run (?3) on from the one that is due (?2) starts that.
    CLAIM = concat!("UPDATE schedules SET next_run_at = ?3 WHERE id = ?1 AND enabled = 1 AND next_run_at = ?2
         RETURNING ", is_running!("schedules.id"), " AS is_running,
           EXISTS (SELECT 1 FROM schedule_runs r WHERE r.schedule_id = schedules.id AND r.waiting = 1) AS is_waiting");

    /// Whoever ends the waiting of a run starts it. What it says until more is known is what one says that was just claimed.
    CLAIM_WAITING = concat!("UPDATE schedule_runs SET waiting = 0, at = ?3, outcome = 'failed_to_start', reason = ?4
         WHERE schedule_id = ?1 AND due_at = ?2 AND waiting = 1 AND EXISTS (SELECT 1 FROM schedules s WHERE s.id = ?1 AND s.enabled = 1)
           AND NOT ", is_running!("?1"), " RETURNING due_at");

    /// It is written down before it is begun, if the statement before it in the same batch has claimed it.
    BEGIN = "INSERT INTO schedule_runs (schedule_id, due_at, at, outcome, reason) SELECT ?1, ?2, ?3, 'failed_to_start', ?4
         WHERE changes() > 0 ON CONFLICT (schedule_id, due_at) DO NOTHING";

    /// One that waits (?6) has been left out as long as it was not started; of two that would, the second is.
    END = "UPDATE schedule_runs SET outcome = ?3, reason = ?4, job_id = ?5,
           waiting = ?6 AND NOT EXISTS (SELECT 1 FROM schedule_runs w WHERE w.schedule_id = ?1 AND w.waiting = 1)
         WHERE schedule_id = ?1 AND due_at = ?2";

    /// Not if it is somebody else's (?2) by now.
    SWITCH_OFF = "UPDATE schedules SET enabled = 0, next_run_at = NULL, off_reason = ?3 WHERE id = ?1 AND enabled = 1 AND user_id IS ?2
         RETURNING id";

    PURGE = "DELETE FROM schedule_runs WHERE (schedule_id, due_at) IN
         (SELECT schedule_id, due_at FROM schedule_runs WHERE due_at <= ?1 AND waiting = 0 ORDER BY due_at LIMIT ?2)";
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

/// The runs that waited for what is over by now, those that wait longest first.
pub fn waiting(now: DateTime<Utc>) -> Query<Due> {
    Query::new(WAITING, [stored(now).into(), AT_ONCE.into()])
}

/// Claims one of them: a row if nobody else has, and it may be started.
pub fn claim_waiting(due: &Due, now: DateTime<Utc>) -> Query<Exists> {
    Query::new(
        CLAIM_WAITING,
        [
            (&due.id).into(),
            stored(due.due_at).into(),
            stored(now).into(),
            INTERRUPTED.into(),
        ],
    )
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
    let waits = outcome == RunOutcome::Queued;
    let outcome = match waits {
        true => RunOutcome::SkippedRunning,
        false => outcome,
    };
    Query::new(
        END,
        [
            (&due.id).into(),
            stored(due.due_at).into(),
            outcome.as_str().into(),
            reason.into(),
            job.map(JobId::as_str).into(),
            waits.into(),
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
