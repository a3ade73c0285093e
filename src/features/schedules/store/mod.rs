//! SQL of schedules: here that of the schedules themselves, beside it that of their runs.
/// SQL: what becomes of a run of `s` while the one before runs.
macro_rules! overlap {
    () => {
        "iif(s.queues, 'queue', s.overlap)"
    };
}

pub mod runs;

use protocol::api::schedules::SaveSchedule;
use protocol::ids::ObjectId;

use self::runs::run;
use super::access::ScheduleAccess;
use super::plan::Plan;
use super::row::FoundSchedule;
use crate::auth::caller::Caller;
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::platform::db::{Nothing, Query, statements};

/// Most schedules of an organization: with one of each due at midnight, the clock is done with them in a few minutes.
pub const MAX_SCHEDULES: i64 = 100;

/// SQL: the body of a schedule (`s`): a [`Schedule`](protocol::api::schedules::Schedule).
macro_rules! schedule {
    () => {
        concat!(
            "json_object('id', s.id, 'name', s.name, 'service', s.service, 'action', iif(s.script IS NULL, 'deploy', 'script'),
               'script', s.script, 'inputs', json(s.input_names), 'cron', s.cron, 'time_zone', s.time_zone, 'enabled', ",
            json_flag!("s.enabled"),
            ", 'off_reason', s.off_reason, 'overlap', ", overlap!(), ", 'missed', s.missed, 'runs_as', s.username, 'next_run_at', ",
            json_time!("s.next_run_at"),
            ", 'last_run', json((SELECT ", run!(), " FROM schedule_runs r LEFT JOIN jobs j ON j.id = r.job_id
                 WHERE r.schedule_id = s.id ORDER BY r.due_at DESC LIMIT 1)), 'created_at', ",
            json_time!("s.created_at"),
            ") AS body"
        )
    };
}

statements! {
    LIST = concat!(
        "SELECT ", schedule!(), " FROM users u JOIN schedules s ON s.organization_id = u.organization_id WHERE u.id = ?1
         ORDER BY s.name, s.id"
    );

    FIND = concat!(
        "SELECT s.id, s.name, s.service, s.script, s.inputs_sealed, s.cron, s.time_zone, s.enabled, ", overlap!(), " AS overlap, s.missed, ", schedule!(),
        " FROM users u JOIN schedules s ON s.id = ?2 AND s.organization_id = u.organization_id WHERE u.id = ?1"
    );

    /// As long as there is room for one more (?16).
    INSERT = "INSERT INTO schedules (id, organization_id, name, service, script, inputs_sealed, input_names, cron, time_zone, enabled,
           overlap, queues, missed, next_run_at, user_id, username, created_at)
         SELECT ?1, u.organization_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, iif(?10 = 'queue', 'skip', ?10), ?10 = 'queue', ?11, ?12, u.id, ?14, ?15 FROM users u WHERE u.id = ?13
           AND (SELECT COUNT(*) FROM schedules s WHERE s.organization_id = u.organization_id) < ?16";

    /// It (?1) is somebody's (?13, ?14) from now on. Its next run stays, if nothing is said of it (?12) and it is on.
    UPDATE = "UPDATE schedules SET name = ?2, service = ?3, script = ?4, inputs_sealed = ?5, input_names = ?6, cron = ?7, time_zone = ?8,
           enabled = ?9, overlap = iif(?10 = 'queue', 'skip', ?10), queues = ?10 = 'queue', missed = ?11, next_run_at = iif(?9, COALESCE(?12, next_run_at), NULL), off_reason = '',
           user_id = ?13, username = ?14
         WHERE id = ?1";

    /// Another name (?2), or off (?3).
    RENAME = "UPDATE schedules SET name = COALESCE(?2, name), enabled = iif(?3, 0, enabled), next_run_at = iif(?3, NULL, next_run_at)
         WHERE id = ?1";

    DELETE = "DELETE FROM schedules WHERE id = ?1";
}

/// The schedules of the caller's organization.
pub fn list(caller: &ObjectId) -> Query<BodyRow> {
    Query::new(LIST, [caller.into()])
}

/// One of them. A text that is no id names none.
pub fn find(caller: &ObjectId, id: &str) -> Query<FoundSchedule> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// Makes a schedule in the caller's organization, unless that has as many as it may.
pub fn insert(caller: &Caller, id: &ObjectId, plan: &Plan, now: &str) -> Query<Nothing> {
    let mut args = plan.args(id, caller);
    args.extend([now.into(), MAX_SCHEDULES.into()]);
    Query::of(INSERT, args)
}

/// Makes a schedule what it shall be, and the caller's.
pub fn update(access: &ScheduleAccess, plan: &Plan) -> Query<Nothing> {
    Query::of(UPDATE, plan.args(access.id(), access.caller()))
}

/// The same where it is not about what runs.
pub fn rename(access: &ScheduleAccess, change: &SaveSchedule) -> Query<Nothing> {
    let name = change.name.as_deref().map(str::trim);
    let off = change.enabled == Some(false);
    Query::new(RENAME, [access.id().into(), name.into(), off.into()])
}

/// Removes a schedule with its history. Its jobs stay.
pub fn delete(access: &ScheduleAccess) -> Query<Nothing> {
    Query::new(DELETE, [access.id().into()])
}

#[cfg(test)]
mod tests;
