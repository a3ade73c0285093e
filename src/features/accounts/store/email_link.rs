//! SQL of links sent by mail.
use chrono::TimeDelta;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::account_columns;
use crate::auth::account_store::is_active;
use crate::features::accounts::row::AccountRow;
use crate::platform::db::{Nothing, Query, statements};

statements! {
    VOID = "UPDATE mailed_tokens SET used_at = ?3 WHERE user_id = ?1 AND purpose = ?2 AND used_at IS NULL";

    INSERT = "INSERT INTO mailed_tokens (token_hash, user_id, purpose, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";

    /// Gives a row to the one request that may use it.
    TAKE = "UPDATE mailed_tokens SET used_at = ?3 WHERE token_hash = ?1 AND purpose = ?2 AND used_at IS NULL AND expires_at > ?3
         RETURNING user_id";

    OWNER = concat!("SELECT ", account_columns!(), " WHERE u.id = (SELECT user_id FROM mailed_tokens WHERE token_hash = ?1)");

    PURGE = "DELETE FROM mailed_tokens WHERE token_hash IN
         (SELECT token_hash FROM mailed_tokens WHERE expires_at <= ?1 LIMIT ?2)";
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Joining an organization.
    Invite,
    /// Choosing a password.
    Reset,
    /// Proving an address.
    Verify,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Reset => "reset",
            Self::Verify => "verify",
        }
    }

    /// How long a link works (contract; for an address, as long as an invitation).
    pub fn lasts(self) -> TimeDelta {
        match self {
            Self::Invite | Self::Verify => TimeDelta::hours(72),
            Self::Reset => TimeDelta::hours(1),
        }
    }
}

/// Whose link was used up.
#[derive(Debug, Deserialize)]
pub struct Taken {
    pub user_id: ObjectId,
}

/// Makes a link work, by the digest of its token.
pub fn insert(hash: &str, user: &ObjectId, purpose: Purpose, now: &str, expires_at: &str) -> Query<Nothing> {
    Query::new(
        INSERT,
        [
            hash.into(),
            user.into(),
            purpose.as_str().into(),
            now.into(),
            expires_at.into(),
        ],
    )
}

/// Ends what was sent before.
pub fn void(user: &ObjectId, purpose: Purpose, now: &str) -> Query<Nothing> {
    Query::new(VOID, [user.into(), purpose.as_str().into(), now.into()])
}

/// Ends all that was sent to an account.
pub fn void_all(user: &ObjectId, now: &str) -> [Query<Nothing>; 3] {
    [Purpose::Invite, Purpose::Reset, Purpose::Verify].map(|purpose| void(user, purpose, now))
}

/// Uses a link up. A row for the one request that may use it.
pub fn take(hash: &str, purpose: Purpose, now: &str) -> Query<Taken> {
    Query::new(TAKE, [hash.into(), purpose.as_str().into(), now.into()])
}

/// The account that a link was mailed to, whether it works or not.
pub fn find_owner(hash: &str) -> Query<AccountRow> {
    Query::new(OWNER, [hash.into()])
}

/// Forgets some of the links that expired by then.
pub fn purge(until: &str, limit: i64) -> Query<Nothing> {
    Query::new(PURGE, [until.into(), limit.into()])
}
