//! Making this machine known to an edge, and the agent a part of the machine. Running it again reconfigures.
mod interruption;
mod options;
mod start;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::Uid;
use url::Url;

use crate::account::Account;
use crate::config::{self, Agent, Config, LinuxUser, Logging, Permissions, Server, Services, Storage};
use crate::enroll::{self, EnrollError, Request, Token};
use crate::host_id::{self, HostId};
use crate::identity::Identity;
use crate::keys;
use crate::metrics;
use crate::process::pam;
use crate::say;
use crate::service::changes::Changes;
use crate::service::hosts::{self, HostEntry};
use crate::service::program::Staged;
use crate::service::{account, sudoers};
use interruption::Interruption;
use options::{check, read_token};
use start::Start;

pub use options::Options;

/// Configures the agent. What was done, and what was not, is said on standard output. What fails half-way, or is interrupted,
/// leaves everything as it was.
pub async fn configure(options: Options) -> Result<()> {
    let mut interruption = Interruption::new().context("cannot wait for signals")?;
    let mut changes = Changes::default();
    let mut start = None;
    let done = async {
        start = interruption.or(true, prepare(options, &mut changes)).await?;
        match &start {
            // Whoever does this in a terminal of the agent that is replaced is hung up by that.
            Some(start) => interruption.or(false, start.run(&mut changes)).await,
            None => Ok(()),
        }
    };
    let done = done.await;
    let Err(error) = done else {
        changes.keep_all();
        return Ok(());
    };
    if let Some(start) = &start {
        start.stop().await;
    }
    changes.undo();
    if let Some(start) = &start {
        start.back();
    }
    Err(error)
}

/// Enrols and writes what there is to write. Answers what is left to start.
async fn prepare(mut options: Options, changes: &mut Changes) -> Result<Option<Start>> {
    let root = Uid::effective().is_root();
    let path = options.config.clone().unwrap_or_else(config::default_path);
    let path = std::path::absolute(&path).with_context(|| format!("{} is no path", path.display()))?;
    // Of a configuration that was changed by hand, what people have set stays.
    let before = Config::load(&path).ok().map(|loaded| loaded.config);
    let copied = before.as_ref().filter(|_| options.new_identity);
    if let Some(copied) = copied {
        options.inherit(copied);
    }
    let copied = copied.map(|copied| (copied.storage.clone(), copied.agent.id.clone()));
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
    let service = !options.no_service;
    let running = std::env::current_exe().context("cannot tell where this program is")?;
    let program = options.program.clone().unwrap_or_else(|| running.clone());
    let program = std::path::absolute(&program).with_context(|| format!("{} is no path", program.display()))?;

    if root && service {
        if options.allow_sudo {
            sudoers::is_available().context("--allow-sudo needs sudo on this machine")?;
        }
        if let Some(made) = account::ensure(&username)? {
            changes.account(made);
            say!("Made the account {username}.");
        }
    } else {
        Account::find(&username)?;
    }
    if root {
        changes.file(Path::new(hosts::FILE)).context(hosts::FILE)?;
        if hosts::update(Path::new(hosts::FILE), &host_entries)? {
            say!("Updated {}.", hosts::FILE);
        }
    }
    // Before the token is spent, as everything that can fail.
    let staged = match &options.program {
        Some(_) => stage(&running, &program, changes)?,
        None => Vec::new(),
    };

    let known = before
        .as_ref()
        .map(|before| (before.agent.id.clone(), before.server.host.clone()));
    let config = enrol(&mut options, &path, host, username, before, &token, changes).await?;
    // Handed in for the key that was there before.
    changes.obsolete(keys::next_file(&config.server.key_file));
    if known.is_some_and(|known| known == (config.agent.id.clone(), config.server.host.clone())) {
        // The edge knows this machine by its new key from now on.
        changes.keep(&[&path, &config.server.key_file, &host_id::file_of(&path)]);
    }
    if let Some((storage, original)) = copied.filter(|(_, original)| *original != config.agent.id) {
        // What the machine that this is a copy of has still to say is not for this one to say. Notes beside the key go when the agent
        // starts and finds another machine's name on them.
        changes.obsolete(storage.records(&original));
        changes.obsolete(storage.commands(&original));
    }
    say!(
        "This machine is known as {:?} (agent {}).",
        config.agent.name,
        config.agent.id
    );
    say!("Wrote {}.", path.display());
    for staged in staged {
        let placed = staged.place()?;
        say!("Wrote {}.", placed.target().display());
        changes.program(placed);
    }
    if !service {
        say!(
            "No service was installed. Start the agent with: vsay-agent start --config {}",
            path.display()
        );
        return Ok(None);
    }
    if root {
        set_sudo(&config, changes)?;
    }
    Ok(Some(Start::new(&config, &path, &program)))
}

/// Copies this program to where it is to be, and the helper for PAM that came with it, where that is of use.
fn stage(running: &Path, program: &Path, changes: &mut Changes) -> Result<Vec<Staged>> {
    let folder = program.parent().context("the program needs a folder")?;
    changes.directory(folder);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut staged = Vec::new();
    staged.extend(Staged::copy(running, program).context("cannot put the program in its place")?);
    let helper = running.with_file_name(pam::HELPER);
    // Only root's agent starts shells as others, and so opens sessions for them.
    if Uid::effective().is_root() && helper.is_file() {
        match pam::check(&helper) {
            Ok(()) => {
                let place = program.with_file_name(pam::HELPER);
                staged.extend(Staged::copy(&helper, &place).context("cannot put the helper for PAM in its place")?);
                say!("This machine has PAM: vsay-pam is installed, too, by which shells get sessions of it.");
            }
            Err(why) => say!("This machine has no PAM that can be used ({why}): shells start without it."),
        }
    }
    Ok(staged)
}

/// Makes a key, has the edge accept it, and writes key, host id and configuration.
async fn enrol(
    options: &mut Options,
    path: &Path,
    host: Url,
    username: String,
    before: Option<Config>,
    token: &Token,
    changes: &mut Changes,
) -> Result<Config> {
    let directory = path.parent().context("the configuration needs a directory")?;
    changes.directory(directory);
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
    for file in [path, &key_file, &host_file, &pending_key, &pending_host] {
        changes.file(file).with_context(|| file.display().to_string())?;
    }
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
            // Perhaps only the answer was lost: then the next attempt comes from a host that the edge knows.
            if matches!(error, EnrollError::Unreachable { asked: true, .. }) && before.is_none() {
                let _ = fs::rename(&pending_host, &host_file);
                changes.keep(&[&host_file]);
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
    let (logging, storage, services) = before.map_or_else(
        || (Logging::default(), Storage::default(), None),
        |config| (config.logging, config.storage, config.services),
    );
    // What somebody has set of services besides where they are stays.
    let of_services = |directory| match services {
        Some(before) => Services { directory, ..before },
        None => Services {
            directory,
            pass_environment: Vec::new(),
            trust_new_hosts: true,
        },
    };
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
        services: options.services.clone().map(of_services),
        logging,
        storage,
    };
    config.save(path)?;
    Ok(config)
}

fn set_sudo(config: &Config, changes: &mut Changes) -> Result<()> {
    let directory = Path::new(sudoers::DIRECTORY);
    let username = &config.linux_user.username;
    let file = sudoers::file();
    changes.file(&file).with_context(|| file.display().to_string())?;
    if config.permissions.allow_sudo {
        sudoers::allow(directory, username)?;
        say!("{username} may use sudo without a password.");
    } else if sudoers::forbid(directory)? {
        say!("Took back the leave to use sudo that was given before.");
    }
    Ok(())
}
