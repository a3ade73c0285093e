//! Rows that mean nothing any more.
use chrono::{DateTime, TimeDelta, Utc};

use super::stored;
use crate::features::accounts::store::{email_link, otp};
use crate::features::sign_in;
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query};
use crate::platform::error::ApiError;

/// Most rows of a kind removed in one run.
const AT_ONCE: i64 = 1000;

/// How long a mailed link is remembered after it expired: so long it is answered "expired" rather than "unknown".
const LINKS_KEPT: TimeDelta = TimeDelta::days(7);

/// Removes what has expired.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    app.db()?.run(removals(now)).await?;
    Ok(())
}

fn removals(now: DateTime<Utc>) -> (Query<Nothing>, Query<Nothing>, Query<Nothing>) {
    (
        sign_in::store::purge(&stored(now), AT_ONCE),
        otp::purge(&stored(now), AT_ONCE),
        email_link::purge(&stored(now - LINKS_KEPT), AT_ONCE),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn only_what_has_expired_is_removed() {
        let db = TestDb::new();
        for name in ["ann", "bob"] {
            db.user(name, "acme", "user");
        }
        db.execute(
            "INSERT INTO revoked_sign_ins VALUES ('old', '2026-01-10T00:00:00.000Z'), ('new', '2026-01-10T00:00:00.001Z');
             INSERT INTO otp_challenges (user_id, code_sealed, opened, expires_at)
             SELECT id, '', '[]', CASE username WHEN 'ann' THEN '2026-01-10T00:00:00.000Z' ELSE '2026-01-10T00:00:00.001Z' END FROM users;
             INSERT INTO mailed_tokens SELECT 'old', id, 'reset', '', '2026-01-03T00:00:00.000Z', NULL FROM users WHERE username = 'ann';
             INSERT INTO mailed_tokens SELECT 'new', id, 'reset', '', '2026-01-03T00:00:00.001Z', NULL FROM users WHERE username = 'ann'",
        );
        let now = "2026-01-10T00:00:00Z".parse().unwrap();
        for _ in 0..2 {
            let (sign_ins, challenges, tokens) = removals(now);
            db.run(sign_ins);
            db.run(challenges);
            db.run(tokens);
            for table in ["revoked_sign_ins", "otp_challenges", "mailed_tokens"] {
                assert_eq!(db.count(table), 1, "{table}");
            }
        }
        assert_eq!(db.count("revoked_sign_ins WHERE sign_in = 'new'"), 1);
        assert_eq!(db.count("mailed_tokens WHERE token_hash = 'new'"), 1);
    }
}
