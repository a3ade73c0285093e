//! Links sent by mail: invitations, password resets, proofs of an address. Each works once and for a while, and a new one voids
//! those before it.
use chrono::{SecondsFormat, TimeDelta, Utc};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use super::row::AccountRow;
use super::store::email_link as store;
use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, now};
use crate::platform::error::ApiError;
use crate::platform::{random, secrets};

pub use store::Purpose;

/// The rows that make a link work.
pub type Rows = (Query<Nothing>, Query<Nothing>);

/// The secret of a new link for an account, and the rows that make it work from `now` on and void those before it.
pub fn new(user: &ObjectId, purpose: Purpose, now: &str) -> Result<(Secret, Rows), ApiError> {
    lasting(user, purpose, purpose.lasts(), now)
}

/// The same, with a life of its own.
pub fn lasting(user: &ObjectId, purpose: Purpose, lasts: TimeDelta, now: &str) -> Result<(Secret, Rows), ApiError> {
    let token = Secret::from(random::hex::<24>()?);
    let expires_at = (Utc::now() + lasts).to_rfc3339_opts(SecondsFormat::Millis, true);
    let hash = secrets::digest(token.expose());
    let rows = (
        store::void(user, purpose, now),
        store::insert(&hash, user, purpose, now, &expires_at),
    );
    Ok((token, rows))
}

/// Uses a link up: whose it is, if it works.
pub async fn redeem(app: &App, token: &str, purpose: Purpose) -> Result<Option<AccountRow>, ApiError> {
    let hash = secrets::digest(token);
    let (taken, owner) = app
        .db()?
        .run((store::take(&hash, purpose, &now()), store::find_owner(&hash)))
        .await?;
    let owner = owner.into_iter().next();
    Ok(owner.filter(|owner| taken.iter().any(|taken| taken.user_id == owner.id)))
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
        assert_eq!(db.run(store::find_owner(&first)).remove(0).username, "ann");
        let later = |hours| (Utc::now() + TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::Millis, true);
        assert!(db.run(store::take(&first, Purpose::Invite, &now())).is_empty());
        assert!(db.run(store::take(&first, Purpose::Reset, &later(2))).is_empty());
        let second = send();
        assert!(db.run(store::take(&first, Purpose::Reset, &now())).is_empty(), "voided");
        assert_eq!(db.run(store::take(&second, Purpose::Reset, &now())).len(), 1);
        assert!(db.run(store::take(&second, Purpose::Reset, &now())).is_empty(), "used");
    }
}
