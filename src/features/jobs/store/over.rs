//! Jobs that ended, and whose time is over. What one wrote may be a hundred thousand rows, so that goes first, some at once.
use crate::platform::db::{Nothing, Query, statements};

/// SQL: the jobs (`j`) of organizations (`o`) that ended so long ago that their time is over at ?1, the oldest of an organization first.
macro_rules! ended {
    () => {
        concat!(
            "organizations o CROSS JOIN jobs j ON j.organization_id = o.id AND j.finished_at < ",
            $crate::features::organizations::access::kept_since!("o.command_log_days")
        )
    };
}

/// SQL: those of them of whose output nothing is left, some at once (?2). It gives the same rows wherever it stands in a batch.
macro_rules! jobs_over {
    () => {
        concat!(
            "SELECT j.id, j.organization_id FROM ",
            $crate::features::jobs::store::over::ended!(),
            " WHERE o.slug > '' AND o.command_log_days > 0 AND NOT EXISTS (SELECT 1 FROM job_output p WHERE p.job_id = j.id) LIMIT ?2"
        )
    };
}
pub(crate) use {ended, jobs_over};

statements! {
    PURGE_OUTPUT = concat!("DELETE FROM job_output WHERE (job_id, offset) IN (SELECT p.job_id, p.offset FROM ", ended!(),
        " CROSS JOIN job_output p ON p.job_id = j.id WHERE o.slug > '' AND o.command_log_days > 0 LIMIT ?2)");

    PURGE = concat!("DELETE FROM jobs WHERE id IN (SELECT id FROM (", jobs_over!(), "))");
}

/// Removes some of what jobs wrote whose time is over at `now`.
pub fn purge_output(now: &str, most: i64) -> Query<Nothing> {
    Query::new(PURGE_OUTPUT, [now.into(), most.into()])
}

/// Removes some of those whose output is gone.
pub fn purge(now: &str, most: i64) -> Query<Nothing> {
    Query::new(PURGE, [now.into(), most.into()])
}
