//! SQL of one's own account.
use protocol::ids::ObjectId;

use super::row::{ListedKey, OwnAvatar, OwnKey};
use crate::auth::caller::Caller;
use crate::features::accounts::store::own;
use crate::features::machines::store::enrolment::{self, ShutOut};
use crate::features::sessions::store as sessions;
use crate::platform::db::{Nothing, Query, statements};

statements! {
    FIND_AVATAR = "SELECT avatar_url FROM users WHERE id = ?1";

    FIND_SSH_KEY = "SELECT NULLIF(display_name, '') AS display_name, ssh_public_key FROM users WHERE id = ?1";

    LIST_SSH_KEYS = "SELECT u.int_id, u.id, u.username, NULLIF(u.display_name, '') AS display_name, u.ssh_public_key, u.id = c.id AS is_self
         FROM users c JOIN users u ON u.organization_id = c.organization_id
         WHERE c.id = ?1 AND u.ssh_public_key IS NOT NULL AND u.deleted_at IS NULL AND u.disabled_at IS NULL AND u.pending = 0
         ORDER BY u.username";
}

/// Where the caller's avatar is.
pub fn find_avatar(caller: &Caller) -> Query<OwnAvatar> {
    Query::new(FIND_AVATAR, [caller.id().into()])
}

/// Replaces the caller's account key. Machines that enrolled with the old one lose their identity, and their sessions are over;
/// gives the machines.
pub fn set_api_key(
    caller: &Caller,
    hash: &str,
    sealed: &str,
    now: &str,
) -> (Query<Nothing>, Query<Nothing>, Query<ShutOut>) {
    (
        own::set_api_key(caller, hash, sealed, now),
        sessions::close_on_enrolled(caller.id(), now),
        enrolment::shut_out(caller.id()),
    )
}

/// An account's SSH key.
pub fn find_ssh_key(user: &ObjectId) -> Query<OwnKey> {
    Query::new(FIND_SSH_KEY, [user.into()])
}

/// The SSH keys of an account's organization.
pub fn list_ssh_keys(user: &ObjectId) -> Query<ListedKey> {
    Query::new(LIST_SSH_KEYS, [user.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    const NOW: &str = "2026-03-01T00:00:00.000Z";

    #[test]
    fn an_avatar_is_set_and_removed() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let ann = db.caller("ann");
        let found = || db.run(find_avatar(&ann))[0].avatar_url.clone();
        assert_eq!(found(), None);
        db.run(own::set_avatar(&ann, Some("/api/avatars/x"), NOW));
        assert_eq!(found().as_deref(), Some("/api/avatars/x"));
        db.run(own::set_avatar(&ann, None, NOW));
        assert_eq!(found(), None);
    }

    #[test]
    fn a_new_account_key_shuts_out_what_enrolled_with_the_old_one() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.user("bob", "acme", "user");
        for (name, owner) in [("keyed", "ann"), ("token", "ann"), ("bobs", "bob")] {
            db.machine(name, owner);
        }
        db.execute(
            "UPDATE machines SET agent_public_key = 'k', host_id = name, status = 'online', is_connected = 1;
             UPDATE machines SET enrolled_by_key = 1 WHERE name <> 'token'",
        );
        for (session, machine) in [("s1", "keyed"), ("s2", "token"), ("s3", "bobs")] {
            db.session(session, "ann", machine);
        }
        let (set, close, shut_out) = set_api_key(&db.caller("ann"), "new hash", "sealed", NOW);
        db.run(set);
        db.run(close);
        assert_eq!(db.run(shut_out).len(), 1);
        assert_eq!(
            db.count("terminal_sessions WHERE status = 'closed' AND session_id = 's1'"),
            1
        );
        assert_eq!(db.count("terminal_sessions WHERE status = 'active'"), 2);
        assert_eq!(
            db.count("machines WHERE agent_public_key IS NULL AND name = 'keyed' AND is_connected = 0"),
            1
        );
        assert_eq!(db.count("machines WHERE agent_public_key IS NOT NULL"), 2);
    }

    #[test]
    fn ssh_keys_are_those_of_people_of_ones_organization_who_may_sign_in() {
        let db = TestDb::new();
        for (name, organization) in [("ann", "acme"), ("bob", "acme"), ("cyd", "acme"), ("eve", "evil")] {
            db.user(name, organization, "user");
        }
        let ann = db.caller("ann");
        assert_eq!(db.run(find_ssh_key(ann.id()))[0].ssh_public_key, None);
        for name in ["ann", "bob", "eve"] {
            db.run(own::set_ssh_key(&db.caller(name), Some(name), NOW));
        }
        let names = || -> Vec<(String, bool)> {
            let keys = db.run(list_ssh_keys(ann.id()));
            keys.into_iter().map(|key| (key.ssh_public_key, key.is_self)).collect()
        };
        assert_eq!(names(), [("ann".to_owned(), true), ("bob".to_owned(), false)]);
        db.execute("UPDATE users SET disabled_at = 'x' WHERE username = 'bob'");
        db.run(own::set_ssh_key(&ann, None, NOW));
        assert!(names().is_empty());
    }
}
