//! Ended sessions whose time is over.
use crate::platform::db::{Nothing, Query, statements};

/// SQL: the sessions that ended so long ago that their organization's time is over at ?1, some at once (?2), the oldest of an
/// organization first. It gives the same rows wherever it stands in a batch.
macro_rules! sessions_over {
    () => {
        concat!(
            "SELECT s.id, s.organization_id FROM organizations o CROSS JOIN terminal_sessions s ON s.organization_id = o.id
               AND s.status = 'closed' AND s.ended_at < ",
            $crate::features::organizations::access::kept_since!("o.command_log_days"),
            " WHERE o.slug > '' AND o.command_log_days > 0 LIMIT ?2"
        )
    };
}
pub(crate) use sessions_over;

statements! {
    PURGE = concat!("DELETE FROM terminal_sessions WHERE id IN (SELECT id FROM (", sessions_over!(), "))");
}

/// Removes some of the sessions whose time is over at `now`.
pub fn purge(now: &str, most: i64) -> Query<Nothing> {
    Query::new(PURGE, [now.into(), most.into()])
}
