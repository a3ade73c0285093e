//! Personal API keys as proof of an account. `api_keys/` makes and lists them.
use protocol::api::api_keys::KeyScope;
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::platform::context::App;
use crate::platform::db::{Nothing, Query, flag, now, statements};
use crate::platform::error::ApiError;
use crate::platform::secrets;

/// How a bearer that is a key begins. The account's own key, `vsay_ak_…`, enrols machines and nothing else: it is not
/// among the personal keys, and so refused by name.
pub const API_KEY_PREFIX: &str = "vsay_";

/// What the program that presents a key is called if it does not say.
pub const SOURCE: &str = "api_key";

/// Longest key worth hashing; ours have 53 characters.
const MAX_KEY: usize = 128;

statements! {
    FIND = "SELECT k.id, k.user_id, k.scope, unixepoch(k.expires_at) * 1000 AS expires_at, k.expires_at IS NOT NULL AND k.expires_at <= ?2 AS expired,
           u.disabled_at IS NOT NULL OR u.pending OR o.disabled_at IS NOT NULL AS disabled, u.deleted_at IS NOT NULL AS deleted,
           k.last_used_at IS NULL OR substr(k.last_used_at, 1, 16) < substr(?2, 1, 16) AS stale
         FROM api_keys k JOIN users u ON u.id = k.user_id JOIN organizations o ON o.id = u.organization_id WHERE k.key_hash = ?1";

    TOUCH_KEY = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1";

    TOUCH_USER = "UPDATE users SET active_at = ?2, inactivity_warnings = 0 WHERE id = ?1";
}

/// A key that was presented and is good.
#[derive(Debug, Clone, Deserialize)]
pub struct UsedKey {
    id: ObjectId,
    /// Whose it is.
    pub user_id: ObjectId,
    scope: KeyScope,
    /// In milliseconds since the Unix epoch.
    pub expires_at: Option<u64>,
    #[serde(deserialize_with = "flag")]
    expired: bool,
    #[serde(deserialize_with = "flag")]
    disabled: bool,
    #[serde(deserialize_with = "flag")]
    deleted: bool,
    /// Its last use that was written down is more than a minute old.
    #[serde(deserialize_with = "flag")]
    stale: bool,
}

impl UsedKey {
    /// Whether it must not change anything.
    pub fn only_reads(&self) -> bool {
        self.scope == KeyScope::Read
    }

    /// Whether it was made for administering people.
    pub fn administers_people(&self) -> bool {
        self.scope == KeyScope::PeopleAdmin
    }

    /// The name under which terminals it opened are ended with it.
    pub fn sign_in(&self) -> String {
        sign_in(&self.id)
    }

    /// A key of a test.
    #[cfg(test)]
    pub fn of_a_test(user_id: ObjectId, scope: KeyScope) -> Self {
        Self {
            id: user_id.clone(),
            user_id,
            scope,
            expires_at: None,
            expired: false,
            disabled: false,
            deleted: false,
            stale: false,
        }
    }
}

/// The name of what is opened with a key, in place of a sign-in.
pub fn sign_in(key: &ObjectId) -> String {
    format!("key:{key}")
}

/// Whose key it is. Remembers its use, to the minute.
pub async fn verify(app: &App, key: &str) -> Result<UsedKey, ApiError> {
    let invalid = || ApiError::unauthorized("Invalid API key");
    if key.len() > MAX_KEY {
        return Err(invalid());
    }
    let (db, now) = (app.db()?, now());
    let key = db.run(find(key, &now)).await?.into_iter().next();
    let key = key.filter(|key| !key.deleted).ok_or_else(invalid)?;
    if key.expired {
        return Err(ApiError::unauthorized("API key has expired"));
    }
    if key.disabled {
        return Err(ApiError::unauthorized("This account is disabled"));
    }
    if key.stale {
        db.run(touch(&key, &now)).await?;
    }
    Ok(key)
}

fn find(key: &str, now: &str) -> Query<UsedKey> {
    Query::new(FIND, [secrets::digest(key).into(), now.into()])
}

fn touch(key: &UsedKey, now: &str) -> (Query<Nothing>, Query<Nothing>) {
    (
        Query::new(TOUCH_KEY, [(&key.id).into(), now.into()]),
        Query::new(TOUCH_USER, [(&key.user_id).into(), now.into()]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn a_key_is_found_by_its_digest_with_all_that_speaks_against_it() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let ann = db.caller("ann");
        db.execute(&format!(
            "INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix, created_at, expires_at) VALUES
             ('{}', '{}', 'ci', '{}', 'vsay_x', '2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z')",
            "a".repeat(24),
            ann.id(),
            secrets::digest("vsay_x")
        ));
        let at = |now: &str| db.run(find("vsay_x", now)).remove(0);
        let key = at("2026-01-31T00:00:00.000Z");
        assert!(!key.expired && !key.disabled && !key.deleted && key.stale);
        let (touch_key, touch_user) = touch(&key, "2026-01-31T00:00:00.000Z");
        db.run(touch_key);
        db.run(touch_user);
        assert!(!at("2026-01-31T00:00:59.000Z").stale);
        assert!(at("2026-01-31T00:01:00.000Z").stale);
        assert!(at("2026-02-01T00:00:00.000Z").expired);
        db.execute("UPDATE users SET disabled_at = 'x'");
        assert!(at("2026-01-31T00:00:00.000Z").disabled);
        assert!(db.run(find("vsay_y", "2026-01-31T00:00:00.000Z")).is_empty());
    }
}
