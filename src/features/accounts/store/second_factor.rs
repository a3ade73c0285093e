//! SQL of the second factor of accounts, and of recovery codes.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::db::{Count, Exists, Nothing, Query, statements};
use crate::platform::secrets;

/// How many codes may be tried in a row before none is looked at for a while: so three codes of a million that count at a
/// time withstand years of guessing by somebody who knows the password.
const TRIES: i64 = 10;

statements! {
    /// Counted before the code is looked at, so that tries at the same time count as well.
    TRY = "UPDATE users SET totp_tries = totp_tries + 1,
           totp_blocked_until = CASE WHEN (totp_tries + 1) % ?4 = 0 THEN ?3 ELSE totp_blocked_until END
         WHERE id = ?1 AND totp_sealed IS NOT NULL AND (totp_blocked_until IS NULL OR totp_blocked_until <= ?2)
         RETURNING totp_sealed, totp_step";

    /// Gives a row to the one request that may use the code.
    TAKE_STEP = "UPDATE users SET totp_step = ?2, totp_tries = 0, totp_blocked_until = NULL WHERE id = ?1 AND totp_step < ?2 RETURNING id";

    TAKE_RECOVERY_CODE = "UPDATE recovery_codes SET used_at = ?3 WHERE user_id = ?1 AND code_hash = ?2 AND used_at IS NULL
         RETURNING user_id AS id";

    FORGET_TRIES = "UPDATE users SET totp_tries = 0, totp_blocked_until = NULL WHERE id = ?1";

    ENROL = "UPDATE users SET totp_sealed = ?2, totp_step = 0, totp_tries = 0, totp_blocked_until = NULL
         WHERE id = ?1 AND totp_confirmed_at IS NULL";

    CONFIRM = "UPDATE users SET totp_confirmed_at = ?2 WHERE id = ?1 AND totp_sealed IS NOT NULL";

    REMOVE = "UPDATE users SET totp_sealed = NULL, totp_confirmed_at = NULL, totp_step = 0, totp_tries = 0, totp_blocked_until = NULL
         WHERE id = ?1";

    REMOVE_RECOVERY_CODES = "DELETE FROM recovery_codes WHERE user_id = ?1";

    INSERT_RECOVERY_CODES = "INSERT INTO recovery_codes (user_id, code_hash) SELECT ?1, value FROM json_each(?2)";

    COUNT_RECOVERY_CODES = "SELECT COUNT(*) AS total FROM recovery_codes WHERE user_id = ?1 AND used_at IS NULL";
}

/// The rows of a change.
pub type Rows = (Query<Nothing>, Query<Nothing>);

/// A second factor that may be tried.
#[derive(Debug, Deserialize)]
pub struct Tried {
    pub totp_sealed: String,
    /// The step of the last code that was taken.
    pub totp_step: i64,
}

/// From now on, signing in needs a code.
pub fn confirm(user: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(CONFIRM, [user.into(), now.into()])
}

/// Takes the second factor off an account.
pub fn remove(user: &ObjectId) -> Rows {
    (Query::new(REMOVE, [user.into()]), remove_recovery_codes(user))
}

/// How many recovery codes are left.
pub fn count_recovery_codes(user: &ObjectId) -> Query<Count> {
    Query::new(COUNT_RECOVERY_CODES, [user.into()])
}

/// Ends all recovery codes.
pub fn remove_recovery_codes(user: &ObjectId) -> Query<Nothing> {
    Query::new(REMOVE_RECOVERY_CODES, [user.into()])
}

/// Counts a try, if the account has a second factor that is not blocked.
pub fn attempt(user: &ObjectId, now: &str, blocked_until: &str) -> Query<Tried> {
    Query::new(TRY, [user.into(), now.into(), blocked_until.into(), TRIES.into()])
}

/// A row for the one request that may use the code of a step.
pub fn take_step(user: &ObjectId, step: i64) -> Query<Exists> {
    Query::new(TAKE_STEP, [user.into(), step.into()])
}

/// A row for the one request that may use a recovery code.
pub fn take_recovery_code(user: &ObjectId, code: &str, now: &str) -> Query<Exists> {
    Query::new(
        TAKE_RECOVERY_CODE,
        [user.into(), secrets::digest(code).into(), now.into()],
    )
}

/// The second factor was right: what was tried before is forgotten.
pub fn forget_tries(user: &ObjectId) -> Query<Nothing> {
    Query::new(FORGET_TRIES, [user.into()])
}

/// Keeps a secret, unless one is confirmed.
pub fn enrol(user: &ObjectId, sealed: &str) -> Query<Nothing> {
    Query::new(ENROL, [user.into(), sealed.into()])
}

/// Recovery codes, by their digests (a JSON array), in place of all others.
pub fn replace_recovery_codes(user: &ObjectId, hashes: &str) -> Rows {
    (
        remove_recovery_codes(user),
        Query::new(INSERT_RECOVERY_CODES, [user.into(), hashes.into()]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    const NOW: &str = "2026-01-01T00:00:00.000Z";
    const LATER: &str = "2026-01-01T00:15:00.000Z";

    fn db() -> (TestDb, ObjectId) {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.execute("UPDATE users SET totp_sealed = 'sealed'");
        let ann = db.caller("ann").id().clone();
        (db, ann)
    }

    #[test]
    fn after_ten_tries_none_is_looked_at_for_a_while() {
        let (db, ann) = db();
        for _ in 0..TRIES {
            assert_eq!(db.run(attempt(&ann, NOW, LATER)).len(), 1);
        }
        assert!(db.run(attempt(&ann, NOW, LATER)).is_empty());
        assert_eq!(db.run(attempt(&ann, LATER, "2026-01-01T00:30:00.000Z")).len(), 1);
        db.run(take_step(&ann, 1));
        for _ in 0..TRIES {
            assert_eq!(db.run(attempt(&ann, NOW, LATER)).len(), 1, "a right code forgives");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_none_before_it() {
        let (db, ann) = db();
        assert_eq!(db.run(take_step(&ann, 7)).len(), 1);
        assert!(db.run(take_step(&ann, 7)).is_empty());
        assert!(db.run(take_step(&ann, 6)).is_empty());
        assert_eq!(db.run(take_step(&ann, 8)).len(), 1);
    }

    #[test]
    fn a_second_factor_that_counts_is_not_replaced_before_it_is_removed() {
        let (db, ann) = db();
        let set = |sealed: &str| db.run(enrol(&ann, sealed));
        let sealed = || db.run(attempt(&ann, NOW, LATER)).remove(0).totp_sealed;
        set("second");
        assert_eq!(sealed(), "second");
        db.run(confirm(&ann, NOW));
        set("third");
        assert_eq!(sealed(), "second");
        let (secret, codes) = remove(&ann);
        db.run(secret);
        db.run(codes);
        assert!(db.run(attempt(&ann, NOW, LATER)).is_empty());
        db.run(confirm(&ann, NOW));
        set("fourth");
        assert_eq!(sealed(), "fourth", "nothing was there to confirm");
    }
}
