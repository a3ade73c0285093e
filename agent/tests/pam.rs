//! Sessions of PAM around shells and commands, by the real helper and the computer's own modules.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use protocol::ids::StreamId;
use protocol::terminal::ExitStatus;
use protocol::terminal::agent::{FromAgent, ToAgent};
use tokio::io::AsyncReadExt;

use crate::support::pam::Pam;
use crate::support::relay::{STREAM, Terminal};
use crate::support::{Connection, Machine, Relay, program, shell_account, system, until, within};

const PERMIT: &str = "account required pam_permit.so";

/// How [`Pam::record`] shows a session on a terminal.
fn on_record(kind: &str, terminal: &str) -> String {
    format!("{kind} vsay-agent {} {terminal} ann 127.0.0.1", shell_account().name)
}

async fn answer(terminal: &mut Terminal, link: &mut Connection, command: &str, timeout_seconds: u32) -> FromAgent {
    link.send(ToAgent::Run {
        stream: StreamId(9),
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
    let answer = terminal.wait_for_message(link).await;
    link.send(ToAgent::Forget { stream: StreamId(9) }).await;
    answer
}

async fn exited(terminal: &mut Terminal, link: &mut Connection) -> ExitStatus {
    match terminal.wait_for_message(link).await {
        FromAgent::Exited {
            stream: STREAM, status, ..
        } => status,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn modules_say_what_a_shell_begins_with_and_a_session_is_around_it() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let lines = [
        PERMIT,
        "session required pam_env.so readenv=0 conffile={}/pam_env.conf",
        "session required pam_limits.so conf={}/limits.conf",
        "session required pam_umask.so umask=0027",
        "session optional pam_echo.so Welcome to the %s of %u",
        Pam::RECORD,
    ];
    let Some(pam) = Pam::on(&machine, &lines) else { return };
    let folder = machine.directory.path();
    fs::write(
        folder.join("pam_env.conf"),
        "FIELD DEFAULT=from-pam\nTERM DEFAULT=dumb\n",
    )
    .unwrap();
    fs::write(folder.join("limits.conf"), "* soft nofile 321\n* hard nofile 432\n").unwrap();
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let file = terminal.run(&mut link, "tty").await;
    let welcome = format!("Welcome to the vsay-agent of {}\r\n", shell_account().name);
    assert!(terminal.text().starts_with(&welcome), "{:?}", terminal.text());
    // PAM's variables are the stronger ones, as with sshd.
    assert_eq!(terminal.run(&mut link, "echo $FIELD $TERM").await, "from-pam dumb");
    assert_eq!(
        terminal.run(&mut link, "ulimit -S -n; ulimit -H -n").await,
        "321\r\n432"
    );
    assert_eq!(terminal.run(&mut link, "umask").await, "0027");
    assert_eq!(pam.record(), [on_record("open_session", &file)]);
    // The helper is the shell's parent, and has let go of the terminal: nothing that is typed or shown passes it.
    let helper = terminal.run(&mut link, "echo $PPID").await;
    let name = fs::read_to_string(format!("/proc/{helper}/comm")).unwrap();
    assert_eq!(name.trim(), "vsay-pam");
    for open in fs::read_dir(format!("/proc/{helper}/fd")).unwrap() {
        let open = fs::read_link(open.unwrap().path()).unwrap();
        assert!(!open.starts_with("/dev/pts"), "the helper holds {open:?}");
    }
    terminal.type_text(&mut link, "exit 7\r").await;
    assert_eq!(exited(&mut terminal, &mut link).await.code, Some(7));
    let both = [on_record("open_session", &file), on_record("close_session", &file)];
    assert_eq!(pam.record(), both);
}

#[tokio::test]
async fn a_shell_that_a_signal_ends_has_ended_by_that_signal() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let Some(pam) = Pam::on(&machine, &[PERMIT, Pam::RECORD]) else {
        return;
    };
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let shell: i32 = terminal.run(&mut link, "echo $$").await.parse().unwrap();
    kill(Pid::from_raw(shell), Signal::SIGKILL).unwrap();
    let status = exited(&mut terminal, &mut link).await;
    assert_eq!((status.code, status.signal.as_deref()), (None, Some("SIGKILL")));
    assert_eq!(pam.record().len(), 2);
}

#[tokio::test]
async fn who_is_refused_by_pam_reads_its_words() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let lines = [
        "account required pam_echo.so closed for the night",
        "account requisite pam_deny.so",
        Pam::RECORD,
    ];
    let Some(pam) = Pam::on(&machine, &lines) else { return };
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    link.open(STREAM, false).await;
    let mut terminal = Terminal::default();
    let mut told = vec![terminal.wait_for_message(&mut link).await];
    told.push(answer(&mut terminal, &mut link, "echo in", 60).await);
    for told in told {
        match told {
            FromAgent::OpenFailed { error, .. } | FromAgent::RunFailed { error, .. } => {
                assert!(
                    error.contains("closed for the night (Authentication failure)"),
                    "{error}"
                );
                assert!(error.contains("service vsay-agent"), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pam.record(), [""; 0]);
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_keeps_people_out() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let lines = [PERMIT, "session requisite pam_deny.so", Pam::RECORD];
    let Some(pam) = Pam::on(&machine, &lines) else { return };
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    link.open(STREAM, false).await;
    match Terminal::default().wait_for_message(&mut link).await {
        FromAgent::OpenFailed { error, .. } => assert!(error.contains("no session: "), "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(pam.record(), [""; 0]);
}

/// The agent as the service runs that gives privileges up, with these of root's rights.
fn confined(machine: &Machine, rights: &str) -> tokio::process::Command {
    let rights = format!("--bounding-set=-all,{rights}");
    let mut command = tokio::process::Command::new("setpriv");
    command
        .args(["--no-new-privs", &rights, "--inh-caps=-all", "--"])
        .arg(program().as_std().get_program())
        .args(machine.start_words())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

#[tokio::test]
async fn under_a_service_that_gave_rights_up_a_session_that_cannot_be_opened_is_said() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let lines = [PERMIT, "session requisite pam_deny.so", Pam::RECORD];
    let Some(pam) = Pam::on(&machine, &lines) else { return };
    let rights = "+setuid,+setgid,+chown,+kill,+audit_write,+dac_read_search";
    let _agent = confined(&machine, rights).spawn().unwrap();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    assert_eq!(terminal.run(&mut link, "echo in").await, "in");
    let words = "PAM could not open a session for this shell: ";
    assert!(terminal.text().starts_with(words), "{:?}", terminal.text());
    terminal.type_text(&mut link, "exit\r").await;
    exited(&mut terminal, &mut link).await;
    // What was not opened is not closed.
    assert_eq!(pam.record(), [""; 0]);
}

#[tokio::test]
async fn a_service_that_was_made_before_the_helper_came_leaves_pam_alone() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let Some(pam) = Pam::on(&machine, &["account required pam_deny.so", Pam::RECORD]) else {
        return;
    };
    let mut command = confined(&machine, "+setuid,+setgid,+chown,+kill");
    let mut agent = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    assert_eq!(terminal.run(&mut link, "echo in").await, "in");
    assert_eq!(pam.record(), [""; 0]);
    kill(Pid::from_raw(agent.id().unwrap() as i32), Signal::SIGTERM).unwrap();
    let mut log = String::new();
    let mut stderr = agent.stderr.take().unwrap();
    within("its log ends", stderr.read_to_string(&mut log)).await.unwrap();
    assert!(log.contains("run `vsay-agent configure` again"), "{log}");
}

#[tokio::test]
async fn a_session_is_closed_when_somebody_ends_the_shell_and_when_the_shell_has_to_be_killed() {
    for script in ["", "trap '' HUP; "] {
        let relay = Relay::start().await;
        let machine = Machine::enrolled_with(&relay);
        let Some(pam) = Pam::on(&machine, &[PERMIT, Pam::RECORD]) else {
            return;
        };
        let _agent = machine.start();
        let mut link = relay.welcome().await;
        let mut terminal = link.open_shell().await;
        let shell: i32 = terminal
            .run(&mut link, &format!("{script}echo $$"))
            .await
            .parse()
            .unwrap();
        terminal.type_text(&mut link, "sleep 4322\r").await;
        terminal.wait_for(&mut link, "sleep 4322\r\n").await;
        link.send(ToAgent::Close { stream: STREAM }).await;
        exited(&mut terminal, &mut link).await;
        assert!(kill(Pid::from_raw(shell), None).is_err(), "the shell still runs");
        assert_eq!(pam.record().len(), 2, "{:?}", pam.record());
    }
}

#[tokio::test]
async fn a_session_is_closed_although_the_agent_was_killed() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let Some(pam) = Pam::on(&machine, &[PERMIT, Pam::RECORD]) else {
        return;
    };
    let mut agent = program().args(machine.start_words()).spawn().unwrap();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let file = terminal.run(&mut link, "tty").await;
    assert_eq!(pam.record(), [on_record("open_session", &file)]);
    agent.kill().await.unwrap();
    until("the session is closed", || pam.record().len() == 2).await;
    assert_eq!(pam.record()[1], on_record("close_session", &file));
}

#[tokio::test]
async fn a_command_has_a_session_of_its_own_and_nothing_but_its_own_output() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let lines = [PERMIT, "session optional pam_echo.so welcome", Pam::RECORD];
    let Some(pam) = Pam::on(&machine, &lines) else { return };
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = Terminal::default();
    match answer(&mut terminal, &mut link, "id -un; exit 5", 60).await {
        FromAgent::Ran {
            stdout, stderr, status, ..
        } => {
            let user = format!("{}\n", shell_account().name);
            assert_eq!((stdout, stderr, status.code), (user, String::new(), Some(5)));
        }
        other => panic!("{other:?}"),
    }
    let both = ["open_session", "close_session"].map(|kind| on_record(kind, "ssh"));
    assert_eq!(pam.record(), both);
    // One whose time is up takes with it what it has started, and leaves its session in order.
    let sleeper = machine.account().home.join("sleeper");
    let script = format!("setsid sleep 4323 & echo $! >{}; wait", sleeper.display());
    match answer(&mut terminal, &mut link, &script, 1).await {
        FromAgent::Ran { timed_out, .. } => assert!(timed_out),
        other => panic!("{other:?}"),
    }
    let sleeper: i32 = fs::read_to_string(&sleeper).unwrap().trim().parse().unwrap();
    until("what it started is gone", || {
        kill(Pid::from_raw(sleeper), None).is_err()
    })
    .await;
    assert_eq!(pam.record().len(), 4, "{:?}", pam.record());
}

#[tokio::test]
async fn a_shell_that_cannot_be_run_is_named_and_its_session_closed() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let Some(pam) = Pam::on(&machine, &[PERMIT, Pam::RECORD]) else {
        return;
    };
    let broken = machine.directory.path().join("broken");
    system::program(&broken, "#!/no/such/interpreter\n");
    system::set_shell(&machine.system, &broken);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    link.open(STREAM, false).await;
    match Terminal::default().wait_for_message(&mut link).await {
        FromAgent::OpenFailed { error, .. } => {
            assert!(
                error.contains(broken.to_str().unwrap()) && error.contains("No such file"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
    until("the session is closed", || pam.record().len() == 2).await;
}

#[tokio::test]
async fn a_home_that_hushes_its_shells_is_greeted_by_nobody() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let lines = [PERMIT, "session optional pam_echo.so welcome"];
    let Some(_pam) = Pam::on(&machine, &lines) else { return };
    fs::write(machine.account().home.join(".hushlogin"), "").unwrap();
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    assert_eq!(terminal.run(&mut link, "echo in").await, "in");
    assert!(!terminal.text().contains("welcome"), "{:?}", terminal.text());
}

#[tokio::test]
async fn the_helper_tells_whoever_asks_that_there_is_pam() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let Some(_pam) = Pam::on(&machine, &[PERMIT]) else {
        return;
    };
    let mut command = Command::new(machine.system.path("usr/libexec/vsay/vsay-pam"));
    let output = command.arg("check").stdin(Stdio::null()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[tokio::test]
async fn the_helper_serves_nobody_but_the_agent() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let Some(_pam) = Pam::on(&machine, &[PERMIT]) else {
        return;
    };
    let helper = machine.directory.path().join("helper");
    fs::copy(machine.system.path("usr/libexec/vsay/vsay-pam"), &helper).unwrap();
    let said = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(&mut Command::new(&helper)).contains("is started by vsay-agent"));
    // As somebody else, whatever bits an administrator has set.
    let account = shell_account();
    for mode in [0o755, 0o4755] {
        fs::set_permissions(&helper, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = Command::new(&helper);
        command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        let said = said(&mut command);
        assert!(said.contains("only root may run this"), "{said}");
    }
}
