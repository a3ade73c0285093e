//! Codes by mail. One account has one at a time, the newest; three tries use it up.
use chrono::{SecondsFormat, TimeDelta, Utc};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::opened::Opened;
use crate::audit::{self, Action, Resource, Trail};
use crate::features::accounts::store::AccountRow;
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, json, now, statements};
use crate::platform::error::ApiError;
use crate::platform::mail::Letter;
use crate::platform::{random, secrets};

/// How often a code may be tried, the right time included (contract: the third wrong one ends it).
const MAX_TRIES: i64 = 3;

/// How many codes there are: six digits.
const CODES: u32 = 1_000_000;

statements! {
    INSERT = "INSERT INTO otp_challenges (user_id, code_sealed, opened, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user_id) DO UPDATE SET code_sealed = ?2, opened = ?3, expires_at = ?4, tries = 0";

    /// Counted before the code is looked at, so that tries at the same time count as well.
    TRY = "UPDATE otp_challenges SET tries = tries + 1 WHERE user_id = ?1 AND tries < ?2 AND expires_at > ?3
         RETURNING code_sealed, opened, tries";

    /// Gives a row to the one that may go on.
    TAKE = "DELETE FROM otp_challenges WHERE user_id = ?1 AND code_sealed = ?2 RETURNING user_id";

    DELETE = "DELETE FROM otp_challenges WHERE user_id = ?1";
}

#[derive(Debug, Deserialize)]
struct Tried {
    code_sealed: String,
    #[serde(deserialize_with = "json")]
    opened: Opened,
    tries: i64,
}

#[derive(Debug, Deserialize)]
struct Whose {}

/// Mails a code for a sign-in to an account. Fails with 503 if mail cannot be sent: then nobody could go on.
pub async fn send(app: &App, trail: &Trail, opened: &Opened, account: &AccountRow) -> Result<(), ApiError> {
    let code = code()?;
    let lasts = TimeDelta::minutes(account.otp_minutes);
    let expires_at = (Utc::now() + lasts).to_rfc3339_opts(SecondsFormat::Millis, true);
    let sealed = app.config.sealing.seal(&place(&account.id), &code)?;
    let event = trail
        .event(Action::OtpSent, Resource::Auth)
        .by(&account.id, &account.username)
        .within(&account.organization_id);
    app.db()?
        .run((
            insert(&account.id, &sealed, opened, &expires_at)?,
            audit::record(&event),
        ))
        .await?;
    let letter = Letter::SignInCode {
        username: &account.username,
        code: &code,
        lasts,
    };
    app.mailer().send(&account.email, &letter).await.map_err(|reason| {
        let why = ApiError::from(reason);
        ApiError::unavailable("mail_failed", "Failed to send OTP email").with_detail(why.text().to_owned())
    })
}

/// The sign-in that a code is for, if it is the one that was mailed for the account. It works once.
pub async fn redeem(app: &App, account: &ObjectId, code: &Secret) -> Result<Option<Opened>, ApiError> {
    let db = app.db()?;
    let Some(tried) = db.run(attempt(account, &now())).await?.into_iter().next() else {
        return Ok(None);
    };
    let mailed = app.config.sealing.open(&place(account), &tried.code_sealed)?;
    // Digests, so that how long comparing takes says nothing.
    if secrets::digest(mailed.expose()) != secrets::digest(code.expose()) {
        if tried.tries >= MAX_TRIES {
            db.run(delete(account)).await?;
        }
        return Ok(None);
    }
    let taken = db.run(take(account, &tried.code_sealed)).await?;
    Ok((!taken.is_empty()).then_some(tried.opened))
}

/// Six digits, each of all codes as likely as any other.
fn code() -> Result<Secret, ApiError> {
    loop {
        let number = u32::from_be_bytes(random::bytes()?);
        // The numbers above the last whole range of codes would make some codes likelier.
        if number < u32::MAX - u32::MAX % CODES {
            return Ok(format!("{:06}", number % CODES).into());
        }
    }
}

fn place(user: &ObjectId) -> String {
    format!("otp_challenges.code:{user}")
}

fn insert(user: &ObjectId, sealed: &str, opened: &Opened, expires_at: &str) -> Result<Query<Nothing>, ApiError> {
    let opened = serde_json::to_string(opened).map_err(ApiError::internal)?;
    Ok(Query::new(
        INSERT,
        [user.into(), sealed.into(), opened.into(), expires_at.into()],
    ))
}

fn attempt(user: &ObjectId, now: &str) -> Query<Tried> {
    Query::new(TRY, [user.into(), MAX_TRIES.into(), now.into()])
}

fn take(user: &ObjectId, sealed: &str) -> Query<Whose> {
    Query::new(TAKE, [user.into(), sealed.into()])
}

/// Ends the wait for a code.
pub fn delete(user: &ObjectId) -> Query<Nothing> {
    Query::new(DELETE, [user.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    const EXPIRES: &str = "2026-01-01T00:10:00.000Z";

    fn world() -> (World, ObjectId) {
        let world = World::new();
        world.user("ann", "acme", "user");
        let ann = world.caller("ann").id().clone();
        let opened = Opened::begin("ui", "password", false, &[]).unwrap();
        world.run(insert(&ann, "sealed", &opened, EXPIRES).unwrap());
        (world, ann)
    }

    #[test]
    fn a_code_has_six_digits_and_differs() {
        let codes: Vec<String> = (0..20).map(|_| code().unwrap().expose().to_owned()).collect();
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()))
        );
        assert!(codes.iter().any(|code| *code != codes[0]));
    }

    #[test]
    fn a_code_is_tried_three_times_at_most_and_not_after_it_expired() {
        let (world, ann) = world();
        assert!(world.run(attempt(&ann, EXPIRES)).is_empty());
        for tries in 1..=3 {
            assert_eq!(world.run(attempt(&ann, "2026-01-01T00:09:59.999Z"))[0].tries, tries);
        }
        assert!(world.run(attempt(&ann, "2026-01-01T00:00:00.000Z")).is_empty());
    }

    #[test]
    fn a_code_is_taken_once_and_a_new_one_takes_its_place() {
        let (world, ann) = world();
        assert!(world.run(take(&ann, "another")).is_empty());
        assert_eq!(world.run(take(&ann, "sealed")).len(), 1);
        assert!(world.run(take(&ann, "sealed")).is_empty());

        let opened = Opened::begin("cli", "password", false, &[]).unwrap();
        for sealed in ["first", "second"] {
            world.run(insert(&ann, sealed, &opened, EXPIRES).unwrap());
            world.run(attempt(&ann, "2026-01-01T00:00:00.000Z"));
        }
        assert!(world.run(take(&ann, "first")).is_empty());
        let tried = world.run(attempt(&ann, "2026-01-01T00:00:00.000Z")).remove(0);
        assert_eq!((tried.tries, tried.opened.source.as_str()), (2, "cli"));
    }
}
