//! Rules about people, who is told, and what becomes of alerts.
use super::*;

#[test]
fn so_many_failures_of_one_name_within_a_time_are_an_alert() {
    let db = db();
    rule(
        &db,
        "guessing",
        "ann",
        r#""event":"failed_login","count":3,"minutes":10"#,
    );
    for who in ["bob", "ann", "Bob"] {
        failed_login(&db, who, "acme");
    }
    apply(&db, 0);
    assert!(seen(&db, "ann").is_empty());
    failed_login(&db, "bob", "acme");
    failed_login(&db, "bob", "evil");
    apply(&db, 0);
    let alert = seen(&db, "ann").remove(0);
    assert_eq!(alert.summary, "Failed to sign in as bob");
    assert_eq!(alert.details["error"], "Invalid credentials");
    // What is longer ago does not count.
    db.execute("UPDATE alert_signals SET at = '2026-01-01T00:00:00.000Z'; UPDATE alerts SET status = 'resolved', notified_at = NULL");
    failed_login(&db, "bob", "acme");
    apply(&db, 0);
    assert_eq!(seen(&db, "ann").len(), 1);
}

#[test]
fn a_command_is_told_of_by_its_words_or_because_it_failed() {
    let db = db();
    rule(
        &db,
        "removals",
        "ann",
        r#""event":"command","program":"rm","quiet_minutes":0"#,
    );
    rule(
        &db,
        "failures",
        "ann",
        r#""event":"command","failed_only":true,"quiet_minutes":0"#,
    );
    let counts = |rule: &str| {
        let count = format!("alerts WHERE rule_name = '{rule}' AND count = ");
        (1..20).find(|n| db.count(&format!("{count}{n}")) == 1).unwrap_or(0)
    };
    for (text, exit, removals, failures) in [
        ("ls -l", 0, 0, 0),
        ("rmdir x", 0, 0, 0),
        ("confirm", 0, 0, 0),
        ("rm -rf x", 0, 1, 0),
        ("sudo /bin/rm x", 0, 2, 0),
        ("cd /tmp && rm x; ls", 1, 3, 1),
        ("sh -c 'rm x'", 0, 4, 1),
        ("ls\nrm x", 0, 5, 1),
        ("false", 1, 5, 2),
    ] {
        command(&db, text, exit);
        apply(&db, 0);
        assert_eq!((counts("removals"), counts("failures")), (removals, failures), "{text}");
    }
    assert_eq!(
        summaries(
            &db,
            "summary = 'ann ran false on web (exit code 1)' AND rule_name = 'failures'"
        ),
        1
    );
    assert_eq!(summaries(&db, "status = 'open'"), 2, "one of each rule and machine");
    refused(&db, "rm -rf /");
    apply(&db, 0);
    assert_eq!((counts("removals"), counts("failures")), (6, 2));
    assert_eq!(summaries(&db, "summary = 'ann was refused rm -rf / on web'"), 1);
}

