//! Shells and commands that are bound by control groups.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::ids::StreamId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::limits::SessionLimits;

use crate::support::relay::{INPUT, STREAM, Terminal};
use crate::support::{Connection, Machine, Relay, until};

const LIMITS: SessionLimits = SessionLimits {
    idle_minutes: 0,
    max_processes: 64,
    max_memory_mb: 128,
};

/// A tree as that of a service that was handed its groups, of plain files. The group that the agent's sessions are made in.
fn tree(machine: &Machine) -> PathBuf {
    let base = machine.system.path("sys/fs/cgroup/vsay-agent.service");
    fs::create_dir_all(base.join("agent")).unwrap();
    fs::write(base.join("cgroup.controllers"), "cpu memory pids\n").unwrap();
    fs::create_dir_all(machine.system.path("proc/self")).unwrap();
    fs::write(
        machine.system.path("proc/self/cgroup"),
        "0::/vsay-agent.service/agent\n",
    )
    .unwrap();
    base
}

fn fact(hello: &FromAgent) -> String {
    match hello {
        FromAgent::Hello { metadata, .. } => metadata["session_limits"].clone(),
        other => panic!("{other:?}"),
    }
}

async fn open(link: &mut Connection) -> Terminal {
    link.open_within(STREAM, false, LIMITS).await;
    assert_eq!(link.message().await, FromAgent::Opened { stream: STREAM });
    let (stream, input) = (STREAM, INPUT);
    link.send(ToAgent::OpenInput { stream, input }).await;
    Terminal::default()
}

async fn run(link: &mut Connection, command: &str, limits: SessionLimits) -> FromAgent {
    let stream = StreamId(9);
    link.send(ToAgent::Run {
        stream,
        session_id: None,
        command: command.to_owned(),
        timeout_seconds: 60,
        allow_sudo: false,
        username: "ann".into(),
        script: false,
        limits,
        approval: None,
    })
    .await;
    let answer = link.message().await;
    link.send(ToAgent::Forget { stream }).await;
    answer
}

#[tokio::test]
async fn a_shell_that_would_not_be_bound_although_it_was_promised_does_not_start() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let base = tree(&machine);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    assert_eq!(fact(&link.hello), "held");
    // A tree of plain files has no entrance, as a kernel's would.
    link.open_within(STREAM, false, LIMITS).await;
    let failed = link.message().await;
    assert!(
        matches!(&failed, FromAgent::OpenFailed { stream: STREAM, error } if error.contains("No such file")),
        "{failed:?}"
    );
    let group = base.join("session-0");
    assert_eq!(fs::read_to_string(group.join("pids.max")).unwrap(), "64");
    assert_eq!(fs::read_to_string(group.join("memory.max")).unwrap(), "134217728");
    // One without limits needs none.
    let answer = run(&mut link, "echo free", SessionLimits::default()).await;
    assert!(
        matches!(&answer, FromAgent::Ran { stdout, .. } if stdout == "free\n"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_machine_without_groups_opens_sessions_and_says_that_limits_do_not_hold() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    assert!(fact(&link.hello).starts_with("not held: "), "{}", fact(&link.hello));
    let mut terminal = open(&mut link).await;
    assert_eq!(terminal.run(&mut link, "echo here").await, "here");
}

/// A group of the kernel's own that this computer lets the tests have, with the controllers that bind; nothing if it lets them have
/// none.
struct Real(PathBuf);

impl Real {
    fn new() -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let _ = fs::write(root.join("cgroup.subtree_control"), "+pids +memory");
        let base = root.join(format!("vsay-test-{}", std::process::id()));
        fs::create_dir(&base).ok()?;
        let real = Self(base);
        let offered = fs::read_to_string(real.0.join("cgroup.controllers")).unwrap_or_default();
        let binds = ["pids", "memory"]
            .iter()
            .all(|name| offered.split_whitespace().any(|offered| offered == *name));
        (binds && fs::create_dir(real.0.join("agent")).is_ok()).then_some(real)
    }

    fn sessions(&self) -> usize {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("session-"))
            .count()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        for group in [self.0.join("agent"), self.0.clone()] {
            let _ = fs::remove_dir(group);
        }
    }
}

#[tokio::test]
async fn the_kernel_holds_a_session_to_its_limits_and_its_group_goes_with_it() {
    let Some(real) = Real::new() else {
        return eprintln!("this computer lets its tests have no control groups: not tested");
    };
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    for folder in ["proc", "sys"] {
        std::os::unix::fs::symlink(Path::new("/").join(folder), machine.system.path(folder)).unwrap();
    }
    let words = machine.start_words();
    let entrance = real.0.join("agent/cgroup.procs");
    let script = format!("echo 0 >{} && exec \"$@\"", entrance.display());
    let program = crate::support::program();
    let mut agent = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(program.as_std().get_program())
        .args(words)
        .spawn()
        .unwrap();
    let mut link = relay.welcome().await;
    assert_eq!(fact(&link.hello), "held");
    let mut terminal = open(&mut link).await;
    let group = terminal.run(&mut link, "cat /proc/self/cgroup | grep ^0::").await;
    assert!(group.contains("/session-"), "{group}");
    let forks = "for i in $(seq 100); do sleep 60 & done 2>&1 | grep -c -i 'resource\\|fork'";
    assert_ne!(
        terminal.run(&mut link, forks).await,
        "0",
        "a hundred processes are more than 64"
    );
    let answer = run(&mut link, "head -c 512M /dev/zero | tail | wc -c", LIMITS).await;
    assert!(
        matches!(&answer, FromAgent::Ran { stdout, .. } if stdout.trim() != "536870912"),
        "{answer:?}"
    );
    terminal.type_text(&mut link, "\u{3}\rkill -9 $(jobs -p) $$\r").await;
    until("the groups are gone", || real.sessions() == 0).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[tokio::test]
async fn a_group_in_which_something_lives_on_is_nobody_elses() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let base = tree(&machine);
    let taken = base.join("session-0");
    fs::create_dir(&taken).unwrap();
    // As a process would, this keeps it from being removed.
    fs::write(taken.join("pids.max"), "7").unwrap();
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    link.open_within(STREAM, false, LIMITS).await;
    assert!(matches!(link.message().await, FromAgent::OpenFailed { .. }));
    assert_eq!(fs::read_to_string(taken.join("pids.max")).unwrap(), "7");
    assert!(base.join("session-1").exists());
}
