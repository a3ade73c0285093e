//! What a shell begins with: `docs/shells.md`, row by row.
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use protocol::ids::StreamId;
use protocol::terminal::agent::{FromAgent, ToAgent};

use crate::support::pam::Pam;
use crate::support::relay::{STREAM, Terminal};
use crate::support::{Connection, Machine, Relay, system, until};

/// A program that anybody has and that is no shell: it reads no file, and stays as it was started.
const CAT: &str = "/bin/cat";

/// A process as the kernel shows it.
struct Process(Pid);

impl Process {
    /// Opens a shell and finds its process.
    async fn of_shell(machine: &Machine, link: &mut Connection) -> (Self, Terminal) {
        let terminal = link.open_shell().await;
        let home = format!("HOME={}", machine.account().home.display());
        let found = || {
            let entries = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok());
            let mut processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            processes.find(|pid| {
                let process = Process(Pid::from_raw(*pid));
                process.words("cmdline").first().is_some_and(|name| name == "-cat")
                    && process.words("environ").contains(&home)
            })
        };
        until("the shell runs", || found().is_some()).await;
        (Self(Pid::from_raw(found().unwrap())), terminal)
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0)
    }

    fn words(&self, file: &str) -> Vec<String> {
        let bytes = fs::read(self.file(file)).unwrap_or_default();
        let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        let words = self.words("environ");
        words
            .iter()
            .find_map(|word| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    }

    fn status(&self, field: &str) -> String {
        let status = fs::read_to_string(self.file("status")).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {field}: {status}")).trim().to_owned()
    }

    /// Signals of a mask, without 32 and 33: those are the C library's own, and nobody can set them.
    fn signals(&self, field: &str) -> u64 {
        u64::from_str_radix(&self.status(field), 16).unwrap() & !(0b11 << 31)
    }

    /// A field of `stat`, by its number in `proc(5)`.
    fn stat(&self, field: usize) -> i64 {
        let stat = fs::read_to_string(self.file("stat")).unwrap();
        let (_, behind) = stat.rsplit_once(')').unwrap();
        behind.split_whitespace().nth(field - 3).unwrap().parse().unwrap()
    }
}

async fn machine_with_cat(relay: &Relay) -> Machine {
    let machine = Machine::enrolled_with(relay);
    system::set_shell(&machine.system, Path::new(CAT));
    machine
}

#[tokio::test]
async fn a_shell_begins_as_one_that_sshd_starts() {
    let relay = Relay::start().await;
    let machine = machine_with_cat(&relay).await;
    begins_as_with_sshd(&relay, &machine).await;
}

#[tokio::test]
async fn a_shell_within_a_session_of_pam_begins_as_any_other() {
    let relay = Relay::start().await;
    let machine = machine_with_cat(&relay).await;
    if let Some(pam) = Pam::on(&machine, &["account required pam_permit.so", Pam::RECORD]) {
        begins_as_with_sshd(&relay, &machine).await;
        assert!(pam.record()[0].starts_with("open_session "), "{:?}", pam.record());
    }
}

async fn begins_as_with_sshd(relay: &Relay, machine: &Machine) {
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let (shell, _terminal) = Process::of_shell(machine, &mut link).await;
    let account = machine.account();

    // Who it is.
    let (uid, gid) = (account.uid.to_string(), account.gid.to_string());
    assert_eq!(
        shell.status("Uid").split_whitespace().collect::<Vec<_>>(),
        vec![uid.as_str(); 4]
    );
    assert_eq!(
        shell.status("Gid").split_whitespace().collect::<Vec<_>>(),
        vec![gid.as_str(); 4]
    );
    if nix::unistd::Uid::effective().is_root() {
        assert_eq!(shell.status("Groups"), gid);
    }
    // What it knows.
    let mut names: Vec<_> = shell
        .words("environ")
        .iter()
        .map(|word| word.split('=').next().unwrap().to_owned())
        .collect();
    names.retain(|name| name != "TZ");
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "COLORTERM",
            "HOME",
            "LANG",
            "LOGNAME",
            "MAIL",
            "PATH",
            "SHELL",
            "TERM",
            "USER"
        ]
    );
    for (name, value) in [
        ("LOGNAME", account.name.as_str()),
        ("MAIL", &format!("/var/mail/{}", account.name)),
        ("SHELL", CAT),
        ("TERM", "xterm-256color"),
        ("USER", account.name.as_str()),
    ] {
        assert_eq!(shell.variable(name).as_deref(), Some(value), "{name}");
    }
    // Where it is, and what it may.
    assert_eq!(fs::read_link(shell.file("cwd")).unwrap(), account.home);
    assert_eq!(shell.status("Umask"), "0022");
    // No signal is ignored or held back.
    assert_eq!(
        (
            shell.signals("SigIgn"),
            shell.signals("SigBlk"),
            shell.signals("SigCgt")
        ),
        (0, 0, 0)
    );
    // It leads a session on a terminal of its own, and has nothing else open.
    let terminal = fs::read_link(shell.file("fd/0")).unwrap();
    assert!(terminal.starts_with("/dev/pts"), "{terminal:?}");
    let pid = i64::from(shell.0.as_raw());
    let device = fs::metadata(&terminal).unwrap();
    assert_eq!(
        (shell.stat(5), shell.stat(6), shell.stat(8)),
        (pid, pid, pid),
        "group, session, foreground"
    );
    assert_eq!(
        shell.stat(7),
        i64::try_from(device.rdev()).unwrap(),
        "controlling terminal"
    );
    // A program that has only just begun has files of its own open, such as its language's.
    let only_terminal = || {
        let mut files = fs::read_dir(shell.file("fd")).unwrap();
        files.all(|file| fs::read_link(file.unwrap().path()).is_ok_and(|target| target == terminal))
    };
    until("nothing but its terminal is open", only_terminal).await;
    assert_eq!(device.uid(), account.uid.as_raw());
    if nix::unistd::Uid::effective().is_root() {
        assert_eq!((device.gid(), device.mode() & 0o777), (5, 0o620));
    }
}

