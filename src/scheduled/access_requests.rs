//! Machines that were asked for, for a time that is over. Access has ended with that time already, for it is computed live; here
//! the request says so, with an entry in the audit log.
use chrono::{DateTime, Utc};

use crate::audit::{self, Action, Event, Resource};
use crate::features::access_requests::about;
use crate::features::access_requests::row::Expired;
use crate::features::access_requests::store::expired;
use crate::platform::context::App;
use crate::platform::db::{Exists, Nothing, Query};
use crate::platform::error::ApiError;

/// Notes the requests whose time is over at `now`.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let db = app.db()?;
    let over = db.run(expired::find(now)).await?;
    db.run(over.iter().map(|expired| end(expired, now)).collect::<Vec<_>>())
        .await?;
    Ok(())
}

fn end(expired: &Expired, now: DateTime<Utc>) -> (Query<Exists>, Query<Nothing>) {
    let event = Event::of(Action::AccessRequestExpired, Resource::Machine);
    let event = about(event, &expired.request, &expired.organization_id);
    // Another run may have ended it since it was found.
    (expired::end(expired, now), audit::record_if_changed(&event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn a_request_expires_with_its_time_once_and_the_log_says_so() {
        let db = TestDb::new();
        for name in ["ann", "bob", "cid", "dan", "eve"] {
            db.user(name, "acme", "user");
        }
        db.machine("web", "ann");
        db.request("web", "bob", "approved", Some("2026-01-10T00:00:00.000Z"));
        db.request("web", "cid", "approved", Some("2026-01-10T00:00:00.001Z"));
        db.request("web", "dan", "approved", None);
        db.request("web", "eve", "revoked", Some("2026-01-09T00:00:00.000Z"));
        let now = "2026-01-10T00:00:00Z".parse().unwrap();
        // Two runs at the same time.
        for found in [db.run(expired::find(now)), db.run(expired::find(now))] {
            for request in &found {
                assert_eq!(request.request.requester_username, "bob");
                let (end, entry) = end(request, now);
                db.run(end);
                db.run(entry);
            }
        }
        assert_eq!(db.count("access_requests WHERE status = 'expired'"), 1);
        assert_eq!(
            db.count("audit_log WHERE action = 'access_request_expired' AND source = 'system' AND details ->> 'username' = 'bob'"),
            1
        );
        assert!(db.run(expired::find(now)).is_empty());
    }
}
