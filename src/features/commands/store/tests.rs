use protocol::api::commands::CommandStatus;

use super::*;
use crate::features::commands::access::CommandAccess;
use crate::testing::{TestDb, id};

const NOW: &str = "2026-01-01T00:00:00.000Z";

/// `ann` administers, `bob` reaches `web` and not `mail`, `eve` is of another organization.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("bob", "acme", "user");
    db.user("eve", "other", "company_admin");
    for machine in ["web", "mail"] {
        db.machine(machine, "ann");
    }
    db.group("ops", "acme", &["bob"], &["web"]);
    db
}

fn user(name: &str) -> ObjectId {
    id(name).parse().unwrap()
}

fn command(n: usize) -> CommandId {
    format!("cmd_{n:024x}").parse().unwrap()
}

fn agent_id(machine: &str) -> String {
    id(machine)[..12].to_owned()
}

fn rights(db: &TestDb, caller: &str, machines: &[&str]) -> Vec<Option<RunRight>> {
    let names: Vec<String> = machines.iter().map(|machine| agent_id(machine)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = db.run(targets_named(&user(caller), &names));
    rows.iter().map(RunRight::decide).collect()
}

/// Commands of a caller on machines it reaches, sent together.
fn sent(db: &TestDb, caller: &str, machines: &[&str], from: usize, batch: Option<&str>) {
    let targets: Vec<_> = rights(db, caller, machines)
        .into_iter()
        .enumerate()
        .map(|(n, right)| (command(from + n), right.unwrap()))
        .collect();
    let batch = batch.map(user);
    let new = NewCommands {
        batch: batch.as_ref(),
        command: "uptime",
        timeout_seconds: 5,
        now: NOW,
    };
    db.run(insert(&db.caller(caller), &new, &targets));
}

fn texts(db: &TestDb, filter: &Filter, status: Option<&str>) -> (Vec<String>, u64) {
    let (list, count) = list(filter, status, Page::One { page: 1, limit: 10 });
    let rows = db.run(list);
    let ids = rows.into_iter().map(|row| row.command.command_id.to_string()).collect();
    (ids, Count::of(&db.run(count)))
}

#[test]
fn a_command_is_written_with_who_wanted_it_and_what_it_may_do() {
    let db = db();
    db.execute("UPDATE machines SET allow_sudo = 1 WHERE name = 'web'");
    sent(&db, "ann", &["web", "mail"], 1, Some("batch"));
    let found = |n| db.run(find(&user("ann"), command(n).as_str())).remove(0);
    let row = found(1).command;
    assert_eq!(
        (row.machine_name.as_str(), row.username.as_str(), row.sudo),
        ("web", "ann", true)
    );
    assert_eq!((row.status, row.source.as_str()), (CommandStatus::Queued, "api"));
    assert_eq!(row.batch_id, Some(user("batch")));
    assert!(!found(2).command.sudo, "that machine was enrolled without");
    assert_eq!(
        db.count("commands WHERE typeof(timeout_seconds) = 'integer' AND typeof(sudo) = 'integer'"),
        2
    );
}

#[test]
fn each_named_machine_is_answered_for_itself_in_the_order_of_the_request() {
    let db = db();
    let named = rights(&db, "bob", &["mail", "web", "nowhere"]);
    let names: Vec<_> = named.iter().map(|right| right.as_ref().map(RunRight::name)).collect();
    assert_eq!(names, [None, Some("web"), None]);
    let rows = db.run(targets_named(&user("eve"), &[&agent_id("web")]));
    assert!(rows[0].machine.is_none(), "nobody learns of another organization's");
    let rows = db.run(targets_named(&user("bob"), &[&agent_id("mail")]));
    assert!(rows[0].machine.is_some() && !rows[0].reaches);
}

#[test]
fn a_tag_names_the_machines_that_have_it_and_that_the_caller_reaches() {
    let db = db();
    db.execute(r#"UPDATE machines SET tags = '["prod","linux"]'"#);
    let tagged = |caller: &str, tag: &str, limit| -> Vec<String> {
        let rows = db.run(targets_tagged(&user(caller), tag, limit));
        rows.into_iter().map(|row| row.machine.unwrap().name).collect()
    };
    assert_eq!(tagged("ann", "prod", 50), ["mail", "web"]);
    assert_eq!(tagged("bob", "prod", 50), ["web"]);
    assert_eq!(tagged("ann", "prod", 1), ["mail"]);
    assert!(tagged("ann", "pro", 50).is_empty() && tagged("eve", "prod", 50).is_empty());
    db.execute("UPDATE machines SET status = 'revoked' WHERE name = 'mail'");
    assert_eq!(tagged("ann", "prod", 50), ["web"]);
}

#[test]
fn a_command_is_read_by_whoever_reaches_its_machine_and_called_off_by_whoever_sent_it_or_manages_that() {
    let db = db();
    sent(&db, "ann", &["web", "mail"], 1, None);
    let access = |caller: &str, n: usize| {
        let found = db.run(find(&user(caller), command(n).as_str()));
        CommandAccess::decide(db.caller(caller), found)
    };
    let statuses: Vec<u16> = [("eve", 1), ("bob", 2)]
        .map(|(caller, n)| access(caller, n).unwrap_err().status().as_u16())
        .into();
    assert_eq!(statuses, [404, 403]);
    assert!(access("bob", 1).unwrap().control().is_err(), "it is not his");
    assert!(access("ann", 1).unwrap().control().is_ok());
    sent(&db, "bob", &["web"], 3, None);
    assert!(access("bob", 3).unwrap().control().is_ok());
    assert!(access("ann", 3).unwrap().control().is_ok(), "she manages the machine");
}

#[test]
fn lists_are_newest_first_and_hold_only_what_the_caller_reaches() {
    let db = db();
    sent(&db, "ann", &["web", "mail"], 1, Some("batch"));
    sent(&db, "bob", &["web"], 3, None);
    db.execute(&format!(
        "UPDATE commands SET status = 'completed', finished_at = '{NOW}' WHERE id = '{}'",
        command(1)
    ));
    let of = |caller: &str, status: Option<&str>| texts(&db, &Filter::Organization(&user(caller)), status);
    let ids = |numbers: &[usize]| -> Vec<String> { numbers.iter().map(|n| command(*n).to_string()).collect() };
    assert_eq!(of("ann", None), (ids(&[3, 2, 1]), 3));
    assert_eq!(of("bob", None), (ids(&[3, 1]), 2));
    assert_eq!(of("bob", Some("completed")), (ids(&[1]), 1));
    assert_eq!(of("eve", None), (vec![], 0));
    let batch = |caller: &str| texts(&db, &Filter::Batch(&user(caller), &id("batch")), None).0;
    assert_eq!(
        (batch("ann"), batch("bob"), batch("eve")),
        (ids(&[2, 1]), ids(&[1]), vec![])
    );
}

#[test]
fn a_list_has_the_beginning_of_a_long_text_and_the_command_has_it_all() {
    let db = db();
    sent(&db, "ann", &["web"], 1, None);
    let long = "x".repeat(5000);
    db.execute(&format!("UPDATE commands SET command = '{long}'"));
    let (list, _) = list(&Filter::Organization(&user("ann")), None, Page::Everything);
    assert_eq!(db.run(list).remove(0).command.command.len(), 1000);
    assert_eq!(
        db.run(find(&user("ann"), command(1).as_str()))
            .remove(0)
            .command
            .command,
        long
    );
}

#[test]
fn what_no_relay_took_has_failed_and_what_has_ended_stays_as_it_is() {
    let db = db();
    sent(&db, "ann", &["web", "mail"], 1, None);
    db.execute(&format!(
        "UPDATE commands SET status = 'completed', finished_at = '{NOW}' WHERE id = '{}'",
        command(2)
    ));
    db.run(refuse(&[&command(1), &command(2)], "agent not connected", NOW));
    let status = |n| db.run(find(&user("ann"), command(n).as_str())).remove(0).command.status;
    assert_eq!(
        (status(1), status(2)),
        (CommandStatus::Failed, CommandStatus::Completed)
    );
}

#[test]
fn a_machine_runs_its_script_once_however_often_it_enrols() {
    let db = db();
    db.execute("UPDATE machines SET custom_script = 'apt-get update', agent_public_key = 'key' WHERE name = 'web'");
    let web: ObjectId = id("web").parse().unwrap();
    let write = |n, key: &str| db.run(insert_script(&web, &command(n), key, 3600, NOW));
    write(1, "another");
    assert_eq!(db.count("commands"), 0, "somebody else was faster with the token");
    write(1, "key");
    let waiting = db.run(waiting_script(&web));
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (
            waiting[0].command.as_str(),
            waiting[0].username.as_str(),
            waiting[0].sudo
        ),
        ("apt-get update", "ann", false)
    );
    write(2, "key");
    db.execute(&format!(
        "UPDATE commands SET status = 'completed', finished_at = '{NOW}'"
    ));
    db.run(over::purge("2027-01-01T00:00:00.000Z", 10));
    write(3, "key");
    assert_eq!(db.count("commands"), 1, "also after its row is old");
    assert!(db.run(waiting_script(&web)).is_empty());
    db.run(insert_script(
        &id("mail").parse().unwrap(),
        &command(4),
        "key",
        3600,
        NOW,
    ));
    assert_eq!(db.count("commands"), 1, "one without a script runs none");
}

#[test]
fn a_command_that_nobody_tells_of_is_given_up_and_old_ones_are_removed() {
    let db = db();
    sent(&db, "ann", &["web", "mail"], 1, None);
    sent(&db, "ann", &["web"], 3, None);
    db.execute(&format!(
        "UPDATE commands SET status = 'sent' WHERE id = '{}'; UPDATE commands SET created_at = '2026-01-03T00:00:00.000Z' WHERE id = '{}'",
        command(2),
        command(3)
    ));
    db.run(give_up(
        "2026-01-02T00:00:00.000Z",
        "2025-12-20T00:00:00.000Z",
        "2026-01-05T00:00:00.000Z",
        10,
    ));
    let status = |n| db.run(find(&user("ann"), command(n).as_str())).remove(0).command.status;
    assert_eq!(
        [status(1), status(2), status(3)],
        [CommandStatus::Unknown, CommandStatus::Sent, CommandStatus::Queued]
    );
    db.run(over::purge("2026-04-05T00:00:00.000Z", 10));
    assert_eq!(db.count("commands"), 3);
    db.run(over::purge("2026-04-05T00:00:00.001Z", 10));
    assert_eq!(db.count("commands"), 2);
}

#[test]
fn commands_go_with_their_machine() {
    let db = db();
    sent(&db, "ann", &["web", "mail"], 1, None);
    db.execute("DELETE FROM group_machines; DELETE FROM machines WHERE name = 'web'");
    assert_eq!(db.count("commands"), 1);
}

/// What somebody may do with the command `n`.
fn may_decide(db: &TestDb, caller: &str, n: usize) -> bool {
    db.run(find(&user(caller), command(n).as_str()))
        .first()
        .is_some_and(|found| found.may_decide)
}

#[test]
fn administrators_decide_and_not_of_what_is_their_own_while_there_is_another() {
    let db = db();
    sent(&db, "ann", &["web"], 1, None);
    sent(&db, "bob", &["web"], 2, None);
    assert!(may_decide(&db, "ann", 1), "there is nobody else");
    assert!(may_decide(&db, "ann", 2));
    assert!(!may_decide(&db, "bob", 2));
    assert!(!may_decide(&db, "eve", 2));
    db.user("cid", "acme", "company_admin");
    assert!(!may_decide(&db, "ann", 1));
    assert!(may_decide(&db, "cid", 1));
    db.execute("UPDATE users SET disabled_at = 'x' WHERE username = 'cid'");
    assert!(may_decide(&db, "ann", 1), "there is nobody else who could");
}

#[test]
fn a_decision_is_written_once_and_what_was_approved_waits_for_its_machine() {
    let db = db();
    sent(&db, "bob", &["web"], 1, None);
    db.run(await_approval(&user("web"), &command(1), "uptime needs approval"));
    let decision = |name: &str| {
        let found = db.run(find(&user(name), command(1).as_str()));
        CommandAccess::decide(db.caller(name), found).unwrap().decision()
    };
    assert!(decision("bob").is_err());
    let ann = decision("ann").unwrap();
    db.run(decide(&ann, true, "", NOW));
    db.run(decide(&ann, false, "too late", NOW));
    let row = db.run(find(&user("ann"), command(1).as_str())).remove(0).command;
    assert_eq!((row.status, row.error), (CommandStatus::Queued, None));
    assert_eq!((row.decided_by.as_deref(), row.decision_reason), (Some("ann"), None));
    // It waits longer than one that nobody had to approve.
    db.run(give_up("2026-01-02T00:00:00.000Z", NOW, NOW, 10));
    assert_eq!(db.count("commands WHERE status = 'queued'"), 1);
}
