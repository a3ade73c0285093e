//! Giving an account a new password. Whatever was signed in with the one before ends, but for the sign-in that changes it.
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use protocol::relay_contract::SignIns;

use super::email_link::{self, Purpose};
use super::store::{self, AccountRow};
use super::{otp, password};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::{Caller, INVALID_TOKEN};
use crate::features::sessions::revocation;
use crate::platform::context::App;
use crate::platform::db::{DbError, Nothing, Query, now, refuse, statements};
use crate::platform::error::ApiError;
use crate::platform::mail::Letter;

statements! {
    /// Refuses the batch if the account's tokens have died since it was looked at: whoever was shut out must not come back with a
    /// password that was on its way.
    KEEP_OUT = concat!("SELECT ", refuse!("id"), " FROM users WHERE id = ?1 AND token_version <> ?2");

    SET = "UPDATE users SET password_hash = ?2, must_reset_password = 0, token_version = token_version + 1, updated_at = ?3 WHERE id = ?1";
}

/// The rows of a new password: tokens until now, links to reset it and sign-ins that wait for a code end.
pub fn set(user: &ObjectId, hash: &str, now: &str) -> (Query<Nothing>, Query<Nothing>, Query<Nothing>) {
    (
        Query::new(SET, [user.into(), hash.into(), now.into()]),
        email_link::void(user, Purpose::Reset, now),
        otp::delete(user),
    )
}

fn keep_out(account: &AccountRow) -> Query<Nothing> {
    Query::new(KEEP_OUT, [(&account.id).into(), account.token_version.into()])
}

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
        keep_out(account),
        set(caller.id(), &hash, &now()),
        audit::record(&event),
        store::find_account(caller.id()),
    );
    let (.., accounts) = app.db()?.run(batch).await.map_err(|error| match error {
        DbError::Refused => ApiError::unauthorized(INVALID_TOKEN),
        other => other.into(),
    })?;
    after(app, account, SignIns::AllBut(caller.sign_in())).await?;
    accounts
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::internal("an account is gone while its password changes"))
}

/// Disconnects what the old password had opened, and tells the owner.
pub async fn after(app: &App, account: &AccountRow, ended: SignIns) -> Result<(), ApiError> {
    if !account.email.is_empty() {
        let letter = Letter::PasswordChanged {
            username: &account.username,
        };
        app.mailer().post(&account.email, &letter);
    }
    revocation::end_sign_ins(app, &account.id, ended).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn a_password_that_was_on_its_way_does_not_let_in_who_was_shut_out_meanwhile() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let before = db.run(store::find_account(db.caller("ann").id())).remove(0);
        assert!(db.try_run(keep_out(&before)).is_ok());
        db.execute("UPDATE users SET token_version = token_version + 1");
        assert!(db.try_run(keep_out(&before)).unwrap_err().contains("refused by"));
    }

    #[test]
    fn a_new_password_ends_tokens_links_and_the_need_for_it() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let ann = db.caller("ann").id().clone();
        db.execute("UPDATE users SET must_reset_password = 1");
        let (_, (_, link)) = email_link::new(&ann, Purpose::Reset, &now()).unwrap();
        db.run(link);
        let (users, links, codes) = set(&ann, "new hash", &now());
        db.run(users);
        db.run(links);
        db.run(codes);
        let row = db.run(store::find_account(&ann)).remove(0);
        assert_eq!(
            (row.password_hash.as_str(), row.token_version, row.must_reset_password),
            ("new hash", 1, false)
        );
        db.execute("CREATE TABLE open AS SELECT * FROM mailed_tokens WHERE used_at IS NULL");
        assert_eq!(db.count("open"), 0);
    }
}
