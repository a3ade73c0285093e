//! The second factor of an account: a secret shared with an authenticator app, and recovery codes for when it is lost.
use chrono::{SecondsFormat, TimeDelta, Utc};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::totp::{DIGITS, Shared};
use crate::platform::context::App;
use crate::platform::db::{Count, Exists, Nothing, Query, now, statements};
use crate::platform::error::ApiError;
use crate::platform::{random, secrets};

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// How many codes may be tried in a row before none is looked at for [`BLOCKED`]: so three codes of a million that count at a
/// time withstand years of guessing by somebody who knows the password.
const TRIES: i64 = 10;

/// For how long.
const BLOCKED: TimeDelta = TimeDelta::minutes(15);

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

#[derive(Debug, Deserialize)]
struct Tried {
    totp_sealed: String,
    totp_step: i64,
}

/// The rows of a change.
pub type Rows = (Query<Nothing>, Query<Nothing>);

/// Whether a code of the account's app, or a recovery code, is right; then it is used up. Fails with 429 after too many wrong
/// ones. The account must have a secret.
pub async fn check(app: &App, user: &ObjectId, code: &Secret) -> Result<bool, ApiError> {
    let db = app.db()?;
    let blocked_until = (Utc::now() + BLOCKED).to_rfc3339_opts(SecondsFormat::Millis, true);
    let tried = db.run(attempt(user, &now(), &blocked_until)).await?.into_iter().next();
    let tried = tried.ok_or_else(ApiError::too_many_requests)?;
    let code = plain(code);
    let used = match code.len() == DIGITS {
        true => {
            let shared = Shared::parse(&app.config.sealing.open(&associated_data(user), &tried.totp_sealed)?)?;
            match shared
                .step_of(&code, Utc::now().timestamp())
                .filter(|step| *step > tried.totp_step)
            {
                Some(step) => db.run(take_step(user, step)).await?,
                None => Vec::new(),
            }
        }
        false => {
            let used = db.run(take_recovery_code(user, &code, &now())).await?;
            if !used.is_empty() {
                db.run(Query::<Nothing>::new(FORGET_TRIES, [user.into()])).await?;
            }
            used
        }
    };
    Ok(!used.is_empty())
}

/// A code without what people type between its parts.
fn plain(code: &Secret) -> String {
    let text = code.expose().chars().filter(|c| !c.is_whitespace() && *c != '-');
    text.map(|c| c.to_ascii_lowercase()).collect()
}

/// A secret that counts once [`confirm`]ed, in place of one that was not.
pub fn enrol(app: &App, user: &ObjectId, shared: &Shared) -> Result<Query<Nothing>, ApiError> {
    let sealed = app.config.sealing.seal(&associated_data(user), &shared.base32())?;
    Ok(Query::new(ENROL, [user.into(), sealed.into()]))
}

/// From now on, signing in needs a code.
pub fn confirm(user: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(CONFIRM, [user.into(), now.into()])
}

/// New recovery codes in place of all others: to be shown once, and the rows.
pub fn recovery_codes(user: &ObjectId) -> Result<(Vec<Secret>, Rows), ApiError> {
    let codes: Vec<Secret> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<Result<_, _>>()?;
    let hashes: Vec<String> = codes.iter().map(|code| secrets::digest(&plain(code))).collect();
    let hashes = serde_json::json!(hashes).to_string();
    let rows = (
        remove_recovery_codes(user),
        Query::new(INSERT_RECOVERY_CODES, [user.into(), hashes.into()]),
    );
    Ok((codes, rows))
}

/// Eighty random bits, which no fast digest gives away, in groups that a person can copy.
fn recovery_code() -> Result<Secret, ApiError> {
    let text = random::hex::<10>()?;
    let mut code = String::new();
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && index % 5 == 0 {
            code.push('-');
        }
        code.push(digit);
    }
    Ok(code.into())
}

/// Takes the second factor off an account.
pub fn remove(user: &ObjectId) -> Rows {
    (Query::new(REMOVE, [user.into()]), remove_recovery_codes(user))
}

/// How many recovery codes are left.
pub fn count_recovery_codes(user: &ObjectId) -> Query<Count> {
    Query::new(COUNT_RECOVERY_CODES, [user.into()])
}

fn remove_recovery_codes(user: &ObjectId) -> Query<Nothing> {
    Query::new(REMOVE_RECOVERY_CODES, [user.into()])
}

fn attempt(user: &ObjectId, now: &str, blocked_until: &str) -> Query<Tried> {
    Query::new(TRY, [user.into(), now.into(), blocked_until.into(), TRIES.into()])
}

fn take_step(user: &ObjectId, step: i64) -> Query<Exists> {
    Query::new(TAKE_STEP, [user.into(), step.into()])
}

fn take_recovery_code(user: &ObjectId, code: &str, now: &str) -> Query<Exists> {
    Query::new(
        TAKE_RECOVERY_CODE,
        [user.into(), secrets::digest(code).into(), now.into()],
    )
}

/// What the secret of an account is sealed with.
fn associated_data(user: &ObjectId) -> String {
    format!("users.totp:{user}")
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
    fn a_recovery_code_works_once_until_there_are_new_ones() {
        let (db, ann) = db();
        let make = || {
            let (codes, (old, new)) = recovery_codes(&ann).unwrap();
            db.run(old);
            db.run(new);
            codes
        };
        let first = make();
        assert_eq!(first.len(), RECOVERY_CODES);
        let typed = format!(" {} ", first[0].expose().to_uppercase());
        let take = |code: &str| {
            db.run(take_recovery_code(&ann, &plain(&code.to_owned().into()), NOW))
                .len()
        };
        assert_eq!((take(&typed), take(first[0].expose())), (1, 0));
        assert_eq!(db.run(count_recovery_codes(&ann))[0].total, 9);
        let second = make();
        assert_eq!((take(first[1].expose()), take(second[1].expose())), (0, 1));
    }

    #[test]
    fn a_second_factor_that_counts_is_not_replaced_before_it_is_removed() {
        let (db, ann) = db();
        let enrol = |sealed: &str| db.run(Query::<Nothing>::new(ENROL, [(&ann).into(), sealed.into()]));
        let sealed = || db.run(attempt(&ann, NOW, LATER)).remove(0).totp_sealed;
        enrol("second");
        assert_eq!(sealed(), "second");
        db.run(confirm(&ann, NOW));
        enrol("third");
        assert_eq!(sealed(), "second");
        let (secret, codes) = remove(&ann);
        db.run(secret);
        db.run(codes);
        assert!(db.run(attempt(&ann, NOW, LATER)).is_empty());
        db.run(confirm(&ann, NOW));
        enrol("fourth");
        assert_eq!(sealed(), "fourth", "nothing was there to confirm");
    }
}
