//! SQL of logins past the edge.
use protocol::ids::ObjectId;
use protocol::terminal::logins::ExternalLogin;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::http::window::MAX_LIMIT;
use crate::platform::db::{Nothing, Query, statements, stored_ms};

/// How many are kept of a machine: what a page of people does in a quarter of a year, and a quarter of a megabyte.
const KEPT: i64 = 1000;

/// For how long, in milliseconds: 90 days, as sessions are.
const KEPT_MS: u64 = 90 * 24 * 3600 * 1000;

/// SQL: an [`AccessEvent`](protocol::api::access_events::AccessEvent) of a login (`e`) on a machine (`m`) of an organization (`o`).
macro_rules! event {
    () => {
        concat!(
            "json_object('id', e.id, 'machine_id', m.id, 'agent_id', m.agent_id, 'machine_name', m.name, 'tenant_id', o.slug,
               'protocol', e.protocol, 'os_user', e.os_user, 'source_ip', e.source_ip, 'line', e.line, 'active', ",
            json_flag!("e.logout_at IS NULL"),
            ", 'login_at', ",
            json_time!("e.login_at"),
            ", 'logout_at', ",
            json_time!("e.logout_at"),
            ", 'created_at', ",
            json_time!("e.created_at"),
            ")"
        )
    };
}

statements! {
    /// An [`AccessEventList`](protocol::api::access_events::AccessEventList) of a machine (?1): ?2 from ?3 on, and ?4 that last.
    LIST = concat!(
        "SELECT json_object(
           'events', json((SELECT json_group_array(json(body)) FROM (SELECT ", event!(), " AS body FROM machine_logins e
             WHERE e.machine_id = m.id ORDER BY e.login_at DESC, e.id DESC LIMIT ?2 OFFSET ?3))),
           'active', json((SELECT json_group_array(json(body)) FROM (SELECT ", event!(), " AS body FROM machine_logins e
             WHERE e.machine_id = m.id AND e.logout_at IS NULL ORDER BY e.login_at DESC, e.id DESC LIMIT ?4))),
           'total', (SELECT COUNT(*) FROM machine_logins e WHERE e.machine_id = m.id)) AS body
         FROM machines m JOIN organizations o ON o.id = m.organization_id WHERE m.agent_id = ?1"
    );

    /// Which of some logins (?2, a JSON array) of a machine (?1) are news, and what the log calls it.
    NEWS = "SELECT m.organization_id, m.name, m.agent_id,
           (SELECT json_group_array(l.key) FROM json_each(?2) l WHERE NOT EXISTS
             (SELECT 1 FROM machine_logins e WHERE e.machine_id = m.id AND e.seed = l.value ->> 'seed')) AS fresh
         FROM machines m WHERE m.id = ?1";

    /// Those of them that are not there are added, and those that are over end.
    STORE = "INSERT INTO machine_logins (id, machine_id, seed, protocol, os_user, source_ip, line, login_at, logout_at, created_at)
         SELECT lower(hex(randomblob(12))), m.id, l.value ->> 'seed', l.value ->> 'protocol', l.value ->> 'os_user',
           l.value ->> 'source_ip', l.value ->> 'line', l.value ->> 'login_at', l.value ->> 'logout_at', ?3
         FROM json_each(?2) l JOIN machines m ON m.id = ?1 WHERE true
         ON CONFLICT (machine_id, seed) DO UPDATE SET logout_at = excluded.logout_at
         WHERE logout_at IS NULL AND excluded.logout_at IS NOT NULL";

    /// What is listed as lasting and is not among them is over.
    CLOSE_STALE = "UPDATE machine_logins SET logout_at = ?3 WHERE machine_id = ?1 AND logout_at IS NULL
         AND seed NOT IN (SELECT value ->> 'seed' FROM json_each(?2))";

    /// What began before ?2, and more than ?3 of a machine.
    TRIM = "DELETE FROM machine_logins WHERE machine_id = ?1 AND (login_at < ?2 OR id IN
           (SELECT id FROM machine_logins WHERE machine_id = ?1 ORDER BY login_at DESC, id DESC LIMIT -1 OFFSET ?3))";
}

/// What is news of some logins.
#[derive(Debug, Deserialize)]
pub struct News {
    pub organization_id: ObjectId,
    /// What people call the machine.
    pub name: String,
    pub agent_id: String,
    /// The places of those that are not stored.
    #[serde(deserialize_with = "crate::platform::db::json")]
    pub fresh: Vec<usize>,
}

/// Some of the logins of a machine, by its public name. Whether the caller reaches it, whoever asks has to find out.
pub fn list(agent_id: &str, limit: i64, skip: i64) -> Query<BodyRow> {
    Query::new(LIST, [agent_id.into(), limit.into(), skip.into(), MAX_LIMIT.into()])
}

/// Logins as the statements take them.
pub fn texts(logins: &[ExternalLogin]) -> String {
    let text = |login: &ExternalLogin| {
        json!({
            "seed": login.seed,
            "protocol": if login.protocol == "ssh" { "ssh" } else { "console" },
            "os_user": login.os_user,
            "source_ip": login.source_ip,
            "line": login.line,
            "login_at": stored_ms(login.login_at),
            "logout_at": login.logout_at.map(stored_ms),
        })
    };
    Value::from_iter(logins.iter().map(text)).to_string()
}

