//! The service, where systemd runs: the system's, or one that each account has for itself.
use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::{Service, ServiceError, environment, run};
use crate::cgroup::AGENT;
use crate::process::pam;

/// Where an administrator's units are.
const DIRECTORY: &str = "/etc/systemd/system";

/// Where an account's own are, below its configuration.
const OWN_DIRECTORY: &str = "systemd/user";

/// Ours.
pub const UNIT: &str = "vsay-agent.service";

/// Exists while systemd is the system's first process.
const RUNNING: &str = "/run/systemd/system";

/// Of a service none of whose sessions may use sudo. Settings of capabilities add up.
const CONFINED: &str = "# No session may use sudo, so nothing the agent starts ever needs more than it has.\n\
     NoNewPrivileges=yes\n\
     # To start shells as another user, give them their terminal, and end them.\n\
     CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_CHOWN CAP_KILL\n";

/// What sessions of PAM take beyond that: without the first its library fails for everybody, where it is built to tell the
/// audit system; without the second its modules cannot read the shadow file where that is closed to root, too, and refuse
/// everybody; without the third they cannot set limits higher than the service's.
const PAM_CAPABILITIES: &str = "# For sessions of PAM: the audit system, expired accounts, limits.\n\
     CapabilityBoundingSet=CAP_AUDIT_WRITE CAP_DAC_READ_SEARCH CAP_SYS_RESOURCE";

/// By whom the service is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// By the system.
    System,
    /// By the account's own instance, while the account is signed in or lingers.
    Account,
}

impl Scope {
    /// Whether systemd runs this system, or an instance of this account.
    pub fn is_running(self) -> bool {
        match self {
            Self::System => Path::new(RUNNING).is_dir(),
            Self::Account => runtime_directory().join("systemd/private").exists(),
        }
    }

    /// Where the unit is.
    pub fn file(self) -> PathBuf {
        match self {
            Self::System => Path::new(DIRECTORY).join(UNIT),
            Self::Account => crate::config::home_config().join(OWN_DIRECTORY).join(UNIT),
        }
    }

    /// Installs the service, has it started at boot or sign-in, and starts it anew now.
    pub fn install(self, service: &Service<'_>) -> Result<(), ServiceError> {
        let path = self.file();
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, unit(self, service, pam::is_installed(service.program))))
            .map_err(|error| ServiceError::file(&path, error))?;
        self.reload()?;
        self.systemctl(&["enable", UNIT])?;
        self.restart()
    }

    /// Starts the service anew.
    pub fn restart(self) -> Result<(), ServiceError> {
        self.systemctl(&["restart", UNIT])
    }

    /// Stops the service and no longer has it started.
    pub fn stop(self) {
        // Fails where there is nothing to do.
        let _ = self.systemctl(&["disable", "--now", UNIT]);
    }

    /// Has systemd see what units there are.
    pub fn reload(self) -> Result<(), ServiceError> {
        self.systemctl(&["daemon-reload"])
    }

    fn systemctl(self, arguments: &[&str]) -> Result<(), ServiceError> {
        match self {
            Self::System => run("systemctl", arguments),
            Self::Account => run("systemctl", &[&["--user"], arguments].concat()),
        }
    }
}

/// Whether the services of an account go on when it signs out and start at boot.
pub fn lingers(account: &str) -> bool {
    Path::new("/var/lib/systemd/linger").join(account).exists()
}

fn runtime_directory() -> PathBuf {
    std::env::var_os("XDG_RUNTIME_DIR").map_or_else(|| format!("/run/user/{}", Uid::effective()).into(), PathBuf::from)
}

