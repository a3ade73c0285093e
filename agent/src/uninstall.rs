//! Undoing what `configure` did to this machine. What it made at the edge, and the account, stay: neither is for a machine to
//! remove.
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::{Uid, setsid};

use crate::command::Journal;
use crate::config::{self, Config};
use crate::service::manager::Manager;
use crate::service::{background, environment, hosts, sudoers};
use crate::{host_id, keys, lock, say};

/// Stops the agent and removes its service, its rights and its configuration. Again, or after a failure half-way, it does what
/// is left to do.
pub async fn uninstall(path: Option<PathBuf>) -> Result<()> {
    let root = Uid::effective().is_root();
    let path = path.unwrap_or_else(config::default_path);
    let path = std::path::absolute(&path).with_context(|| format!("{} is no path", path.display()))?;
    let config = Config::load(&path).ok().map(|loaded| loaded.config);
    // Whoever runs this in a terminal of the agent would end with it half-way.
    let _ = setsid();

    let mut found = config.is_some();
    for manager in Manager::installed() {
        manager.stop(&path).await;
        if let Some(file) = manager.file() {
            remove(&file)?;
            say!("Stopped the service and removed {}.", file.display());
        }
        manager.forget();
        found = true;
    }
    if !background::stop(&path).await {
        bail!("the agent that runs with {} does not end", path.display());
    }
    if root {
        if sudoers::forbid(Path::new(sudoers::DIRECTORY))? {
            say!("Took back the leave to use sudo.");
        }
        if hosts::update(Path::new(hosts::FILE), &[])? {
            say!("Removed our lines from {}.", hosts::FILE);
        }
    }
    if let Some(config) = &config {
        // What the edge has not got of them by now goes with the agent.
        let _ = fs::remove_dir_all(config.storage.records(&config.agent.id));
    }
    let key = path.with_extension("key");
    let key = config.as_ref().map_or(&key, |config| &config.server.key_file);
    for file in [
        &Journal::file_of(key),
        &keys::next_file(key),
        &host_id::file_of(&path),
        &environment::file_of(&path),
        &background::log_file(&path),
        &lock::path_of(&path),
        key,
        // The last one: without it, nobody could tell what else there was.
        &path,
    ] {
        if remove(file)? {
            say!("Removed {}.", file.display());
        }
    }
    if let Some(folder) = path.parent() {
        // Whatever else is in it is not ours.
        let _ = fs::remove_dir(folder);
    }

    match config {
        Some(config) => {
            say!(
                "The machine {:?} stays at {} until somebody deletes it there.",
                config.agent.name,
                config.server.host
            );
            if root {
                let account = &config.linux_user.username;
                say!(
                    "The account {account} stays. If it was made for this and nobody needs it: userdel --remove {account}"
                );
            }
        }
        None if found => say!("There was no configuration left in {}.", path.display()),
        None => say!("No agent is configured here: there is no {}.", path.display()),
    }
    Ok(())
}

/// Removes a file, and says whether there was one.
fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}
