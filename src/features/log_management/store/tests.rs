//! What is removed when, and what is told of it.
use protocol::api::log_management::LogRun;

use super::*;
use crate::features::{command_logs, commands, jobs, organizations, recordings, sessions};
use crate::testing::{TestDb, id, published};

/// A day after the youngest of what is there.
const NOW: &str = "2026-02-10T08:30:00.000Z";

/// `acme` and `evil` with somebody who administers each, and what each has: of the command log, of sessions that ended, and of
/// commands that were sent three, of 40 days, ten days and one day ago, and a session and a command that have not ended.
fn db() -> TestDb {
    let db = TestDb::new();
    for organization in ["acme", "evil"] {
        let (admin, machine) = (format!("{organization}-admin"), format!("{organization}-machine"));
        db.user(&admin, organization, "company_admin");
        db.machine(&machine, &admin);
        for (n, at) in [
            "2026-01-01T08:30:00.000Z",
            "2026-01-31T08:30:00.000Z",
            "2026-02-09T08:30:00.000Z",
        ]
        .iter()
        .enumerate()
        {
            let name = format!("{organization}-{n}");
            db.session(&name, &admin, &machine);
            db.command(&name, &admin, &machine);
            db.execute(&format!(
                "UPDATE terminal_sessions SET status = 'closed', ended_at = '{at}' WHERE session_id = '{name}';
                 UPDATE commands SET status = 'completed', finished_at = '{at}' WHERE id = '{name}';
                 INSERT INTO command_logs (id, organization_id, machine_id, machine_name, agent_id, username, session_id, source, browser,
                   os_info, ip_address, command, text, cwd, outcome, started_at)
                 SELECT '{name}', organization_id, id, name, agent_id, '', '', 'ui', '', '', '', 'true', 'whole', '/', 'exited', '{at}'
                 FROM machines WHERE name = '{machine}'"
            ));
        }
        db.session(&format!("{organization}-open"), &admin, &machine);
        db.command(&format!("{organization}-open"), &admin, &machine);
    }
    db
}

fn keep(db: &TestDb, organization: &str, days: u32) {
    db.execute(&format!(
        "UPDATE organizations SET command_log_days = {days} WHERE slug = '{organization}'"
    ));
}

/// One run of the scheduled work.
fn remove(db: &TestDb, now: &str, at_once: i64) {
    for query in [
        note(now, at_once),
        command_logs::store::over::purge(now, at_once),
        sessions::store::over::purge(now, at_once),
        commands::store::over::purge(now, at_once),
    ] {
        db.run(query);
    }
}

/// How many rows of the command log, ended sessions and ended commands an organization has.
fn left(db: &TestDb, organization: &str) -> [i64; 3] {
    let of = format!("organization_id = '{}'", id(organization));
    [
        db.count(&format!("command_logs WHERE {of}")),
        db.count(&format!("terminal_sessions WHERE {of} AND status = 'closed'")),
        db.count(&format!("commands WHERE {of} AND finished_at IS NOT NULL")),
    ]
}

fn control(db: &TestDb, organization: &str) -> OrganizationControl {
    let caller = db.caller(&format!("{organization}-admin"));
    let found = db.run(organizations::store::find_own(caller.id()));
    OrganizationControl::decide(caller, found).unwrap()
}

/// What an organization is told: the hour, and how many of each kind were removed in it.
fn runs(db: &TestDb, organization: &str) -> Vec<(String, [u64; 4])> {
    let (rows, count) = list(&control(db, organization), Page::Everything);
    let rows = db.run(rows);
    assert_eq!(Count::of(&db.run(count)), rows.len() as u64);
    let runs = rows.iter().map(|row| published::<LogRun>(&row.body));
    runs.map(|run| {
        let of = [
            run.logs_deleted,
            run.sessions_deleted,
            run.commands_deleted,
            run.recordings_deleted,
        ];
        (run.id, of)
    })
    .collect()
}

