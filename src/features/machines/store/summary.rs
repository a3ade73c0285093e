//! SQL of the machines that somebody reaches, taken together.
use chrono::{DateTime, Utc};
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::{Listed, machine_row};
use crate::features::machines::freshness::{AT_ONCE, STALE_AFTER};
use crate::features::machines::predicates::reaches;
use crate::platform::db::{Query, statements, stored};

/// SQL: the machines of the caller's (?1) organization that the caller reaches.
macro_rules! reached {
    () => {
        concat!(
            " FROM users u JOIN organizations o ON o.id = u.organization_id JOIN machines m ON m.organization_id = o.id
             WHERE u.id = ?1 AND ",
            $crate::features::machines::predicates::reaches!()
        )
    };
}

/// SQL: how many of them are so.
macro_rules! count {
    ($condition:literal) => {
        concat!("COALESCE(SUM(", $condition, "), 0)")
    };
}

/// SQL: the mean of a figure of those that are online.
macro_rules! mean {
    ($figure:literal, $digits:literal) => {
        concat!(
            "ROUND(COALESCE(AVG(IIF(m.status = 'online', ",
            $figure,
            ", NULL)), 0), ",
            $digits,
            ")"
        )
    };
}

statements! {
    COUNT = concat!(
        "SELECT COUNT(*) AS total, ", count!("m.status = 'online'"), " AS online, ", count!("m.status = 'offline'"), " AS offline, ",
        count!("m.status = 'pending'"), " AS pending, ",
        count!("m.status = 'online' AND m.health = 'warning'"), " AS warning, ",
        count!("m.status = 'online' AND m.health = 'critical'"), " AS critical, ",
        count!("(SELECT COUNT(*) FROM terminal_sessions s WHERE s.machine_id = m.id)"), " AS sessions, ",
        mean!("m.cpu_percent", "2"), " AS cpu, ", mean!("m.memory_percent", "2"), " AS memory, ", mean!("m.disk_percent", "2"), " AS disk, ",
        mean!("m.network_inbound", "6"), " AS network_in, ", mean!("m.network_outbound", "6"), " AS network_out", reached!()
    );

    /// Those that are said to be online and whose figures are from before ?2, some (?3) of them.
    STALE = concat!(
        "SELECT m.id", reached!(), " AND m.status = 'online' AND (m.metrics_at IS NULL OR m.metrics_at < ?2) LIMIT ?3"
    );

    /// Those that were active last, and those that never were behind them.
    RECENT = concat!(
        "SELECT ", machine_row!(), " FROM users u JOIN organizations o ON o.id = u.organization_id JOIN machines m ON m.organization_id = o.id
         JOIN users w ON w.id = m.owner_id WHERE u.id = ?1 AND ", reaches!(),
        " ORDER BY m.last_active IS NULL, m.last_active DESC, m.name, m.id LIMIT 5"
    );
}

/// How many machines, and the means of those that are online.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub struct Counts {
    pub total: u64,
    pub online: u64,
    pub offline: u64,
    pub pending: u64,
    pub warning: u64,
    pub critical: u64,
    pub sessions: u64,
    pub cpu: f64,
    pub memory: f64,
    pub disk: f64,
    pub network_in: f64,
    pub network_out: f64,
}

/// A machine whose figures are old.
#[derive(Debug, Deserialize)]
pub struct Stale {
    pub id: ObjectId,
}

/// How many machines the caller reaches, and how they do.
pub fn count(caller: &ObjectId) -> Query<Counts> {
    Query::new(COUNT, [caller.into()])
}

/// Some of them whose figures are old.
pub fn stale(caller: &ObjectId, now: DateTime<Utc>) -> Query<Stale> {
    let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    Query::new(STALE, [caller.into(), stored(now - STALE_AFTER).into(), limit.into()])
}

/// The five that were active last.
pub fn recent(caller: &ObjectId) -> Query<Listed> {
    Query::new(RECENT, [caller.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    /// Two people with machines in one organization, and somebody in another.
    fn db() -> TestDb {
        let db = TestDb::new();
        db.user("admin", "acme", "company_admin");
        db.user("ann", "acme", "user");
        db.user("eve", "evil", "company_admin");
        for (name, owner) in [
            ("a1", "ann"),
            ("a2", "ann"),
            ("a3", "ann"),
            ("b1", "admin"),
            ("e1", "eve"),
        ] {
            db.machine(name, owner);
        }
        db.execute(
            "UPDATE machines SET status = 'online', is_connected = 1, cpu_percent = 10, memory_percent = 30, network_inbound = 0.5,
               last_active = '2026-01-01T10:00:00.000Z', metrics_at = '2026-01-01T10:00:00.000Z' WHERE name IN ('a1', 'b1');
             UPDATE machines SET cpu_percent = 20, health = 'critical', metrics_at = '2026-01-01T10:05:00.000Z' WHERE name = 'b1';
             UPDATE machines SET status = 'offline', cpu_percent = 90, health = 'critical', last_active = '2026-01-01T11:00:00.000Z'
               WHERE name = 'a2'",
        );
        db.session("s1", "ann", "a1");
        db.session("s2", "ann", "a1");
        db
    }

    fn caller(name: &str) -> ObjectId {
        id(name).parse().unwrap()
    }

    #[test]
    fn everybody_counts_what_they_reach_and_means_are_of_what_is_online() {
        let db = db();
        let counts = |name: &str| db.run(count(&caller(name))).remove(0);
        assert_eq!(
            counts("admin"),
            Counts {
                total: 4,
                online: 2,
                offline: 1,
                pending: 1,
                critical: 1,
                sessions: 2,
                cpu: 15.0,
                memory: 30.0,
                network_in: 0.5,
                ..Counts::default()
            }
        );
        let ann = counts("ann");
        assert_eq!((ann.total, ann.online, ann.critical, ann.cpu), (3, 1, 0, 10.0));
        assert_eq!(counts("eve").total, 1);
        db.execute("DELETE FROM machines WHERE name = 'e1'");
        assert_eq!(counts("eve"), Counts::default());
    }

    #[test]
    fn the_machines_that_were_active_last_come_first_and_those_that_never_were_last() {
        let db = db();
        let names = |name: &str| {
            let rows = db.run(recent(&caller(name)));
            rows.into_iter().map(|row| row.machine.name).collect::<Vec<_>>()
        };
        assert_eq!(names("admin"), ["a2", "a1", "b1", "a3"]);
        assert_eq!(names("ann"), ["a2", "a1", "a3"]);
        for n in 4..9 {
            db.machine(&format!("a{n}"), "ann");
        }
        assert_eq!(names("ann").len(), 5);
    }

    #[test]
    fn those_whose_figures_are_old_are_online_and_reached() {
        let db = db();
        let ids = |name: &str, now: &str| {
            let rows = db.run(stale(&caller(name), now.parse().unwrap()));
            rows.into_iter().map(|row| row.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids("admin", "2026-01-01T10:04:00Z"), [id("a1")]);
        assert_eq!(ids("admin", "2026-01-01T10:10:00Z").len(), 2);
        assert_eq!(ids("ann", "2026-01-01T10:10:00Z"), [id("a1")]);
    }
}
