//! The figures. Another one is a statement and a line of [`GAUGES`]; its index is one that exists already or comes with it.
//!
//! A statement gives rows of a `label` and a `value`. One without a value, such as the age of the oldest of none, is left out.
use serde::Deserialize;

use crate::platform::db::{Query, statements};

/// SQL: by which way a delivery leaves.
macro_rules! receiver {
    () => {
        "iif(webhook_id IS NULL, 'mail', 'webhook')"
    };
}

statements! {
    MACHINES = "SELECT status AS label, COUNT(*) AS value FROM machines INDEXED BY machines_by_status GROUP BY status";

    AGENTS = "SELECT '' AS label, COUNT(*) AS value FROM machines
         WHERE status IN ('pending', 'online', 'offline') AND is_connected = 1";

    SESSIONS = "SELECT '' AS label, COUNT(*) AS value FROM terminal_sessions INDEXED BY terminal_sessions_active WHERE status = 'active'";

    COMMANDS = "SELECT status AS label, COUNT(*) AS value FROM commands INDEXED BY commands_unfinished
         WHERE finished_at IS NULL GROUP BY status";

    OLDEST_COMMAND = "SELECT '' AS label, (julianday('now') - julianday(MIN(created_at))) * 86400 AS value
         FROM commands INDEXED BY commands_unfinished WHERE finished_at IS NULL AND status = 'queued'";

    OLDEST_UNAPPROVED = "SELECT '' AS label, (julianday('now') - julianday(MIN(created_at))) * 86400 AS value
         FROM commands INDEXED BY commands_unfinished WHERE finished_at IS NULL AND status = 'awaiting_approval'";

    REQUESTS = "SELECT '' AS label, COUNT(*) AS value FROM access_requests INDEXED BY access_requests_pending WHERE status = 'pending'";

    OLDEST_REQUEST = "SELECT '' AS label, (julianday('now') - julianday(MIN(requested_at))) * 86400 AS value
         FROM access_requests INDEXED BY access_requests_pending WHERE status = 'pending'";

    DELIVERIES = concat!(
        "SELECT ", receiver!(), " AS label, COUNT(*) AS value FROM deliveries INDEXED BY deliveries_waiting_by_webhook
         WHERE status = 'pending' GROUP BY 1"
    );

    OLDEST_DELIVERY = concat!(
        "SELECT ", receiver!(), " AS label, (julianday('now') - julianday(MIN(created_at))) * 86400 AS value
         FROM deliveries INDEXED BY deliveries_waiting_by_webhook WHERE status = 'pending' GROUP BY 1"
    );

    /// Since when nobody has sent what is due: one that is put off is not.
    OVERDUE_DELIVERY = "SELECT '' AS label, (julianday('now') - julianday(MIN(next_attempt_at))) * 86400 AS value
         FROM deliveries INDEXED BY deliveries_due
         WHERE status = 'pending' AND next_attempt_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

    GIVEN_UP = concat!(
        "SELECT ", receiver!(), " AS label, COUNT(*) AS value FROM deliveries INDEXED BY deliveries_given_up
         WHERE status = 'failed' AND last_attempt_at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour') GROUP BY 1"
    );

    WEBHOOKS_FAILING = "SELECT '' AS label, COUNT(*) AS value FROM webhooks INDEXED BY webhooks_failing
         WHERE active = 1 AND failing_since IS NOT NULL";

    RECORDINGS = "SELECT '' AS label, COUNT(*) AS value FROM recordings INDEXED BY recordings_unfinished WHERE state = 'recording'";

    /// A recording whose terminal is over and that the relay has not finished. A session that opened again is not over.
    RECORDER_LAG = "SELECT '' AS label, (julianday('now') - julianday(MIN(s.ended_at))) * 86400 AS value
         FROM recordings r INDEXED BY recordings_unfinished
         CROSS JOIN terminal_sessions s ON s.session_id = r.session_id AND s.organization_id = r.organization_id
           AND s.status = 'closed' WHERE r.state = 'recording'";

    /// SQLite counts the rows that a table ever had.
    AUDIT_ENTRIES = "SELECT '' AS label, seq AS value FROM sqlite_sequence WHERE name = 'audit_log'";

    AUDIT_UNSEALED = "SELECT '' AS label, COUNT(*) AS value FROM audit_log INDEXED BY audit_log_unsealed WHERE hash IS NULL";

    OLDEST_UNSEALED = "SELECT '' AS label, (julianday('now') - julianday(MIN(created_at))) * 86400 AS value
         FROM audit_log INDEXED BY audit_log_unsealed WHERE hash IS NULL";

    USERS = "SELECT role AS label, COUNT(*) AS value FROM users INDEXED BY users_kept WHERE deleted_at IS NULL GROUP BY role";

    ORGANIZATIONS = "SELECT iif(disabled_at IS NULL, 'active', 'disabled') AS label, COUNT(*) AS value
         FROM organizations INDEXED BY organizations_by_state GROUP BY 1";
}

