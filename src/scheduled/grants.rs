//! Machines lent for a time that is over. Access has ended with that time already, for it is computed live; here the grant
//! itself goes, with an entry in the audit log.
use chrono::{DateTime, Utc};

use crate::audit::{self, Action, Event, Resource};
use crate::features::machine_access::store::expired::{self, Expired};
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query};
use crate::platform::error::ApiError;

/// Ends the grants whose time is over at `now`.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let db = app.db()?;
    let grants = db.run(expired::find(now)).await?;
    db.run(grants.iter().map(end).collect::<Vec<_>>()).await?;
    Ok(())
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
    // Another run may have ended it since it was found.
    (expired::end(grant), audit::record_if_changed(&event))
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
            for grant in db.run(expired::find(now)) {
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
        let runs = [db.run(expired::find(now)), db.run(expired::find(now))];
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
        let grant = db.run(expired::find("2026-01-11T00:00:00Z".parse().unwrap())).remove(0);
        db.execute("UPDATE machine_grants SET expires_at = '2026-02-10T00:00:00.000Z'");
        db.run(end(&grant).0);
        assert_eq!(db.count("machine_grants"), 1);
    }
}