#[tokio::test]
async fn backspace_takes_a_whole_character_in_a_program_that_reads_lines() {
    let relay = Relay::start().await;
    let machine = machine_with_cat(&relay).await;
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let (_shell, mut terminal) = Process::of_shell(&machine, &mut link).await;
    terminal.type_text(&mut link, "é日\u{7f}\u{7f}a\r").await;
    // The echo ends the line, and then the program repeats what it read.
    terminal.wait_for(&mut link, "a\r\na\r\n").await;
}

#[tokio::test]
async fn a_shell_on_no_list_restricts_whom_it_restricts_and_a_missing_one_is_no_reason_for_another() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let limited = machine.directory.path().join("limited");
    system::program(
        &limited,
        "#!/bin/sh\necho limited to \"$#\" \"$2\"\n[ $# = 0 ] && exec cat\nexit 3\n",
    );
    system::set_shell(&machine.system, &limited);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    terminal.wait_for(&mut link, "limited to 0").await;
    link.send(ToAgent::Run {
        stream: StreamId(9),
        session_id: Some("session_1".parse().unwrap()),
        command: "echo free".into(),
        timeout_seconds: 60,
        allow_sudo: false,
        username: "ann".into(),
        script: false,
        limits: Default::default(),
        approval: None,
    })
    .await;
    match terminal.wait_for_message(&mut link).await {
        FromAgent::Ran { stdout, status, .. } => {
            assert_eq!((stdout.as_str(), status.code), ("limited to 2 echo free\n", Some(3)));
        }
        other => panic!("{other:?}"),
    }
    fs::remove_file(&limited).unwrap();
    link.open(StreamId(10), false).await;
    match terminal.wait_for_message(&mut link).await {
        FromAgent::OpenFailed { error, .. } => {
            assert!(error.contains("limited") && error.contains("does not exist"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_an_administrator_has_set_for_logins_holds_for_shells_and_commands() {
    let relay = Relay::start().await;
    let machine = machine_with_cat(&relay).await;
    let environment = "FIELD_SETTING=\"from etc\"\nPATH=\"/opt/tools/bin:/usr/bin:/bin\"\n";
    fs::write(machine.system.path("etc/environment"), environment).unwrap();
    fs::write(machine.system.path("etc/login.defs"), "UMASK 027\n").unwrap();
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let (shell, mut terminal) = Process::of_shell(&machine, &mut link).await;
    assert_eq!(shell.variable("FIELD_SETTING").as_deref(), Some("from etc"));
    assert_eq!(shell.variable("PATH").as_deref(), Some("/opt/tools/bin:/usr/bin:/bin"));
    assert_eq!(shell.status("Umask"), "0027");
    system::set_shell(&machine.system, &machine.system.path("bin/sh"));
    link.send(ToAgent::Run {
        stream: StreamId(9),
        session_id: Some("session_1".parse().unwrap()),
        command: "echo \"$FIELD_SETTING $PATH\"; umask".into(),
        timeout_seconds: 60,
        allow_sudo: false,
        username: "ann".into(),
        script: false,
        limits: Default::default(),
        approval: None,
    })
    .await;
    match terminal.wait_for_message(&mut link).await {
        FromAgent::Ran { stdout, .. } => assert_eq!(stdout, "from etc /opt/tools/bin:/usr/bin:/bin\n0027\n"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_home_that_cannot_be_entered_is_said_and_no_reason_to_stay_out() {
    let relay = Relay::start().await;
    let machine = machine_with_cat(&relay).await;
    fs::remove_dir(machine.system.path("home")).unwrap();
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let (shell, mut terminal) = Process::of_shell(&machine, &mut link).await;
    let words = format!("home directory {}; starting in /\r\n", machine.account().home.display());
    terminal.wait_for(&mut link, &words).await;
    assert_eq!(fs::read_link(shell.file("cwd")).unwrap(), Path::new("/"));
}

#[tokio::test]
async fn a_shell_is_on_record_as_long_as_it_runs() {
    let relay = Relay::start().await;
    let machine = machine_with_cat(&relay).await;
    for file in ["var/run/utmp", "var/log/wtmp"] {
        let path = machine.system.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let who = || {
        let utmp = machine.system.path("var/run/utmp");
        let output = std::process::Command::new("who")
            .arg(utmp)
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let (shell, mut terminal) = Process::of_shell(&machine, &mut link).await;
    let name = machine.account().name;
    until("the shell is on record", || !who().is_empty()).await;
    let line = who();
    assert!(
        line.starts_with(&name) && line.contains("pts/") && line.contains("(vsay:ann)"),
        "{line}"
    );
    kill(shell.0, Signal::SIGHUP).unwrap();
    assert!(matches!(
        terminal.wait_for_message(&mut link).await,
        FromAgent::Exited { stream: STREAM, .. }
    ));
    assert_eq!(who(), "");
    // Its beginning and its end.
    let wtmp = fs::metadata(machine.system.path("var/log/wtmp")).unwrap().len();
    let utmp = fs::metadata(machine.system.path("var/run/utmp")).unwrap().len();
    assert_eq!(wtmp, 2 * utmp);
}
