//! Links sent by mail: invitations, password resets, proofs of an address. Each works once and for a while, and a new one voids
//! those before it.
use chrono::{SecondsFormat, TimeDelta, Utc};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::store::{AccountRow, account_columns};
use crate::auth::account_store::is_active;
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, now, statements};
use crate::platform::error::ApiError;
use crate::platform::{random, secrets};

statements! {
    VOID = "UPDATE mailed_tokens SET used_at = ?3 WHERE user_id = ?1 AND purpose = ?2 AND used_at IS NULL";

    INSERT = "INSERT INTO mailed_tokens (token_hash, user_id, purpose, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";

    /// Gives a row to the one request that may use it.
    TAKE = "UPDATE mailed_tokens SET used_at = ?3 WHERE token_hash = ?1 AND purpose = ?2 AND used_at IS NULL AND expires_at > ?3
         RETURNING user_id";

    OWNER = concat!("SELECT ", account_columns!(), " WHERE u.id = (SELECT user_id FROM mailed_tokens WHERE token_hash = ?1)");
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

/// The rows that make a link work.
pub type Rows = (Query<Nothing>, Query<Nothing>);

#[derive(Debug, Deserialize)]
struct Taken {
    user_id: ObjectId,
}

/// The secret of a new link for an account, and the rows that make it work from `now` on and void those before it.
pub fn new(user: &ObjectId, purpose: Purpose, now: &str) -> Result<(Secret, Rows), ApiError> {
    lasting(user, purpose, purpose.lasts(), now)
}

/// The same, with a life of its own.
pub fn lasting(user: &ObjectId, purpose: Purpose, lasts: TimeDelta, now: &str) -> Result<(Secret, Rows), ApiError> {
    let token = Secret::from(random::hex::<24>()?);
    let expires_at = (Utc::now() + lasts).to_rfc3339_opts(SecondsFormat::Millis, true);
    let row = [
        secrets::digest(token.expose()).into(),
        user.into(),
        purpose.as_str().into(),
        now.into(),
        expires_at.into(),
    ];
    Ok((token, (void(user, purpose, now), Query::new(INSERT, row))))
}

/// Ends what was sent before.
pub fn void(user: &ObjectId, purpose: Purpose, now: &str) -> Query<Nothing> {
    Query::new(VOID, [user.into(), purpose.as_str().into(), now.into()])
}

/// Uses a link up: whose it is, if it works.
pub async fn redeem(app: &App, token: &str, purpose: Purpose) -> Result<Option<AccountRow>, ApiError> {
    let hash = secrets::digest(token);
    let (taken, owner) = app.db()?.run((take(&hash, purpose, &now()), find_owner(&hash))).await?;
    let owner = owner.into_iter().next();
    Ok(owner.filter(|owner| taken.iter().any(|taken| taken.user_id == owner.id)))
}

fn take(hash: &str, purpose: Purpose, now: &str) -> Query<Taken> {
    Query::new(TAKE, [hash.into(), purpose.as_str().into(), now.into()])
}

fn find_owner(hash: &str) -> Query<AccountRow> {
    Query::new(OWNER, [hash.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn a_link_works_once_for_its_purpose_until_it_expires_or_a_new_one_is_sent() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let ann = db.caller("ann").id().clone();
        let send = || {
            let (token, (void, insert)) = new(&ann, Purpose::Reset, &now()).unwrap();
            db.run(void);
            db.run(insert);
            secrets::digest(token.expose())
        };
        let first = send();
        assert_eq!(db.run(find_owner(&first)).remove(0).username, "ann");
        let later = |hours| (Utc::now() + TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::Millis, true);
        assert!(db.run(take(&first, Purpose::Invite, &now())).is_empty());
        assert!(db.run(take(&first, Purpose::Reset, &later(2))).is_empty());
        let second = send();
        assert!(db.run(take(&first, Purpose::Reset, &now())).is_empty(), "voided");
        assert_eq!(db.run(take(&second, Purpose::Reset, &now())).len(), 1);
        assert!(db.run(take(&second, Purpose::Reset, &now())).is_empty(), "used");
    }
}
