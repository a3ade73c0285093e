use protocol::api::command_logs::CommandLog;
use protocol::terminal::command_record::CommandRecord;
use serde_json::json;

use super::*;
use crate::features::command_logs::body;
use crate::features::command_logs::filter::LogQuery;
use crate::features::command_logs::mask::Masks;
use crate::features::command_logs::record::typed;
use crate::features::machines::store::{Key, find};
use crate::testing::{TestDb, id};

fn record(number: u64, command: &str, exit_code: i32) -> CommandRecord {
    serde_json::from_value(json!({
        "id": format!("{number:024x}"), "session_id": "sess_1", "text": "whole", "command": command, "cwd": "/root",
        "outcome": "exited", "exit_code": exit_code, "started_at": 1_767_225_600_000_u64 + number, "duration_ms": 5,
        "stream": 3, "from": 10, "to": 20, "against_policy": command == "false"
    }))
    .unwrap()
}

fn machine(name: &str) -> ObjectId {
    id(name).parse().unwrap()
}

fn add(db: &TestDb, on: &str, records: Vec<CommandRecord>) {
    let masks = Masks::of(&db.run(masks_of(&machine(on))));
    let new: Vec<_> = records.into_iter().map(|record| typed(record, &masks)).collect();
    let (take_keys, insert) = insert(&machine(on), &new).unwrap();
    db.run(take_keys);
    db.run(insert);
}

/// Ann's machine with a terminal of Bob's, and one of another organization with the same commands.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.user("eve", "other", "company_admin");
    db.machine("web", "ann");
    db.machine("db", "ann");
    db.machine("theirs", "eve");
    db.session("sess_1", "bob", "web");
    for on in ["theirs", "web"] {
        let commands = [
            "ls -la",
            "grep -r \"Foo\" .",
            "df",
            "LS -LA /tmp",
            "echo 100%_a*b",
            "false",
        ];
        let records = commands
            .iter()
            .enumerate()
            .map(|(number, command)| record(number as u64 + 1, command, i32::from(*command == "false")));
        add(&db, on, records.collect());
    }
    db
}

/// The key of the first row in Ann's organization.
fn first_key(db: &TestDb) -> u64 {
    let keys = of_organization(db, None, &[]).logs.into_iter().map(|log| log.key);
    keys.min().unwrap()
}

fn acme() -> ObjectId {
    id("acme").parse().unwrap()
}

fn of_organization(
    db: &TestDb,
    text: Option<&str>,
    pairs: &[(&str, &str)],
) -> protocol::api::command_logs::CommandLogPage {
    let query: LogQuery = serde_json::from_value(pairs.iter().copied().collect()).unwrap();
    let selection = Selection::of_organization(&acme(), query.filter(text).unwrap());
    let (page, limit) = query.page(100);
    let rows = db.run(selection.page(limit as i64, ((page - 1) * limit) as i64));
    body::page(rows, selection.after(), (page, limit))
}

fn found(db: &TestDb, text: Option<&str>, pairs: &[(&str, &str)]) -> Vec<String> {
    let page = of_organization(db, text, pairs);
    assert_eq!(page.total, page.logs.len() as u64, "{text:?} {pairs:?}");
    page.logs.into_iter().map(|log| log.command).collect()
}

#[test]
fn a_row_says_who_ran_what_where_and_how_it_ended() {
    let db = db();
    let log = of_organization(&db, None, &[]).logs.remove(0);
    let expected: CommandLog = serde_json::from_value(json!({
        "id": format!("{:024x}", 6), "key": first_key(&db) + 5, "command": "false", "command_text": "whole", "seen": "announced", "user_id": id("bob"),
        "username": "bob", "timestamp": "2026-01-01T00:00:00.006Z", "success": false, "source": "ui", "session_id": "sess_1",
        "machine_id": id("web"), "machine_name": "web", "agent_id": id("web")[..12], "browser": "Firefox", "os_info": "Linux",
        "ip_address": "", "command_id": null, "cwd": "/root", "outcome": "exited", "exit_code": 1, "duration_ms": 5, "output": "",
        "output_available": false, "output_truncated": false, "recording_id": null, "recording_at_ms": null,
        "output_from": 10, "output_to": 20, "missing": 0, "policy": "warned"
    }))
    .unwrap();
    assert_eq!(log, expected);
}

