//! A machine with an agent on it, and the relay that the agent talks to.
pub mod pam;
pub mod relay;
pub mod system;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::Uid;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use vsay_agent::account::Account;
use vsay_agent::config::{Agent, Config, LinuxUser, Logging, Permissions, Server, Storage};
use vsay_agent::identity::Identity;
use vsay_agent::link;
use vsay_agent::system::System;

pub use relay::{Connection, Received, Relay};

/// No condition of a test takes longer, even on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

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

    /// Starts the agent in this process.
    pub fn start(&self) -> RunningAgent {
        let run = link::run_on(self.system.clone(), self.config.clone(), std::future::pending());
        RunningAgent(tokio::spawn(async { run.await.unwrap() }))
    }
}

/// An agent that is gone when dropped.
pub struct RunningAgent(JoinHandle<()>);

impl Drop for RunningAgent {
    fn drop(&mut self) {
        self.0.abort();
    }
}
