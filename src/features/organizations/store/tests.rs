use super::*;
use crate::testing::{TestDb, id};

const NOW: &str = "2026-02-01T00:00:00.000Z";

/// `acme` and `evil` with people, a machine and a group each, and `root`, a super administrator elsewhere.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("root", "platform", "super_admin");
    for organization in ["acme", "evil"] {
        let of = |name: &str| format!("{organization}-{name}");
        let (admin, user, machine) = (of("admin"), of("user"), of("machine"));
        db.user(&admin, organization, "company_admin");
        db.user(&user, organization, "user");
        db.machine(&machine, &admin);
        db.group(&of("group"), organization, &[&user], &[&machine]);
        db.grant(&machine, &user, "", None);
        db.session(&of("session"), &user, &machine);
    }
    db
}

fn control(db: &TestDb, caller: &str, organization: &str) -> Result<OrganizationControl, u16> {
    let caller = db.caller(caller);
    let found = db.run(find(caller.id(), organization));
    OrganizationControl::decide(caller, found).map_err(|error| error.status().as_u16())
}

#[test]
fn an_organization_is_found_by_row_or_slug_by_those_who_administer_it() {
    let db = db();
    for name in [id("acme"), "acme".to_owned()] {
        assert!(control(&db, "root", &name).is_ok());
        assert!(control(&db, "acme-admin", &name).is_ok());
        assert_eq!(control(&db, "acme-user", &name).unwrap_err(), 404);
        assert_eq!(control(&db, "evil-admin", &name).unwrap_err(), 404);
    }
    assert_eq!(control(&db, "root", "nowhere").unwrap_err(), 404);
    assert!(db.run(find_own(db.caller("acme-user").id())).is_empty());
    assert_eq!(db.run(find_own(db.caller("acme-admin").id()))[0].slug, "acme");

    db.execute(&format!(
        "UPDATE organizations SET slug = '{}' WHERE slug = 'evil'",
        id("acme")
    ));
    assert_eq!(
        control(&db, "root", &id("acme")).unwrap().organization().slug,
        "acme",
        "a row comes before a slug"
    );
}

#[test]
fn nobody_ends_their_own_organization_or_the_platforms_or_without_being_a_super_administrator() {
    let db = db();
    let ends = |caller, organization| control(&db, caller, organization).unwrap().end().map(|_| ());
    assert!(ends("root", "acme").is_ok());
    assert_eq!(ends("acme-admin", "acme").unwrap_err().status().as_u16(), 403);
    assert_eq!(ends("root", "platform").unwrap_err().status().as_u16(), 409);
    db.execute("UPDATE organizations SET slug = 'super-admin' WHERE slug = 'evil'");
    assert!(
        ends("root", "super-admin").is_ok(),
        "a name is no protection: anybody may take it"
    );
    db.execute("INSERT INTO setup SELECT 1, id, '' FROM organizations WHERE slug = 'acme'");
    assert_eq!(ends("root", "acme").unwrap_err().status().as_u16(), 409);
}

#[test]
fn organizations_are_listed_by_slug_for_super_administrators() {
    let db = db();
    let names = |search: &str, page| {
        let (rows, count) = list(&db.caller("root"), Some(search), page).unwrap();
        let rows: Vec<String> = db.run(rows).into_iter().map(|row| row.slug).collect();
        (rows.join(" "), db.run(count)[0].total)
    };
    assert_eq!(names("", Page::Everything), ("acme evil platform".to_owned(), 3));
    assert_eq!(names("", Page::One { page: 2, limit: 2 }), ("platform".to_owned(), 3));
    assert_eq!(names("AC", Page::Everything), ("acme".to_owned(), 1));
    assert!(list(&db.caller("acme-admin"), None, Page::Everything).is_err());
}

#[test]
fn an_organization_counts_its_own() {
    let db = db();
    db.execute("UPDATE users SET deleted_at = 'x' WHERE username = 'acme-user'");
    db.execute("UPDATE machines SET status = 'online'");
    let control = control(&db, "root", "acme").unwrap();
    assert_eq!(
        (control.organization().user_count, control.organization().machine_count),
        (1, 1)
    );
    let row = db.run(stats(&control, "2026-01-01T00:00:00.000Z")).remove(0);
    assert_eq!((row.admins, row.online, row.groups, row.sessions), (1, 1, 1, 1));
    assert_eq!(row.active, 1);
    db.execute("UPDATE terminal_sessions SET status = 'closed'");
    assert_eq!(db.run(stats(&control, NOW)).remove(0).active, 0);
    let row = db.run(stats(&control, "2026-01-01T00:00:00.001Z")).remove(0);
    assert_eq!(row.sessions, 0);
}

#[test]
fn settings_are_kept() {
    let db = db();
    let control = control(&db, "acme-admin", "acme").unwrap();
    let new = Changeable {
        name: "Acme Inc".into(),
        description: "d".into(),
        otp: OtpPolicy::On,
        otp_minutes: 60,
        admins_create_machines: true,
        inactive_days: 0,
        record_sessions: false,
        recording_days: 7,
        command_log_days: 7,
        command_masks: vec!["--password *".into(), "\"é".into()],
        terminal_idle_minutes: 240,
        max_sessions: 1,
        max_user_sessions: 2,
        max_processes: 16,
        max_memory_mb: 64,
        allowed_networks: vec!["203.0.113.0/24".into()],
        networks_for_agents: true,
        command_policy: CommandPolicy {
            blocked_commands: vec!["rm".into()],
            ..CommandPolicy::default()
        },
    };
    db.run(update(&control, &new, NOW));
    let row = db.run(read(control.id())).remove(0);
    assert_eq!(Changeable::from(&row), new);
    assert_eq!(crate::platform::db::stored(row.updated_at), NOW);
}

#[test]
fn where_only_administrators_make_machines_others_may_not() {
    let db = db();
    let may = |name| db.run(may_create_machines(db.caller(name).id()))[0].allowed;
    assert!(may("acme-user") && may("acme-admin"));
    db.execute("UPDATE organizations SET admins_create_machines = 1 WHERE slug = 'acme'");
    assert!(!may("acme-user") && may("acme-admin") && may("evil-user"));
}