#[test]
fn what_nobody_announced_is_marked_and_has_neither_duration_nor_output() {
    let db = db();
    recorded(&db, "its", "sess_1", 3, "2026-01-01T00:00:00.000Z");
    for (number, seen) in [(20, "unannounced"), (21, "screen")] {
        let mut said = json!(record(number, &format!("{seen} one"), 0));
        said["seen"] = seen.into();
        add(&db, "web", vec![serde_json::from_value(said).unwrap()]);
        let log = of_organization(&db, Some(seen), &[]).logs.remove(0);
        assert_eq!((json!(log.seen), log.duration_ms), (json!(seen), None));
        assert_eq!((log.recording_id, log.output_available), (Some(machine("its")), false));
    }
}

/// A recording of a terminal's output.
fn recorded(db: &TestDb, name: &str, session: &str, stream: u32, started_at: &str) {
    db.execute(&format!(
        "INSERT INTO recordings (id, organization_id, machine_id, agent_id, machine_name, session_id, stream, user_id, username,
           started_at, cols, rows)
         SELECT '{}', organization_id, id, agent_id, name, '{session}', {stream}, owner_id, 'bob', '{started_at}', 80, 24
         FROM machines WHERE id = '{}'",
        id(name),
        id("web")
    ));
}

#[test]
fn a_row_names_the_recording_that_has_its_output() {
    let db = db();
    let of = |db: &TestDb| of_organization(db, Some("false"), &[]).logs.remove(0).recording_id;
    recorded(&db, "another terminal's", "sess_1", 4, "2025-12-31T23:00:00.000Z");
    recorded(&db, "another session's", "sess_2", 3, "2025-12-31T23:00:00.000Z");
    recorded(&db, "a later one's", "sess_1", 3, "2026-01-01T02:00:00.000Z");
    assert_eq!(of(&db), None);
    recorded(&db, "its", "sess_1", 3, "2026-01-01T00:00:30.000Z");
    assert_eq!(
        of(&db),
        Some(machine("its")),
        "the machine's clock was half a minute behind"
    );
}

#[test]
fn one_row_is_read_by_whoever_reaches_the_machine_and_when_that_is_gone_by_administrators() {
    let db = db();
    let key = first_key(&db) + 5;
    let reads = |caller: &str| {
        let row = db.run(super::find(&machine(caller), key)).into_iter().next();
        row.map(|found| (found.command.command, found.reaches))
    };
    assert_eq!(reads("ann"), Some(("false".to_owned(), true)));
    assert_eq!(reads("bob"), Some(("false".to_owned(), false)));
    assert_eq!(reads("eve"), None);
    db.grant("web", "bob", "", None);
    assert_eq!(reads("bob"), Some(("false".to_owned(), true)));
    db.execute("DELETE FROM terminal_sessions; DELETE FROM machines WHERE name = 'web'");
    assert_eq!(reads("ann"), Some(("false".to_owned(), true)));
    assert_eq!(reads("bob"), Some(("false".to_owned(), false)));
}

#[test]
fn a_record_that_comes_twice_is_one_row_and_of_a_machine_that_is_gone_there_is_none() {
    let db = db();
    add(&db, "web", vec![record(1, "another text", 9), record(7, "new", 0)]);
    assert_eq!(found(&db, None, &[]).len(), 7);
    assert!(found(&db, Some("another text"), &[]).is_empty());
    add(&db, "nowhere", vec![record(1, "ls", 0)]);
    assert_eq!(db.count("command_logs"), 13);
    // Another machine's own numbers are its own.
    add(&db, "db", vec![record(1, "ls", 0)]);
    assert_eq!(db.count("command_logs"), 14);
}

#[test]
fn a_search_is_literal_and_finds_upper_and_lower_case_in_ones_own_organization_only() {
    let db = db();
    for (text, expected) in [
        ("ls -l", vec!["LS -LA /tmp", "ls -la"]),
        ("\"foo\"", vec!["grep -r \"Foo\" ."]),
        ("100%_a*b", vec!["echo 100%_a*b"]),
        ("a_*", vec![]),
        ("ls OR df", vec![]),
        ("DF", vec!["df"]),
        ("s", vec!["false", "LS -LA /tmp", "ls -la"]),
        ("%", vec!["echo 100%_a*b"]),
        ("nowhere", vec![]),
    ] {
        assert_eq!(found(&db, Some(text), &[]), expected, "{text}");
    }
}

