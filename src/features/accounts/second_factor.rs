//! The second factor of an account: a secret shared with an authenticator app, and recovery codes for when it is lost.
use chrono::{SecondsFormat, TimeDelta, Utc};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use super::store::second_factor::{self as store, Rows};
use super::totp::{DIGITS, Shared};
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, now};
use crate::platform::error::ApiError;
use crate::platform::{random, secrets};

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// For how long none is looked at after too many tries.
const BLOCKED: TimeDelta = TimeDelta::minutes(15);

/// Whether a code of the account's app, or a recovery code, is right; then it is used up. Fails with 429 after too many wrong
/// ones. The account must have a secret.
pub async fn check(app: &App, user: &ObjectId, code: &Secret) -> Result<bool, ApiError> {
    let db = app.db()?;
    let blocked_until = (Utc::now() + BLOCKED).to_rfc3339_opts(SecondsFormat::Millis, true);
    let tried = db
        .run(store::attempt(user, &now(), &blocked_until))
        .await?
        .into_iter()
        .next();
    let tried = tried.ok_or_else(ApiError::too_many_requests)?;
    let code = plain(code);
    let used = match code.len() == DIGITS {
        true => {
            let shared = Shared::parse(&app.config.sealing.open(&associated_data(user), &tried.totp_sealed)?)?;
            match shared
                .step_of(&code, Utc::now().timestamp())
                .filter(|step| *step > tried.totp_step)
            {
                Some(step) => db.run(store::take_step(user, step)).await?,
                None => Vec::new(),
            }
        }
        false => {
            let used = db.run(store::take_recovery_code(user, &code, &now())).await?;
            if !used.is_empty() {
                db.run(store::forget_tries(user)).await?;
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

/// A secret that counts once [confirmed](store::confirm), in place of one that was not.
pub fn enrol(app: &App, user: &ObjectId, shared: &Shared) -> Result<Query<Nothing>, ApiError> {
    let sealed = app.config.sealing.seal(&associated_data(user), &shared.base32())?;
    Ok(store::enrol(user, &sealed))
}

/// New recovery codes in place of all others: to be shown once, and the rows.
pub fn recovery_codes(user: &ObjectId) -> Result<(Vec<Secret>, Rows), ApiError> {
    let codes: Vec<Secret> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<Result<_, _>>()?;
    let hashes: Vec<String> = codes.iter().map(|code| secrets::digest(&plain(code))).collect();
    let hashes = serde_json::json!(hashes).to_string();
    Ok((codes, store::replace_recovery_codes(user, &hashes)))
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

/// What the secret of an account is sealed with.
fn associated_data(user: &ObjectId) -> String {
    format!("users.totp:{user}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    const NOW: &str = "2026-01-01T00:00:00.000Z";

    fn db() -> (TestDb, ObjectId) {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.execute("UPDATE users SET totp_sealed = 'sealed'");
        let ann = db.caller("ann").id().clone();
        (db, ann)
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
            db.run(store::take_recovery_code(&ann, &plain(&code.to_owned().into()), NOW))
                .len()
        };
        assert_eq!((take(&typed), take(first[0].expose())), (1, 0));
        assert_eq!(db.run(store::count_recovery_codes(&ann))[0].total, 9);
        let second = make();
        assert_eq!((take(first[1].expose()), take(second[1].expose())), (0, 1));
    }
}
