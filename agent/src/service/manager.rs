//! What keeps the agent running: the service manager that this system has, or nobody.
use std::path::{Path, PathBuf};

use nix::unistd::{Pid, Uid};

use super::systemd::{self, Scope, UNIT};
use super::{Service, ServiceError, background, openrc};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// systemd, for the system or for one account.
    Systemd(Scope),
    /// OpenRC.
    OpenRc,
    /// Nobody: the agent is started once, in the background.
    Background,
}

impl Manager {
    /// The one that runs here, for whoever runs this.
    pub fn here() -> Self {
        let root = Uid::effective().is_root();
        match if root { Scope::System } else { Scope::Account } {
            scope if scope.is_running() => Self::Systemd(scope),
            Scope::System if openrc::is_running() => Self::OpenRc,
            _ => Self::Background,
        }
    }

    /// Those whose files are here and are for whoever runs this to change.
    pub fn installed() -> Vec<Self> {
        let all: &[Self] = if Uid::effective().is_root() {
            &[Self::Systemd(Scope::System), Self::OpenRc]
        } else {
            &[Self::Systemd(Scope::Account)]
        };
        all.iter().copied().filter(|manager| manager.has_file()).collect()
    }

    /// The file that makes the agent a service.
    pub fn file(self) -> Option<PathBuf> {
        match self {
            Self::Systemd(scope) => Some(scope.file()),
            Self::OpenRc => Some(openrc::SCRIPT.into()),
            Self::Background => None,
        }
    }

    fn has_file(self) -> bool {
        self.file().is_some_and(|file| file.exists())
    }

    /// Installs the service and starts it anew.
    pub fn install(self, service: &Service<'_>) -> Result<(), ServiceError> {
        match self {
            Self::Systemd(scope) => scope.install(service),
            Self::OpenRc => openrc::install(service),
            Self::Background => background::start(service),
        }
    }

    /// Starts what was installed before anew, after its files were put back.
    pub fn restart(self, service: &Service<'_>) -> Result<(), ServiceError> {
        match self {
            Self::Systemd(scope) => scope.reload().and_then(|()| scope.restart()),
            Self::OpenRc => openrc::restart(),
            Self::Background => background::start(service),
        }
    }

    /// Stops the service and no longer has it started.
    pub async fn stop(self, config: &Path) {
        match self {
            Self::Systemd(scope) => scope.stop(),
            Self::OpenRc => openrc::stop(),
            Self::Background => {
                background::stop(config).await;
            }
        }
    }

    /// Has it see that the service's file is gone.
    pub fn forget(self) {
        if let Self::Systemd(scope) = self {
            let _ = scope.reload();
        }
    }

    /// What was started, how one sees how it does, and what starts it after the next boot: a line for each.
    pub fn words(self, service: &Service<'_>, account: &str, pid: Pid) -> Vec<String> {
        match self {
            Self::Systemd(Scope::System) => vec![format!(
                "Started {UNIT}, which systemd starts at boot, too. See how it does with: systemctl status vsay-agent"
            )],
            Self::Systemd(Scope::Account) => {
                let mut words = vec![format!(
                    "Started {UNIT} of your account. See how it does with: systemctl --user status vsay-agent"
                )];
                words.push(if systemd::lingers(account) {
                    "Your account lingers: it starts at boot and goes on when you sign out.".to_owned()
                } else {
                    format!(
                        "It runs while you are signed in. To have it start at boot and go on: sudo loginctl enable-linger {account}"
                    )
                });
                words
            }
            Self::OpenRc => vec![
                "Started vsay-agent, which OpenRC starts at boot, too. See how it does with: rc-service vsay-agent status"
                    .to_owned(),
                format!("Its log is {}.", background::SYSTEM_LOG),
            ],
            Self::Background => vec![
                format!(
                    "No service manager runs here, so the agent was started in the background, as process {pid}. Its log is {}.",
                    background::log_file(service.config).display()
                ),
                format!(
                    "Nothing starts it again by itself. Have this run at boot, or in a container at its start: {}",
                    start_command(service)
                ),
            ],
        }
    }

    /// Why no agent runs, as far as it can be told from here, and where more is said.
    pub fn not_started(self, service: &Service<'_>, before: Option<Pid>) -> String {
        let log = match self {
            Self::Systemd(Scope::System) => "journalctl -u vsay-agent".to_owned(),
            Self::Systemd(Scope::Account) => "journalctl --user -u vsay-agent".to_owned(),
            Self::OpenRc => background::SYSTEM_LOG.to_owned(),
            Self::Background => background::log_file(service.config).display().to_string(),
        };
        match before {
            Some(pid) => {
                format!("the agent that ran before, process {pid}, did not make way for the new one (log: {log})")
            }
            None => format!("the agent did not start (log: {log})"),
        }
    }
}

/// What a person types to start the agent in the background.
pub fn start_command(service: &Service<'_>) -> String {
    format!(
        "{} start --background --config {}",
        service.program.display(),
        service.config.display()
    )
}
