//! SQL of codes by mail. One account has one at a time, the newest; three tries use it up. `sign_in/otp.rs` mails them and says
//! which one is right.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{Exists, Nothing, Query, statements};

/// How often a code may be tried, the right time included (contract: the third wrong one ends it).
pub const MAX_TRIES: i64 = 3;

statements! {
    INSERT = "INSERT INTO otp_challenges (user_id, code_sealed, opened, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user_id) DO UPDATE SET code_sealed = ?2, opened = ?3, expires_at = ?4, tries = 0";

    /// Counted before the code is looked at, so that tries at the same time count as well.
    TRY = "UPDATE otp_challenges SET tries = tries + 1 WHERE user_id = ?1 AND tries < ?2 AND expires_at > ?3
         RETURNING code_sealed, opened AS state, tries";

    /// Gives a row to the one that may go on.
    TAKE = "DELETE FROM otp_challenges WHERE user_id = ?1 AND code_sealed = ?2 RETURNING user_id";

    DELETE = "DELETE FROM otp_challenges WHERE user_id = ?1";

    PURGE = "DELETE FROM otp_challenges WHERE user_id IN
         (SELECT user_id FROM otp_challenges WHERE expires_at <= ?1 LIMIT ?2)";
}

/// A code that may be tried.
#[derive(Debug, Deserialize)]
pub struct Tried {
    pub code_sealed: String,
    /// The state of the sign-in it is for, as JSON.
    pub state: String,
    /// How often it was tried, this time included.
    pub tries: i64,
}

/// Replaces the code of an account. `state` is that of the sign-in it is for, as JSON.
pub fn insert(user: &ObjectId, sealed: &str, state: String, expires_at: &str) -> Query<Nothing> {
    Query::new(INSERT, [user.into(), sealed.into(), state.into(), expires_at.into()])
}

/// Counts a try, if there is a code to be tried.
pub fn attempt(user: &ObjectId, now: &str) -> Query<Tried> {
    Query::new(TRY, [user.into(), MAX_TRIES.into(), now.into()])
}

/// A row if the code is still there: for the one that may go on.
pub fn take(user: &ObjectId, sealed: &str) -> Query<Exists> {
    Query::new(TAKE, [user.into(), sealed.into()])
}

/// Ends the wait for a code.
pub fn delete(user: &ObjectId) -> Query<Nothing> {
    Query::new(DELETE, [user.into()])
}

/// Removes some of the codes that expired by then.
pub fn purge(until: &str, limit: i64) -> Query<Nothing> {
    Query::new(PURGE, [until.into(), limit.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    const EXPIRES: &str = "2026-01-01T00:10:00.000Z";

    fn db() -> (TestDb, ObjectId) {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let ann = db.caller("ann").id().clone();
        db.run(insert(&ann, "sealed", "a sign-in".to_owned(), EXPIRES));
        (db, ann)
    }

    #[test]
    fn a_code_is_tried_three_times_at_most_and_not_after_it_expired() {
        let (db, ann) = db();
        assert!(db.run(attempt(&ann, EXPIRES)).is_empty());
        for tries in 1..=3 {
            assert_eq!(db.run(attempt(&ann, "2026-01-01T00:09:59.999Z"))[0].tries, tries);
        }
        assert!(db.run(attempt(&ann, "2026-01-01T00:00:00.000Z")).is_empty());
    }

    #[test]
    fn a_code_is_taken_once_and_a_new_one_takes_its_place() {
        let (db, ann) = db();
        assert!(db.run(take(&ann, "another")).is_empty());
        assert_eq!(db.run(take(&ann, "sealed")).len(), 1);
        assert!(db.run(take(&ann, "sealed")).is_empty());

        for sealed in ["first", "second"] {
            db.run(insert(&ann, sealed, "another".to_owned(), EXPIRES));
            db.run(attempt(&ann, "2026-01-01T00:00:00.000Z"));
        }
        assert!(db.run(take(&ann, "first")).is_empty());
        let tried = db.run(attempt(&ann, "2026-01-01T00:00:00.000Z")).remove(0);
        assert_eq!((tried.tries, tried.state.as_str()), (2, "another"));
    }
}
