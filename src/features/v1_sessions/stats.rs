//! SQL of how much sessions were used.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{Query, statements};

/// SQL: the sessions of the caller (?1) that were open at some time since ?2: an administrator's organization's, or one's own and
/// those on one's machines. Sessions are kept for 90 days, which is as much as is read.
macro_rules! counted {
    () => {
        "(SELECT s.machine_id, s.user_id, s.status, s.started_at, COALESCE(s.ended_at, ?3) AS until
          FROM users u JOIN terminal_sessions s ON s.organization_id = u.organization_id
          WHERE u.id = ?1 AND (s.ended_at IS NULL OR s.ended_at >= ?2) AND (u.role <> 'user' OR s.user_id = u.id
            OR EXISTS (SELECT 1 FROM machines k WHERE k.id = s.machine_id AND k.owner_id = u.id))) listed"
    };
}

statements! {
    USE = concat!(
        "SELECT COUNT(*) FILTER (WHERE started_at >= ?2) AS total, COUNT(*) FILTER (WHERE status = 'active') AS active,
           COUNT(DISTINCT iif(started_at >= ?2, user_id, NULL)) AS users,
           COALESCE(SUM(MAX(julianday(until) - julianday(MAX(started_at, ?2)), 0.0)), 0.0) * 24 AS hours
         FROM ", counted!()
    );

    TOP = concat!(
        "SELECT machine_id, (SELECT m.name FROM machines m WHERE m.id = machine_id) AS name, COUNT(*) AS sessions FROM ", counted!(),
        " WHERE started_at >= ?2 AND started_at <= ?3 GROUP BY machine_id ORDER BY sessions DESC, machine_id LIMIT 5"
    );
}

/// How much they were used.
#[derive(Debug, Default, Deserialize)]
pub struct UseRow {
    pub total: u64,
    pub active: u64,
    pub users: u64,
    pub hours: f64,
}

/// A machine by how many sessions began there.
#[derive(Debug, Deserialize)]
pub struct TopRow {
    pub machine_id: ObjectId,
    pub name: String,
    pub sessions: u64,
}

/// How much the caller's sessions were used from a time to now.
pub fn since(caller: &ObjectId, since: &str, now: &str) -> (Query<UseRow>, Query<TopRow>) {
    let args = [caller.into(), since.into(), now.into()];
    (Query::new(USE, args.clone()), Query::new(TOP, args))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    const SINCE: &str = "2026-01-02T00:00:00.000Z";
    const NOW: &str = "2026-01-03T00:00:00.000Z";

    /// Sessions of `ann` and `bob` on `web`, which is `ann`'s: one over before the time, one that reaches into it, two within.
    fn db() -> TestDb {
        let db = TestDb::new();
        for (name, organization, role) in [
            ("admin", "acme", "company_admin"),
            ("ann", "acme", "user"),
            ("bob", "acme", "user"),
            ("eve", "evil", "company_admin"),
        ] {
            db.user(name, organization, role);
        }
        db.machine("web", "ann");
        db.machine("db", "bob");
        for (session, user, machine, from, to) in [
            (
                "over",
                "ann",
                "web",
                "2026-01-01T00:00:00.000Z",
                "'2026-01-01T23:00:00.000Z'",
            ),
            (
                "into",
                "ann",
                "web",
                "2026-01-01T23:00:00.000Z",
                "'2026-01-02T01:30:00.000Z'",
            ),
            (
                "within",
                "bob",
                "web",
                "2026-01-02T10:00:00.000Z",
                "'2026-01-02T10:15:00.000Z'",
            ),
            ("runs", "bob", "db", "2026-01-02T23:00:00.000Z", "NULL"),
        ] {
            db.session(session, user, machine);
            db.execute(&format!(
                "UPDATE terminal_sessions SET started_at = '{from}', ended_at = {to}, status = iif({to} IS NULL, 'active', 'closed')
                 WHERE session_id = '{session}'"
            ));
        }
        db
    }

    #[test]
    fn what_is_counted_is_within_the_time_and_the_callers() {
        let db = db();
        for (caller, total, active, users, hours, top) in [
            ("admin", 2, 1, 1, 2.75, vec![("db", 1), ("web", 1)]),
            ("ann", 1, 0, 1, 1.75, vec![("web", 1)]),
            ("bob", 2, 1, 1, 1.25, vec![("db", 1), ("web", 1)]),
            ("eve", 0, 0, 0, 0.0, vec![]),
        ] {
            let (used, tops) = since(db.caller(caller).id(), SINCE, NOW);
            let (used, tops) = (db.run(used).remove(0), db.run(tops));
            assert_eq!(
                (used.total, used.active, used.users),
                (total, active, users),
                "{caller}"
            );
            assert!((used.hours - hours).abs() < 0.001, "{caller}: {}", used.hours);
            let mut named: Vec<(&str, u64)> = tops.iter().map(|row| (row.name.as_str(), row.sessions)).collect();
            named.sort_unstable();
            assert_eq!(named, top, "{caller}");
        }
    }
}