/// The unit file.
///
/// Whatever confines the service confines every shell it starts, and those stand for a login to the machine. So the usual
/// sandbox is out: `ProtectSystem=strict` would make people's own files read-only, `PrivateTmp` would show them another
/// `/tmp` than their colleague sees over SSH, a system-call filter would break debuggers, a private mount namespace would
/// hide what is mounted later. What is left is what a shell does not miss:
///
/// - Without sudo no shell ever gains a privilege, so the whole service may give up gaining any, and of root's own
///   capabilities it keeps the four that starting and ending other users' shells takes. A flaw in the agent then does not
///   own the machine. With sudo neither is possible, since `sudo` inherits both; each session that may not use it is
///   started without new privileges instead.
/// - The agent runs as root and not as the shells' account in either case: they must not be able to read its key or stop it.
/// - Where the helper for PAM is installed, the service keeps three more ([`PAM_CAPABILITIES`]). They are no great loss: who
///   may give files away and become anybody is not kept from much.
fn unit(scope: Scope, service: &Service<'_>, pam: bool) -> String {
    let Service { program, config, .. } = service;
    let confinement = if service.allow_sudo {
        "# Sessions may use sudo, so nothing here may be taken from them: a session whose user may not use it is started\n\
         # without new privileges by the agent.\n"
    } else if scope == Scope::Account {
        "# No session may use sudo, so nothing the agent starts ever needs more than it has.\n\
         NoNewPrivileges=yes\n"
    } else if pam {
        &format!("{CONFINED}{PAM_CAPABILITIES}\n")
    } else {
        CONFINED
    };
    let wanted_by = match scope {
        Scope::System => "multi-user.target",
        Scope::Account => "default.target",
    };
    format!(
        "# Written by vsay-agent configure, which replaces it when it is run again.\n\
         [Unit]\n\
         Description=VSAY agent\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         # Never give up: a machine that cannot be reached cannot be repaired from afar.\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         ExecStart={program} start --config {config_word}\n\
         # Proxies and certificates, as they were when this machine was configured.\n\
         EnvironmentFile=-{environment}\n\
         Restart=on-failure\n\
         RestartSec=10s\n\
         # As for SSH: what people have detached on purpose, such as tmux, outlives the agent. Shells are hung up by it.\n\
         KillMode=process\n\
         # Longer than the agent gives its shells to end.\n\
         TimeoutStopSec=15s\n\
         # A shell that takes too much memory is killed alone.\n\
         OOMPolicy=continue\n\
         # Sessions get control groups of their own, beside the agent's. systemd before 254 leaves the agent in the service's own\n\
         # group; then it makes none.\n\
         Delegate=pids memory\n\
         DelegateSubgroup={AGENT}\n\
         {confinement}\
         # ProtectSystem, PrivateTmp and their kin are left out: shells inherit them.\n\
         \n\
         [Install]\n\
         WantedBy={wanted_by}\n",
        program = quote(program),
        config_word = quote(config),
        // One path to the end of the line, in which only specifiers mean something.
        environment = environment::file_of(config).display().to_string().replace('%', "%%"),
    )
}

/// A path as one word of a unit's command line.
fn quote(path: &Path) -> String {
    let mut quoted = String::from("\"");
    for c in path.display().to_string().chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Starts a specifier or a variable.
            '%' | '$' => quoted.extend([c, c]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example_of(scope: Scope, allow_sudo: bool, pam: bool) -> String {
        let service = Service {
            program: Path::new("/usr/local/bin/vsay-agent"),
            config: Path::new("/etc/vsay/agent.yaml"),
            allow_sudo,
        };
        unit(scope, &service, pam)
    }

    fn example(allow_sudo: bool) -> String {
        example_of(Scope::System, allow_sudo, false)
    }

    fn settings(unit: &str) -> Vec<&str> {
        unit.lines()
            .filter(|line| !line.starts_with('#') && line.contains('='))
            .collect()
    }

    #[test]
    fn without_sudo_the_service_gives_up_privileges_and_with_sudo_it_cannot() {
        let without = example(false);
        let with = example(true);
        let extra: Vec<&str> = settings(&without)
            .into_iter()
            .filter(|line| !settings(&with).contains(line))
            .collect();
        assert_eq!(
            extra,
            [
                "NoNewPrivileges=yes",
                "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_CHOWN CAP_KILL"
            ]
        );
    }

    #[test]
    fn where_pam_is_asked_the_service_keeps_what_that_takes() {
        let (without, with) = (example(false), example_of(Scope::System, false, true));
        let extra: Vec<&str> = settings(&with)
            .into_iter()
            .filter(|line| !settings(&without).contains(line))
            .collect();
        assert_eq!(
            extra,
            ["CapabilityBoundingSet=CAP_AUDIT_WRITE CAP_DAC_READ_SEARCH CAP_SYS_RESOURCE"]
        );
        assert_eq!(example_of(Scope::System, true, true), example(true));
    }

    #[test]
    fn an_accounts_own_service_asks_for_nothing_that_only_root_may_give() {
        let own = example_of(Scope::Account, false, true);
        assert!(!own.contains("CapabilityBoundingSet") && own.contains("NoNewPrivileges=yes"));
        assert!(own.ends_with("WantedBy=default.target\n") && example(false).ends_with("WantedBy=multi-user.target\n"));
    }

    #[test]
    fn nothing_in_the_unit_confines_the_shells() {
        let inherited = [
            "Protect",
            "Private",
            "ReadOnly",
            "ReadWrite",
            "Inaccessible",
            "Restrict",
            "SystemCall",
            "Memory",
            "UMask",
        ];
        for unit in [example(false), example(true), example_of(Scope::Account, false, false)] {
            for line in settings(&unit) {
                assert!(!inherited.iter().any(|prefix| line.starts_with(prefix)), "{line}");
            }
        }
    }

    #[test]
    fn the_service_is_handed_its_control_groups_with_the_agent_in_one_below() {
        for unit in [example(false), example(true), example_of(Scope::Account, false, false)] {
            assert!(
                unit.contains("\nDelegate=pids memory\nDelegateSubgroup=agent\n"),
                "{unit}"
            );
        }
    }

    #[test]
    fn odd_paths_stay_one_word() {
        assert_eq!(
            quote(Path::new("/opt/my agent/100%/\"x\"/$y")),
            r#""/opt/my agent/100%%/\"x\"/$$y""#
        );
        assert!(
            example(false)
                .contains("ExecStart=\"/usr/local/bin/vsay-agent\" start --config \"/etc/vsay/agent.yaml\"\n")
        );
    }
}
