//! The statements of every feature against the real migrations.
use super::{TestDb, plan};
use crate::platform::db::Declared;

/// The statements of all files: `statements!` hands them in, so that none can be left out of a list.
fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    inventory::iter::<Declared>().flat_map(|declared| declared.0)
}

#[test]
fn every_statement_prepares_against_the_migrated_schema() {
    let TestDb(db) = TestDb::new();
    for (name, sql) in statements() {
        db.prepare(sql).unwrap_or_else(|error| panic!("{name}: {error}\n{sql}"));
    }
}

#[test]
fn no_statement_reads_a_whole_table() {
    let TestDb(db) = TestDb::new();
    // With them, the plan of an insert lists checks that only run for deferred constraints, which there are none of.
    db.pragma_update(None, "foreign_keys", false).unwrap();
    for (name, sql) in statements() {
        let steps = plan(&db, sql);
        for step in &steps {
            // All active sessions, and all entries to be sealed or written, are read from indexes that hold nothing else; the others walk lists made on the way.
            let whole = step.starts_with("SCAN")
                && ![
                    "terminal_sessions_active",
                    "audit_log_unsealed",
                    "session_ends_by_organization",
                    // All commands that have not ended, which are few.
                    "commands_unfinished",
                    // Indexes of what an operator watches, which hold only what is counted.
                    "machines_by_status",
                    "users_kept",
                    "organizations_by_state",
                    "recordings_unfinished",
                    "access_requests_pending",
                    "deliveries_waiting_by_webhook",
                    "webhooks_failing",
                    // All that happened and was not looked at, and all alerts that somebody has to be told of.
                    "alert_signals_waiting",
                    "alerts_untold",
                    // What has changed and was not looked at.
                    "inventory_stale",
                    // A row for each table.
                    "sqlite_sequence",
                    "VIRTUAL TABLE",
                    "CONSTANT",
                    "listed",
                    "(subquery",
                    "heir",
                ]
                .iter()
                .any(|known| step.contains(known));
            assert!(!whole, "{name}: {steps:#?}");
        }
    }
}
