//! Commands without a terminal.
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use protocol::ids::{JournalId, StreamId};
use protocol::limits::{MAX_AGENT_TEXT, MAX_COMMAND_OUTPUT, MAX_COMMAND_PART, MAX_COMMANDS};
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::{FromAgent, NoResult, ToAgent};

use vsay_agent::command::Journal;

use crate::support::{Connection, Machine, Relay, note, until, within};

const COMMAND: StreamId = StreamId(7);

/// How a command ended: its two outputs and its status.
type Result = (String, String, ExitStatus);

async fn run(link: &mut Connection, stream: StreamId, command: &str, timeout_seconds: u32) {
    link.send(ToAgent::Run {
        stream,
        session_id: Some("session_1".parse().unwrap()),
        command: command.to_owned(),
        timeout_seconds,
        allow_sudo: false,
        username: "ann".into(),
        script: false,
        limits: Default::default(),
        approval: None,
    })
    .await;
}

async fn result(link: &mut Connection, command: &str) -> Result {
    run(link, COMMAND, command, 60).await;
    match link.message().await {
        FromAgent::Ran {
            stream: COMMAND,
            stdout,
            stderr,
            truncated: false,
            timed_out: false,
            duration_ms: Some(_),
            status,
        } => {
            link.send(ToAgent::Forget { stream: COMMAND }).await;
            (stdout, stderr, status)
        }
        other => panic!("{other:?}"),
    }
}

fn journal_of(machine: &Machine) -> PathBuf {
    Journal::file_of(&machine.config.server.key_file)
}

fn exited(code: i32) -> ExitStatus {
    ExitStatus {
        code: Some(code),
        signal: None,
        reason: None,
    }
}

#[tokio::test]
async fn a_command_answers_with_both_outputs_and_its_exit_code() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;

    let answer = result(&mut link, "echo out; echo problem >&2; exit 3").await;
    assert_eq!(answer, ("out\n".into(), "problem\n".into(), exited(3)));
    let (stdout, ..) = result(&mut link, "id -un; pwd; test -t 0 || echo no terminal; cat").await;
    let account = machine.account();
    let home = account.home.display();
    assert_eq!(stdout, format!("{}\n{home}\nno terminal\n", account.name));
    let (stdout, ..) = result(&mut link, "tr '\\0' '\\n' < /proc/$$/environ | sort | cut -d= -f1").await;
    assert_eq!(stdout, "HOME\nLANG\nLOGNAME\nMAIL\nPATH\nSHELL\nUSER\n");
    let (stdout, ..) = result(&mut link, "grep NoNewPrivs /proc/self/status").await;
    assert_eq!(stdout, "NoNewPrivs:\t1\n");
    let (.., status) = result(&mut link, "kill -9 $$").await;
    assert_eq!(status.signal.as_deref(), Some("SIGKILL"));
}

#[tokio::test]
async fn a_command_runs_once_however_often_it_is_asked_for_and_is_unknown_once_forgotten() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let command = "mktemp /tmp/vsay-once-XXXXXX";
    let (first, ..) = {
        run(&mut link, COMMAND, command, 60).await;
        run(&mut link, COMMAND, command, 60).await;
        match link.message().await {
            FromAgent::Ran { stdout, .. } => (stdout,),
            other => panic!("{other:?}"),
        }
    };
    std::fs::remove_file(first.trim()).unwrap();
    link.send(ToAgent::Collect { stream: COMMAND }).await;
    let again = link.message().await;
    assert!(
        matches!(&again, FromAgent::Ran { stdout, .. } if *stdout == first),
        "{again:?}"
    );
    link.send(ToAgent::Forget { stream: COMMAND }).await;
    link.send(ToAgent::Collect { stream: COMMAND }).await;
    let forgotten = link.message().await;
    assert!(
        matches!(
            &forgotten,
            FromAgent::RunFailed {
                stream: COMMAND,
                reason: NoResult::NotKnown,
                ..
            }
        ),
        "{forgotten:?}"
    );
}

#[tokio::test]
async fn a_result_waits_for_the_next_link() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    run(&mut link, COMMAND, "read line < /dev/null; echo done", 60).await;
    link.cut();
    let mut link = relay.welcome().await;
    let FromAgent::Hello { commands, .. } = &link.hello else {
        panic!("{:?}", link.hello)
    };
    assert_eq!(*commands, [COMMAND]);
    link.send(ToAgent::Collect { stream: COMMAND }).await;
    let answer = link.message().await;
    assert!(
        matches!(&answer, FromAgent::Ran { stdout, .. } if stdout == "done\n"),
        "{answer:?}"
    );
}

