//! Rules about machines.
use super::*;

#[test]
fn nothing_is_kept_that_nobody_wants_to_know() {
    let db = db();
    rule(&db, "theirs", "eve", r#""event":"machine_offline""#);
    status(&db, "web", "offline");
    db.session("s", "ann", "web");
    failed_login(&db, "ann", "acme");
    health(&db, "web", "critical");
    command(&db, "ls", 0);
    assert_eq!(db.count("alert_signals"), 0);
    status(&db, "dark", "offline");
    assert_eq!(db.count("alert_signals"), 1);
}

#[test]
fn a_machine_that_is_away_is_told_of_after_its_time_and_once_and_is_over_when_it_is_back() {
    let db = db();
    rule(
        &db,
        "down",
        "ann",
        r#""event":"machine_offline","minutes":5,"user_ids":[]"#,
    );
    status(&db, "web", "offline");
    apply(&db, 0);
    assert!(seen(&db, "ann").is_empty(), "it may come back");
    assert_eq!(summaries(&db, "status = 'pending'"), 1);
    apply(&db, 4);
    assert!(seen(&db, "ann").is_empty());
    apply(&db, 5);
    let alert = seen(&db, "ann").remove(0);
    assert_eq!(
        (alert.summary.as_str(), alert.rule_name.as_str(), alert.count),
        ("web is offline", "down", 1)
    );
    assert_eq!(alert.status, protocol::api::alerts::AlertStatus::Open);
    assert_eq!(
        alert.agent_id.map(|id| id.to_string()).as_deref(),
        Some(&id("web")[..12])
    );
    assert!(seen(&db, "eve").is_empty());
    apply(&db, 6);
    assert_eq!(summaries(&db, "status = 'open'"), 1);
    status(&db, "web", "online");
    apply(&db, 7);
    assert_eq!(summaries(&db, "status = 'resolved' AND resolved_at IS NOT NULL"), 1);
    apply(&db, 500);
    assert_eq!(seen(&db, "ann").len(), 1);
}

#[test]
fn a_machine_that_is_back_in_time_was_never_away() {
    let db = db();
    rule(&db, "down", "ann", r#""event":"machine_offline","minutes":5"#);
    // Before rules are applied, and after.
    status(&db, "web", "offline");
    status(&db, "web", "online");
    apply(&db, 0);
    assert_eq!(db.count("alerts"), 0);
    status(&db, "web", "offline");
    apply(&db, 1);
    status(&db, "web", "online");
    apply(&db, 2);
    apply(&db, 60);
    assert!(seen(&db, "ann").is_empty());
    // The last state counts.
    status(&db, "web", "offline");
    status(&db, "web", "online");
    status(&db, "web", "offline");
    apply(&db, 61);
    apply(&db, 70);
    assert_eq!(seen(&db, "ann").len(), 1);
}

#[test]
fn a_machine_that_goes_again_while_all_is_quiet_is_told_of_when_that_is_over() {
    let db = db();
    rule(
        &db,
        "down",
        "ann",
        r#""event":"machine_offline","minutes":0,"quiet_minutes":60"#,
    );
    for state in ["offline", "online", "offline"] {
        status(&db, "web", state);
        apply(&db, 0);
    }
    assert_eq!((seen(&db, "ann").len(), summaries(&db, "status = 'pending'")), (1, 1));
    apply(&db, 59);
    assert_eq!(seen(&db, "ann").len(), 1);
    apply(&db, 61);
    assert_eq!(seen(&db, "ann").len(), 2);
}

#[test]
fn a_rule_is_of_the_machines_it_names() {
    let db = db();
    db.group("ops", "acme", &[], &["mail"]);
    db.execute("UPDATE machines SET tags = '[\"prod\",\"web\"]' WHERE name = 'web'");
    let mail = id("mail");
    let agent = &id("web")[..12];
    for (name, narrowed) in [
        ("tagged", r#""tag":"prod""#.to_owned()),
        ("grouped", format!(r#""group_id":"{}""#, id("ops"))),
        ("one", format!(r#""machine_id":"{mail}""#)),
        ("named", format!(r#""machine_id":"{agent}""#)),
        ("all", r#""active":true"#.to_owned()),
    ] {
        rule(
            &db,
            name,
            "ann",
            &format!(r#""event":"machine_offline","minutes":0,{narrowed}"#),
        );
    }
    status(&db, "web", "offline");
    status(&db, "mail", "offline");
    apply(&db, 0);
    let told = |rule: &str, machine: &str| {
        summaries(
            &db,
            &format!("rule_name = '{rule}' AND summary = '{machine} is offline'"),
        )
    };
    for (rule, web, mail) in [
        ("tagged", 1, 0),
        ("grouped", 0, 1),
        ("one", 0, 1),
        ("named", 1, 0),
        ("all", 1, 1),
    ] {
        assert_eq!((told(rule, "web"), told(rule, "mail")), (web, mail), "{rule}");
    }
}

#[test]
fn a_new_rule_tells_of_what_is_so_already() {
    let db = db();
    status(&db, "web", "offline");
    db.execute("UPDATE machines SET health = 'critical' WHERE name IN ('web', 'mail')");
    let begin = rule(&db, "down", "ann", r#""event":"machine_offline","minutes":0"#);
    db.run(begin);
    let begin = rule(&db, "hot", "ann", r#""event":"high_usage""#);
    db.run(begin);
    apply(&db, 0);
    assert_eq!(summaries(&db, "status = 'open'"), 2);
    assert_eq!(summaries(&db, "summary = 'web is offline'"), 1);
    assert_eq!(summaries(&db, "summary = 'mail: critical'"), 1, "web is away");
}

#[test]
fn a_machine_that_does_badly_is_told_of_from_the_level_on_and_until_it_does_better() {
    let db = db();
    rule(
        &db,
        "hot",
        "ann",
        r#""event":"high_usage","level":"critical","quiet_minutes":0"#,
    );
    rule(
        &db,
        "warm",
        "ann",
        r#""event":"high_usage","level":"warning","quiet_minutes":0"#,
    );
    let open = |rule: &str| summaries(&db, &format!("rule_name = '{rule}' AND status = 'open'"));
    for (state, hot, warm) in [
        ("warning", 0, 1),
        ("critical", 1, 1),
        ("warning", 0, 1),
        ("healthy", 0, 0),
        ("critical", 1, 1),
    ] {
        health(&db, "web", state);
        apply(&db, 0);
        assert_eq!((open("hot"), open("warm")), (hot, warm), "{state}");
    }
    assert_eq!(
        summaries(
            &db,
            "summary = 'web: critical, CPU 97 %, memory 40 %, disk 10 %' AND status = 'open'"
        ),
        2
    );
    assert_eq!(summaries(&db, "rule_name = 'hot'"), 2);
}

#[test]
fn what_a_rule_told_of_is_over_with_the_rule_or_the_machine() {
    let db = db();
    let all = r#""event":"machine_offline","minutes":0"#;
    for name in ["gone", "off", "kept"] {
        rule(&db, name, "ann", all);
    }
    status(&db, "web", "offline");
    apply(&db, 0);
    let open = |rule: &str| summaries(&db, &format!("rule_name = '{rule}' AND status = 'open'"));
    assert_eq!([open("gone"), open("off"), open("kept")], [1, 1, 1]);
    db.execute("DELETE FROM alert_rules WHERE name = 'gone'");
    db.execute("UPDATE alert_rules SET active = 0 WHERE name = 'off'");
    db.execute("UPDATE alert_rules SET name = name, active = 1 WHERE name = 'kept'");
    assert_eq!([open("gone"), open("off"), open("kept")], [0, 0, 1]);
    assert_eq!(seen(&db, "ann").len(), 3, "they stay in the list");
    db.execute("DELETE FROM machines WHERE name = 'web'");
    assert_eq!(open("kept"), 0);
}
