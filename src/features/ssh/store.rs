//! SQL of terminals on other hosts. Their rows are sessions, which `sessions` writes.
use protocol::ids::{AgentId, ObjectId};
use protocol::terminal::limits::SessionLimits;
use serde::Deserialize;

use crate::features::organizations::access::session_limits;
use crate::platform::db::{Query, json, statements};

statements! {
    /// The runner whose services know a host (?2), for a caller (?1): of several the first by the service's name, and those that are
    /// connected before the others.
    RUNNER = concat!(
        "SELECT m.id AS machine_id, m.agent_id, m.organization_id, ", session_limits!(), " AS limits
         FROM users c JOIN service_hosts h ON h.organization_id = c.organization_id AND h.hostname = ?2
         JOIN machines m ON m.id = h.machine_id JOIN organizations o ON o.id = m.organization_id
         WHERE c.id = ?1 AND m.status <> 'revoked' ORDER BY m.is_connected DESC, h.service, h.machine_id LIMIT 1"
    );

    /// Whose a machine is.
    ORGANIZATION = "SELECT organization_id FROM machines WHERE id = ?1";
}

/// Who opens a terminal on a host.
#[derive(Debug, Clone, Deserialize)]
pub struct Runner {
    pub machine_id: ObjectId,
    pub agent_id: AgentId,
    pub organization_id: ObjectId,
    /// What a session there may do.
    #[serde(deserialize_with = "json")]
    pub limits: SessionLimits,
}

/// Whose a machine is.
#[derive(Debug, Deserialize)]
pub struct Organization {
    pub organization_id: ObjectId,
}

/// The runner whose services know a host. The name may be any text.
pub fn runner(caller: &ObjectId, hostname: &str) -> Query<Runner> {
    Query::new(RUNNER, [caller.into(), hostname.into()])
}

/// Whose a machine is; nobody's, if it is gone.
pub fn organization(machine: &ObjectId) -> Query<Organization> {
    Query::new(ORGANIZATION, [machine.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    fn db() -> TestDb {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("eve", "evil", "company_admin");
        for (name, owner) in [("one", "ann"), ("two", "ann"), ("theirs", "eve")] {
            db.machine(name, owner);
            db.execute(&format!(
                "INSERT INTO runners (machine_id, left_out, told_at) VALUES ('{}', 0, '2026-01-01T00:00:00.000Z')",
                id(name)
            ));
        }
        db
    }

    fn service(db: &TestDb, machine: &str, name: &str, hosts: &str) {
        db.execute(&format!(
            "INSERT INTO services (machine_id, name, organization_id, deployable, deployed, body)
             SELECT id, '{name}', organization_id, 1, 1, '{{\"hosts\":{hosts}}}' FROM machines WHERE id = '{}'
             ON CONFLICT (machine_id, name) DO UPDATE SET body = excluded.body",
            id(machine)
        ));
    }

    fn found(db: &TestDb, caller: &str, hostname: &str) -> Option<String> {
        let found = db.run(runner(&id(caller).parse().unwrap(), hostname));
        found.first().map(|runner| runner.machine_id.to_string())
    }

    #[test]
    fn the_first_service_that_knows_a_host_says_which_runner_opens_it() {
        let db = db();
        service(&db, "one", "web", r#"["web-1","web-2"]"#);
        service(&db, "two", "db", r#"["web-1",5]"#);
        service(&db, "theirs", "a", r#"["web-1","other"]"#);
        assert_eq!(found(&db, "ann", "web-1"), Some(id("two")));
        assert_eq!(found(&db, "ann", "web-2"), Some(id("one")));
        assert_eq!(found(&db, "ann", "other"), None, "it is another organization's");
        assert_eq!(found(&db, "ann", "5"), None);
        db.execute(&format!(
            "UPDATE machines SET is_connected = 1 WHERE id = '{}'",
            id("one")
        ));
        assert_eq!(found(&db, "ann", "web-1"), Some(id("one")));
    }

    #[test]
    fn hosts_come_and_go_with_their_services() {
        let db = db();
        service(&db, "one", "web", r#"["web-1","web-1"]"#);
        assert_eq!(db.count("service_hosts"), 1);
        service(&db, "one", "web", r#"["web-3"]"#);
        assert_eq!(
            (found(&db, "ann", "web-1"), found(&db, "ann", "web-3")),
            (None, Some(id("one")))
        );
        db.execute("UPDATE machines SET status = 'revoked'");
        assert_eq!(db.count("service_hosts"), 0);
    }
}