#[test]
fn what_is_kept_follows_the_organization_at_once_and_no_other_organization() {
    let db = db();
    remove(&db, NOW, 100);
    assert_eq!(
        (left(&db, "acme"), left(&db, "evil")),
        ([3; 3], [3; 3]),
        "90 days are not over"
    );
    assert!(runs(&db, "acme").is_empty(), "a run that removes nothing is none");

    keep(&db, "acme", 20);
    remove(&db, NOW, 100);
    assert_eq!((left(&db, "acme"), left(&db, "evil")), ([2; 3], [3; 3]));
    keep(&db, "acme", 11);
    remove(&db, NOW, 100);
    assert_eq!(left(&db, "acme"), [2; 3], "longer than what is there");
    keep(&db, "acme", 1);
    remove(&db, NOW, 100);
    assert_eq!(left(&db, "acme"), [1; 3], "just as long ago is kept");
    remove(&db, "2026-02-10T08:30:00.001Z", 100);
    assert_eq!((left(&db, "acme"), left(&db, "evil")), ([0; 3], [3; 3]));
    assert_eq!(
        db.count("terminal_sessions WHERE status = 'active'"),
        2,
        "what has not ended stays"
    );
    assert_eq!(db.count("commands WHERE finished_at IS NULL"), 2);

    // All within one hour, and told to whom it belonged.
    assert_eq!(runs(&db, "acme"), [("2026-02-10T08".to_owned(), [3, 3, 3, 0])]);
    assert!(runs(&db, "evil").is_empty());
}

#[test]
fn jobs_that_are_over_go_with_what_they_wrote_some_at_once_and_running_ones_never() {
    let db = db();
    for (number, organization) in ["acme", "acme", "acme", "evil"].iter().enumerate() {
        let at = "2026-01-01T00:00:00.000Z";
        let (status, ended) = match number {
            0 => ("running", "NULL".to_owned()),
            _ => ("completed", format!("'{at}'")),
        };
        db.execute(&format!(
            "INSERT INTO jobs (id, organization_id, service, action, status, started_at, finished_at, username)
             VALUES ('{number}', '{}', 'web', 'deploy', '{status}', '{at}', {ended}, 'ann');
             INSERT INTO job_output SELECT '{number}', value, value, 'x' FROM json_each('[0, 1, 2]')",
            id(organization)
        ));
    }
    let run = |at_once| {
        for query in [
            jobs::store::over::purge_output(NOW, at_once),
            note(NOW, at_once),
            jobs::store::over::purge(NOW, at_once),
        ] {
            db.run(query);
        }
        (db.count("jobs"), db.count("job_output"))
    };
    keep(&db, "acme", 0);
    assert_eq!(run(10), (4, 12), "for ever, and 90 days that are not over");
    keep(&db, "acme", 20);
    assert_eq!(run(2), (4, 10));
    assert_eq!(run(2), (3, 8));
    assert_eq!(run(2), (2, 6));
    assert_eq!(run(2), (2, 6), "one that runs, and another organization's");
    assert_eq!(db.count("log_runs WHERE jobs = 2"), 1);
    assert!(!oldest_of_jobs(&db));
}

/// Whether jobs count for how old the oldest is of what `evil` has and `acme` has not.
fn oldest_of_jobs(db: &TestDb) -> bool {
    db.execute("DELETE FROM command_logs; DELETE FROM terminal_sessions WHERE status = 'closed'; DELETE FROM commands");
    let oldest = |organization: &str| db.run(oldest(&control(db, organization))).remove(0).log_at;
    assert!(oldest("evil").is_some());
    oldest("acme").is_some()
}

#[test]
fn what_is_kept_longer_or_for_ever_stays() {
    let db = db();
    keep(&db, "acme", 0);
    keep(&db, "evil", 3650);
    remove(&db, "2035-12-30T00:00:00.000Z", 100);
    assert_eq!((left(&db, "acme"), left(&db, "evil")), ([3; 3], [3; 3]));
    remove(&db, "2099-01-01T00:00:00.000Z", 100);
    assert_eq!((left(&db, "acme"), left(&db, "evil")), ([3; 3], [0; 3]));
    keep(&db, "acme", 3650);
    remove(&db, "2099-01-01T00:00:00.000Z", 100);
    assert_eq!(left(&db, "acme"), [0; 3], "no row remembers what was said before");
}