/// Which of some logins are news. No row: the machine is gone.
pub fn news(machine: &ObjectId, logins: &str) -> Query<News> {
    Query::new(NEWS, [machine.into(), logins.into()])
}

/// Stores logins that are all that last, and forgets what is too old or too much.
pub fn store(machine: &ObjectId, logins: &str, now: u64) -> (Query<Nothing>, Query<Nothing>, Query<Nothing>) {
    let at = stored_ms(now);
    let before = stored_ms(now.saturating_sub(KEPT_MS));
    (
        Query::new(STORE, [machine.into(), logins.into(), at.as_str().into()]),
        Query::new(CLOSE_STALE, [machine.into(), logins.into(), at.into()]),
        Query::new(TRIM, [machine.into(), before.into(), KEPT.into()]),
    )
}

#[cfg(test)]
mod tests {
    use protocol::api::access_events::AccessEventList;

    use super::*;
    use crate::testing::{TestDb, id, published};

    const HOUR: u64 = 3_600_000;
    /// 2026-01-10T00:00:00Z.
    const NOW: u64 = 1_768_003_200_000;

    fn db() -> (TestDb, ObjectId) {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.machine("web", "ann");
        db.machine("db", "ann");
        (db, id("web").parse().unwrap())
    }

    fn login(seed: &str, login_at: u64, logout_at: Option<u64>) -> ExternalLogin {
        ExternalLogin {
            seed: seed.to_owned(),
            protocol: "ssh".to_owned(),
            os_user: "ada".to_owned(),
            source_ip: "203.0.113.7".to_owned(),
            line: "pts/1".to_owned(),
            login_at,
            logout_at,
        }
    }

    fn stored_at(db: &TestDb, machine: &ObjectId, logins: &[ExternalLogin], now: u64) {
        let (store, stale, trim) = store(machine, &texts(logins), now);
        db.run(store);
        db.run(stale);
        db.run(trim);
    }

    fn listed(db: &TestDb, limit: i64, skip: i64) -> AccessEventList {
        published(&db.run(list(&id("web")[..12], limit, skip))[0].body)
    }

    #[test]
    fn logins_are_listed_newest_first_and_those_that_last_beside() {
        let (db, machine) = db();
        assert_eq!((listed(&db, 50, 0).total, listed(&db, 50, 0).events.len()), (0, 0));
        let logins = [
            login("a", NOW - HOUR, None),
            login("b", NOW - 2 * HOUR, Some(NOW - HOUR)),
        ];
        stored_at(&db, &machine, &logins, NOW);
        stored_at(&db, &id("db").parse().unwrap(), &[login("a", NOW, None)], NOW);
        let list = listed(&db, 50, 0);
        assert_eq!(list.total, 2);
        assert_eq!(
            list.events.iter().map(|event| event.active).collect::<Vec<_>>(),
            [true, false]
        );
        assert_eq!(list.active, list.events[..1]);
        let event = &list.events[0];
        assert_eq!(
            (
                event.os_user.as_str(),
                event.tenant_id.as_str(),
                event.machine_name.as_str()
            ),
            ("ada", "acme", "web")
        );
        assert_eq!(stored_ms(NOW), "2026-01-10T00:00:00.000Z");
        assert_eq!(listed(&db, 1, 1).events, list.events[1..]);
    }

    #[test]
    fn what_is_told_again_is_no_news_and_what_is_no_longer_told_of_is_over() {
        let (db, machine) = db();
        let fresh = |logins: &[ExternalLogin]| db.run(news(&machine, &texts(logins))).remove(0).fresh;
        let both = [login("a", NOW, None), login("b", NOW, None)];
        assert_eq!(fresh(&both), [0, 1]);
        stored_at(&db, &machine, &both, NOW);
        assert_eq!(fresh(&[login("b", NOW, None), login("c", NOW, None)]), [1]);
        // One ended while nobody was told, the other with a time; told again, that time stays.
        stored_at(&db, &machine, &[login("b", NOW, Some(NOW + HOUR))], NOW + 2 * HOUR);
        stored_at(&db, &machine, &[login("b", NOW, Some(NOW + 2 * HOUR))], NOW + 3 * HOUR);
        let list = listed(&db, 50, 0);
        assert!(list.active.is_empty());
        let ends: Vec<String> = list
            .events
            .iter()
            .map(|event| stored_ms(event.logout_at.unwrap().timestamp_millis() as u64))
            .collect();
        assert!(ends.contains(&stored_ms(NOW + HOUR)) && ends.contains(&stored_ms(NOW + 2 * HOUR)));
        assert!(db.run(news(&id("gone").parse().unwrap(), "[]")).is_empty());
    }

    #[test]
    fn a_machine_keeps_its_newest_thousand_of_ninety_days() {
        let (db, machine) = db();
        stored_at(&db, &machine, &[login("old", NOW - KEPT_MS - 1, None)], NOW);
        assert_eq!(db.count("machine_logins"), 0);
        let seeds: Vec<String> = (0..KEPT + 10).map(|n| n.to_string()).collect();
        for (n, seed) in seeds.iter().enumerate() {
            stored_at(&db, &machine, &[login(seed, NOW + n as u64, Some(NOW + n as u64))], NOW);
        }
        assert_eq!(db.count("machine_logins"), KEPT);
        assert_eq!(db.count("machine_logins WHERE seed = '9'"), 0);
        assert_eq!(db.count("machine_logins WHERE seed = '10'"), 1);
    }
}