/// Whether a figure only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Gauge,
    Counter,
}

/// A figure with its samples.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// As Prometheus knows it: with its unit, and `_total` if it only rises.
    pub name: &'static str,
    pub kind: Kind,
    /// What it is, in a line.
    pub help: &'static str,
    /// The name of what tells its samples apart; empty where there is one.
    pub label: &'static str,
    sql: &'static str,
}

/// One of its values.
#[derive(Debug, Deserialize)]
pub struct Sample {
    pub label: String,
    pub value: Option<f64>,
}

const fn gauge(name: &'static str, label: &'static str, sql: &'static str, help: &'static str) -> Figure {
    let kind = Kind::Gauge;
    Figure {
        name,
        kind,
        help,
        label,
        sql,
    }
}

const fn counter(name: &'static str, sql: &'static str, help: &'static str) -> Figure {
    let (kind, label) = (Kind::Counter, "");
    Figure {
        name,
        kind,
        help,
        label,
        sql,
    }
}

/// All of them.
#[rustfmt::skip]
pub const GAUGES: [Figure; 20] = [
    gauge("vsay_machines", "state", MACHINES, "Machines by state."),
    gauge("vsay_agents_connected", "", AGENTS, "Machines whose agent has a link now."),
    gauge("vsay_sessions_active", "", SESSIONS, "Terminal sessions that are open."),
    gauge("vsay_commands_unfinished", "status", COMMANDS, "Commands that have not ended: queued ones wait for their machine, sent ones run."),
    gauge("vsay_command_oldest_queued_seconds", "", OLDEST_COMMAND, "Age of the oldest command that waits for its machine."),
    gauge("vsay_command_oldest_awaiting_approval_seconds", "", OLDEST_UNAPPROVED, "Age of the oldest command that waits for an administrator."),
    gauge("vsay_access_requests_pending", "", REQUESTS, "Requests for machines that nobody has decided."),
    gauge("vsay_access_request_oldest_pending_seconds", "", OLDEST_REQUEST, "Age of the oldest request that nobody has decided."),
    gauge("vsay_deliveries_waiting", "receiver", DELIVERIES, "Deliveries in the outbox, to webhooks and by mail, that have neither arrived nor been given up."),
    gauge("vsay_delivery_oldest_waiting_seconds", "receiver", OLDEST_DELIVERY, "Age of the oldest of them, which may have been tried."),
    gauge("vsay_delivery_overdue_seconds", "", OVERDUE_DELIVERY, "Time since the delivery that is due for longest should have been tried."),
    gauge("vsay_deliveries_given_up_last_hour", "receiver", GIVEN_UP, "Deliveries that failed for good with an attempt of the last hour."),
    gauge("vsay_webhooks_failing", "", WEBHOOKS_FAILING, "Webhooks that are on and where the last attempt failed."),
    gauge("vsay_recordings_unfinished", "", RECORDINGS, "Recordings that are being made."),
    gauge("vsay_recording_lag_seconds", "", RECORDER_LAG, "Time since the end of the terminal of which the recording has been unfinished for longest."),
    counter("vsay_audit_entries_total", AUDIT_ENTRIES, "Entries ever written to the audit log."),
    gauge("vsay_audit_entries_unsealed", "", AUDIT_UNSEALED, "Entries that are not sealed into their chain yet."),
    gauge("vsay_audit_oldest_unsealed_seconds", "", OLDEST_UNSEALED, "Age of the oldest entry that is not sealed yet."),
    gauge("vsay_users", "role", USERS, "Accounts by role, also disabled and invited ones."),
    gauge("vsay_organizations", "state", ORGANIZATIONS, "Organizations by state."),
];

