//! SQL of what was run in one session.
use super::{CommandRow, command_row};
use crate::features::sessions::access::SessionAccess;
use crate::platform::db::{Count, Query, statements};

statements! {
    /// A page (?3, ?4) of the commands of a session (?2) on a machine (?1), the oldest first.
    LIST = concat!(
        "SELECT ", command_row!(), " FROM command_logs c WHERE c.machine_id = ?1 AND c.session_id = ?2
         ORDER BY c.key LIMIT ?3 OFFSET ?4"
    );

    COUNT = "SELECT COUNT(*) AS total FROM command_logs c WHERE c.machine_id = ?1 AND c.session_id = ?2";
}

/// A page of what was run in a session, the oldest first, and how much there is.
pub fn page(access: &SessionAccess, (limit, offset): (i64, i64)) -> (Query<CommandRow>, Query<Count>) {
    let session = access.row();
    let of = [(&session.machine_id).into(), (&session.session_id).into()];
    let [machine, name] = of.clone();
    (
        Query::new(LIST, [machine, name, limit.into(), offset.into()]),
        Query::new(COUNT, of),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::sessions::store;
    use crate::testing::{TestDb, id};

    #[test]
    fn what_was_run_in_a_session_comes_in_pages_oldest_first_and_nothing_else() {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        db.machine("web", "ann");
        db.session("s1", "ann", "web");
        for (key, session) in [(3, "s1"), (1, "s1"), (2, "s2"), (4, "s1")] {
            db.execute(&format!(
                "INSERT INTO command_logs (key, id, organization_id, machine_id, machine_name, agent_id, user_id, username, session_id,
                   source, browser, os_info, ip_address, command, text, seen, cwd, outcome, exit_code, started_at)
                 VALUES ({key}, '{}', '{}', '{}', 'web', '000000000000', '{}', 'ann', '{session}', 'ui', '', '', '', 'true {key}', 'whole',
                   'announced', '/', 'exited', 0, '2026-01-01T00:00:00.000Z')",
                id(&key.to_string()), id("acme"), id("web"), id("ann")
            ));
        }
        let found = db.run(store::find(db.caller("ann").id(), "s1"));
        assert_eq!(found[0].row.commands, 3);
        let access = SessionAccess::decide(found).unwrap();
        let read = |window| {
            let (list, count) = page(&access, window);
            let texts: Vec<String> = db.run(list).into_iter().map(|row| row.command.command).collect();
            (texts, Count::of(&db.run(count)))
        };
        assert_eq!(read((2, 0)), (vec!["true 1".to_owned(), "true 3".to_owned()], 3));
        assert_eq!(read((2, 2)), (vec!["true 4".to_owned()], 3));
    }
}
