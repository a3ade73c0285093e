use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::schedules::{Overlap, RunOutcome, Schedule, ScheduleRun};
use protocol::ids::JobId;
use serde_json::json;

use super::*;
use crate::features::jobs::DeployRight;
use crate::features::schedules::plan;
use crate::features::schedules::row::{Claimed, Due};
use crate::features::services::row::Target;
use crate::http::page::Page;
use crate::platform::db::Count;
use crate::platform::secrets::SealingKey;
use crate::testing::{TestDb, id, published};

const NOW: &str = "2026-01-10T00:00:00.000Z";

fn db() -> TestDb {
    let db = TestDb::new();
    for (name, organization) in [("ann", "acme"), ("bob", "acme"), ("eve", "evil")] {
        db.user(name, organization, "company_admin");
    }
    db.machine("runner", "ann");
    db
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

/// A schedule of somebody's, due at a time.
fn add(db: &TestDb, name: &str, owner: &str, due: &str) -> ObjectId {
    db.execute(&format!(
        "INSERT INTO schedules (id, organization_id, name, service, inputs_sealed, input_names, cron, time_zone, enabled, overlap, missed,
           user_id, username, next_run_at, created_at)
         SELECT '{}', organization_id, '{name}', 'web', '', '[\"host\"]', '@daily', 'UTC', 1, 'skip', 'skip', id, username, '{due}', '{NOW}'
         FROM users WHERE username = '{owner}'",
        id(name)
    ));
    id(name).parse().unwrap()
}

fn found(db: &TestDb, caller: &str, name: &str) -> Option<Schedule> {
    let rows = db.run(find(&id(caller).parse().unwrap(), &id(name)));
    rows.first().map(|row| published(&row.body))
}

fn access(db: &TestDb, caller: &str, name: &str) -> ScheduleAccess {
    let rows = db.run(find(&id(caller).parse().unwrap(), &id(name)));
    ScheduleAccess::decide(db.caller(caller), rows).unwrap()
}

fn due(db: &TestDb, now: &str) -> Vec<Due> {
    db.run(runs::due(at(now)))
}

/// Claims a run as the clock does at its time; says whether it was, and whether one before runs.
fn claims(db: &TestDb, due: &Due) -> Option<bool> {
    claimed(db, due).map(|claimed| claimed.is_running)
}

fn claimed(db: &TestDb, due: &Due) -> Option<Claimed> {
    let (claim, begin) = runs::claim(due, due.due_at + TimeDelta::days(1), due.due_at);
    let claimed = db.run(claim).into_iter().next();
    db.run(begin);
    claimed
}

fn history(db: &TestDb, caller: &str, name: &str) -> Vec<ScheduleRun> {
    let (list, count) = runs::list(&id(caller).parse().unwrap(), &id(name), Page::Everything);
    let rows = db.run(list);
    assert_eq!(Count::of(&db.run(count)), rows.len() as u64);
    rows.iter().map(|row| published(&row.body)).collect()
}

/// A job that a schedule started.
fn job(db: &TestDb, number: u32, schedule: &ObjectId, status: &str) -> JobId {
    let job = format!("{number:08x}");
    db.execute(&format!(
        "INSERT INTO jobs (id, organization_id, machine_id, service, action, status, started_at, username, schedule_id)
         SELECT '{job}', organization_id, id, 'web', 'deploy', '{status}', '{NOW}', 'ann', '{schedule}' FROM machines WHERE name = 'runner'"
    ));
    job.parse().unwrap()
}