/// What gives the samples of all, in their order.
pub fn queries() -> Vec<Query<Sample>> {
    GAUGES.iter().map(|figure| Query::new(figure.sql, [])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    /// The samples of a figure.
    fn of(db: &TestDb, name: &str) -> Vec<(String, f64)> {
        let place = GAUGES.iter().position(|figure| figure.name == name).unwrap();
        let samples = db.run(queries().remove(place)).into_iter();
        samples
            .filter_map(|sample| Some((sample.label, sample.value?)))
            .collect()
    }

    fn one(db: &TestDb, name: &str) -> f64 {
        let samples = of(db, name);
        assert!(samples.len() == 1 && samples[0].0.is_empty(), "{name}: {samples:?}");
        samples[0].1
    }

    /// SQL: the time so many seconds ago.
    fn ago(seconds: i64) -> String {
        format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '{:+} seconds')", -seconds)
    }

    #[test]
    fn a_server_where_nothing_happens_has_figures_and_no_ages() {
        let db = TestDb::new();
        assert_eq!(one(&db, "vsay_agents_connected"), 0.0);
        assert_eq!(one(&db, "vsay_sessions_active"), 0.0);
        assert_eq!(one(&db, "vsay_access_requests_pending"), 0.0);
        assert_eq!(one(&db, "vsay_webhooks_failing"), 0.0);
        for age in [
            "vsay_command_oldest_queued_seconds",
            "vsay_command_oldest_awaiting_approval_seconds",
            "vsay_access_request_oldest_pending_seconds",
            "vsay_delivery_oldest_waiting_seconds",
            "vsay_delivery_overdue_seconds",
            "vsay_recording_lag_seconds",
        ] {
            assert!(of(&db, age).is_empty(), "{age}");
        }
    }

    #[test]
    fn what_there_is_is_counted_by_its_state() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("bob", "acme", "user");
        for name in ["web", "db", "gone"] {
            db.machine(name, "ann");
        }
        db.execute(
            "UPDATE machines SET status = 'online', is_connected = 1 WHERE name = 'web';
             UPDATE machines SET status = 'revoked' WHERE name = 'gone';
             UPDATE machines SET status = 'offline' WHERE name = 'db'",
        );
        let states = [("offline", 1.0), ("online", 1.0), ("revoked", 1.0)].map(|(state, n)| (state.to_owned(), n));
        assert_eq!(of(&db, "vsay_machines"), states);
        assert_eq!(one(&db, "vsay_agents_connected"), 1.0);
        let roles = [("company_admin", 1.0), ("user", 1.0)].map(|(role, n)| (role.to_owned(), n));
        assert_eq!(of(&db, "vsay_users"), roles);
        assert_eq!(of(&db, "vsay_organizations"), [("active".to_owned(), 1.0)]);
        db.session("s1", "ann", "web");
        db.session("s2", "ann", "web");
        db.execute("UPDATE terminal_sessions SET status = 'closed', ended_at = 'x' WHERE session_id = 's1'");
        assert_eq!(one(&db, "vsay_sessions_active"), 1.0);
    }

    #[test]
    fn what_waits_has_the_age_of_the_oldest() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.machine("web", "ann");
        for (id, seconds) in [("cmd_1", 60), ("cmd_2", 600)] {
            db.command(id, "ann", "web");
            db.execute(&format!(
                "UPDATE commands SET created_at = {} WHERE id = '{id}'",
                ago(seconds)
            ));
        }
        assert_eq!(of(&db, "vsay_commands_unfinished"), [("queued".to_owned(), 2.0)]);
        assert!((590.0..660.0).contains(&one(&db, "vsay_command_oldest_queued_seconds")));
        db.execute("UPDATE commands SET status = 'completed', finished_at = 'x' WHERE id = 'cmd_2'");
        assert!((50.0..120.0).contains(&one(&db, "vsay_command_oldest_queued_seconds")));
    }

    #[test]
    fn what_waits_for_a_decision_is_counted_and_no_longer_once_it_is_made() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("bob", "acme", "user");
        db.machine("web", "ann");
        db.request("web", "bob", "pending", None);
        db.command("cmd_1", "bob", "web");
        db.execute(&format!(
            "UPDATE access_requests SET requested_at = {0}; UPDATE commands SET status = 'awaiting_approval', created_at = {0}",
            ago(600)
        ));
        assert_eq!(one(&db, "vsay_access_requests_pending"), 1.0);
        for age in [
            "vsay_access_request_oldest_pending_seconds",
            "vsay_command_oldest_awaiting_approval_seconds",
        ] {
            assert!((590.0..660.0).contains(&one(&db, age)), "{age}");
        }
        assert!(of(&db, "vsay_command_oldest_queued_seconds").is_empty());
        db.execute("UPDATE access_requests SET status = 'rejected'");
        assert_eq!(one(&db, "vsay_access_requests_pending"), 0.0);
        assert!(of(&db, "vsay_access_request_oldest_pending_seconds").is_empty());
    }

    #[test]
    fn the_outbox_has_what_waits_what_is_overdue_and_what_was_given_up() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.webhook("ops", "acme", &[]);
        // Of each: to whom, how old, when it is due, and when it was tried last.
        for (name, receiver, made, state, next, last) in [
            ("a", "webhook_id", 600, "pending", ago(60), ago(120)),
            ("b", "webhook_id", 60, "pending", ago(-600), "NULL".to_owned()),
            ("c", "user_id", 30, "pending", ago(-600), "NULL".to_owned()),
            ("d", "webhook_id", 9000, "failed", "NULL".to_owned(), ago(600)),
            ("e", "webhook_id", 9000, "failed", "NULL".to_owned(), ago(4000)),
            ("f", "webhook_id", 9000, "delivered", "NULL".to_owned(), ago(600)),
        ] {
            let to = id(if receiver == "user_id" { "ann" } else { "ops" });
            db.execute(&format!(
                "INSERT INTO deliveries (id, organization_id, {receiver}, event, summary, payload, max_attempts, status, next_attempt_at,
                   last_attempt_at, created_at)
                 VALUES ('{}', '{}', '{to}', 'test', '', '', 3, '{state}', {next}, {last}, {})",
                id(name),
                id("acme"),
                ago(made)
            ));
        }
        let by = |samples: &[(&str, f64)]| samples.iter().map(|(to, n)| ((*to).to_owned(), *n)).collect::<Vec<_>>();
        assert_eq!(
            of(&db, "vsay_deliveries_waiting"),
            by(&[("mail", 1.0), ("webhook", 2.0)])
        );
        assert_eq!(of(&db, "vsay_deliveries_given_up_last_hour"), by(&[("webhook", 1.0)]));
        let ages = of(&db, "vsay_delivery_oldest_waiting_seconds");
        assert!(
            (20.0..90.0).contains(&ages[0].1) && (590.0..660.0).contains(&ages[1].1),
            "{ages:?}"
        );
        assert!((50.0..120.0).contains(&one(&db, "vsay_delivery_overdue_seconds")));
        db.execute("UPDATE webhooks SET failing_since = 'x'");
        assert_eq!(one(&db, "vsay_webhooks_failing"), 1.0);
        db.execute("UPDATE webhooks SET active = 0");
        assert_eq!(one(&db, "vsay_webhooks_failing"), 0.0);
        assert!(
            of(&db, "vsay_delivery_overdue_seconds").is_empty(),
            "what was put off is not due"
        );
    }

    #[test]
    fn a_name_is_one_that_prometheus_takes_and_there_is_one_of_each() {
        let mut names: Vec<&str> = GAUGES.iter().map(|figure| figure.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), GAUGES.len());
        for figure in GAUGES {
            assert!(
                figure.name.starts_with("vsay_") && figure.help.ends_with('.'),
                "{figure:?}"
            );
            assert!(
                figure.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{figure:?}"
            );
            assert_eq!(
                figure.name.ends_with("_total"),
                figure.kind == Kind::Counter,
                "{figure:?}"
            );
        }
    }
}