#[test]
fn a_run_removes_and_counts_some_at_once_and_the_next_goes_on() {
    let db = db();
    let sums = |of: &dyn Fn(&str) -> Vec<[i64; 3]>| {
        let all = ["acme", "evil"].into_iter().flat_map(of);
        all.fold([0; 3], |sum, each| {
            [sum[0] + each[0], sum[1] + each[1], sum[2] + each[2]]
        })
    };
    let told = |organization: &str| -> Vec<[i64; 3]> {
        let runs = runs(&db, organization).into_iter();
        runs.map(|(_, [logs, sessions, commands, _])| [logs, sessions, commands].map(|n| n as i64))
            .collect()
    };
    for (minute, removed) in [(0, 2), (1, 4), (2, 6), (3, 6)] {
        remove(&db, &format!("2030-01-01T00:0{minute}:00.000Z"), 2);
        assert_eq!(sums(&|of| vec![left(&db, of)]), [6 - removed; 3], "minute {minute}");
        assert_eq!(sums(&told), [removed; 3], "minute {minute}");
    }
    let (first, others) = (runs(&db, "acme"), runs(&db, "evil"));
    assert_eq!((first.len(), others.len()), (1, 1), "a run an hour");
}

#[test]
fn a_recording_is_counted_when_it_is_removed_and_not_before() {
    let db = db();
    db.execute(&format!(
        "INSERT INTO recordings (id, organization_id, machine_id, agent_id, machine_name, session_id, stream, user_id, username, state,
           started_at, ended_at, expires_at, cols, rows)
         SELECT '{}', organization_id, id, agent_id, name, 's', 1, owner_id, '', 'complete', '2026-01-01T00:00:00.000Z',
           '2026-01-02T00:00:00.000Z', '2026-02-10T08:00:00.000Z', 80, 24 FROM machines WHERE name = 'acme-machine'",
        id("recording")
    ));
    let due = db.run(recordings::store::expired(NOW, 10)).remove(0);
    for early in ["2026-02-10T07:59:59.999Z", "2026-02-10T07:00:00.000Z"] {
        db.run(note_recording(&due.id, early));
        db.run(recordings::store::delete_expired(&due, early));
    }
    assert!(runs(&db, "acme").is_empty());
    for _ in 0..2 {
        db.run(note_recording(&due.id, NOW));
        db.run(recordings::store::delete_expired(&due, NOW));
    }
    assert_eq!(runs(&db, "acme"), [("2026-02-10T08".to_owned(), [0, 0, 0, 1])]);
}

#[test]
fn the_oldest_of_what_an_organization_has_is_known() {
    let db = db();
    let oldest = |organization: &str| db.run(oldest(&control(&db, organization))).remove(0);
    let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
    assert_eq!(oldest("acme").log_at, at("2026-01-01T08:30:00Z"));
    keep(&db, "acme", 20);
    remove(&db, NOW, 100);
    assert_eq!(oldest("acme").log_at, at("2026-01-31T08:30:00Z"));
    db.execute("DELETE FROM command_logs; DELETE FROM terminal_sessions WHERE status = 'closed'");
    assert_eq!(
        oldest("acme").log_at,
        at("2026-01-31T08:30:00Z"),
        "commands that were sent, too"
    );
    db.execute("DELETE FROM commands");
    assert_eq!(oldest("acme"), OldestRow::default());
}

#[test]
fn what_was_removed_is_forgotten_in_time_and_with_the_organization() {
    let db = db();
    keep(&db, "evil", 0);
    remove(&db, "2026-05-01T08:59:00.000Z", 100);
    keep(&db, "evil", 90);
    remove(&db, "2026-05-01T09:00:00.000Z", 100);
    assert_eq!((runs(&db, "acme").len(), runs(&db, "evil").len()), (1, 1));
    db.run(purge("2026-05-01T09:30:00.000Z", 1));
    assert_eq!(
        (runs(&db, "acme").len(), runs(&db, "evil").len()),
        (0, 1),
        "some at once"
    );
    db.execute("DELETE FROM terminal_sessions; DELETE FROM machines; DELETE FROM users; DELETE FROM organizations WHERE slug = 'evil'");
    assert_eq!(
        db.count(&format!("log_runs WHERE organization_id = '{}'", id("evil"))),
        0
    );
}
