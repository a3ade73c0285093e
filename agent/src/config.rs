//! The agent's configuration: one YAML file, written by `configure` and read by everything else. It holds no secret; the
//! key is in a file of its own, which it names.
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use protocol::ids::{AgentId, JobId};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use crate::identity::write_private;

/// Where the configuration of a system-wide agent is.
pub const SYSTEM_PATH: &str = "/etc/vsay/agent.yaml";

/// Largest file that is read: a hundred times what `configure` writes.
const MAX_FILE: u64 = 256 * 1024;

/// Most lines that `configure` puts into the hosts file (contract of `--host-entry`).
pub const MAX_HOST_ENTRIES: usize = 5;

/// Everything an agent must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Who this machine is.
    pub agent: Agent,
    /// Whom it talks to.
    pub server: Server,
    /// Who shells run as.
    pub linux_user: LinuxUser,
    /// What shells may do.
    #[serde(default)]
    pub permissions: Permissions,
    /// Lines that `configure` keeps in the hosts file, each `IP:DOMAIN`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_entries: Vec<String>,
    /// What it deploys, if it is a runner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Services>,
    /// What the agent says about itself.
    #[serde(default)]
    pub logging: Logging,
    /// Where the agent keeps what does not fit into memory.
    #[serde(default)]
    pub storage: Storage,
}

/// Who this machine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Assigned by the edge.
    pub id: AgentId,
    /// The machine's display name.
    pub name: String,
    /// Free facts, shown on the machine's page.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// Whom the agent talks to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The edge's address, `http://` or `https://`.
    pub host: Url,
    /// Where the agent's own endpoints are, if elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_host: Option<Url>,
    /// The private key.
    pub key_file: PathBuf,
}

impl Server {
    /// The address that the agent's endpoints are below.
    pub fn endpoint(&self) -> &Url {
        self.api_host.as_ref().unwrap_or(&self.host)
    }
}

/// Who shells run as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinuxUser {
    /// Login name.
    pub username: String,
}

/// What shells may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// Whether a session may use sudo when the edge says that its user may. `false` here forbids it whatever the edge says.
    pub allow_sudo: bool,
}

/// What a runner deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services {
    /// Where they are: a directory for each. It need not be there yet.
    pub directory: PathBuf,
    /// Which variables of the agent's own environment jobs get. They have no other of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_environment: Vec<String>,
    /// Whether a host to which it opens terminals by SSH is trusted when it is first seen, as `ssh` asks people to. Otherwise its key has
    /// to be in `known_hosts` before.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub trust_new_hosts: bool,
}

fn yes() -> bool {
    true
}

/// What the agent says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logging {
    /// A filter such as `info` or `vsay_agent=debug`. The environment's `RUST_LOG` overrides it.
    pub level: String,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
        }
    }
}

/// Where the agent keeps what does not fit into memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Storage {
    /// For terminal output beyond the newest megabyte of each session, for the hooks of shells, and for records of commands until
    /// the edge has them. It belongs on a disk: many systems keep `/tmp` in
    /// memory.
    pub directory: PathBuf,
}

impl Storage {
    /// Where an agent keeps records of commands that the edge has not stored.
    pub fn records(&self, agent: &AgentId) -> PathBuf {
        self.directory.join(format!("vsay-agent-{agent}"))
    }

    /// Where it notes the jobs that it starts.
    pub fn jobs(&self, agent: &AgentId) -> PathBuf {
        self.directory.join(format!("vsay-agent-{agent}-jobs"))
    }

    /// Where a job has what it is given in files.
    pub fn job_files(&self, agent: &AgentId, job: &JobId) -> PathBuf {
        self.directory.join(format!("vsay-agent-{agent}-job-{job}"))
    }

