//! What bash runs without a line at its prompt.
use std::fs;
use std::os::unix::fs::PermissionsExt;

use protocol::terminal::command_record::{CommandRecord, Outcome, Seen, Text};

use super::{Typed, exited, write_home};

/// Keys that are bound to commands, and a function that completes.
const KEYS: &str = r#"
f() { true; (exit 5); }
complete_foo() { COMPREPLY=(one-foo two-foo); }
complete -F complete_foo foo
bind -x '"\C-t": "f; echo bound"'
export EDITOR=~/editor
"#;

/// Ctrl-X Ctrl-E.
const EDIT: &str = "\x18\x05";

/// An editor that has written this when it is opened.
fn editor(typed: &Typed, text: &str) {
    write_home(&typed.machine, "edited", text);
    write_home(&typed.machine, "editor", "#!/bin/sh\ncp ~/edited \"$1\"\n");
    let path = typed.machine.system.path("home/editor");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What was recorded of what was not announced.
fn unannounced(records: &[CommandRecord]) -> Vec<&str> {
    let records = records.iter().filter(|record| record.seen == Seen::Unannounced);
    let checked = records.inspect(|record| {
        assert_eq!(
            (record.outcome, record.from),
            (Outcome::Unknown, record.to),
            "{record:?}"
        );
    });
    checked.map(|record| record.command.as_str()).collect()
}

/// Presses keys and waits for a text that comes of it, and then types a command, which must be recorded as ever.
async fn presses(typed: &mut Typed, keys: &str, shows: &str) -> Vec<CommandRecord> {
    let (records, from) = (typed.records.len(), typed.terminal.output.len());
    typed.keys(keys).await;
    typed.shows(from, shows).await;
    typed.keys("(exit 9)\r").await;
    typed
        .until("record", |typed| {
            typed.records[records..]
                .iter()
                .any(|record| record.outcome == exited(9))
        })
        .await;
    let last = typed.records.last().unwrap();
    assert_eq!((last.text, last.command.as_str()), (Text::Whole, "(exit 9)"));
    let end = last.to as usize;
    typed.reads_keys(end).await;
    typed.records[records..typed.records.len() - 1].to_vec()
}

#[tokio::test]
async fn a_key_that_is_bound_to_a_command_and_lines_from_an_editor_are_rows_of_their_own() {
    let Some(mut typed) = Typed::at("bash", KEYS).await else {
        return;
    };
    editor(&typed, "echo ed''ited\nfor i in 1 2; do echo $i; done\nfalse\n");
    let records = presses(&mut typed, "\x14", "bound").await;
    assert_eq!(unannounced(&records), ["f", "echo bound"]);
    assert!(
        records
            .iter()
            .all(|record| record.text == Text::Whole && record.cwd == records[0].cwd && record.cwd.starts_with('/'))
    );
    let records = presses(&mut typed, EDIT, "2\r\n").await;
    let found = unannounced(&records);
    let (opened, edited) = found.split_first().unwrap();
    assert!(opened.contains("editor /tmp/bash-fc."), "{opened}");
    let each = ["for i in 1 2", "echo $i"];
    assert_eq!(edited, [&["echo ed''ited"][..], &each, &each, &["false"]].concat());
}

#[tokio::test]
async fn what_bash_does_by_itself_is_no_row() {
    for options in [
        "",
        "set -u\n",
        "set -T\nshopt -s extdebug\n",
        "set -e\nset +e\nset -E\n",
    ] {
        let Some(mut typed) = Typed::at("bash", &format!("{KEYS}PROMPT_COMMAND='true early'\n{options}")).await else {
            return;
        };
        typed.one("PROMPT_COMMAND+=('true late')").await;
        let records = presses(&mut typed, "\r", "READY").await;
        assert!(records.is_empty(), "{options}: {records:?}");
        // Completion runs a function.
        let records = presses(&mut typed, "foo \t\t\x15", "two-foo").await;
        let texts: Vec<_> = records.iter().map(|record| record.command.as_str()).collect();
        assert!(texts.is_empty(), "{options}: {texts:?}");
    }
}

#[tokio::test]
async fn the_trap_is_not_to_be_seen_and_gives_way_to_ones_own() {
    let Some(mut typed) = Typed::at("bash", KEYS).await else {
        return;
    };
    for (command, code) in [
        ("test -z \"$(trap)\"", 0),
        ("trap -p DEBUG | grep .", 1),
        (": some argument", 0),
        ("test \"$_\" = argument", 0),
        ("for ((i = 0; i < 1000; i++)); do :; done", 0),
        ("(exit 3)", 3),
        ("test $? = 3", 0),
    ] {
        assert_eq!(typed.one(command).await, (command.to_owned(), exited(code)));
    }
    let own = "trap 'own=$BASH_COMMAND' DEBUG";
    assert_eq!(typed.one(own).await.0, own);
    typed.one("true mine").await;
    // Announced as ever, and the rest is theirs to notice.
    let records = presses(&mut typed, "\x14", "bound").await;
    assert!(unannounced(&records).is_empty(), "{records:?}");
    assert_eq!(typed.one("trap -p DEBUG | grep -c own=").await.1, exited(0));
    typed.one("trap - DEBUG").await;
    let records = presses(&mut typed, "\x14", "bound").await;
    assert_eq!(unannounced(&records).len(), 2, "{records:?}");
}

#[tokio::test]
async fn a_loop_from_an_editor_is_so_many_rows_and_one_for_the_rest() {
    let Some(mut typed) = Typed::at("bash", KEYS).await else {
        return;
    };
    editor(&typed, "for i in {1..500}; do true $i; done; echo at last\n");
    let records = presses(&mut typed, EDIT, "at last\r\n").await;
    let found = unannounced(&records);
    assert_eq!(found.len(), 51);
    assert_eq!(
        (found[1], found[49], found[50]),
        ("for i in {1..500}", "for i in {1..500}", "")
    );
    assert_eq!(records[50].text, Text::NotKept);
}
