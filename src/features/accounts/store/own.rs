//! SQL of what people change of their own account.
use crate::auth::caller::Caller;
use crate::platform::db::{Nothing, Query, statements};

statements! {
    /// What is absent stays. A new address is not proven.
    UPDATE = "UPDATE users SET display_name = COALESCE(?2, display_name),
           email_verified = CASE WHEN ?3 IS NULL THEN email_verified ELSE 0 END,
           email = COALESCE(?3, email), updated_at = ?4 WHERE id = ?1";

    SET_AVATAR = "UPDATE users SET avatar_url = ?2, updated_at = ?3 WHERE id = ?1";

    SET_API_KEY = "UPDATE users SET api_key_hash = ?2, api_key_sealed = ?3, updated_at = ?4 WHERE id = ?1";

    SET_SSH_KEY = "UPDATE users SET ssh_public_key = ?2, updated_at = ?3 WHERE id = ?1";
}

/// Changes what is given; an address must be a new one. Fails as a duplicate if the address is that of another account of the
/// organization, or if both are community accounts.
pub fn update(caller: &Caller, display_name: Option<&str>, email: Option<&str>, now: &str) -> Query<Nothing> {
    Query::new(
        UPDATE,
        [caller.id().into(), display_name.into(), email.into(), now.into()],
    )
}

/// Sets or removes the address of the caller's avatar.
pub fn set_avatar(caller: &Caller, url: Option<&str>, now: &str) -> Query<Nothing> {
    Query::new(SET_AVATAR, [caller.id().into(), url.into(), now.into()])
}

/// Sets or removes the caller's SSH key.
pub fn set_ssh_key(caller: &Caller, public_key: Option<&str>, now: &str) -> Query<Nothing> {
    Query::new(SET_SSH_KEY, [caller.id().into(), public_key.into(), now.into()])
}

/// Replaces the caller's account key.
pub fn set_api_key(caller: &Caller, hash: &str, sealed: &str, now: &str) -> Query<Nothing> {
    let set = [caller.id().into(), hash.into(), sealed.into(), now.into()];
    Query::new(SET_API_KEY, set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    const NOW: &str = "2026-03-01T00:00:00.000Z";

    fn change(db: &TestDb, who: &str, name: Option<&str>, email: Option<&str>) -> Result<(), String> {
        db.try_run(update(&db.caller(who), name, email, NOW)).map(drop)
    }

    #[test]
    fn only_what_is_given_changes_and_a_new_address_is_not_proven() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.execute("UPDATE users SET email_verified = 1, display_name = 'Ann'");
        change(&db, "ann", Some("Ann Smith"), None).unwrap();
        assert_eq!(
            db.count("users WHERE email_verified = 1 AND display_name = 'Ann Smith'"),
            1
        );
        change(&db, "ann", None, Some("new@example.org")).unwrap();
        assert_eq!(
            db.count("users WHERE email_verified = 0 AND display_name = 'Ann Smith' AND email = 'new@example.org'"),
            1
        );
    }

    #[test]
    fn an_address_is_in_an_organization_once() {
        let db = TestDb::new();
        for (name, organization) in [("ann", "acme"), ("bob", "acme"), ("eve", "evil")] {
            db.user(name, organization, "user");
        }
        assert!(
            change(&db, "ann", None, Some("bob@example.org"))
                .unwrap_err()
                .contains("UNIQUE constraint failed")
        );
        change(&db, "ann", None, Some("eve@example.org")).unwrap();
    }
}
