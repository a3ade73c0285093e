//! Giving an account a new password. Whatever was signed in with the one before ends: tokens and terminals, those of the
//! sign-in that changes it too.
use protocol::api::secret::Secret;

use super::row::AccountRow;
use super::{password, store};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Caller, INVALID_TOKEN};
use crate::features::sessions::revocation::{self, Whose};
use crate::platform::context::App;
use crate::platform::db::{DbError, now};
use crate::platform::error::ApiError;
use crate::platform::mail::Letter;

/// Changes the caller's own password and ends its other sign-ins. Gives the account as it is then: the caller's token has died,
/// and a new one for the same sign-in is issued from it.
///
/// `current` may be absent only where the account must change its password.
pub async fn change(
    app: &App,
    caller: &Caller,
    account: &AccountRow,
    current: Option<&Secret>,
    new: &Secret,
) -> Result<AccountRow, ApiError> {
    let is_current = |password: &Secret| {
        let hash = Some(account.password_hash.as_str()).filter(|hash| !hash.is_empty());
        password::verify(hash, password.expose())
    };
    match current {
        Some(current) if !is_current(current)? => {
            return Err(ApiError::bad_request("Current password is incorrect"));
        }
        None if !account.must_reset_password => return Err(ApiError::invalid_field("current_password", "is required")),
        _ => {}
    }
    if account.must_reset_password && is_current(new)? {
        return Err(ApiError::invalid_field(
            "new_password",
            "must not be the one that was chosen for you",
        ));
    }
    let hash = password::hash(new.expose())?;
    let event = caller.event(Action::PasswordChanged, Resource::User).on(caller.id());
    let batch = (
        store::password::keep_out(account),
        store::password::set(caller.id(), &hash, &now()),
        audit::record(&event),
        store::find_account(caller.id()),
    );
    let (.., accounts) = app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Refused => ApiError::unauthorized(INVALID_TOKEN),
        other => other.into(),
    })?;
    after(app, account).await?;
    accounts
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::internal("an account is gone while its password changes"))
}

/// Disconnects what the old password had opened, and tells the owner.
pub async fn after(app: &App, account: &AccountRow) -> Result<(), ApiError> {
    if !account.email.is_empty() {
        let letter = Letter::PasswordChanged {
            username: &account.username,
        };
        app.mailer().post(&account.email, &letter);
    }
    revocation::withdraw(app, Whose::User(&account.id)).await
}
