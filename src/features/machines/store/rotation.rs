//! SQL of keys that agents are asked to replace.
use chrono::{DateTime, TimeDelta, Utc};
use protocol::ids::ObjectId;

use crate::features::machines::access::MachineControl;
use crate::platform::db::{Exists, Query, statements, stored};
use crate::platform::secrets;

/// How long an agent may take to come back with its new key: many times what a slow network takes.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// How long after one wish there is no other: the agent is at it, and would come back with a proof that counts no more. Many times what
/// it takes, and short enough for whoever lost the link in between.
const UNDER_WAY: TimeDelta = TimeDelta::seconds(30);

statements! {
    /// Of several times, the last counts. Not while the agent may be at an earlier one: that was asked for after ?4.
    ASK = "UPDATE machines SET rotation_digest = ?2, rotation_until = ?3
         WHERE id = ?1 AND agent_public_key IS NOT NULL AND status <> 'revoked' AND COALESCE(rotation_until, '') <= ?4 RETURNING 1";

    /// Once, and only from the key that it had when it was asked for.
    REPLACE = "UPDATE machines SET agent_public_key = ?4, rotation_digest = NULL, rotation_until = NULL
         WHERE id = ?1 AND agent_public_key = ?2 AND rotation_digest = ?3 AND rotation_until > ?5 AND status <> 'revoked' RETURNING 1";
}

/// Lets the machine's agent replace its key, if it proves by this that it was asked to. A row if it has a key and is not at it already.
pub fn ask(control: &MachineControl, challenge: &str, now: DateTime<Utc>) -> Query<Exists> {
    let (digest, until) = (secrets::digest(challenge), stored(now + LIFETIME));
    let free = stored(now + LIFETIME - UNDER_WAY);
    Query::new(ASK, [control.id().into(), digest.into(), until.into(), free.into()])
}

/// Replaces a machine's key. A row if that was asked for, and the old one is still its key.
pub fn replace(machine: &ObjectId, old: &str, challenge: &str, new: &str, now: DateTime<Utc>) -> Query<Exists> {
    let digest = secrets::digest(challenge);
    Query::new(
        REPLACE,
        [
            machine.into(),
            old.into(),
            digest.into(),
            new.into(),
            stored(now).into(),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::machines::access::MachineAccess;
    use crate::features::machines::store::{Key, find};
    use crate::testing::{TestDb, id};

    fn at(second: u32) -> DateTime<Utc> {
        format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60)
            .parse()
            .unwrap()
    }

    fn db() -> TestDb {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.machine("web", "ann");
        db.execute("UPDATE machines SET agent_public_key = 'old'");
        db
    }

    fn asked(db: &TestDb, challenge: &str, second: u32) -> bool {
        let ann = db.caller("ann");
        let found = db.run(find(ann.id(), &Key::Id(id("web").parse().unwrap())));
        let control = MachineAccess::decide(ann, found).unwrap().control().unwrap();
        !db.run(ask(&control, challenge, at(second))).is_empty()
    }

    fn replaced(db: &TestDb, old: &str, challenge: &str, new: &str, second: u32) -> bool {
        let web = id("web").parse().unwrap();
        !db.run(replace(&web, old, challenge, new, at(second))).is_empty()
    }

    #[test]
    fn a_key_is_replaced_once_by_who_was_asked_and_has_the_old_one() {
        let db = db();
        assert!(!replaced(&db, "old", "c", "new", 0), "nobody asked");
        assert!(asked(&db, "c", 0));
        assert!(!replaced(&db, "old", "d", "new", 1), "another challenge");
        assert!(!replaced(&db, "other", "c", "new", 1), "another key");
        assert!(replaced(&db, "old", "c", "new", 599));
        assert_eq!(
            db.count("machines WHERE agent_public_key = 'new' AND rotation_digest IS NULL"),
            1
        );
        assert!(!replaced(&db, "new", "c", "third", 2), "a second time");
        assert!(!replaced(&db, "old", "c", "third", 2), "the old one is no key any more");
    }

    #[test]
    fn a_wish_ends_with_its_time_with_another_and_with_the_machine() {
        let db = db();
        assert!(asked(&db, "c", 0));
        assert!(!replaced(&db, "old", "c", "new", 600));
        assert!(asked(&db, "d", 30));
        assert!(!replaced(&db, "old", "c", "new", 31));
        db.execute("UPDATE machines SET status = 'revoked'");
        assert!(!replaced(&db, "old", "d", "new", 31) && !asked(&db, "e", 61));
        db.execute("UPDATE machines SET status = 'offline', agent_public_key = NULL");
        assert!(!asked(&db, "e", 61), "there is no key to replace");
    }

    #[test]
    fn of_two_wishes_at_once_the_first_is_fulfilled_and_the_other_is_none() {
        let db = db();
        assert!(asked(&db, "c", 0) && !asked(&db, "d", 0) && !asked(&db, "d", 29));
        assert!(replaced(&db, "old", "c", "new", 29));
        assert!(asked(&db, "e", 29), "the agent has come back");
    }
}
