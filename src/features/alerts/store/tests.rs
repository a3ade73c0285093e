//! What rules make of what happens, over the real triggers.
mod machines;
mod people;

use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::alerts::{Alert, SaveAlertRule};

use super::*;
use crate::audit::{self, Action, Event, Resource};
use crate::features::alerts::access::Naming;
use crate::http::page::Page;
use crate::platform::db::stored;
use crate::testing::{TestDb, id, published};

/// An administrator with two machines, somebody else, and an organization beside.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.user("eve", "evil", "company_admin");
    for (machine, owner) in [("web", "ann"), ("mail", "ann"), ("dark", "eve")] {
        db.machine(machine, owner);
        db.execute(&format!(
            "UPDATE machines SET status = 'online' WHERE name = '{machine}'"
        ));
    }
    db
}

/// A rule of an administrator's, of JSON.
fn rule(db: &TestDb, name: &str, of: &str, fields: &str) -> Query<Nothing> {
    let rule: SaveAlertRule = serde_json::from_str(&format!(r#"{{"name":"{name}",{fields}}}"#)).unwrap();
    let caller = db.caller(of);
    let named = db.run(rules::named(caller.id(), &rule).unwrap());
    let naming = Naming::decide(named, rule.machine_id.is_some()).unwrap();
    let key: ObjectId = id(name).parse().unwrap();
    db.run(rules::insert(&caller, &key, &naming, &rule, &stored(Utc::now())).unwrap());
    raise::begin(&key, &stored(Utc::now()))
}

/// Applies rules as if it were so many minutes from now.
fn apply(db: &TestDb, minutes: i64) {
    let now: DateTime<Utc> = Utc::now() + TimeDelta::minutes(minutes);
    let waiting = db.run(raise::waiting(now)).remove(0);
    if waiting.due || waiting.until.is_some() {
        for query in raise::run(waiting.until.unwrap_or_default(), now) {
            db.run(query);
        }
    }
}

/// The alerts that somebody sees.
fn seen(db: &TestDb, who: &str) -> Vec<Alert> {
    let caller = id(who).parse().unwrap();
    let (rows, count) = list(&caller, &Filter::default(), Page::Everything);
    let alerts: Vec<Alert> = db.run(rows).iter().map(|row| published(&row.body)).collect();
    assert_eq!(usize::try_from(Count::of(&db.run(count))).ok(), Some(alerts.len()));
    alerts
}

fn summaries(db: &TestDb, condition: &str) -> i64 {
    db.count(&format!("alerts WHERE {condition}"))
}

fn status(db: &TestDb, machine: &str, status: &str) {
    db.execute(&format!(
        "UPDATE machines SET status = '{status}' WHERE name = '{machine}'"
    ));
}

fn failed_login(db: &TestDb, who: &str, organization: &str) {
    let event = Event::of(Action::LoginFailed, Resource::Auth)
        .claimed_by(who)
        .within(&id(organization).parse().unwrap())
        .failed(401, "Invalid credentials");
    db.run(audit::record(&event));
}

fn health(db: &TestDb, machine: &str, health: &str) {
    let event = Event::of(Action::MachineHealth, Resource::Machine)
        .within(&id("acme").parse().unwrap())
        .on(id(machine))
        .detail("machine", machine)
        .detail("agent_id", &id(machine)[..12])
        .detail("health", health)
        .detail("cpu_percent", 97.4)
        .detail("memory_percent", 40.0)
        .detail("disk_percent", 10.0);
    db.run(audit::record(&event));
}

fn command(db: &TestDb, command: &str, exit_code: i64) {
    logged(db, command, &format!("'exited', {exit_code}, NULL"));
}

/// One that a policy refused.
fn refused(db: &TestDb, command: &str) {
    logged(db, command, "'unknown', NULL, 'refused'");
}

fn logged(db: &TestDb, command: &str, went: &str) {
    let command = command.replace('\'', "''");
    db.execute(&format!(
        "INSERT INTO command_logs (id, organization_id, machine_id, machine_name, agent_id, user_id, username, session_id, source, browser,
           os_info, ip_address, command, text, cwd, outcome, exit_code, policy, started_at)
         SELECT lower(hex(randomblob(8))), m.organization_id, m.id, m.name, m.agent_id, m.owner_id, 'ann', 's', 'ui', '', '', '', '{command}',
           'whole', '/', {went}, '2026-01-01T00:00:00.000Z' FROM machines m WHERE m.name = 'web'"
    ));
}