#[test]
fn filters_narrow_lists_and_searches_alike() {
    let db = db();
    let web = id("web");
    let bob = id("bob");
    for (pairs, text, count) in [
        (vec![("user_id", bob.as_str())], None, 6),
        (vec![("user_id", bob.as_str())], Some("ls -l"), 2),
        (vec![("user_id", "nobody")], Some("ls -l"), 0),
        (vec![("exit_code", "1")], None, 1),
        (vec![("exit_code", "1")], Some("ls -l"), 0),
        (vec![("success", "false")], None, 1),
        (vec![("success", "true"), ("source", "ui")], None, 5),
        (vec![("source", "api")], None, 0),
        (vec![("session_id", "sess_1")], None, 6),
        (vec![("from", "2026-01-01T00:00:00.005Z")], None, 2),
        (vec![("to", "2026-01-01T00:00:00.005Z")], None, 5),
        (vec![("to", "2025-12-31")], None, 0),
    ] {
        assert_eq!(found(&db, text, &pairs).len(), count, "{pairs:?} {text:?}");
    }
    let mut filter = LogQuery::default().filter(None).unwrap();
    filter.machine = Some(web);
    let selection = Selection::of_organization(&acme(), filter);
    assert_eq!(body::page(db.run(selection.page(100, 0)), 0, (1, 100)).logs.len(), 6);
}

#[test]
fn a_machines_log_is_its_own() {
    let db = db();
    let find = find(db.caller("ann").id(), &Key::Id(machine("web")));
    let access = || MachineAccess::decide(db.caller("ann"), db.run(find_again(&find))).unwrap();
    for (pairs, text, count) in [
        (vec![], None, 6),
        (vec![], Some("ls -l"), 2),
        (vec![], Some("df"), 1),
        (vec![("session_id", "sess_1")], None, 6),
        (vec![("session_id", "sess_2")], None, 0),
    ] {
        let query: LogQuery = serde_json::from_value(pairs.iter().copied().collect()).unwrap();
        let selection = Selection::of_machine(&access(), query.filter(text).unwrap());
        let page = body::page(db.run(selection.page(100, 0)), 0, (1, 100));
        assert_eq!(
            (page.logs.len(), page.total),
            (count, count as u64),
            "{pairs:?} {text:?}"
        );
    }
}

#[test]
fn a_search_says_nothing_of_what_it_may_not_show() {
    let db = db();
    add(&db, "theirs", vec![record(7, "their secret", 0)]);
    add(&db, "db", vec![record(1, "our secret", 0)]);
    let theirs = of_organization(&db, Some("their secret"), &[]);
    let nothing = of_organization(&db, Some("nobody's text"), &[]);
    assert_eq!(theirs, nothing);
    // Whoever reaches one machine hears nothing of another.
    let find = find(db.caller("ann").id(), &Key::Id(machine("web")));
    let of_web = |text| {
        let access = MachineAccess::decide(db.caller("ann"), db.run(find_again(&find))).unwrap();
        let selection = Selection::of_machine(&access, LogQuery::default().filter(Some(text)).unwrap());
        body::page(db.run(selection.page(100, 0)), selection.after(), (1, 100))
    };
    assert_eq!(of_web("our secret"), of_web("nobody's text"));
}

#[test]
fn each_organization_counts_its_rows_for_itself() {
    let db = db();
    let before = of_organization(&db, None, &[]).newest;
    add(&db, "theirs", (7..20).map(|number| record(number, "ls", 0)).collect());
    add(&db, "db", vec![record(1, "ls", 0)]);
    assert_eq!(of_organization(&db, None, &[]).newest, before + 1);
    // A key is never given twice: whoever follows along would miss the row.
    db.execute("DELETE FROM command_logs WHERE command = 'ls'");
    add(&db, "db", vec![record(2, "ls", 0)]);
    assert_eq!(of_organization(&db, None, &[]).newest, before + 2);
}

/// The same query once more.
fn find_again<T>(query: &Query<T>) -> Query<T> {
    let mut again = Query::new(query.sql, []);
    again.args.clone_from(&query.args);
    again
}

