//! The program where it is not well: started in odd ways, its log gone, orphans about it.
use std::fs::{self, File, Permissions};
use std::io::pipe;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::kill;
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use protocol::ids::StreamId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use tokio::process::Command;

use crate::support::relay::{STREAM, Terminal};
use crate::support::{Connection, Machine, Relay, program, until, within};

/// The program, started by a shell that has done something before.
fn after(script: &str, machine: &Machine) -> Command {
    let program = program();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &format!("{script}; exec \"$@\""), "sh"])
        .arg(program.as_std().get_program())
        .args(machine.start_words())
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    shell
}

#[tokio::test]
async fn shells_and_commands_ignore_no_signal_that_the_agent_was_started_to_ignore() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = after("trap '' HUP INT QUIT TERM USR1 PIPE; ulimit -S -n 100", &machine)
        .spawn()
        .unwrap();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    // Signals 32 and 33 are the C library's own: nobody can set them.
    let ours = |line: &str| {
        let (_, mask) = line.trim().split_once(':').expect("a name and a mask");
        u64::from_str_radix(mask.trim(), 16).expect("hex digits") & !(0b11 << 31)
    };
    let look = "sh -c \"grep -E 'Sig(Ign|Blk)' /proc/self/status\"";
    let signals = terminal.run(&mut link, look).await;
    assert_eq!(signals.lines().map(ours).collect::<Vec<_>>(), [0, 0], "{signals}");
    // Nor has a shell the limit that the agent has raised for itself.
    assert_eq!(terminal.run(&mut link, "ulimit -S -n").await, "100");
    terminal
        .type_text(&mut link, "sleep 4321; echo \"ended by $?\"\r")
        .await;
    terminal.wait_for(&mut link, "\r\n").await;
    let sleeps = || {
        let entries = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
        entries.into_iter().any(|words| words == b"sleep\x004321\0")
    };
    until("the program runs", sleeps).await;
    terminal.type_text(&mut link, "\x1c").await;
    terminal.wait_for(&mut link, "ended by 131\r\n").await;
    let command = answer(&mut terminal, &mut link, look).await;
    assert_eq!(command.lines().map(ours).collect::<Vec<_>>(), [0, 0], "{command}");
}

async fn answer(terminal: &mut Terminal, link: &mut Connection, command: &str) -> String {
    link.send(ToAgent::Run {
        stream: StreamId(9),
        session_id: Some("session_1".parse().unwrap()),
        command: command.to_owned(),
        timeout_seconds: 60,
        allow_sudo: false,
        username: "ann".into(),
        script: false,
        limits: Default::default(),
        approval: None,
    })
    .await;
    match terminal.wait_for_message(link).await {
        FromAgent::Ran { stdout, .. } => stdout,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_written_costs_no_shell() {
    let (reader, gone) = pipe().unwrap();
    drop(reader);
    let (_reader, full) = pipe().unwrap();
    let outputs = [
        Stdio::from(gone),
        File::options().write(true).open("/dev/full").unwrap().into(),
        full.into(),
    ];
    for output in outputs {
        let relay = Relay::start().await;
        let mut machine = Machine::enrolled_with(&relay);
        machine.config.logging.level = "trace".into();
        let mut agent = program().args(machine.start_words()).stderr(output).spawn().unwrap();
        let mut link = relay.welcome().await;
        let mut terminal = link.open_shell().await;
        // Each of these is a line in the log; a pipe that nobody reads is soon full.
        for _ in 0..2000 {
            link.send(ToAgent::Resize {
                stream: StreamId(77),
                size: Default::default(),
            })
            .await;
        }
        assert_eq!(terminal.run(&mut link, "echo one").await, "one");
        assert_eq!(answer(&mut terminal, &mut link, "echo command").await, "command\n");
        assert_eq!(terminal.run(&mut link, "echo two").await, "two");
        assert_eq!(agent.try_wait().unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_printed_for_nobody_is_no_crash() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    for words in [
        vec!["version"],
        vec!["show-config"],
        vec!["validate"],
        vec!["start", "--config", "/no/such/file"],
    ] {
        let (reader, gone) = pipe().unwrap();
        drop(reader);
        let mut command = program();
        command.args(&words).stdout(gone.try_clone().unwrap()).stderr(gone);
        if ["show-config", "validate"].contains(&words[0]) {
            command.arg("--config").arg(machine.config_file());
        }
        let status = within("it ends", command.status()).await.unwrap();
        assert_eq!(status.code(), Some(i32::from(words[0] == "start")), "{words:?}");
    }
    // A full disk is no reader who has read enough.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ending = program()
        .arg("version")
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = within("it ends", ending.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("cannot print"),
        "{output:?}"
    );
}

fn parent(process: Pid) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn read_pid(file: &Path) -> Option<Pid> {
    fs::read_to_string(file).ok()?.trim().parse().ok().map(Pid::from_raw)
}

#[tokio::test]
async fn orphans_come_to_the_agent_and_are_waited_for_and_its_own_children_are_not() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let agent = program().args(machine.start_words()).spawn().unwrap();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let home = machine.account().home;
    let (file, fifo) = (home.join("orphan"), home.join("fifo"));
    mkfifo(&fifo, Mode::from_bits_truncate(0o666)).unwrap();
    fs::set_permissions(&fifo, Permissions::from_mode(0o666)).unwrap();
    for _ in 0..3 {
        let script = format!(
            "(setsid sh -c 'echo $$ > {}; read go < {}' &)",
            file.display(),
            fifo.display()
        );
        terminal.run(&mut link, &script).await;
        until("the orphan says who it is", || read_pid(&file).is_some()).await;
        let orphan = read_pid(&file).unwrap();
        until("the orphan is the agent's", || parent(orphan) == agent.id()).await;
        fs::write(&fifo, "go\n").unwrap();
        until("the orphan is gone, and reaped", || kill(orphan, None).is_err()).await;
        fs::remove_file(&file).unwrap();
        // Who started a process hears how it ended.
        assert_eq!(answer(&mut terminal, &mut link, "exit 7").await, "");
        link.send(ToAgent::Forget { stream: StreamId(9) }).await;
    }
    terminal.type_text(&mut link, "exit 7\r").await;
    match terminal.wait_for_message(&mut link).await {
        FromAgent::Exited {
            stream: STREAM, status, ..
        } => assert_eq!(status.code, Some(7)),
        other => panic!("{other:?}"),
    }
}
