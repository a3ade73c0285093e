//! What is typed into shells without hooks is read from the screen.
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use protocol::terminal::command_record::{CommandRecord, Outcome, Seen, Text};

use super::{Typed, contains, exited, shell};
use crate::support::{Machine, system};

/// Shells that say nothing of what they run, and what they are called as.
const SHELLS: [(&str, &str); 3] = [("dash", "dash"), ("mksh", "mksh"), ("busybox", "ash")];

const PROFILE: (&str, &str) = (".profile", "PS1='READY> '\n");

/// A login with one of them, at its first prompt.
async fn at(name: &str, called: &str) -> Option<Typed> {
    let path = shell(name)?;
    let named = |machine: &Machine| {
        let other = machine.system.path("bin").join(called);
        symlink(path, &other).unwrap();
        other
    };
    let mut typed = Typed::opened(named, &[PROFILE]).await;
    typed.shows(0, "READY> ").await;
    Some(typed)
}

/// Types a line and waits for the prompt behind it, which editors may draw while it is typed, too.
async fn line(typed: &mut Typed, keys: &str) {
    let from = typed.terminal.output.len();
    typed.keys(keys).await;
    typed
        .until("prompt", |typed| {
            // Behind a line, or behind what switches a mode.
            ["\nREADY> ", "hREADY> ", "lREADY> "]
                .iter()
                .any(|prompt| contains(&typed.terminal.output[from..], prompt.as_bytes()))
        })
        .await;
}

/// What was read until a line that is typed last, and not that.
async fn read(typed: &mut Typed) -> Vec<CommandRecord> {
    line(typed, ": last\r").await;
    let is_last = |record: &CommandRecord| record.command == ": last";
    typed.until("record", |typed| typed.records.iter().any(is_last)).await;
    let records: Vec<_> = typed.records.drain(..).collect();
    let count = records.len() - 1;
    for record in &records {
        assert_eq!(
            (record.seen, record.outcome, record.from),
            (Seen::Screen, Outcome::Unknown, record.to),
            "{record:?}"
        );
    }
    records.into_iter().take(count).collect()
}

fn texts(records: &[CommandRecord]) -> Vec<(Text, &str)> {
    records
        .iter()
        .map(|record| (record.text, record.command.as_str()))
        .collect()
}

#[tokio::test]
async fn lines_are_what_stood_behind_the_prompt() {
    for (name, called) in SHELLS {
        let Some(mut typed) = at(name, called).await else {
            continue;
        };
        let long = format!("echo {}", "0123456789".repeat(12));
        for keys in [
            "echo one\r",
            "echp\x7fo two; false\r",
            "\r",
            "cd /tmp\r",
            "echo é ü\r",
            &format!("{long}\r"),
        ] {
            line(&mut typed, keys).await;
        }
        let records = read(&mut typed).await;
        let (last, before) = records.split_last().unwrap();
        let expected = ["echo one", "echo two; false", "cd /tmp", "echo é ü"].map(|text| (Text::Whole, text));
        assert_eq!(texts(before), expected, "{name}");
        assert_eq!(last.cwd, "/tmp");
        assert!(before[0].cwd.ends_with("/home"), "{}", before[0].cwd);
        // An editor of lines may show a part of them.
        let is_whole = last.text == Text::Whole && last.command == long;
        assert!(is_whole || name != "dash" && last.text == Text::Cut, "{name}: {last:?}");
    }
}

