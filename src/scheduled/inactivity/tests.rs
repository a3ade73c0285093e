use super::*;
use crate::testing::TestDb;

/// The instant `days` after everybody was active last.
fn day(days: i64) -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(days)
}

/// Acme with two administrators, a user and a super administrator.
fn db() -> TestDb {
    let db = TestDb::new();
    for (name, role) in [
        ("ann", "company_admin"),
        ("cid", "company_admin"),
        ("bob", "user"),
        ("root", "super_admin"),
    ] {
        db.user(name, "acme", role);
    }
    db
}

/// Takes steps, as [`run`] does, and says what became of whom.
fn take(db: &TestDb, steps: Vec<(Account, Step)>, now: DateTime<Utc>) -> Vec<(String, Step)> {
    let taken = steps.into_iter().filter(|(account, step)| {
        let (checked, disable) = writes(account, *step, now);
        let checked = db.run(checked);
        let disabled = disable.map(|(disable, entry)| (db.run(disable), db.run(entry)));
        is_taken(&(checked, disabled)) && *step != Step::Keep
    });
    let mut told: Vec<_> = taken.map(|(account, step)| (account.username, step)).collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    told
}

fn run_once(db: &TestDb, now: DateTime<Utc>) -> Vec<(String, Step)> {
    take(db, steps(db.run(store::due(now)), now), now)
}

fn of(told: Vec<(String, Step)>, name: &str) -> Vec<Step> {
    told.into_iter()
        .filter(|(of, _)| of == name)
        .map(|(_, step)| step)
        .collect()
}

#[test]
fn an_unused_account_is_warned_twice_and_disabled_after_thirty_days() {
    let db = db();
    let mut seen = Vec::new();
    for n in 0..40 {
        for step in of(run_once(&db, day(n)), "bob") {
            seen.push((n, step));
        }
        assert!(run_once(&db, day(n)).is_empty(), "a second run on day {n} does nothing");
    }
    let warn = |warning, days_left| Step::Warn { warning, days_left };
    assert_eq!(seen, [(23, warn(1, 7)), (29, warn(2, 1)), (30, Step::Disable)]);
    assert_eq!(
        db.count("users WHERE username = 'bob' AND disabled_at IS NOT NULL AND token_version = 1"),
        1
    );
    assert_eq!(
        db.count("audit_log WHERE action = 'user_deprovisioned' AND details ->> 'username' = 'bob'"),
        1
    );
}

#[test]
fn one_administrator_and_super_administrators_always_stay() {
    let db = db();
    run_once(&db, day(100));
    run_once(&db, day(200));
    assert_eq!(
        db.count("users WHERE role = 'company_admin' AND disabled_at IS NULL"),
        1
    );
    assert_eq!(db.count("users WHERE role = 'super_admin' AND disabled_at IS NULL"), 1);
    assert_eq!(db.count("users WHERE disabled_at IS NOT NULL"), 2);
}

#[test]
fn using_an_account_starts_its_time_anew() {
    let db = db();
    run_once(&db, day(23));
    db.execute(
        "UPDATE users SET active_at = '2026-01-25T00:00:00.000Z', inactivity_warnings = 0 WHERE username = 'bob'",
    );
    assert!(of(run_once(&db, day(35)), "bob").is_empty());
    assert_eq!(
        of(run_once(&db, day(48)), "bob"),
        [Step::Warn {
            warning: 1,
            days_left: 6
        }]
    );
}

#[test]
fn an_account_that_is_used_while_it_is_looked_at_stays_and_is_told_nothing() {
    for day_of in [23, 30] {
        let db = db();
        let steps = steps(db.run(store::due(day(day_of))), day(day_of));
        assert!(steps.iter().any(|(_, step)| *step != Step::Keep));
        db.execute("UPDATE users SET active_at = '2026-01-31T00:00:00.000Z'");
        assert!(take(&db, steps, day(day_of)).is_empty());
        assert_eq!(
            db.count("users WHERE disabled_at IS NOT NULL OR inactivity_warnings > 0"),
            0
        );
        assert_eq!(db.count("audit_log"), 0);
    }
}

#[test]
fn two_runs_at_the_same_time_warn_once_and_disable_once() {
    let db = db();
    for day_of in [23, 30] {
        let runs = [(); 2].map(|()| steps(db.run(store::due(day(day_of))), day(day_of)));
        let told: usize = runs
            .map(|steps| of(take(&db, steps, day(day_of)), "bob").len())
            .iter()
            .sum();
        assert_eq!(told, 1, "on day {day_of}");
    }
    assert_eq!(db.count("audit_log WHERE details ->> 'username' = 'bob'"), 1);
}

#[test]
fn the_last_administrator_stays_also_if_the_other_one_goes_while_it_is_looked_at() {
    let db = db();
    let steps = steps(db.run(store::due(day(30))), day(30));
    db.execute("UPDATE users SET disabled_at = 'x' WHERE username = 'cid'");
    take(&db, steps, day(30));
    assert_eq!(db.count("users WHERE username = 'ann' AND disabled_at IS NULL"), 1);
    assert_eq!(db.count("audit_log WHERE details ->> 'username' = 'ann'"), 0);
}

#[test]
fn an_organization_chooses_its_time_or_none() {
    let db = db();
    db.execute("UPDATE organizations SET inactive_days = 0");
    assert!(run_once(&db, day(1000)).is_empty());
    db.execute("UPDATE organizations SET inactive_days = 5");
    let bob = |at| of(run_once(&db, at), "bob");
    db.execute("UPDATE users SET active_at = '2028-12-31T00:00:00.000Z'");
    let from: DateTime<Utc> = "2028-12-31T00:00:00Z".parse().unwrap();
    assert!(
        bob(from + TimeDelta::days(2)).is_empty(),
        "five days leave no room for a warning seven days before"
    );
    assert_eq!(
        bob(from + TimeDelta::days(4)),
        [Step::Warn {
            warning: 2,
            days_left: 1
        }]
    );
    assert_eq!(bob(from + TimeDelta::days(5)), [Step::Disable]);
}

#[test]
fn who_cannot_use_the_account_is_not_disabled_for_that() {
    let db = db();
    db.execute("UPDATE users SET pending = 1 WHERE username = 'bob'");
    assert!(of(run_once(&db, day(60)), "bob").is_empty());
    db.execute("UPDATE users SET pending = 0; UPDATE organizations SET disabled_at = '2026-01-01T00:00:00.000Z'");
    assert!(run_once(&db, day(90)).is_empty());
}

#[test]
fn a_new_account_is_as_active_as_it_is_new() {
    let db = db();
    db.execute("UPDATE users SET active_at = '1970-01-01T00:00:00.000Z'");
    assert!(run_once(&db, day(1)).is_empty());
}