#[test]
fn a_schedule_is_its_organizations_and_is_listed_by_name() {
    let db = db();
    for name in ["nightly", "backup"] {
        add(&db, name, "ann", "2026-01-11T00:00:00.000Z");
    }
    let listed = |caller: &str| {
        let rows = db.run(list(&id(caller).parse().unwrap()));
        let names = rows.iter().map(|row| published::<Schedule>(&row.body).name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed("bob"), ["backup", "nightly"]);
    assert!(listed("eve").is_empty() && found(&db, "eve", "nightly").is_none());
    assert!(history(&db, "eve", "nightly").is_empty());
    let schedule = found(&db, "bob", "nightly").unwrap();
    assert_eq!(
        serde_json::to_value(schedule).unwrap(),
        json!({"id": id("nightly"), "name": "nightly", "service": "web", "action": "deploy", "script": null, "inputs": ["host"],
            "cron": "@daily", "time_zone": "UTC", "enabled": true, "off_reason": "", "overlap": "skip", "missed": "skip", "runs_as": "ann",
            "next_run_at": "2026-01-11T00:00:00Z", "last_run": null, "created_at": "2026-01-10T00:00:00Z"})
    );
}

#[test]
fn a_run_is_claimed_once_by_the_first_who_comes() {
    let db = db();
    add(&db, "nightly", "ann", "2026-01-11T00:00:00.000Z");
    assert!(due(&db, "2026-01-10T23:59:59.999Z").is_empty());
    // Two calls of the clock at the same time.
    let [one, other] =
        [due(&db, "2026-01-11T00:00:00Z"), due(&db, "2026-01-11T00:00:00Z")].map(|mut due| due.remove(0));
    assert_eq!(claims(&db, &one), Some(false));
    assert_eq!(claims(&db, &other), None);
    assert!(due(&db, "2026-01-11T23:59:00Z").is_empty());
    let begun = history(&db, "ann", "nightly");
    assert_eq!((begun.len(), begun[0].outcome), (1, RunOutcome::FailedToStart));
    assert!(begun[0].reason.contains("interrupted"), "{begun:?}");

    let job = job(&db, 1, &one.id, "running");
    db.run(runs::end(&one, RunOutcome::Started, "", Some(&job)));
    let last = found(&db, "ann", "nightly").unwrap().last_run.unwrap();
    assert_eq!(
        serde_json::to_value(last).unwrap(),
        json!({"due_at": "2026-01-11T00:00:00Z", "at": "2026-01-11T00:00:00Z", "outcome": "started", "reason": "", "job_id": "00000001",
            "job_status": "running"})
    );
}

#[test]
fn a_claim_says_whether_the_job_of_a_run_before_still_runs() {
    let db = db();
    let [nightly, other] = ["nightly", "other"].map(|name| add(&db, name, "ann", "2026-01-11T00:00:00.000Z"));
    job(&db, 1, &other, "running");
    job(&db, 2, &nightly, "failed");
    let claim = |name: &str| {
        let mut all = due(&db, "2026-01-20T00:00:00Z");
        all.retain(|due| due.name == name);
        claims(&db, &all.remove(0))
    };
    assert_eq!(claim("nightly"), Some(false));
    job(&db, 3, &nightly, "running");
    assert_eq!(claim("nightly"), Some(true));
    // Without their schedule, jobs go on.
    db.run(delete(&access(&db, "ann", "nightly")));
    assert_eq!((db.count("jobs"), db.count("jobs WHERE schedule_id IS NULL")), (3, 2));
    assert_eq!(db.count("schedule_runs"), 0);
}

#[test]
fn a_run_waits_until_the_job_before_it_is_over_and_is_claimed_once_then() {
    let db = db();
    let nightly = add(&db, "nightly", "ann", "2026-01-11T00:00:00.000Z");
    db.execute("UPDATE schedules SET queues = 1");
    assert_eq!(found(&db, "ann", "nightly").unwrap().overlap, Overlap::Queue);
    let waiting = || db.run(runs::waiting(at("2026-02-01T00:00:00Z")));
    let first = due(&db, "2026-01-11T00:00:00Z").remove(0);
    assert_eq!(first.overlap, Overlap::Queue);
    job(&db, 1, &nightly, "running");
    let state = |is_running, is_waiting| Claimed { is_running, is_waiting };
    assert_eq!(claimed(&db, &first), Some(state(true, false)));
    db.run(runs::end(&first, RunOutcome::Queued, "", None));
    let outcomes = || {
        history(&db, "ann", "nightly")
            .iter()
            .map(|run| run.outcome)
            .collect::<Vec<_>>()
    };
    assert_eq!(outcomes(), [RunOutcome::Queued]);

    let second = due(&db, "2026-01-12T00:00:00Z").remove(0);
    assert_eq!(claimed(&db, &second), Some(state(true, true)));
    // Though both were to wait, one does.
    db.run(runs::end(&second, RunOutcome::Queued, "", None));
    assert_eq!(outcomes(), [RunOutcome::SkippedRunning, RunOutcome::Queued]);
    assert!(waiting().is_empty() && db.run(runs::claim_waiting(&first, second.due_at)).is_empty());
    // It is kept for as long as it waits.
    db.run(runs::purge("2027-01-01T00:00:00.000Z", 1000));
    assert_eq!(outcomes(), [RunOutcome::Queued]);

    db.execute("UPDATE jobs SET status = 'completed'");
    let one = waiting().remove(0);
    assert_eq!(
        (one.id.clone(), one.due_at, one.name.as_str()),
        (nightly.clone(), first.due_at, "nightly")
    );
    assert_eq!(db.run(runs::claim_waiting(&one, second.due_at)).len(), 1);
    assert!(db.run(runs::claim_waiting(&one, second.due_at)).is_empty() && waiting().is_empty());
    assert!(history(&db, "ann", "nightly")[0].reason.contains("interrupted"));
    db.run(runs::end(
        &one,
        RunOutcome::Started,
        "",
        Some(&job(&db, 2, &nightly, "running")),
    ));
    let last = &history(&db, "ann", "nightly")[0];
    assert_eq!((last.outcome, last.at), (RunOutcome::Started, second.due_at));
}

#[test]
fn a_schedule_that_is_switched_off_waits_for_nothing() {
    let db = db();
    add(&db, "nightly", "ann", "2026-01-11T00:00:00.000Z");
    let first = due(&db, "2026-01-11T00:00:00Z").remove(0);
    claims(&db, &first);
    db.run(runs::end(&first, RunOutcome::Queued, "", None));
    assert_eq!(db.run(runs::waiting(first.due_at)).len(), 1);
    let off = serde_json::from_value(json!({"enabled": false})).unwrap();
    db.run(rename(&access(&db, "ann", "nightly"), &off));
    assert!(db.run(runs::waiting(first.due_at)).is_empty());
    let run = &history(&db, "ann", "nightly")[0];
    assert_eq!(
        (run.outcome, run.reason.as_str()),
        (
            RunOutcome::SkippedRunning,
            "The schedule was switched off while it waited"
        )
    );
}

#[test]
fn one_that_must_not_run_any_more_switches_itself_off_unless_somebody_else_has_taken_it_over() {
    let db = db();
    add(&db, "nightly", "ann", "2026-01-11T00:00:00.000Z");
    let was = due(&db, "2026-01-11T00:00:00Z").remove(0);
    db.execute(&format!("UPDATE schedules SET user_id = '{}'", id("bob")));
    assert!(db.run(runs::switch_off(&was, "no")).is_empty());
    let now = due(&db, "2026-01-11T00:00:00Z").remove(0);
    assert_eq!(db.run(runs::switch_off(&now, "no")).len(), 1);
    let off = found(&db, "ann", "nightly").unwrap();
    assert_eq!(
        (off.enabled, off.next_run_at, off.off_reason.as_str()),
        (false, None, "no")
    );
    assert!(due(&db, "2027-01-01T00:00:00Z").is_empty());

    add(&db, "orphan", "bob", "2026-01-11T00:00:00.000Z");
    db.execute("DELETE FROM users WHERE username = 'bob'");
    let orphan = due(&db, "2026-01-11T00:00:00Z").remove(0);
    assert_eq!(orphan.user_id, None);
    assert_eq!(db.run(runs::switch_off(&orphan, "gone")).len(), 1);
}

#[test]
fn another_name_and_being_off_leave_it_whose_it_is() {
    let db = db();
    add(&db, "nightly", "ann", "2026-01-11T00:00:00.000Z");
    let change = |json: serde_json::Value| {
        db.run(rename(
            &access(&db, "bob", "nightly"),
            &serde_json::from_value(json).unwrap(),
        ));
        found(&db, "bob", "nightly").unwrap()
    };
    let renamed = change(json!({"name": " at night "}));
    assert_eq!(
        (renamed.name.as_str(), renamed.enabled, renamed.runs_as.as_str()),
        ("at night", true, "ann")
    );
    let off = change(json!({"enabled": false}));
    assert_eq!(
        (off.name.as_str(), off.enabled, off.next_run_at, off.runs_as.as_str()),
        ("at night", false, None, "ann")
    );
}

#[test]
fn history_is_kept_for_a_time_and_to_a_number() {
    let db = db();
    let nightly = add(&db, "nightly", "ann", "2026-01-11T00:00:00.000Z");
    add(&db, "other", "ann", "2026-01-11T00:00:00.000Z");
    claims(&db, &due(&db, "2026-01-11T00:00:00Z")[1]);
    let run = due(&db, "2027-01-01T00:00:00Z")
        .into_iter()
        .find(|due| due.id == nightly)
        .unwrap();
    for minute in 0..205 {
        let due_at = run.due_at + TimeDelta::minutes(minute);
        let (_, begin) = runs::claim(&Due { due_at, ..run.clone() }, due_at, due_at);
        // As if it had been claimed.
        db.execute("UPDATE schedules SET name = name");
        db.run(begin);
    }
    let kept = history(&db, "ann", "nightly");
    assert_eq!(
        (kept.len(), kept[0].due_at),
        (200, run.due_at + TimeDelta::minutes(204))
    );
    assert_eq!(db.count("schedule_runs"), 201, "others keep theirs");
    db.run(runs::purge("2026-01-11T00:10:00.000Z", 3));
    assert_eq!(db.count("schedule_runs"), 198, "the oldest first, so many at once");
    db.run(runs::purge("2026-01-11T00:10:00.000Z", 1000));
    assert_eq!(history(&db, "ann", "nightly").len(), 194);
}

#[test]
fn an_organization_has_a_bounded_number_and_a_change_makes_it_the_changers() {
    let db = db();
    let key = SealingKey::from_hex(&"0a".repeat(32)).unwrap();
    let target = Target {
        name: "web".to_owned(),
        machine_id: id("runner").parse().unwrap(),
        scripts: vec![json!({"name": "backup", "inputs": [{"name": "host", "required": true}]})],
        vault_sealed: None,
    };
    let right = |caller: &str| DeployRight::decide(db.caller(caller), vec![target.clone()], String::new).unwrap();
    let first = add(&db, "nightly", "ann", "2026-01-11T00:00:00.000Z");
    let request = |json: serde_json::Value| serde_json::from_value::<SaveSchedule>(json).unwrap();
    let next = |_: &str, _: &str| Ok(at("2026-01-12T03:00:00Z"));

    let before = access(&db, "bob", "nightly");
    let taken = request(json!({"script": "backup", "inputs": {"host": "db"}, "cron": "0 3 * * *", "overlap": "allow"}));
    let plan = Plan::check(&key, &first, &right("bob"), &taken, Some(before.found()), next).unwrap();
    db.run(update(&before, &plan));
    let changed = found(&db, "ann", "nightly").unwrap();
    assert_eq!(
        (
            changed.runs_as.as_str(),
            changed.script.as_deref(),
            changed.inputs,
            changed.overlap.as_str()
        ),
        ("bob", Some("backup"), vec!["host".to_owned()], "allow")
    );
    assert_eq!(
        (changed.name.as_str(), changed.next_run_at),
        ("nightly", Some(at("2026-01-12T03:00:00Z")))
    );

    // Its time stays while nothing is said of it, and what it is given stays with its script.
    let before = access(&db, "ann", "nightly");
    let later = |_: &str, _: &str| Ok(at("2030-01-01T00:00:00Z"));
    let plan = Plan::check(
        &key,
        &first,
        &right("ann"),
        &request(json!({"missed": "run_once", "overlap": "queue"})),
        Some(before.found()),
        later,
    );
    db.run(update(&before, &plan.unwrap()));
    let changed = found(&db, "ann", "nightly").unwrap();
    assert_eq!(
        (changed.next_run_at, changed.inputs.len()),
        (Some(at("2026-01-12T03:00:00Z")), 1)
    );
    assert_eq!(changed.overlap, Overlap::Queue);
    let open = plan::open(&key, &first, &access(&db, "ann", "nightly").found().inputs_sealed).unwrap();
    assert_eq!(open["host"], "db");
    for (json, words) in [
        (json!({"inputs": {}}), "Missing required input: host"),
        (json!({"service": "db"}), "Missing required input: host"),
        (json!({"script": "nothing"}), "Script 'nothing' not found"),
        (
            json!({"action": "deploy", "inputs": {"host": "db"}}),
            "inputs must be left out",
        ),
    ] {
        let refused = Plan::check(&key, &first, &right("ann"), &request(json), Some(before.found()), next);
        let refused = refused.unwrap_err();
        assert!(refused.text().contains(words), "{}", refused.text());
    }

    let new = request(json!({"name": "new", "service": "web", "cron": "@daily", "enabled": false}));
    for number in 1..=MAX_SCHEDULES {
        let id: ObjectId = format!("{number:024x}").parse().unwrap();
        let plan = Plan::check(&key, &id, &right("ann"), &new, None, next).unwrap();
        db.run(insert(&db.caller("ann"), &id, &plan, NOW));
    }
    assert_eq!(db.count("schedules"), MAX_SCHEDULES);
    assert_eq!(db.count("schedules WHERE next_run_at IS NULL"), MAX_SCHEDULES - 1);
}
