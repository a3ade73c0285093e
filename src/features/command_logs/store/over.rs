//! Rows whose time is over.
use crate::platform::db::{Nothing, Query, statements};

/// SQL: the rows whose organization's time is over at ?1, some at once (?2), the oldest of an organization first. Organizations are
/// found by the index, one behind the other; those that are gone have the time that is usual. It gives the same rows wherever it
/// stands in a batch.
macro_rules! logs_over {
    () => {
        concat!(
            "WITH RECURSIVE listed (id) AS (
               SELECT MIN(organization_id) FROM command_logs
               UNION ALL
               SELECT (SELECT MIN(c.organization_id) FROM command_logs c WHERE c.organization_id > listed.id)
               FROM listed WHERE listed.id IS NOT NULL
             )
             SELECT c.key, c.organization_id FROM listed LEFT JOIN organizations o ON o.id = listed.id CROSS JOIN command_logs c
               ON c.organization_id = listed.id AND COALESCE(o.command_log_days, 90) > 0 AND c.started_at < ",
            $crate::features::organizations::access::kept_since!("COALESCE(o.command_log_days, 90)"),
            " LIMIT ?2"
        )
    };
}
pub(crate) use logs_over;

statements! {
    PURGE = concat!("DELETE FROM command_logs WHERE key IN (SELECT key FROM (", logs_over!(), "))");
}

/// Removes some of the rows whose time is over at `now`.
pub fn purge(now: &str, most: i64) -> Query<Nothing> {
    Query::new(PURGE, [now.into(), most.into()])
}
