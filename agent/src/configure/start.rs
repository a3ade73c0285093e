//! Having the agent started, and what to do where that fails.
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use nix::unistd::{Pid, setsid};

use crate::command::Journal;
use crate::config::Config;
use crate::lock;
use crate::say;
use crate::service::changes::Changes;
use crate::service::manager::Manager;
use crate::service::{Service, background, environment};

/// A start that is under way.
#[derive(Debug)]
pub struct Start {
    manager: Manager,
    program: PathBuf,
    config: PathBuf,
    account: String,
    allow_sudo: bool,
    /// What an agent makes when it starts.
    made: [PathBuf; 2],
    /// The agent that ran with this configuration until now.
    before: Option<Pid>,
}

impl Start {
    pub fn new(config: &Config, path: &Path, program: &Path) -> Self {
        Self {
            manager: Manager::here(),
            program: program.to_owned(),
            config: path.to_owned(),
            account: config.linux_user.username.clone(),
            allow_sudo: config.permissions.allow_sudo,
            made: [
                Journal::file_of(&config.server.key_file),
                config.storage.records(&config.agent.id),
            ],
            before: lock::running(path),
        }
    }

    fn service(&self) -> Service<'_> {
        Service {
            program: &self.program,
            config: &self.config,
            allow_sudo: self.allow_sudo,
        }
    }

    /// Installs the service and waits until the agent runs.
    pub async fn run(&self, changes: &mut Changes) -> Result<()> {
        self.install(changes).await.map_err(|error| {
            let words = format!("{error:#}");
            anyhow!(
                "{}; the token is spent: ask for a new one and run this again",
                words.trim_end_matches('.')
            )
        })
    }

    async fn install(&self, changes: &mut Changes) -> Result<()> {
        let service = self.service();
        let had_service = self.manager.file().is_some_and(|file| file.exists());
        let files = [
            self.manager.file(),
            Some(environment::file_of(&self.config)),
            Some(lock::path_of(&self.config)),
        ];
        for file in files.iter().flatten() {
            changes.file(file).with_context(|| file.display().to_string())?;
        }
        for path in &self.made {
            changes.made(path);
        }
        if environment::keep(&self.config)? {
            say!(
                "The service uses the proxies and certificates of this environment; they are kept in {}.",
                environment::file_of(&self.config).display()
            );
        }
        // Whoever runs this in a terminal of the agent that is about to end would end with that terminal half-way. The leader
        // of a group of processes cannot leave, and is told by a failure.
        let _ = setsid();
        if !had_service && self.manager != Manager::Background && self.before.is_some() {
            // Started by hand, it would keep the service's from starting.
            background::stop(&self.config).await;
        }
        self.manager.install(&service)?;
        let pid = background::started(&self.config, self.before)
            .await
            .with_context(|| self.manager.not_started(&service, self.before))?;
        for words in self.manager.words(&service, &self.account, pid) {
            say!("{words}");
        }
        Ok(())
    }

    /// Stops what was started, where nothing ran before.
    pub async fn stop(&self) {
        if self.before.is_none() {
            self.manager.stop(&self.config).await;
        }
    }

    /// Has what ran before run again, after its files were put back.
    pub fn back(&self) {
        if self.before.is_none() {
            self.manager.forget();
        } else if let Err(error) = self.manager.restart(&self.service()) {
            say!("Could not start again what ran before: {error}");
        }
    }
}
