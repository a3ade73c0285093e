//! Codes by mail. One account has one at a time, the newest; three tries use it up.
use chrono::{SecondsFormat, TimeDelta, Utc};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use super::state::SignInState;
use crate::audit::{self, Action, RequestContext, Resource};
use crate::features::accounts::row::AccountRow;
use crate::features::accounts::store::otp as store;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::mail::Letter;
use crate::platform::{random, secrets};

/// How many codes there are: six digits.
const CODES: u32 = 1_000_000;

/// Mails a code for a sign-in to an account. Fails with 503 if mail cannot be sent: then nobody could go on.
pub async fn send(
    app: &App,
    context: &RequestContext,
    state: &SignInState,
    account: &AccountRow,
) -> Result<(), ApiError> {
    let code = code()?;
    let lasts = TimeDelta::minutes(account.otp_minutes);
    let expires_at = (Utc::now() + lasts).to_rfc3339_opts(SecondsFormat::Millis, true);
    let sealed = app.config.sealing.seal(&associated_data(&account.id), &code)?;
    let event = context
        .event(Action::OtpSent, Resource::Auth)
        .by(&account.id, &account.username)
        .within(&account.organization_id);
    app.db()?
        .run((
            store::insert(&account.id, &sealed, state.to_json()?, &expires_at),
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
pub async fn redeem(app: &App, account: &ObjectId, code: &Secret) -> Result<Option<SignInState>, ApiError> {
    let db = app.db()?;
    let Some(tried) = db.run(store::attempt(account, &now())).await?.into_iter().next() else {
        return Ok(None);
    };
    let mailed = app.config.sealing.open(&associated_data(account), &tried.code_sealed)?;
    // Digests, so that how long comparing takes says nothing.
    if secrets::digest(mailed.expose()) != secrets::digest(code.expose()) {
        if tried.tries >= store::MAX_TRIES {
            db.run(store::delete(account)).await?;
        }
        return Ok(None);
    }
    let taken = db.run(store::take(account, &tried.code_sealed)).await?;
    match taken.is_empty() {
        true => Ok(None),
        false => SignInState::from_json(&tried.state).map(Some),
    }
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

fn associated_data(user: &ObjectId) -> String {
    format!("otp_challenges.code:{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
