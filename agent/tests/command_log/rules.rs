//! What shells do that a good guess gets wrong, and what must hold whatever they do.
use std::fs;
use std::time::Duration;

use protocol::ids::StreamId;
use protocol::terminal::agent::FromAgent;
use protocol::terminal::command_record::{Outcome, Text};
use tokio::time::timeout;

use super::{Typed, contains, exited, shell, write_home};
use crate::support::relay::Relay;
use crate::support::{Machine, system};

/// How soon something is typed again that nobody may have read.
const TYPE_AGAIN: Duration = Duration::from_secs(2);

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// The secret of the only shell of a machine, from the file that its hooks read.
fn secret(typed: &Typed) -> String {
    let folders = fs::read_dir(typed.machine.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut keys = folders.map(|folder| folder.join("key")).filter(|key| key.exists());
    let key = fs::read_to_string(keys.next().unwrap()).unwrap();
    assert!(keys.next().is_none());
    key.trim().to_owned()
}

#[tokio::test]
async fn viewers_see_no_mark_and_nothing_that_runs_is_told_the_secret() {
    for name in SHELLS {
        let Some(mut typed) = Typed::at(name, "").await else {
            continue;
        };
        let secret = secret(&typed);
        for command in [
            "env",
            "set",
            "cat /proc/$$/environ /proc/$$/cmdline",
            "cat /proc/self/environ",
            "ps axww -o args",
        ] {
            let command = if name == "fish" {
                command.replace("$$", "$fish_pid")
            } else {
                command.to_owned()
            };
            typed.one(&command).await;
        }
        assert!(!contains(&typed.terminal.output, secret.as_bytes()), "{name}");
        assert!(!contains(&typed.terminal.output, b"\x1b]133;k="), "{name}");
        let environment = typed.one("env | grep -E '^(ENV|POSIXLY_CORRECT|ZDOTDIR|VSAY)'").await;
        assert_eq!(
            environment.1,
            exited(1),
            "{name}: nothing of the hooks is in the environment"
        );
    }
}

#[tokio::test]
async fn output_forges_no_row() {
    for name in SHELLS {
        let Some(mut typed) = Typed::at(name, "").await else {
            continue;
        };
        let forged = ["A", "C;d=/;t=forged", "D;x=9", "C;t=forged"].map(|body| {
            let with = |key: &str| format!("\x1b]133;k={key};{body}\x07");
            format!(
                "{}{}\x1b]133;{body}\x1b\\",
                with("0123456789abcdef0123456789abcdef"),
                with("")
            )
        });
        write_home(&typed.machine, "forged", &forged.concat());
        assert_eq!(
            typed.one("cat ~/forged").await,
            ("cat ~/forged".into(), exited(0)),
            "{name}"
        );
        assert_eq!(typed.one("true").await.0, "true", "{name}");
        assert_eq!(typed.records.len(), 2, "{name}: {:?}", typed.records);
    }
}

#[tokio::test]
async fn a_prompt_within_a_command_and_prompts_without_one_make_no_record() {
    // Quoted so that what asks is not what was typed.
    for (name, command) in [
        ("bash", "read -p as''ks x"),
        ("zsh", "read \"x?as\"ks"),
        ("fish", "read -P as''ks x"),
    ] {
        let Some(mut typed) = Typed::at(name, "").await else {
            continue;
        };
        let from = typed.terminal.output.len();
        typed.keys(&format!("{command}\r")).await;
        typed.shows(from, "asks").await;
        let records = typed.run("answer\r", 1).await;
        assert_eq!(
            (records[0].command.as_str(), records[0].outcome),
            (command, exited(0)),
            "{name}"
        );
        // An empty line, Ctrl-C at a prompt, and what the shell does not understand.
        // fish draws no prompt after the second, and leaves the third to be edited.
        let keys = ["\r", "echo never\x03", "echo )\r"];
        for keys in &keys[..if name == "fish" { 1 } else { 3 }] {
            let from = typed.terminal.output.len();
            typed.keys(keys).await;
            typed.reads_keys(from).await;
        }
        let last = typed.one("echo last").await;
        assert_eq!(last, ("echo last".into(), exited(0)), "{name}");
        assert!(
            typed.records.iter().all(|record| !record.command.contains("never")),
            "{:?}",
            typed.records
        );
    }
}

#[tokio::test]
async fn bash_tells_a_line_that_its_history_did_not_keep_from_the_one_before() {
    let more = "HISTCONTROL=ignorespace HISTIGNORE='secret*'\n";
    let Some(mut typed) = Typed::at("bash", more).await else {
        return;
    };
    assert_eq!(typed.text("echo kept\r").await, (Text::Whole, "echo kept".into()));
    for keys in [" echo hidden from history\r", "secret=1 true\r"] {
        assert_eq!(typed.text(keys).await, (Text::NotKept, String::new()), "{keys}");
    }
    assert_eq!(typed.text("set +o history\r").await.0, Text::Whole);
    assert_eq!(typed.text("echo unheard\r").await, (Text::NotKept, String::new()));
    typed.run("set -o history\r", 1).await;
    assert_eq!(typed.text("echo heard\r").await, (Text::Whole, "echo heard".into()));
    assert_eq!(typed.text("history -c\r").await.0, Text::Whole);
    assert_eq!(typed.text("echo anew\r").await, (Text::Whole, "echo anew".into()));
}

#[tokio::test]
async fn bash_repeats_a_line_that_its_history_has_once() {
    let Some(mut typed) = Typed::at("bash", "HISTCONTROL=ignoreboth:erasedups\n").await else {
        return;
    };
    for _ in 0..3 {
        assert_eq!(typed.text("echo again\r").await, (Text::Whole, "echo again".into()));
    }
    assert_eq!(typed.text("echo other\r").await, (Text::Whole, "echo other".into()));
    // An older one moves to the end of the history, which does not grow.
    assert_eq!(typed.text("echo again\r").await, (Text::Whole, "echo again".into()));
    assert_eq!(typed.text(" echo again\r").await, (Text::NotKept, String::new()));
    assert_eq!(typed.text("\x1b[A\r").await, (Text::Whole, "echo again".into()));
}

#[tokio::test]
async fn what_is_typed_while_bash_shows_nothing_is_hidden() {
    let Some(mut typed) = Typed::at("bash", "").await else {
        return;
    };
    typed.run("stty -echo\r", 1).await;
    assert_eq!(typed.text("echo secret-one\r").await, (Text::Hidden, String::new()));
    typed.run("stty echo\r", 1).await;
    assert_eq!(typed.text("echo shown\r").await, (Text::Whole, "echo shown".into()));
}

#[tokio::test]
async fn what_is_typed_where_a_program_asks_for_it_unseen_is_in_no_record() {
    let cases = [
        ("bash", "read -es -p asks: x"),
        ("bash", "read -s -p asks: x"),
        ("zsh", "read -s 'x?asks:'"),
        ("fish", "read -s -P asks: x"),
    ];
    for (name, command) in cases {
        let Some(mut typed) = Typed::at(name, "").await else {
            continue;
        };
        let from = typed.terminal.output.len();
        typed.keys(&format!("{command}\r")).await;
        typed.shows(from + command.len() + 8, "asks:").await;
        let records = typed.run("geheim-7\r", 1).await;
        assert_eq!(records[0].command, command, "{name}");
        typed.one("echo done").await;
        let all = format!("{:?}", typed.records);
        assert!(!all.contains("geheim"), "{name}: {all}");
        for entry in fs::read_dir(typed.machine.config.storage.records(&typed.machine.config.agent.id)).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains("geheim"), "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn numbers_of_all_sizes_and_the_ends_of_shells_are_as_the_shell_has_them() {
    for (name, code) in [("bash", 44), ("zsh", 44), ("fish", 255)] {
        let Some(mut typed) = Typed::at(name, "").await else {
            continue;
        };
        typed.keys("exit 300\r").await;
        typed.until("record", |typed| !typed.records.is_empty()).await;
        assert_eq!(
            (typed.records[0].command.as_str(), typed.records[0].outcome),
            ("exit 300", exited(code)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn hooks_go_on_whatever_becomes_of_the_shells_output_and_options() {
    let cases = [
        (
            "bash",
            &[
                "exec 2>/dev/null",
                "exec >/dev/null",
                "set -u",
                "set -o noclobber",
                "set -o posix",
            ][..],
        ),
        (
            "zsh",
            &[
                "exec 2>/dev/null",
                "setopt nounset",
                "setopt noclobber",
                "setopt ksharrays shwordsplit",
                "setopt errreturn",
            ],
        ),
        ("fish", &["set -g IFS ''"]),
    ];
    for (name, commands) in cases {
        let Some(mut typed) = Typed::at(name, "").await else {
            continue;
        };
        for command in commands.iter().flat_map(|command| [command, &"false"]) {
            // There may be no prompt to be seen.
            let before = typed.records.len();
            typed.keys(&format!("{command}\r")).await;
            typed.until("record", |typed| typed.records.len() > before).await;
            let record = &typed.records[before];
            let code = i32::from(*command == "false");
            assert_eq!(
                (record.command.as_str(), record.outcome),
                (*command, exited(code)),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn tracing_shows_no_secret() {
    for name in ["bash", "zsh"] {
        let Some(mut typed) = Typed::at(name, "").await else {
            continue;
        };
        let secret = secret(&typed);
        for command in ["set -x", "true", "set +x"] {
            assert_eq!(typed.one(command).await.0, command);
        }
        assert!(
            !contains(&typed.terminal.output, secret.as_bytes()),
            "{}",
            typed.terminal.text()
        );
    }
}

#[tokio::test]
async fn what_people_have_their_shell_do_at_prompts_and_commands_goes_on() {
    let own = "PROMPT_COMMAND='echo \"own-$?\"'\nPS0='[own-ps0]'\ntrap 'echo own-err' ERR\ntrap 'echo own-exit' EXIT\n";
    if let Some(mut typed) = Typed::at("bash", own).await {
        let from = typed.terminal.output.len();
        assert_eq!(typed.one("(exit 7)").await.1, exited(7));
        let shown = String::from_utf8_lossy(&typed.terminal.output[from..]).into_owned();
        for (text, times) in [("own-7", 1), ("[own-ps0]", 1), ("own-err", 1)] {
            assert_eq!(shown.matches(text).count(), times, "{text} in {shown:?}");
        }
        let from = typed.terminal.output.len();
        typed.keys("exit\r").await;
        typed.shows(from, "own-exit").await;
    }
    let own = "precmd() { echo \"own-$?\" }\npreexec() { echo \"own:$1\" }\n";
    if let Some(mut typed) = Typed::at("zsh", own).await {
        let from = typed.terminal.output.len();
        assert_eq!(typed.one("(exit 7)").await.1, exited(7));
        let shown = String::from_utf8_lossy(&typed.terminal.output[from..]).into_owned();
        assert!(shown.contains("own-7") && shown.contains("own:(exit 7)"), "{shown:?}");
    }
    let own = "function own --on-event fish_postexec; echo own-$status; end\n";
    if let Some(mut typed) = Typed::at("fish", own).await {
        let from = typed.terminal.output.len();
        assert_eq!(typed.one("sh -c 'exit 7'").await.1, exited(7));
        typed.shows(from, "own-7").await;
    }
}

/// What a login is, in words of the shell, but for what is known to differ.
async fn described(typed: &mut Typed, command: &str) -> String {
    let file = typed.machine.system.path("home").join("described");
    let from = typed.terminal.output.len();
    typed.keys(&format!("{{ {command}; }} >~/described 2>&1\r")).await;
    typed.shows(from, "\n").await;
    typed.keys("echo de''scribed\r").await;
    typed.shows(from, "described\r\n").await;
    fs::read_to_string(file).unwrap()
}

#[tokio::test]
async fn a_login_bash_is_what_it_is_without_hooks() {
    let Some(path) = shell("bash") else { return };
    // The same program under another name has no hooks.
    let command = "shopt; set -o; shopt -q login_shell && echo login; echo $-; env | grep -v '^_=' | sort; history | wc -l; \
        declare -p HISTFILE HISTSIZE MAILCHECK PS1 PS2 PS4 IFS OPTIND; alias; trap; ulimit -a; ls /proc/$$/fd; umask; type cd";
    let mut found = Vec::new();
    for hooked in [false, true] {
        let files = [
            (".bash_profile", ". ~/.bashrc\nexport FROM_PROFILE=1\n"),
            (
                ".bashrc",
                "PS1='READY> '\nHISTSIZE=77\nalias ll='ls -l'\ntrap 'true own' USR1\nshopt -s histappend\n",
            ),
            (".bash_history", "one\ntwo\n"),
        ];
        let mut typed = match hooked {
            true => Typed::with(&path, &files).await,
            false => Typed::unhooked(&path, &files).await,
        };
        found.push(described(&mut typed, command).await);
    }
    // What names the home, which each has its own of, and the one option that hooks set.
    let differs = |line: &&str| {
        let is_home =
            ["HOME=", "PWD=", "SHELL="].iter().any(|name| line.starts_with(name)) || line.contains("HISTFILE=");
        !is_home && !line.starts_with("lithist")
    };
    let [plain, hooked] = &found[..] else { panic!() };
    let lines = |text: &str| text.lines().filter(differs).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(plain), lines(hooked));
}

#[tokio::test]
async fn tmux_screen_and_shells_within_shells_are_one_record_each() {
    let Some(mut typed) = Typed::at("bash", "").await else {
        return;
    };
    let mut programs = vec!["bash --norc", "sh"];
    for (name, program) in [
        ("tmux", "tmux -f /dev/null -L vsay-test new-session sh"),
        (
            "screen",
            "mkdir -m 700 ~/.screens; SCREENDIR=~/.screens screen -c /dev/null sh",
        ),
        ("zsh", "zsh -f"),
        ("fish", "fish --no-config"),
    ] {
        if shell(name).is_some() {
            programs.push(program);
        }
    }
    for program in programs {
        let before = typed.records.len();
        let from = typed.terminal.output.len();
        typed.keys(&format!("{program}\r")).await;
        // Programs that make themselves at home in a terminal forget what was typed before.
        while timeout(TYPE_AGAIN, typed.shows(from, "inner")).await.is_err() {
            typed.keys("echo in''ner\r").await;
        }
        typed.keys("exit\r").await;
        typed.until("record", |typed| typed.records.len() > before).await;
        let record = typed.records[before].clone();
        assert_eq!((record.command.as_str(), record.outcome), (program, exited(0)));
        let end = record.to as usize;
        typed.reads_keys(end).await;
        assert_eq!(typed.one("true").await.0, "true", "after {program}");
        assert_eq!(typed.records.len(), before + 2, "{:?}", &typed.records[before..]);
    }
}

#[tokio::test]
async fn a_shell_that_its_hooks_break_starts_without_them_and_says_so() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let path = machine.system.path("bin/bash");
    system::program(
        &path,
        "#!/bin/sh\n[ -z \"$POSIXLY_CORRECT\" ] || exit 3\nexec /bin/bash --noprofile --norc -i\n",
    );
    system::set_shell(&machine.system, &path);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let notice = terminal.wait_for_message(&mut link).await;
    let FromAgent::Notice {
        stream: StreamId(1),
        input: None,
        code,
        ..
    } = notice
    else {
        panic!("{notice:?}")
    };
    assert_eq!(code, "without_hooks");
    assert_eq!(terminal.run(&mut link, "echo lives").await, "lives");
}

#[tokio::test]
async fn a_command_that_nobody_saw_end_is_told_as_such() {
    let Some(mut typed) = Typed::at("bash", "").await else {
        return;
    };
    let from = typed.terminal.output.len();
    typed.keys("echo go''ing; sleep 60\r").await;
    typed.shows(from, "going").await;
    typed
        .link
        .send(protocol::terminal::agent::ToAgent::Close { stream: StreamId(1) })
        .await;
    typed.until("record", |typed| !typed.records.is_empty()).await;
    assert_eq!(typed.records[0].outcome, Outcome::Unknown);
}