    /// Where it notes the commands that it starts, if it cannot beside its key.
    pub fn commands(&self, agent: &AgentId) -> PathBuf {
        self.directory.join(format!("vsay-{agent}.journal"))
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            directory: "/var/tmp".into(),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// There is no file.
    #[error("{0} does not exist; run `vsay-agent configure` first")]
    Missing(String),
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The file is longer than any configuration.
    #[error("{0} is larger than {MAX_FILE} bytes; that is no configuration")]
    TooLarge(String),
    /// The file is not what it should be.
    #[error("{path}: {problem}")]
    Malformed {
        /// Which.
        path: String,
        /// What and where.
        problem: String,
    },
}

/// A configuration as read, with what was not understood.
#[derive(Debug)]
pub struct Loaded {
    /// What was understood.
    pub config: Config,
    /// Keys that mean nothing, each with its full path.
    pub unknown: Vec<String>,
}

impl Config {
    /// Reads a configuration.
    pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
        let name = || path.display().to_string();
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing(name()),
            _ => ConfigError::File { path: name(), source },
        };
        if fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
            return Err(ConfigError::TooLarge(name()));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let loaded = Self::parse(&text).map_err(|problem| ConfigError::Malformed { path: name(), problem })?;
        Ok(loaded)
    }

    fn parse(text: &str) -> Result<Loaded, String> {
        let mut unknown = Vec::new();
        let config: Config = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
            serde_ignored::deserialize(deserializer, |key| unknown.push(key.to_string()))
        })
        .map_err(|error| error.to_string())?;
        config.check()?;
        Ok(Loaded { config, unknown })
    }

    fn check(&self) -> Result<(), String> {
        for (key, url) in [
            ("server.host", Some(&self.server.host)),
            ("server.api_host", self.server.api_host.as_ref()),
        ] {
            if url.is_some_and(|url| !is_web_address(url)) {
                return Err(format!("{key} must be an http:// or https:// address without path"));
            }
        }
        if self
            .services
            .as_ref()
            .is_some_and(|services| !services.directory.is_absolute())
        {
            return Err("services.directory must be an absolute path".to_owned());
        }
        if self.host_entries.len() > MAX_HOST_ENTRIES {
            return Err(format!("host_entries has more than {MAX_HOST_ENTRIES} lines"));
        }
        Ok(())
    }

    /// The configuration as YAML.
    pub fn to_yaml(&self) -> Result<String, serde_saphyr::ser_error::Error> {
        serde_saphyr::to_string(self)
    }

    /// Writes the configuration to a file of mode 0600, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), ConfigError> {
        let failed = |source| ConfigError::File {
            path: path.display().to_string(),
            source,
        };
        let yaml = self.to_yaml().map_err(|error| failed(io::Error::other(error)))?;
        write_private(path, yaml.as_bytes()).map_err(failed)
    }
}

/// Whether an address names a server and nothing on it.
pub fn is_web_address(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// Where the configuration is unless the command line says otherwise: for the whole system if the agent runs as root, in
/// the home directory otherwise.
pub fn default_path() -> PathBuf {
    if Uid::effective().is_root() {
        return SYSTEM_PATH.into();
    }
    home_config().join("vsay/agent.yaml")
}

/// Where the programs of the account that runs this keep their configurations.
pub fn home_config() -> PathBuf {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".config")));
    base.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "agent: {id: 0123456789ab, name: web-1}\n\
        server: {host: 'https://edge.example', key_file: /etc/vsay/agent.key}\n\
        linux_user: {username: deploy}\n";

    #[test]
    fn what_is_written_reads_back_the_same() {
        let mut config = Config::parse(SMALL).unwrap().config;
        config.agent.name = "odd: name # with \"signs\"\n".to_owned();
        config.agent.metadata.insert("organization".into(), "yes".into());
        config.host_entries = vec!["10.0.0.5:edge.example".into()];
        config.permissions.allow_sudo = true;
        config.services = Some(Services {
            directory: "/srv/services".into(),
            pass_environment: vec!["ANSIBLE_CONFIG".into()],
            trust_new_hosts: false,
        });
        let loaded = Config::parse(&config.to_yaml().unwrap()).unwrap();
        assert_eq!(loaded.config, config);
        assert!(loaded.unknown.is_empty());
    }

    #[test]
    fn what_is_left_out_has_a_safe_default() {
        let config = Config::parse(SMALL).unwrap().config;
        assert!(!config.permissions.allow_sudo);
        assert_eq!(config.logging.level, "info");
        assert_eq!(config.server.endpoint().as_str(), "https://edge.example/");
    }

    #[test]
    fn unknown_keys_are_named_with_their_path() {
        let text = format!("{SMALL}permissions: {{allow_sudo: true, alow_root: 1}}\ntunnel: {{url: x}}\n");
        let loaded = Config::parse(&text).unwrap();
        assert_eq!(loaded.unknown, ["permissions.alow_root", "tunnel"]);
        assert!(loaded.config.permissions.allow_sudo);
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_its_key() {
        for bad in [
            "ftp://edge.example",
            "https://edge.example/path",
            "https://user:pw@edge.example",
        ] {
            let error = Config::parse(&SMALL.replace("https://edge.example", bad)).unwrap_err();
            assert!(error.starts_with("server.host"), "{error}");
        }
    }

    #[test]
    fn a_services_directory_is_the_same_wherever_the_agent_is_started() {
        let parse = |directory: &str| Config::parse(&format!("{SMALL}services: {{directory: {directory}}}\n"));
        assert!(parse("/srv/services").unwrap().config.services.is_some());
        let error = parse("services").unwrap_err();
        assert!(error.starts_with("services.directory"), "{error}");
    }

    #[test]
    fn a_bad_value_is_reported_with_its_line() {
        let error = Config::parse(&SMALL.replace("0123456789ab", "nope")).unwrap_err();
        assert!(error.contains("12 lowercase hex"), "{error}");
        assert!(error.contains("line 1"), "{error}");
    }

    #[test]
    fn a_missing_file_says_what_to_do() {
        let error = Config::load(Path::new("/no/such/agent.yaml")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/no/such/agent.yaml does not exist; run `vsay-agent configure` first"
        );
    }
}