#[tokio::test]
async fn nothing_that_is_typed_unseen_is_read() {
    for (name, called) in SHELLS {
        let Some(mut typed) = at(name, called).await else {
            continue;
        };
        // By the shell itself, by a program, and by one that shows something else.
        for asks in [
            "stty -echo; printf 'as''ks: '; read x; stty echo",
            "sh -c 'stty -echo; printf as\"\"ks:; read x; stty echo'",
            "sh -c 'stty -echo -icanon; printf as\"\"ks:; head -c 9 >/dev/null; printf \"****\\n\"; stty sane'",
        ] {
            let from = typed.terminal.output.len();
            typed.keys(&format!("{asks}\r")).await;
            typed.shows(from, "asks:").await;
            let from = typed.terminal.output.len();
            typed.keys("geheim-7\r").await;
            typed.shows(from, "READY> ").await;
        }
        let records = read(&mut typed).await;
        assert_eq!(records.len(), 3, "{name}: {records:?}");
        let all = format!("{records:?}");
        assert!(!all.contains("geheim"), "{name}: {all}");
        for entry in fs::read_dir(typed.machine.config.storage.records(&typed.machine.config.agent.id)).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains("geheim"), "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn what_programs_are_told_is_not_read() {
    for (name, called) in SHELLS {
        let Some(mut typed) = at(name, called).await else {
            continue;
        };
        for (program, answer) in [
            ("sh -c 'printf as\"\"ks:; read x'", "an answer\r"),
            ("set +m; sh -c 'printf as\"\"ks:; read x'; set -m", "another\r"),
            (
                "printf '\\033[?1049has''ks:'; read x; printf '\\033[?1049l'",
                "on another screen\r",
            ),
            ("sh -c 'echo as\"\"ks:; cat'", "text\r\x04"),
        ] {
            let from = typed.terminal.output.len();
            typed.keys(&format!("{program}\r")).await;
            typed.shows(from, "asks:").await;
            line(&mut typed, answer).await;
        }
        let records = read(&mut typed).await;
        assert_eq!(records.len(), 4, "{name}: {records:#?}");
        let from = typed.terminal.output.len();
        let another = "exec sh -c 'echo as\"\"ks:; exec cat'";
        typed.keys(&format!("{another}\r")).await;
        typed.shows(from, "asks:\r\n").await;
        // The first echo is the terminal's.
        typed.keys("to the end\r").await;
        typed.shows(from, "to the end\r\nto the end\r\n").await;
        typed.keys("\x04").await;
        typed
            .until("end", |typed| format!("{:?}", typed.said).contains("Exited"))
            .await;
        assert_eq!(texts(&typed.records), [(Text::Whole, another)], "{name}");
    }
}

/// The agent knows of a shell's start once that is on record, and waits some time for others who hold the records.
#[tokio::test]
async fn keys_are_read_that_come_before_the_agent_knows_of_the_second_start() {
    let mut held = Vec::new();
    let broken = |machine: &Machine| {
        held.extend(["var/run/utmp", "var/log/wtmp"].map(|file| locked(&machine.system.path(file))));
        without_hooks(machine, "PS1='READY> ' exec /bin/bash --noprofile --norc -i")
    };
    let mut typed = Typed::opened(broken, &[]).await;
    typed.shows(0, "READY> ").await;
    line(&mut typed, "echo early\r").await;
    assert_eq!(texts(&read(&mut typed).await), [(Text::Whole, "echo early")]);
}

/// A new file that nobody else gets to write.
fn locked(path: &Path) -> fs::File {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::create(path).unwrap();
    let whole = libc::flock {
        l_type: libc::F_WRLCK as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_OFD_SETLK(&whole)).unwrap();
    file
}

/// A shell that breaks with its hooks, and does this without them.
fn without_hooks(machine: &Machine, does: &str) -> PathBuf {
    let path = machine.system.path("bin/bash");
    system::program(
        &path,
        &format!("#!/bin/sh\n[ -z \"$POSIXLY_CORRECT\" ] || exit 3\n{does}\n"),
    );
    path
}

#[tokio::test]
async fn a_shell_that_starts_without_its_hooks_is_read() {
    let broken = |machine: &Machine| without_hooks(machine, "exec /bin/bash --noprofile --rcfile ~/.profile -i");
    let mut typed = Typed::opened(broken, &[PROFILE]).await;
    typed.shows(0, "READY> ").await;
    line(&mut typed, "echo lives\r").await;
    assert_eq!(texts(&read(&mut typed).await), [(Text::Whole, "echo lives")]);
    // One that has them is not.
    let Some(mut typed) = Typed::at("bash", "").await else {
        return;
    };
    assert_eq!(typed.one("echo announced").await, ("echo announced".into(), exited(0)));
    assert_eq!(typed.records[0].seen, Seen::Announced);
}
