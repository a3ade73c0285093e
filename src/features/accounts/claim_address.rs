//! Accounts whose mail address was never proven, and now is. Anybody may sign up with anybody's address and wait for its owner
//! to come. So what such an account was given until then, by whoever that was, does not outlive the proof: its password,
//! sign-ins, keys and second factor.

use super::email_link::Purpose;
use super::new_account::NewApiKey;
use super::password_change;
use super::row::AccountRow;
use super::store::{self, otp};
use crate::audit::{self, Action, RequestContext, Resource};
use crate::features::api_keys;
use crate::platform::context::App;
use crate::platform::db::{DbError, Nothing, Query, now};
use crate::platform::error::ApiError;

/// The address of an account was proven by `proof`: voids what the account has, if that was the first time, and tells its owner.
pub async fn claim(app: &App, context: &RequestContext, account: &AccountRow, proof: &str) -> Result<(), ApiError> {
    match app.db()?.run(prepare(app, context, account, proof)?).await {
        Ok(_) => password_change::after(app, account).await,
        // Somebody else was faster, and has proven it, or moved the account to an address that this proof says nothing of.
        Err(DbError::Refused) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The rows of that. Machines keep the identities they have; nothing more enrols with the key that the account had. The batch is
/// refused if the address was proven, or changed, since it was looked at.
pub fn prepare(
    app: &App,
    context: &RequestContext,
    account: &AccountRow,
    proof: &str,
) -> Result<Vec<Query<Nothing>>, ApiError> {
    let key = NewApiKey::make(app, &account.id)?;
    let event = context
        .event(Action::EmailVerified, Resource::User)
        .by(&account.id, &account.username)
        .within(&account.organization_id)
        .on(&account.id)
        .detail("by", proof)
        .detail("voided", "password, sign-ins, keys, second factor");
    let mut rows = void(account, &key, &now());
    rows.push(audit::record(&event));
    Ok(rows)
}

fn void(account: &AccountRow, key: &NewApiKey, now: &str) -> Vec<Query<Nothing>> {
    let id = &account.id;
    let (factor, codes) = store::second_factor::remove(id);
    vec![
        store::address::claim(account, &key.hash, &key.sealed, now),
        factor,
        codes,
        api_keys::store::delete_all(id),
        otp::delete(id),
        store::email_link::void(id, Purpose::Reset, now),
        store::email_link::void(id, Purpose::Verify, now),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::accounts::email_link;
    use crate::features::accounts::store::find_account;
    use crate::testing::TestDb;

    const NOW: &str = "2026-03-01T00:00:00.000Z";

    fn db() -> (TestDb, AccountRow) {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.execute(
            "UPDATE users SET must_reset_password = 1, totp_sealed = 'sealed', totp_confirmed_at = 'x', ssh_public_key = 'ssh-ed25519 x';
             INSERT INTO recovery_codes (user_id, code_hash) SELECT id, 'code' FROM users;
             INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix, created_at) SELECT id, id, 'ci', 'hash', 'vsay_x', 'x' FROM users",
        );
        let ann = db.run(find_account(db.caller("ann").id())).remove(0);
        let (_, (_, link)) = email_link::new(&ann.id, Purpose::Verify, NOW).unwrap();
        db.run(link);
        (db, ann)
    }

    /// As one transaction.
    fn run(db: &TestDb, account: &AccountRow) -> Result<(), String> {
        let key = NewApiKey {
            key: "new key".to_owned().into(),
            hash: "new hash".to_owned(),
            sealed: "new sealed".to_owned(),
        };
        void(account, &key, NOW)
            .into_iter()
            .try_for_each(|query| db.try_run(query).map(drop))
    }

    #[test]
    fn nothing_that_was_set_up_before_outlives_the_first_proof_of_the_address() {
        let (db, ann) = db();
        run(&db, &ann).unwrap();
        let row = db.run(find_account(&ann.id)).remove(0);
        assert!(row.email_verified && !row.must_reset_password);
        assert_eq!(
            (row.password_hash.as_str(), row.token_version),
            ("", ann.token_version + 1)
        );
        assert_eq!(
            (row.totp_sealed, row.totp_confirmed_at, row.ssh_public_key),
            (None, None, None)
        );
        assert_eq!(row.api_key_sealed, "new sealed");
        assert_eq!(db.count("users WHERE api_key_hash = 'new hash'"), 1);
        for gone in ["api_keys", "recovery_codes", "mailed_tokens WHERE used_at IS NULL"] {
            assert_eq!(db.count(gone), 0, "{gone}");
        }
    }

    #[test]
    fn an_address_is_proven_for_the_first_time_once_and_only_while_it_is_the_accounts() {
        for change in [
            "UPDATE users SET email_verified = 1",
            "UPDATE users SET email = 'moved@example.org'",
        ] {
            let (db, ann) = db();
            db.execute(change);
            assert!(run(&db, &ann).unwrap_err().contains("refused by"), "{change}");
            assert_eq!(db.count("users WHERE password_hash = 'hash'"), 1, "{change}");
        }
    }
}