/// What a command that runs has written, as it was said until that ends so.
async fn said_until(link: &mut Connection, part: &mut u32, said: &mut String, end: &str) {
    while !said.ends_with(end) {
        match link.message().await {
            FromAgent::Running {
                stream: COMMAND,
                part: number,
                stdout,
                stderr,
            } if number == *part => {
                assert!(stdout.len() + stderr.len() > 0);
                *said += &stdout;
                *said += &stderr;
                *part += 1;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_a_command_writes_is_said_while_it_runs_and_goes_on_with_the_next_link() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.accept().await;
    link.welcome_with_output().await;
    let (part, said) = (&mut 0, &mut String::new());
    let go = ["half", "again", "end"].map(|name| machine.account().home.join(name));
    let [half, again, end] = go.each_ref().map(|path| path.display());
    let wait = |file| format!("until [ -e {file} ]; do sleep 0.05; done");
    // A character in two halves is said once it is whole.
    let command = format!(
        "echo one; printf 'caf\\303'; {}; printf '\\251\\n'; {}; echo three >&2; {}; echo last",
        wait(half),
        wait(again),
        wait(end)
    );
    run(&mut link, COMMAND, &command, 60).await;
    said_until(&mut link, part, said, "one\ncaf").await;
    std::fs::write(&go[0], "").unwrap();
    said_until(&mut link, part, said, "é\n").await;
    link.cut();
    std::fs::write(&go[1], "").unwrap();
    let mut link = relay.accept().await;
    link.welcome_with_output().await;
    link.send(ToAgent::Collect { stream: COMMAND }).await;
    said_until(&mut link, part, said, "three\n").await;
    std::fs::write(&go[2], "").unwrap();
    // The last of it may be said before the command is seen to have ended.
    let (stdout, stderr) = loop {
        match link.message().await {
            FromAgent::Running { .. } => {}
            FromAgent::Ran { stdout, stderr, .. } => break (stdout, stderr),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((stdout.as_str(), stderr.as_str()), ("one\ncafé\nlast\n", "three\n"));
}

#[tokio::test]
async fn much_output_is_said_in_bounded_parts_up_to_what_is_kept() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.accept().await;
    link.welcome_with_output().await;
    let end = machine.account().home.join("end");
    let command = format!(
        "head -c 3000000 /dev/zero | tr '\\0' x; until [ -e {} ]; do sleep 0.05; done",
        end.display()
    );
    run(&mut link, COMMAND, &command, 60).await;
    let mut said = 0;
    while said < MAX_COMMAND_OUTPUT {
        let FromAgent::Running { stdout, .. } = link.message().await else {
            panic!("it ended")
        };
        assert!(stdout.len() <= MAX_COMMAND_PART);
        said += stdout.len();
    }
    std::fs::write(end, "").unwrap();
    // All that is kept was said: nothing but the result follows.
    let answer = link.message().await;
    assert!(
        matches!(&answer, FromAgent::Ran { stdout, truncated: true, .. } if stdout.len() == said),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_relay_that_does_not_take_what_commands_write_as_it_comes_gets_the_result_alone() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let (stdout, ..) = result(&mut link, "echo begun; sleep 0.6; echo ended").await;
    assert_eq!(stdout, "begun\nended\n");
}

#[tokio::test]
async fn a_command_whose_time_is_up_is_killed_with_all_it_started() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    run(
        &mut link,
        COMMAND,
        "echo begun; sleep 300 & echo $!; trap '' TERM HUP; wait",
        1,
    )
    .await;
    let FromAgent::Ran {
        stdout,
        timed_out: true,
        status,
        ..
    } = link.message().await
    else {
        panic!("it ended by itself")
    };
    assert_eq!(status.signal.as_deref(), Some("SIGKILL"));
    let (begun, child) = stdout.split_once('\n').unwrap();
    assert_eq!(begun, "begun");
    let child = Pid::from_raw(child.trim().parse().unwrap());
    until("what it started is gone", || gone(child)).await;
}

/// Processes that write their numbers into files before they go on.
async fn numbers(files: &[PathBuf]) -> Vec<Pid> {
    let read = |file: &PathBuf| std::fs::read_to_string(file).ok()?.trim().parse().ok();
    until("all processes say who they are", || {
        files.iter().all(|file| read(file).is_some())
    })
    .await;
    files.iter().filter_map(read).map(Pid::from_raw).collect()
}

#[tokio::test]
async fn a_command_ends_with_what_made_itself_a_session_of_its_own() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    // One whose parent lives, one that has lost it, and a daemon that has lost all it ever had above it.
    let names = ["child", "orphan", "daemon"].map(|name| machine.account().home.join(name));
    let [child, orphan, daemon] = names.each_ref().map(|path| path.display());
    let command = format!(
        "setsid sh -c 'echo $$ > {child}; exec sleep 300' >/dev/null 2>&1 & \
         (setsid sh -c 'trap \"\" TERM HUP; echo $$ > {orphan}; exec sleep 300' >/dev/null 2>&1 &); \
         (setsid sh -c 'setsid sh -c \"echo \\$\\$ > {daemon}; exec sleep 300\" &' >/dev/null 2>&1 &); \
         wait"
    );
    for by_time in [true, false] {
        run(&mut link, COMMAND, &command, if by_time { 5 } else { 300 }).await;
        let processes = numbers(&names).await;
        if !by_time {
            assert!(!processes.iter().copied().any(gone));
            link.send(ToAgent::Close { stream: COMMAND }).await;
        }
        match link.message().await {
            FromAgent::Ran { timed_out, status, .. } => {
                assert_eq!((timed_out, status.signal.as_deref()), (by_time, Some("SIGKILL")));
            }
            other => panic!("{other:?}"),
        }
        until("nothing is left", || processes.iter().copied().all(gone)).await;
        names.iter().for_each(|file| std::fs::remove_file(file).unwrap());
        link.send(ToAgent::Forget { stream: COMMAND }).await;
    }
}

/// Whether a process has ended. One whose parent does not wait for it stays as a zombie.
fn gone(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    kill(process, None).is_err()
        || stat
            .rsplit_once(')')
            .is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// Runs a command that goes on, and answers its process.
async fn run_on(machine: &Machine, link: &mut Connection) -> Pid {
    let file = machine.directory.path().join("pid");
    std::fs::write(&file, "").unwrap();
    // The account of commands may be another than the tests'.
    for (path, mode) in [(machine.directory.path(), 0o755), (file.as_path(), 0o666)] {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let command = format!("echo $$ > {}; exec sleep 300", file.display());
    run(link, COMMAND, &command, 300).await;
    let read = || std::fs::read_to_string(&file).ok()?.trim().parse().ok();
    until("the command says who it is", || read().is_some()).await;
    Pid::from_raw(read().unwrap())
}

#[tokio::test]
async fn a_command_nobody_wants_any_more_is_killed() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let process = run_on(&machine, &mut link).await;
    link.send(ToAgent::Close { stream: COMMAND }).await;
    assert!(matches!(link.message().await, FromAgent::Ran { timed_out: false, .. }));
    assert!(gone(process));
    link.send(ToAgent::Forget { stream: COMMAND }).await;

    let process = run_on(&machine, &mut link).await;
    link.send(ToAgent::Forget { stream: COMMAND }).await;
    until("the command is gone", || gone(process)).await;
}

#[tokio::test]
async fn commands_end_with_the_agent() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let mut agent = machine.start();
    let mut link = relay.welcome().await;
    let process = run_on(&machine, &mut link).await;
    kill(Pid::from_raw(agent.id().unwrap() as i32), Signal::SIGTERM).unwrap();
    within("the end of the agent", agent.wait()).await.unwrap();
    assert!(gone(process));
}

#[tokio::test]
async fn commands_end_when_the_agent_is_killed() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let mut agent = machine.start();
    let mut link = relay.welcome().await;
    let process = run_on(&machine, &mut link).await;
    agent.start_kill().unwrap();
    within("the end of the agent", agent.wait()).await.unwrap();
    until("the command is gone", || gone(process)).await;
}

/// What the journal says that the hello named.
fn journal(link: &Connection) -> JournalId {
    match &link.hello {
        FromAgent::Hello { journal, .. } => journal.clone().expect("a journal"),
        other => panic!("{other:?}"),
    }
}

fn listed(link: &Connection) -> Vec<StreamId> {
    match &link.hello {
        FromAgent::Hello { commands, .. } => commands.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_result_that_nobody_took_outlives_the_agent() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let agent = machine.start();
    let mut link = relay.welcome().await;
    let name = journal(&link);
    run(&mut link, COMMAND, "echo kept; exit 4", 60).await;
    let first = link.message().await;
    drop(agent);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    assert_eq!((journal(&link), listed(&link)), (name, vec![COMMAND]));
    link.send(ToAgent::Collect { stream: COMMAND }).await;
    assert_eq!(link.message().await, first);
    link.send(ToAgent::Forget { stream: COMMAND }).await;
    link.send(ToAgent::Collect { stream: COMMAND }).await;
    assert!(matches!(
        link.message().await,
        FromAgent::RunFailed {
            reason: NoResult::NotKnown,
            ..
        }
    ));
    let journal = journal_of(&machine);
    let last = || {
        std::fs::read_to_string(&journal)
            .unwrap()
            .lines()
            .last()
            .map(str::to_owned)
    };
    until("nothing is noted any more", || {
        last() == Some(format!("{{\"forgotten\":{COMMAND}}}"))
    })
    .await;
}

#[tokio::test]
async fn a_command_that_ran_when_the_agent_died_does_not_run_again() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let agent = machine.start();
    relay.welcome().await;
    drop(agent);
    // What a crash leaves: that it was started, and nothing else.
    note(&journal_of(&machine), r#"{"started":8}"#);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let stream = StreamId(8);
    assert_eq!(listed(&link), [stream]);
    run(&mut link, stream, "echo again", 60).await;
    link.send(ToAgent::Collect { stream }).await;
    let answer = link.message().await;
    assert!(
        matches!(
            &answer,
            FromAgent::RunFailed {
                reason: NoResult::Lost,
                ..
            }
        ),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_command_whose_start_cannot_be_noted_does_not_run() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    std::fs::remove_file(journal_of(&machine)).unwrap();
    let mark = machine.account().home.join("mark");
    run(&mut link, COMMAND, &format!("touch {}", mark.display()), 60).await;
    let answer = link.message().await;
    assert!(
        matches!(&answer, FromAgent::RunFailed { reason: NoResult::NotRun, error, .. } if error.contains("noted")),
        "{answer:?}"
    );
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_script_ends_at_the_first_command_that_fails_and_leaves_its_output_in_a_file() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let script = "echo begun\necho problem >&2\nfalse | true\necho never";
    link.send(ToAgent::Run {
        stream: COMMAND,
        session_id: None,
        command: script.to_owned(),
        timeout_seconds: 3600,
        allow_sudo: false,
        username: "ann".into(),
        script: true,
        limits: Default::default(),
        approval: None,
    })
    .await;
    let FromAgent::Ran { stdout, status, .. } = link.message().await else {
        panic!("it did not run")
    };
    assert_eq!((stdout.as_str(), status), ("begun\nproblem\n", exited(1)));
    let log = machine.account().home.join("script.log");
    assert_eq!(std::fs::read_to_string(log).unwrap(), stdout);
}

#[tokio::test]
async fn endless_output_is_read_to_its_end_and_kept_up_to_its_bound() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    // Control characters take six times their size as JSON.
    run(
        &mut link,
        COMMAND,
        "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2",
        60,
    )
    .await;
    let answer = link.message().await;
    assert!(serde_json::to_string(&answer).unwrap().len() <= MAX_AGENT_TEXT);
    let FromAgent::Ran {
        stdout,
        stderr,
        truncated: true,
        status,
        ..
    } = answer
    else {
        panic!("not marked as truncated")
    };
    assert_eq!(
        (stdout.len(), stderr.len()),
        (MAX_COMMAND_OUTPUT / 6, MAX_COMMAND_OUTPUT / 6)
    );
    assert_eq!(status, exited(0));
}

#[tokio::test]
async fn what_a_command_leaves_running_is_not_waited_for() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let (stdout, ..) = result(&mut link, "sleep 300 & echo $!").await;
    let left = Pid::from_raw(stdout.trim().parse().unwrap());
    assert!(!gone(left));
    kill(left, Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn more_commands_than_the_bound_are_refused() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    for n in 0..=MAX_COMMANDS as u32 {
        run(&mut link, StreamId(100 + n), "exec sleep 300", 300).await;
    }
    let refused = link.message().await;
    assert!(
        matches!(&refused, FromAgent::RunFailed { error, .. } if error.contains("16 commands")),
        "{refused:?}"
    );
    for n in 0..MAX_COMMANDS as u32 {
        link.send(ToAgent::Forget {
            stream: StreamId(100 + n),
        })
        .await;
    }
    let (stdout, ..) = result(&mut link, "echo again").await;
    assert_eq!(stdout, "again\n");
}
