//! A machine with an agent on it, and the relay that the agent talks to.
pub mod pam;
pub mod relay;
pub mod system;

use std::env;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::unistd::Uid;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use vsay_agent::account::Account;
use vsay_agent::config::{Agent, Config, LinuxUser, Logging, Permissions, Server, Storage};
use vsay_agent::identity::Identity;
use vsay_agent::link;
use vsay_agent::system::System;

pub use relay::{Connection, Received, Relay};

/// No condition of a test takes longer, even on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Adds a line to a journal, as an agent does.
pub fn note(journal: &Path, line: &str) {
    let mut file = OpenOptions::new().append(true).open(journal).unwrap();
    writeln!(file, "{line}").unwrap();
}

/// Waits for something that must happen.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: did not happen within {DEADLINE:?}"),
    }
}

/// Waits until something holds that nothing announces.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    within(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// An account of this system that shells may run as: an ordinary one, even when the tests run as root.
pub fn shell_account() -> Account {
    if Uid::effective().is_root() {
        Account::find("nobody").unwrap()
    } else {
        Account::current().unwrap()
    }
}

/// A program that is tested in place of the one that Cargo has built, by its whole path: `scripts/test.sh` names the one that
/// others install.
const GIVEN: &str = "VSAY_AGENT_BIN";

/// Where the agent's program is, if not where Cargo has put it.
pub fn given_program() -> Option<PathBuf> {
    env::var_os(GIVEN).map(PathBuf::from)
}

/// The program as people and service managers run it, without what the environment of the tests may say to it.
pub fn program() -> Command {
    let program = given_program().unwrap_or_else(|| env!("CARGO_BIN_EXE_vsay-agent").into());
    let mut command = Command::new(program);
    command.env_remove("RUST_LOG").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A configured machine.
pub struct Machine {
    pub config: Config,
    pub identity: Identity,
    pub system: System,
    pub directory: TempDir,
}

impl Machine {
    /// A machine that was enrolled with `relay`, without sudo.
    pub fn enrolled_with(relay: &Relay) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let identity = Identity::generate().unwrap();
        let key_file = directory.path().join("agent.key");
        identity.save(&key_file).unwrap();
        let config = Config {
            agent: Agent {
                id: "0123456789ab".parse().unwrap(),
                name: "test".into(),
                metadata: Default::default(),
            },
            server: Server {
                host: relay.url(),
                api_host: None,
                key_file,
            },
            linux_user: LinuxUser {
                username: shell_account().name,
            },
            permissions: Permissions::default(),
            host_entries: Vec::new(),
            services: None,
            logging: Logging::default(),
            storage: Storage {
                directory: directory.path().to_owned(),
            },
        };
        Self {
            config,
            identity,
            system: system::make(directory.path()),
            directory,
        }
    }

    /// Where a program finds the configuration.
    pub fn config_file(&self) -> PathBuf {
        let path = self.directory.path().join("agent.yaml");
        self.config.save(&path).unwrap();
        path
    }

    /// The account that shells run as, as this machine knows it.
    pub fn account(&self) -> Account {
        Account::find_on(&self.system, &self.config.linux_user.username).unwrap()
    }

    /// The words of a command line that starts the program.
    pub fn start_words(&self) -> [OsString; 5] {
        let (config, root) = (self.config_file(), self.system.path(""));
        [
            "start".into(),
            "--config".into(),
            config.into(),
            "--system-root".into(),
            root.into(),
        ]
    }

    /// Starts the agent. It is killed when it is dropped.
    pub fn start(&self) -> Child {
        program().args(self.start_words()).spawn().unwrap()
    }

    /// Starts the agent in the process of the test, which hands it its time, or looks at its open files.
    pub fn start_here(&self) -> RunningHere {
        let run = link::run(self.system.clone(), self.config.clone(), std::future::pending());
        RunningHere(tokio::spawn(async { run.await.unwrap() }))
    }
}

/// An agent that is gone when dropped.
pub struct RunningHere(JoinHandle<()>);

impl Drop for RunningHere {
    fn drop(&mut self) {
        self.0.abort();
    }
}
