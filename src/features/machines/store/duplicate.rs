//! SQL of copies of machines: agents with the key of one that is connected.
use protocol::ids::ObjectId;

use crate::platform::db::{Exists, Nothing, Query, statements};

statements! {
    /// A copy is news if none was there within the hour (?4): however many there are, they do not fill the log by trying.
    NOTE = "UPDATE machines SET duplicate_address = ?2, duplicate_at = ?3
         WHERE id = ?1 AND (duplicate_at IS NULL OR duplicate_at < ?4) RETURNING 1";

    TOUCH = "UPDATE machines SET duplicate_address = ?2, duplicate_at = ?3 WHERE id = ?1";
}

/// Notes where a copy of a machine tried to connect from. A row if that is news since `recent`.
pub fn note(machine: &ObjectId, address: &str, now: &str, recent: &str) -> Query<Exists> {
    Query::new(NOTE, [machine.into(), address.into(), now.into(), recent.into()])
}

/// It tried again.
pub fn touch(machine: &ObjectId, address: &str, now: &str) -> Query<Nothing> {
    Query::new(TOUCH, [machine.into(), address.into(), now.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    #[test]
    fn copies_are_news_once_until_an_hour_without_any() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.machine("web", "ann");
        let web = id("web").parse().unwrap();
        let news = |address: &str, hour: u32| {
            let at = |hour: u32| format!("2026-01-01T{hour:02}:00:00.000Z");
            let news = !db.run(note(&web, address, &at(hour), &at(hour - 1))).is_empty();
            db.run(touch(&web, address, &at(hour)));
            news
        };
        assert!(news("10.0.0.1", 1));
        assert!(!news("10.0.0.1", 2), "it goes on");
        assert!(!news("10.0.0.2", 2), "and so does another");
        assert!(!news("10.0.0.1", 2));
        assert!(news("10.0.0.2", 5), "again after a while");
    }
}
