//! What the relays have of logins past the edge, on its way to the table and the audit log.
use chrono::Utc;
use futures_util::future::LocalBoxFuture;
use protocol::ids::ObjectId;
use protocol::terminal::logins::{ExternalLogin, Logins, MAX_NEW_LOGINS};
use worker::Env;

use super::store::{self, News};
use crate::audit::{self, Action, Event, Resource};
use crate::platform::db::{Db, stored_ms};

/// Stores the logins of a machine, with an entry for each that is new. Handed to the relays' crate when the Worker starts.
pub fn store(env: Env, machine: ObjectId, logins: Logins) -> LocalBoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        let texts = store::texts(&logins.logins);
        let news = db.run(store::news(&machine, &texts)).await;
        // None: the machine is gone.
        let Some(news) = news.map_err(|error| error.to_string())?.into_iter().next() else {
            return Ok(());
        };
        let now = u64::try_from(Utc::now().timestamp_millis()).unwrap_or_default();
        let entries: Vec<_> = entries(&machine, &news, &logins).iter().map(audit::record).collect();
        let batch = (store::store(&machine, &texts, now), entries);
        db.run(batch).await.map(drop).map_err(|error| error.to_string())
    })
}

/// An entry for each login that is new, of so many at most; the last says how many there were besides.
fn entries(machine: &ObjectId, news: &News, logins: &Logins) -> Vec<Event> {
    let fresh = news.fresh.iter().filter_map(|place| logins.logins.get(*place));
    let (told, rest): (Vec<_>, Vec<_>) = fresh.enumerate().partition(|(n, _)| *n < MAX_NEW_LOGINS);
    let mut entries: Vec<Event> = told.iter().map(|(_, login)| entry(machine, news, login)).collect();
    let left_out = u64::from(logins.left_out) + rest.len() as u64;
    if left_out > 0 {
        let last = entries.pop().unwrap_or_else(|| about(machine, news));
        entries.push(last.detail("more", left_out));
    }
    entries
}

fn about(machine: &ObjectId, news: &News) -> Event {
    Event::of(Action::ExternalLogin, Resource::Machine)
        .within(&news.organization_id)
        .on(machine)
        .detail("machine", news.name.as_str())
        .detail("agent_id", news.agent_id.as_str())
}

fn entry(machine: &ObjectId, news: &News, login: &ExternalLogin) -> Event {
    about(machine, news)
        .detail("os_user", login.os_user.as_str())
        .detail("source_ip", login.source_ip.as_str())
        .detail("line", login.line.as_str())
        .detail("protocol", login.protocol.as_str())
        .detail("login_at", stored_ms(login.login_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    fn logins(count: usize, left_out: u32) -> Logins {
        let login = |n| ExternalLogin {
            seed: format!("{n}"),
            protocol: "console".to_owned(),
            os_user: "root".to_owned(),
            source_ip: String::new(),
            line: "tty1".to_owned(),
            login_at: 1_768_003_200_000,
            logout_at: None,
        };
        Logins {
            number: 1,
            logins: (0..count).map(login).collect(),
            left_out,
        }
    }

    #[test]
    fn each_login_is_an_entry_once_and_a_storm_of_them_a_few_that_count_the_rest() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.machine("web", "ann");
        let machine: ObjectId = id("web").parse().unwrap();
        let write = |logins: Logins| {
            let texts = store::texts(&logins.logins);
            let news = db.run(store::news(&machine, &texts)).remove(0);
            let (store, stale, trim) = store::store(&machine, &texts, 1_768_003_200_000);
            db.run(store);
            db.run(stale);
            db.run(trim);
            for event in entries(&machine, &news, &logins) {
                db.run(audit::record(&event));
            }
            db.count("audit_log WHERE action = 'external_login'")
        };
        assert_eq!((write(logins(1, 0)), write(logins(1, 0))), (1, 1));
        let told = "audit_log WHERE details ->> 'os_user' = 'root' AND details ->> 'line' = 'tty1' AND details ->> 'agent_id' <> ''
            AND details ->> 'login_at' = '2026-01-10T00:00:00.000Z'";
        assert_eq!(db.count(told), 1);
        let entries = 1 + MAX_NEW_LOGINS as i64;
        assert_eq!(write(logins(3 + MAX_NEW_LOGINS, 5)), entries);
        assert_eq!(db.count("audit_log WHERE details ->> 'more' = 7"), 1);
        assert_eq!(
            write(logins(1, 2)),
            entries + 1,
            "others may have come and gone although none is new"
        );
        assert_eq!(
            db.count("audit_log WHERE details ->> 'more' = 2 AND details ->> 'os_user' IS NULL"),
            1
        );
    }
}
