//! SQL of personal API keys.
use protocol::api::api_keys::{KeyScope, MAX_KEYS};
use protocol::ids::ObjectId;

use super::row::KeyRow;
use crate::auth::caller::Caller;
use crate::platform::db::{Nothing, Query, statements};

statements! {
    LIST = "SELECT id, name, key_prefix, scope, created_at, expires_at, last_used_at FROM api_keys
         WHERE user_id = ?1 ORDER BY created_at, id";

    /// In the first place that is free, if one is: ?9 is a list of all places.
    INSERT = "INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix, scope, created_at, expires_at, place)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, json_each.value FROM json_each(?9)
         WHERE json_each.value NOT IN (SELECT k.place FROM api_keys k WHERE k.user_id = ?2)
         ORDER BY json_each.value LIMIT 1
         RETURNING id, name, key_prefix, scope, created_at, expires_at, last_used_at";

    DELETE = "DELETE FROM api_keys WHERE id = ?1 AND user_id = ?2";

    DELETE_ALL = "DELETE FROM api_keys WHERE user_id = ?1";
}

/// A key to be made.
#[derive(Debug)]
pub struct NewKey<'a> {
    pub id: &'a ObjectId,
    pub name: &'a str,
    pub key_hash: &'a str,
    pub key_prefix: &'a str,
    pub scope: KeyScope,
    pub created_at: &'a str,
    pub expires_at: Option<&'a str>,
}

/// An account's keys, oldest first.
pub fn list(user: &ObjectId) -> Query<KeyRow> {
    Query::new(LIST, [user.into()])
}

/// Makes a key of the caller's and gives it back, unless all places are taken.
pub fn insert(caller: &Caller, new: &NewKey) -> Query<KeyRow> {
    let places: Vec<usize> = (1..=MAX_KEYS).collect();
    Query::new(
        INSERT,
        [
            new.id.into(),
            caller.id().into(),
            new.name.into(),
            new.key_hash.into(),
            new.key_prefix.into(),
            new.scope.as_str().into(),
            new.created_at.into(),
            new.expires_at.into(),
            serde_json::json!(places).to_string().into(),
        ],
    )
}

/// Revokes a key of the caller's.
pub fn delete(caller: &Caller, key: &ObjectId) -> Query<Nothing> {
    Query::new(DELETE, [key.into(), caller.id().into()])
}

/// Ends all keys of an account.
pub fn delete_all(user: &ObjectId) -> Query<Nothing> {
    Query::new(DELETE_ALL, [user.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    fn make(db: &TestDb, owner: &Caller, n: i64) -> Option<KeyRow> {
        let new = NewKey {
            id: &format!("{n:024x}").parse().unwrap(),
            name: "ci",
            key_hash: &format!("hash {n}"),
            key_prefix: "vsay_0000000",
            scope: KeyScope::Read,
            created_at: "2026-01-01T00:00:00.000Z",
            expires_at: None,
        };
        db.run(insert(owner, &new)).pop()
    }

    #[test]
    fn an_account_has_as_many_keys_as_places_and_each_place_once() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let ann = db.caller("ann");
        for n in 1..=MAX_KEYS as i64 {
            assert_eq!(make(&db, &ann, n).unwrap().name, "ci");
        }
        assert!(make(&db, &ann, 8).is_none());
        let third = db.run(list(ann.id())).remove(2).id;
        db.run(delete(&ann, &third));
        make(&db, &ann, 9).unwrap();
        assert_eq!(db.count("(SELECT DISTINCT place FROM api_keys)"), 5);
        assert!(make(&db, &ann, 10).is_none());
    }

    #[test]
    fn a_key_is_listed_and_revoked_by_its_owner_only() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.user("bob", "acme", "company_admin");
        let (ann, bob) = (db.caller("ann"), db.caller("bob"));
        make(&db, &ann, 1).unwrap();
        assert!(db.run(list(bob.id())).is_empty());
        let id = db.run(list(ann.id())).remove(0).id;
        db.run(delete(&bob, &id));
        assert_eq!(db.count("api_keys"), 1);
        db.run(delete(&ann, &id));
        assert_eq!(db.count("api_keys"), 0);
    }
}
