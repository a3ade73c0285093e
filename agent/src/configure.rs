//! Making this machine known to an edge, and the agent a part of the machine. Running it again reconfigures.
mod options;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::Uid;
use url::Url;

use crate::account::Account;
use crate::config::{self, Agent, Config, LinuxUser, Logging, Permissions, Server, Storage};
use crate::enroll::{self, EnrollError, Request, Token};
use crate::host_id::{self, HostId};
use crate::identity::Identity;
use crate::metrics;
use crate::say;
use crate::service::hosts::{self, HostEntry};
use crate::service::{account, environment, sudoers, systemd};
use options::{check, read_token};

pub use options::Options;

/// Configures the agent. What was done, and what was not, is said on standard output.
pub async fn configure(mut options: Options) -> Result<()> {
    let root = Uid::effective().is_root();
    let path = options.config.clone().unwrap_or_else(config::default_path);
    let path = std::path::absolute(&path).with_context(|| format!("{} is no path", path.display()))?;
    // Of a configuration that was changed by hand, what people have set stays.
    let before = Config::load(&path).ok().map(|loaded| loaded.config);
    if let Some(copied) = before.as_ref().filter(|_| options.new_identity) {
        options.inherit(copied);
    }
    let username = check(&options, root)?;
    let host = options
        .host
        .clone()
        .with_context(|| format!("{} does not exist; say --host, as for any new machine", path.display()))?;
    let host_entries = options
        .host_entries
        .iter()
        .map(|text| text.parse())
        .collect::<Result<Vec<HostEntry>, _>>()?;
    let token = read_token(options.token.clone())?;
    let system = root && !options.no_service;

    if system {
        if options.allow_sudo {
            sudoers::is_available().context("--allow-sudo needs sudo on this machine")?;
        }
        if account::ensure(&username)? {
            say!("Made the account {username}.");
        }
    } else {
        Account::find(&username)?;
    }
    if root && hosts::update(Path::new(hosts::FILE), &host_entries)? {
        say!("Updated {}.", hosts::FILE);
    }

    let config = enrol(&mut options, &path, host, username, before, &token).await?;
    say!(
        "This machine is known as {:?} (agent {}).",
        config.agent.name,
        config.agent.id
    );
    say!("Wrote {}.", path.display());

    if system {
        set_sudo(&config)?;
        start_service(&config, &path)?;
    } else {
        say!(
            "No service was installed. Start the agent with: {}",
            start_command(&path)
        );
    }
    Ok(())
}

/// Makes a key, has the edge accept it, and writes key, host id and configuration.
async fn enrol(
    options: &mut Options,
    path: &Path,
    host: Url,
    username: String,
    before: Option<Config>,
    token: &Token,
) -> Result<Config> {
    let directory = path.parent().context("the configuration needs a directory")?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let identity = Identity::generate()?;
    let host_id = if options.new_identity {
        HostId::generate()?
    } else {
        HostId::of(path, before.is_some())?
    };
    let [key_file, host_file] = [path.with_extension("key"), host_id::file_of(path)];
    let [pending_key, pending_host] = [&key_file, &host_file].map(|file| {
        let mut name = file.clone().into_os_string();
        name.push(".pending");
        PathBuf::from(name)
    });
    // Before the token is spent: a registration token works once, so what can fail here must fail first.
    identity.save(&pending_key)?;
    host_id.save(&pending_host)?;

    let request = Request {
        token,
        public_key: identity.public_key(),
        hostname: metrics::hostname(),
        os: metrics::operating_system(),
        host_id: host_id.as_str(),
        name: options.name.as_deref(),
        linux_user: &username,
        allow_sudo: options.allow_sudo,
        version: env!("CARGO_PKG_VERSION"),
    };
    let enrolled = match enroll::enroll(options.api_host.as_ref().unwrap_or(&host), &request).await {
        Ok(enrolled) => enrolled,
        Err(error) => {
            let _ = fs::remove_file(&pending_key);
            // Perhaps only the answer was lost: then the next attempt comes from a host that the edge knows.
            if matches!(error, EnrollError::Unreachable { .. }) && before.is_none() {
                let _ = fs::rename(&pending_host, &host_file);
            } else {
                let _ = fs::remove_file(&pending_host);
            }
            return Err(error.into());
        }
    };
    for (pending, file) in [(&pending_key, &key_file), (&pending_host, &host_file)] {
        fs::rename(pending, file).with_context(|| format!("cannot write {}", file.display()))?;
    }

    let metadata: BTreeMap<String, String> = options
        .facts_mut()
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
        .collect();
    let (logging, storage) = before.map_or_else(
        || (Logging::default(), Storage::default()),
        |config| (config.logging, config.storage),
    );
    let config = Config {
        agent: Agent {
            id: enrolled.agent_id,
            name: enrolled.name,
            metadata,
        },
        server: Server {
            host,
            api_host: options.api_host.clone(),
            key_file,
        },
        linux_user: LinuxUser { username },
        permissions: Permissions {
            allow_sudo: options.allow_sudo,
        },
        host_entries: options.host_entries.clone(),
        logging,
        storage,
    };
    config.save(path)?;
    Ok(config)
}

fn set_sudo(config: &Config) -> Result<()> {
    let directory = Path::new(sudoers::DIRECTORY);
    let username = &config.linux_user.username;
    if config.permissions.allow_sudo {
        sudoers::allow(directory, username)?;
        say!("{username} may use sudo without a password.");
    } else if sudoers::forbid(directory)? {
        say!("Took back the leave to use sudo that was given before.");
    }
    Ok(())
}

fn start_service(config: &Config, path: &Path) -> Result<()> {
    if !systemd::is_running() {
        say!("systemd does not run this machine, so no service was installed and nothing starts at boot.");
        say!("Start the agent with: {}", start_command(path));
        return Ok(());
    }
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    if environment::keep(path)? {
        say!(
            "The service uses the proxies and certificates of this environment; they are kept in {}.",
            environment::file_of(path).display()
        );
    }
    systemd::install(
        Path::new(systemd::DIRECTORY),
        &program,
        path,
        config.permissions.allow_sudo,
    )?;
    say!(
        "Started {}. See how it does with: systemctl status vsay-agent",
        systemd::UNIT
    );
    Ok(())
}

fn start_command(path: &Path) -> String {
    format!("vsay-agent start --config {}", path.display())
}