#[test]
fn what_does_not_end_is_counted_told_again_after_a_time_and_over_once_somebody_has_taken_note() {
    let db = db();
    db.webhook("ops", "acme", &["alert_raised"]);
    rule(&db, "shells", "ann", r#""event":"session_start","quiet_minutes":60"#);
    for (n, minutes, told) in [(1, 0, 1), (2, 10, 1), (3, 59, 1), (4, 61, 2), (5, 62, 2)] {
        db.session(&format!("s{n}"), "bob", "web");
        apply(&db, minutes);
        assert_eq!(db.count("deliveries"), told, "{n}");
        assert_eq!(summaries(&db, &format!("count = {n} AND status = 'open'")), 1);
    }
    let alert = seen(&db, "ann").remove(0);
    assert_eq!(alert.summary, "bob opened a terminal on web");
    let found = |who: &str| db.run(find(&id(who).parse().unwrap(), alert.id.as_str()));
    assert!(found("eve").is_empty());
    let control = || AlertControl::decide(db.caller("ann"), found("ann")).unwrap();
    db.run(acknowledge(&control(), "2026-01-02T00:00:00.000Z"));
    db.run(acknowledge(&control(), "2026-01-03T00:00:00.000Z"));
    assert_eq!(
        summaries(
            &db,
            "status = 'resolved' AND acknowledged_by = 'ann' AND acknowledged_at LIKE '2026-01-02%'"
        ),
        1
    );
    // A closed session that is opened again is another shell.
    db.execute("UPDATE terminal_sessions SET status = 'closed' WHERE session_id = 's1'");
    db.execute("UPDATE terminal_sessions SET status = 'active' WHERE session_id = 's1'");
    apply(&db, 63);
    assert_eq!(summaries(&db, "status = 'pending'"), 1, "all is quiet still");
    apply(&db, 122);
    assert_eq!(seen(&db, "ann").len(), 2);
}

#[test]
fn what_goes_on_stays_open_when_somebody_takes_note_of_it() {
    let db = db();
    rule(&db, "down", "ann", r#""event":"machine_offline","minutes":0"#);
    status(&db, "web", "offline");
    apply(&db, 0);
    let alert = seen(&db, "ann").remove(0);
    let found = db.run(find(&id("ann").parse().unwrap(), alert.id.as_str()));
    let control = AlertControl::decide(db.caller("ann"), found).unwrap();
    db.run(acknowledge(&control, "2026-01-02T00:00:00.000Z"));
    assert_eq!(summaries(&db, "status = 'open' AND acknowledged_by = 'ann'"), 1);
}

#[test]
fn those_are_told_whom_the_rule_names_and_the_webhooks_of_the_event() {
    let db = db();
    db.webhook("named", "acme", &[]);
    db.webhook("events", "acme", &["machine_offline", "command"]);
    db.webhook("alerts", "acme", &["alert_raised", "alert_resolved"]);
    db.webhook("off", "acme", &["machine_offline"]);
    db.webhook("theirs", "evil", &["machine_offline", "alert_raised"]);
    db.execute("UPDATE webhooks SET active = 0 WHERE name = 'off'");
    let (named, off, bob) = (id("named"), id("off"), id("bob"));
    rule(
        &db,
        "down",
        "ann",
        &format!(r#""event":"machine_offline","minutes":0,"webhook_ids":["{named}","{off}"],"user_ids":["{bob}"]"#),
    );
    status(&db, "web", "offline");
    apply(&db, 0);
    let told = |webhook: &str, event: &str| {
        db.count(&format!(
            "deliveries WHERE event = '{event}' AND webhook_id = '{}'",
            id(webhook)
        ))
    };
    assert_eq!(told("named", "alert_raised"), 1);
    assert_eq!(told("events", "machine_offline"), 1);
    assert_eq!(told("alerts", "alert_raised"), 1);
    assert_eq!(
        db.count(&format!(
            "deliveries WHERE user_id = '{bob}' AND summary = 'web is offline' AND payload GLOB 'web is offline. The rule \"down\" tells you of it. It happened once, on [1-9]* [A-Z][a-z][a-z] 20[0-9][0-9], [0-9][0-9]:[0-9][0-9] UTC.'"
        )),
        1
    );
    assert_eq!(db.count("deliveries"), 4);
    // What goes to a person is no JSON.
    let posted = |condition: &str| {
        db.count(&format!(
            "deliveries WHERE CASE WHEN webhook_id IS NULL THEN 0 ELSE payload -> 'data' ->> 'summary' = 'web is offline' AND {condition} END"
        ))
    };
    let alert = "payload ->> 'type' = 'alert_raised' AND payload ->> 'timestamp' IS NOT NULL
        AND payload -> 'data' -> 'details' ->> 'machine' = 'web'";
    assert_eq!(posted(alert), 2);
    assert_eq!(
        posted("payload ->> 'type' = 'machine_offline' AND payload -> 'data' ->> 'machine' = 'web'"),
        1
    );
    status(&db, "web", "online");
    apply(&db, 1);
    assert_eq!(
        (told("named", "alert_resolved"), told("alerts", "alert_resolved")),
        (1, 1)
    );
    assert_eq!(db.count("deliveries WHERE summary = 'Resolved: web is offline'"), 3);
    // Whoever is not there any more is not told.
    db.execute("UPDATE users SET disabled_at = '2026-01-01T00:00:00.000Z' WHERE username = 'bob'");
    let before = db.count("deliveries WHERE user_id IS NOT NULL");
    status(&db, "mail", "offline");
    apply(&db, 2);
    assert_eq!(db.count("deliveries WHERE user_id IS NOT NULL"), before);
}

#[test]
fn a_rule_names_only_what_is_of_its_organization() {
    let db = db();
    db.webhook("theirs", "evil", &[]);
    db.group("dark", "evil", &[], &[]);
    for (field, value) in [
        ("group_id", format!("\"{}\"", id("dark"))),
        ("machine_id", format!("\"{}\"", id("dark"))),
        ("user_ids", format!("[\"{}\"]", id("eve"))),
        ("webhook_ids", format!("[\"{}\"]", id("theirs"))),
    ] {
        let text = format!(r#"{{"name":"r","event":"command","{field}":{value}}}"#);
        let rule: SaveAlertRule = serde_json::from_str(&text).unwrap();
        let named = |who: &str| db.run(rules::named(&id(who).parse().unwrap(), &rule).unwrap());
        let decide = |who| Naming::decide(named(who), rule.machine_id.is_some());
        let refused = decide("ann").unwrap_err();
        assert_eq!(refused.text(), format!("{field} must be of your organization"));
        assert!(decide("eve").is_ok(), "{field}");
    }
}

#[test]
fn an_organization_has_so_many_rules_and_no_more() {
    let db = db();
    for n in 0..=rules::MAX_RULES {
        rule(&db, &format!("rule {n}"), "ann", r#""event":"command""#);
    }
    rule(&db, "theirs", "eve", r#""event":"command""#);
    let of = |organization: &str| db.count(&format!("alert_rules WHERE organization_id = '{}'", id(organization)));
    assert_eq!((of("acme"), of("evil")), (rules::MAX_RULES, 1));
    let caller = id("ann").parse().unwrap();
    let rows = db.run(rules::list(&caller));
    let first: protocol::api::alerts::AlertRule = published(&rows[0].body);
    assert_eq!(first.quiet_minutes, 60);
}

#[test]
fn what_is_old_goes_but_not_what_goes_on() {
    let db = db();
    rule(&db, "down", "ann", r#""event":"machine_offline","minutes":0"#);
    rule(&db, "shells", "ann", r#""event":"session_start""#);
    status(&db, "web", "offline");
    db.session("s", "ann", "mail");
    apply(&db, 0);
    let purge = |before: &str| {
        db.run(purge(before, 100));
        db.run(purge_signals(before, 100));
        (db.count("alerts"), db.count("alert_signals"))
    };
    assert_eq!(purge("2026-01-01T00:00:00.000Z"), (2, 2));
    assert_eq!(purge("9999-01-01T00:00:00.000Z"), (1, 0));
    assert_eq!(summaries(&db, "summary = 'web is offline'"), 1);
}
