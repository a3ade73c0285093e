//! Machines lent for a time that is over. Access has ended with that time already, for it is computed live; here the grant
//! itself goes, with an entry in the audit log.
use chrono::{DateTime, Utc};
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;

use super::stored;
use crate::audit::{self, Action, Event, Resource};
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, statements};
use crate::platform::error::ApiError;

/// Most grants ended in one run.
const AT_ONCE: i64 = 100;

statements! {
    EXPIRED = "SELECT g.machine_id, g.user_id, u.username, m.organization_id, m.agent_id, m.name AS machine, g.expires_at
         FROM machine_grants g JOIN users u ON u.id = g.user_id JOIN machines m ON m.id = g.machine_id
         WHERE g.expires_at <= ?1 ORDER BY g.expires_at LIMIT ?2";

    /// Not if it was given anew in the meantime.
    END = "DELETE FROM machine_grants WHERE machine_id = ?1 AND user_id = ?2 AND expires_at = ?3";
}

/// A grant whose time is over.
#[derive(Debug, Deserialize)]
struct Expired {
    machine_id: ObjectId,
    user_id: ObjectId,
    username: String,
    organization_id: ObjectId,
    agent_id: AgentId,
    machine: String,
    expires_at: String,
}

/// Ends the grants whose time is over at `now`.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let db = app.db()?;
    let expired = db.run(find(now)).await?;
    db.run(expired.iter().map(end).collect::<Vec<_>>()).await?;
    Ok(())
}

fn find(now: DateTime<Utc>) -> Query<Expired> {
    Query::new(EXPIRED, [stored(now).into(), AT_ONCE.into()])
}

fn end(grant: &Expired) -> (Query<Nothing>, Query<Nothing>) {
    let event = Event::of(Action::AccessRevoked, Resource::Machine)
        .within(&grant.organization_id)
        .on(&grant.machine_id)
        .detail("machine", grant.machine.as_str())
        .detail("agent_id", grant.agent_id.as_str())
        .detail("user_id", grant.user_id.as_str())
        .detail("username", grant.username.as_str())
        .detail("reason", "expired");
    let end = [
        (&grant.machine_id).into(),
        (&grant.user_id).into(),
        grant.expires_at.as_str().into(),
    ];
    // Another run may have ended it since it was found.
    (Query::new(END, end), audit::record_if_changed(&event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn a_grant_ends_with_its_time_and_the_log_says_so() {
        let db = TestDb::new();
        for name in ["ann", "bob", "cid", "dan"] {
            db.user(name, "acme", "user");
        }
        db.machine("web", "ann");
        db.grant("web", "bob", "", Some("2026-01-10T00:00:00.000Z"));
        db.grant("web", "cid", "", Some("2026-01-10T00:00:00.001Z"));
        db.grant("web", "dan", "", None);
        let now = "2026-01-10T00:00:00Z".parse().unwrap();
        for _ in 0..2 {
            for grant in db.run(find(now)) {
                let (end, entry) = end(&grant);
                db.run(end);
                db.run(entry);
            }
            assert_eq!(db.count("machine_grants"), 2);
            assert_eq!(
                db.count(
                    "audit_log WHERE action = 'access_revoked' AND source = 'system' AND details ->> 'username' = 'bob'"
                ),
                1
            );
        }
    }

    #[test]
    fn two_runs_at_the_same_time_log_the_end_of_a_grant_once() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.user("bob", "acme", "user");
        db.machine("web", "ann");
        db.grant("web", "bob", "", Some("2026-01-10T00:00:00.000Z"));
        let now = "2026-01-11T00:00:00Z".parse().unwrap();
        let runs = [db.run(find(now)), db.run(find(now))];
        for grant in runs.iter().flatten() {
            let (end, entry) = end(grant);
            db.run(end);
            db.run(entry);
        }
        assert_eq!(db.count("audit_log WHERE action = 'access_revoked'"), 1);
    }

    #[test]
    fn a_grant_that_was_renewed_meanwhile_stays() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.user("bob", "acme", "user");
        db.machine("web", "ann");
        db.grant("web", "bob", "", Some("2026-01-10T00:00:00.000Z"));
        let grant = db.run(find("2026-01-11T00:00:00Z".parse().unwrap())).remove(0);
        db.execute("UPDATE machine_grants SET expires_at = '2026-02-10T00:00:00.000Z'");
        db.run(end(&grant).0);
        assert_eq!(db.count("machine_grants"), 1);
    }
}