#[test]
fn pages_go_on_by_key_and_what_is_new_is_found_by_it() {
    let db = db();
    let first = of_organization(&db, None, &[("limit", "4")]);
    assert_eq!(
        (first.logs.len(), first.total, first.total_pages, first.complete),
        (4, 6, 2, true)
    );
    let next = first.next.unwrap().to_string();
    let rest = of_organization(&db, None, &[("limit", "4"), ("before", &next)]);
    assert_eq!((rest.logs.len(), rest.next), (2, None));
    assert_eq!(
        of_organization(&db, None, &[("limit", "4"), ("page", "2")]).logs,
        rest.logs
    );
    let newest = first.newest.to_string();
    let nothing = of_organization(&db, None, &[("after", &newest)]);
    assert_eq!((nothing.logs.len(), nothing.newest), (0, first.newest));
    add(&db, "web", vec![record(7, "new", 0)]);
    let new = of_organization(&db, None, &[("after", &newest)]);
    assert_eq!(
        (new.logs.len(), new.logs[0].command.as_str(), new.newest),
        (1, "new", first.newest + 1)
    );
}

#[test]
fn a_list_reads_no_more_than_its_bound_and_says_so() {
    let db = db();
    let rows = (SCANNED + 5).to_string();
    db.execute(&format!(
        "INSERT INTO command_logs (key, id, organization_id, machine_id, machine_name, agent_id, username, session_id, source, browser,
           os_info, ip_address, command, text, cwd, outcome, started_at)
         SELECT {} + value, printf('f%023x', value), '{}', '{}', 'web', 'a', 'ann', 's', 'cli', '', '', '', 'make all ' || value, 'whole', '', 'unknown',
           '2026-01-02T00:00:00.000Z' FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {rows})
           SELECT value FROM n)",
        first_key(&db) + 5,
        id("acme"),
        id("web")
    ));
    for (text, pairs) in [
        (None, vec![("source", "ui")]),
        (Some("df"), vec![]),
        (Some("make"), vec![("source", "ui")]),
    ] {
        let page = of_organization(&db, text, &pairs);
        assert_eq!((page.logs.len(), page.complete), (0, false), "{text:?}");
        // Going on from there finds the rest.
        let next = page.next.unwrap().to_string();
        let rest = of_organization(&db, text, &[pairs, vec![("before", &next)]].concat());
        assert!(rest.complete, "{text:?}");
        assert_eq!(rest.logs.is_empty(), text == Some("make"), "{text:?}");
    }
    // What the index tells apart is found wherever it is.
    assert_eq!(found(&db, Some("grep"), &[]), ["grep -r \"Foo\" ."]);
}

#[test]
fn rows_go_with_their_time_and_leave_nothing_in_the_index() {
    let db = db();
    db.execute("UPDATE organizations SET command_log_days = 10 WHERE slug = 'acme'");
    // Ten days after the fourth.
    let now = "2026-01-11T00:00:00.004Z";
    db.run(over::purge(now, 2));
    assert_eq!(found(&db, None, &[]).len(), 4);
    db.run(over::purge(now, 100));
    assert_eq!(found(&db, None, &[]), ["false", "echo 100%_a*b", "LS -LA /tmp"]);
    assert!(found(&db, Some("grep"), &[]).is_empty());
    assert_eq!(
        db.count("command_search WHERE command_search MATCH '\"grep\"'"),
        1,
        "the other organization's"
    );
    db.execute("INSERT INTO command_search (command_search, rank) VALUES ('integrity-check', 1)");
    db.run(over::purge("2026-04-02T00:00:00.000Z", 100));
    assert_eq!(db.count("command_logs"), 0, "the usual time is over for all");
}

#[test]
fn rows_are_kept_for_ever_where_an_organization_says_so_and_while_it_is_there() {
    let db = db();
    db.execute("UPDATE organizations SET command_log_days = 0 WHERE slug = 'acme'");
    let all = found(&db, None, &[]).len();
    db.run(over::purge("2099-01-01T00:00:00.000Z", 100));
    assert_eq!(
        (found(&db, None, &[]).len(), db.count("command_logs")),
        (all, all as i64)
    );
    db.execute("UPDATE command_logs SET organization_id = 'gone'");
    db.run(over::purge("2099-01-01T00:00:00.000Z", 100));
    assert_eq!(db.count("command_logs"), 0);
}

#[test]
fn no_text_of_a_row_is_changed() {
    let db = db();
    assert!(db.try_execute("UPDATE command_logs SET command = 'harmless'").is_err());
}

#[test]
fn what_is_to_be_masked_is_masked_before_it_is_stored() {
    let db = db();
    db.execute("UPDATE organizations SET command_masks = '[\"--password *\"]' WHERE slug = 'acme'");
    add(&db, "web", vec![record(8, "mysql --password geheim", 0)]);
    assert_eq!(found(&db, Some("mysql"), &[]), ["mysql --password ****"]);
    assert!(found(&db, Some("geheim"), &[]).is_empty());
}
