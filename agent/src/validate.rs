//! Checking a configuration without connecting.
use std::path::Path;

use tracing_subscriber::EnvFilter;

use crate::account::Account;
use crate::config::{Config, ConfigError};
use crate::identity::Identity;

/// What is wrong with the configuration in a file, in words; nothing if an agent can run with it.
pub fn problems(path: &Path) -> Result<Vec<String>, ConfigError> {
    let loaded = Config::load(path)?;
    let config = loaded.config;
    let mut problems: Vec<String> = loaded
        .unknown
        .iter()
        .map(|key| format!("{key} means nothing; is it misspelt?"))
        .collect();
    if let Err(error) = Identity::load(&config.server.key_file) {
        problems.push(error.to_string());
    }
    match Account::find(&config.linux_user.username) {
        Ok(account) if account.uid.is_root() && !config.permissions.allow_sudo => {
            problems.push(
                "linux_user.username is root, but permissions.allow_sudo is false: no shell can be opened".into(),
            );
        }
        Ok(_) => {}
        Err(error) => problems.push(error.to_string()),
    }
    if EnvFilter::try_new(&config.logging.level).is_err() {
        problems.push(format!("logging.level {:?} is no log filter", config.logging.level));
    }
    if let Err(error) = tempfile::tempfile_in(&config.storage.directory) {
        problems.push(format!(
            "storage.directory {}: {error}",
            config.storage.directory.display()
        ));
    }
    if let Some(services) = &config.services
        && let Err(error) = std::fs::read_dir(&services.directory)
    {
        problems.push(format!("services.directory {}: {error}", services.directory.display()));
    }
    Ok(problems)
}
