//! SQL of the proof of a mail address.
use protocol::ids::ObjectId;

use crate::features::accounts::row::AccountRow;
use crate::platform::db::{Nothing, Query, refuse, statements};

statements! {
    /// Fails the batch if the address was proven, or changed, since it was looked at.
    PROVE = concat!("UPDATE users SET email_verified = CASE WHEN email_verified = 0 AND email = ?2 THEN 1 ELSE ", refuse!("id"), " END,
           password_hash = '', must_reset_password = 0, token_version = token_version + 1, ssh_public_key = NULL,
           api_key_hash = ?3, api_key_sealed = ?4, updated_at = ?5 WHERE id = ?1");

    /// Only for the address that the link was sent to: changing the address voids it.
    VERIFY = "UPDATE users SET email_verified = 1, updated_at = ?2 WHERE id = ?1";
}

/// The first proof of an address: what was set up before goes, and there is a new key. Refuses the batch if the address was proven,
/// or changed, since the account was looked at.
pub fn claim(account: &AccountRow, key_hash: &str, key_sealed: &str, now: &str) -> Query<Nothing> {
    Query::new(
        PROVE,
        [
            (&account.id).into(),
            account.email.as_str().into(),
            key_hash.into(),
            key_sealed.into(),
            now.into(),
        ],
    )
}

/// The address is its account's.
pub fn verify(user: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(VERIFY, [user.into(), now.into()])
}
