//! Commands that were sent and ended, and whose time is over.
use crate::platform::db::{Nothing, Query, statements};

/// SQL: the commands that ended so long ago that their organization's time is over at ?1, some at once (?2), the oldest of an
/// organization first. A machine's script is remembered as long as the machine: it runs once. It gives the same rows wherever it
/// stands in a batch.
macro_rules! commands_over {
    () => {
        concat!(
            "SELECT k.id, k.organization_id FROM organizations o CROSS JOIN commands k ON k.organization_id = o.id
               AND k.source <> 'script' AND k.finished_at < ",
            $crate::features::organizations::access::kept_since!("o.command_log_days"),
            " WHERE o.slug > '' AND o.command_log_days > 0 LIMIT ?2"
        )
    };
}
pub(crate) use commands_over;

statements! {
    PURGE = concat!("DELETE FROM commands WHERE id IN (SELECT id FROM (", commands_over!(), "))");
}

/// Removes some of the commands whose time is over at `now`.
pub fn purge(now: &str, most: i64) -> Query<Nothing> {
    Query::new(PURGE, [now.into(), most.into()])
}
