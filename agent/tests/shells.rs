//! Real shells on real terminals.
use nix::sys::signal::kill;
use nix::unistd::{Pid, Uid};
use protocol::ids::StreamId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::{ExitStatus, Size};

use crate::support::relay::STREAM;
use crate::support::{Machine, Relay, shell_account, until};

#[tokio::test]
async fn a_session_without_sudo_can_gain_no_privilege() {
    let relay = Relay::start().await;
    let mut machine = Machine::enrolled_with(&relay);
    machine.config.permissions.allow_sudo = true;
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let no_new_privileges = "grep NoNewPrivs /proc/self/status | tr -d '\\t'";
    assert_eq!(terminal.run(&mut link, no_new_privileges).await, "NoNewPrivs:1");
    // Nor what root left it.
    let capabilities = terminal
        .run(&mut link, "grep -E 'Cap(Prm|Eff|Amb)' /proc/self/status | tr -d '\\t'")
        .await;
    assert!(
        capabilities.lines().all(|line| line.ends_with(":0000000000000000")),
        "{capabilities}"
    );
}

#[tokio::test]
async fn sudo_is_for_sessions_that_may_on_machines_that_may() {
    let own_privileges = std::fs::read_to_string("/proc/self/status").unwrap();
    let inherited = own_privileges.contains("NoNewPrivs:\t1");
    for machine_may in [false, true] {
        let relay = Relay::start().await;
        let mut machine = Machine::enrolled_with(&relay);
        machine.config.permissions.allow_sudo = machine_may;
        let _agent = machine.start();
        let mut link = relay.welcome().await;
        let mut terminal = link.open_shell_that(true).await;
        let status = terminal
            .run(&mut link, "grep NoNewPrivs /proc/self/status | tr -d '\\t'")
            .await;
        assert_eq!(status, format!("NoNewPrivs:{}", u8::from(!machine_may || inherited)));
    }
}

/// A program as `sudo` is: root's, with the bit by which whoever runs it is root. It says who that is.
fn setuid(machine: &Machine) -> Option<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let program = machine.directory.path().join("who-is-this");
    std::fs::copy("/usr/bin/id", &program).ok()?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o4755)).ok()?;
    // Not where files may not give anybody rights.
    let folder = nix::sys::statvfs::statvfs(&program).ok()?;
    let may = !folder.flags().contains(nix::sys::statvfs::FsFlags::ST_NOSUID);
    let inherited = std::fs::read_to_string("/proc/self/status").ok()?;
    (may && Uid::effective().is_root() && !inherited.contains("NoNewPrivs:\t1")).then_some(program)
}

#[tokio::test]
async fn a_program_that_makes_root_of_people_does_so_in_sessions_that_may_only() {
    for may in [false, true] {
        let relay = Relay::start().await;
        let mut machine = Machine::enrolled_with(&relay);
        machine.config.permissions.allow_sudo = true;
        let Some(program) = setuid(&machine) else {
            return eprintln!("needs root, and a file system where programs may give rights");
        };
        let _agent = machine.start();
        let mut link = relay.welcome().await;
        let mut terminal = link.open_shell_that(may).await;
        let who = terminal.run(&mut link, &format!("{} -u", program.display())).await;
        let account = machine.account().uid.to_string();
        assert_eq!(who, if may { "0" } else { account.as_str() }, "{may}");
        // A command goes by the same rule.
        link.send(ToAgent::Run {
            stream: StreamId(9),
            session_id: None,
            command: format!("{} -u", program.display()),
            timeout_seconds: 60,
            allow_sudo: may,
            username: "ann".into(),
            script: false,
            limits: Default::default(),
            approval: None,
        })
        .await;
        let FromAgent::Ran { stdout, .. } = terminal.wait_for_message(&mut link).await else {
            panic!("it did not run")
        };
        assert_eq!(stdout.trim(), who);
    }
}

#[tokio::test]
async fn a_session_without_sudo_is_refused_where_shells_are_roots() {
    if !Uid::effective().is_root() {
        return eprintln!("needs root");
    }
    let relay = Relay::start().await;
    let mut machine = Machine::enrolled_with(&relay);
    machine.config.linux_user.username = "root".into();
    machine.config.permissions.allow_sudo = true;
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    link.open(STREAM, false).await;
    match link.message().await {
        FromAgent::OpenFailed { stream: STREAM, error } => assert!(error.contains("root"), "{error}"),
        other => panic!("{other:?}"),
    }
    // The same stream can be opened by somebody who may.
    link.open(STREAM, true).await;
    assert_eq!(link.message().await, FromAgent::Opened { stream: STREAM });
}

