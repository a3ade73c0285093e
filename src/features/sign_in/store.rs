//! SQL of sign-ins: ending them, and what else belongs to one person.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{Exists, Nothing, Query, statements};

statements! {
    IS_REVOKED = "SELECT sign_in FROM revoked_sign_ins WHERE sign_in = ?1";

    REVOKE = "INSERT INTO revoked_sign_ins (sign_in, expires_at) VALUES (?1, ?2) ON CONFLICT (sign_in) DO UPDATE SET expires_at = ?2";

    /// One sign-in may have opened accounts in several organizations.
    WITH_SAME_EMAIL = "SELECT id FROM users WHERE email = (SELECT email FROM users WHERE id = ?1) AND email <> '' AND id <> ?1 LIMIT 16";

    PURGE = "DELETE FROM revoked_sign_ins WHERE sign_in IN
         (SELECT sign_in FROM revoked_sign_ins WHERE expires_at <= ?1 LIMIT ?2)";
}

/// An account by its id.
#[derive(Debug, Deserialize)]
pub struct Id {
    pub id: ObjectId,
}

/// A row if the sign-in was ended.
pub fn find_revoked(sign_in: &str) -> Query<Exists> {
    Query::new(IS_REVOKED, [sign_in.into()])
}

/// Ends a sign-in, whose last token expires before `until`.
pub fn revoke(sign_in: &str, until: &str) -> Query<Nothing> {
    Query::new(REVOKE, [sign_in.into(), until.into()])
}

/// The other accounts with the same mail address.
pub fn find_siblings(user: &ObjectId) -> Query<Id> {
    Query::new(WITH_SAME_EMAIL, [user.into()])
}

/// Forgets some of the ended sign-ins whose last token expired by then.
pub fn purge(until: &str, limit: i64) -> Query<Nothing> {
    Query::new(PURGE, [until.into(), limit.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn a_sign_in_can_be_ended_more_than_once() {
        let db = TestDb::new();
        assert!(db.run(find_revoked("s")).is_empty());
        db.run(revoke("s", "2026-01-01T00:00:00.000Z"));
        db.run(revoke("s", "2026-01-02T00:00:00.000Z"));
        assert_eq!(db.run(find_revoked("s")).len(), 1);
    }

    #[test]
    fn accounts_of_one_person_share_the_mail_address() {
        let db = TestDb::new();
        for (name, organization) in [("ann", "acme"), ("ann2", "other"), ("bob", "acme")] {
            db.user(name, organization, "user");
        }
        db.execute("UPDATE users SET email = 'ann@example.org' WHERE username LIKE 'ann%'");
        let ids: Vec<ObjectId> = db
            .run(find_siblings(db.caller("ann").id()))
            .into_iter()
            .map(|row| row.id)
            .collect();
        assert_eq!(ids, [db.caller("ann2").id().clone()]);
        db.execute("UPDATE users SET email = ''  WHERE username = 'ann'");
        assert!(db.run(find_siblings(db.caller("ann").id())).is_empty());
    }
}