#[tokio::test]
async fn the_terminal_has_the_size_it_was_given_last() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    assert_eq!(terminal.run(&mut link, "stty size").await, "24 80");
    link.send(ToAgent::Resize {
        stream: STREAM,
        size: Size { cols: 132, rows: 50 },
    })
    .await;
    assert_eq!(terminal.run(&mut link, "stty size").await, "50 132");
    link.send(ToAgent::Report).await;
    let FromAgent::Report { streams, .. } = terminal.wait_for_message(&mut link).await else {
        panic!()
    };
    assert_eq!(streams[0].size, Size { cols: 132, rows: 50 });
}

#[tokio::test]
async fn an_exit_comes_after_everything_the_shell_wrote() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    for (command, status) in [
        (
            "seq 1 20000; exit 7",
            ExitStatus {
                code: Some(7),
                signal: None,
                reason: None,
            },
        ),
        (
            "seq 1 20000; kill -KILL $$",
            ExitStatus {
                code: None,
                signal: Some("SIGKILL".into()),
                reason: None,
            },
        ),
    ] {
        let mut terminal = link.open_shell().await;
        terminal.type_text(&mut link, &format!("{command}\r")).await;
        let end = match terminal.wait_for_message(&mut link).await {
            FromAgent::Exited {
                stream: STREAM,
                end,
                status: told,
            } => {
                assert_eq!(told, status);
                end
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(end, terminal.output.len() as u64);
        assert!(terminal.text().contains("\r\n19999\r\n20000\r\n"));
        link.send(ToAgent::Forget { stream: STREAM }).await;
        link.send(ToAgent::Report).await;
        assert_eq!(
            link.message().await,
            FromAgent::Report {
                streams: Vec::new(),
                commands: Vec::new()
            }
        );
    }
}

#[tokio::test]
async fn closing_hangs_up_what_runs_and_kills_what_does_not_listen() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    // A process of the session that ignores the hang-up, and one in the foreground that does not.
    let stubborn = terminal
        .run(&mut link, "(trap '' HUP; exec sleep 1000) >/dev/null 2>&1 & echo $!")
        .await;
    let stubborn = stubborn
        .lines()
        .last()
        .unwrap()
        .trim()
        .parse()
        .map(Pid::from_raw)
        .unwrap();
    terminal.type_text(&mut link, "sleep 2000\r").await;
    terminal.wait_for(&mut link, "sleep 2000\r\n").await;
    link.send(ToAgent::Close { stream: STREAM }).await;
    match terminal.wait_for_message(&mut link).await {
        FromAgent::Exited {
            stream: STREAM, status, ..
        } => assert_ne!(status.code, Some(0)),
        other => panic!("{other:?}"),
    }
    until("the stubborn process is killed", || kill(stubborn, None).is_err()).await;
}

#[tokio::test]
async fn a_shell_nobody_wants_any_more_is_ended_without_being_asked() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let shell = terminal
        .run(&mut link, "echo $$")
        .await
        .parse()
        .map(Pid::from_raw)
        .unwrap();
    link.send(ToAgent::Forget { stream: STREAM }).await;
    until("the shell is gone, and reaped", || kill(shell, None).is_err()).await;
}

#[tokio::test]
async fn opening_the_same_stream_again_answers_again_and_starts_nothing() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let shell = terminal.run(&mut link, "echo $$").await;
    link.open(STREAM, false).await;
    assert_eq!(
        terminal.wait_for_message(&mut link).await,
        FromAgent::Opened { stream: STREAM }
    );
    assert_eq!(terminal.run(&mut link, "echo $$").await, shell);
}

#[tokio::test]
async fn a_shell_that_cannot_be_started_says_why() {
    let relay = Relay::start().await;
    let mut machine = Machine::enrolled_with(&relay);
    let _agent = {
        // The account is there when the agent starts, and another one is configured for shells.
        machine.config.linux_user.username = shell_account().name;
        machine.start()
    };
    let mut link = relay.welcome().await;
    for stream in 1..=protocol::limits::MAX_STREAMS as u32 {
        link.open(StreamId(stream), false).await;
    }
    link.open(StreamId(1000), false).await;
    let mut opened = 0;
    loop {
        match link.message().await {
            FromAgent::Opened { .. } => opened += 1,
            FromAgent::OpenFailed {
                stream: StreamId(1000),
                error,
            } => {
                assert!(error.contains("256 shells"), "{error}");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    while opened < protocol::limits::MAX_STREAMS {
        assert!(matches!(link.message().await, FromAgent::Opened { .. }));
        opened += 1;
    }
}
