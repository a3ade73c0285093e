//! What the command line of `configure` says.
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use url::Url;

use crate::account::Account;
use crate::config::{self, Config, MAX_HOST_ENTRIES};
use crate::enroll::Token;
use crate::say;
use crate::service::{account, hosts};

/// Longest token that is read from standard input.
const MAX_TOKEN: u64 = 4096;

/// Longest display name, in characters.
const MAX_NAME: usize = 128;

/// What the command line says.
#[derive(Debug, Args)]
pub struct Options {
    /// Registration token or API key; `-` reads it from standard input, where no list of processes shows it.
    #[arg(long, env = "VSAY_TOKEN", hide_env_values = true)]
    pub token: TokenSource,
    /// The edge's address, such as https://vsay.example.
    #[arg(long, required_unless_present = "new_identity")]
    pub host: Option<Url>,
    /// Become a machine of its own, for a copy of one that was configured: forgets the key and the host id, and keeps of
    /// the configuration what is not said anew.
    #[arg(long)]
    pub new_identity: bool,
    /// The account that shells run as; made if missing. Whoever runs this, unless that is root.
    #[arg(long)]
    pub linux_user: Option<String>,
    /// Let sessions use sudo if the edge says that their user may.
    #[arg(long)]
    pub allow_sudo: bool,
    /// The machine's display name; the host name unless given.
    #[arg(long)]
    pub name: Option<String>,
    /// Where the agent's endpoints are, if not at --host.
    #[arg(long)]
    pub api_host: Option<Url>,
    /// For the machine's page.
    #[arg(long)]
    pub tenant: Option<String>,
    /// For the machine's page.
    #[arg(long)]
    pub org: Option<String>,
    /// For the machine's page.
    #[arg(long)]
    pub project: Option<String>,
    /// For the machine's page.
    #[arg(long)]
    pub user: Option<String>,
    /// A line for the hosts file, as IP:DOMAIN; up to five times.
    #[arg(long = "host-entry", value_name = "IP:DOMAIN")]
    pub host_entries: Vec<String>,
    /// The directory of the services that this machine deploys, which makes it a runner.
    #[arg(long, value_name = "DIR")]
    pub services: Option<PathBuf>,
    /// Where the configuration goes; the key is put beside it.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Put a copy of this program there and have the service run that.
    #[arg(long, value_name = "PATH")]
    pub program: Option<PathBuf>,
    /// Only enrol and write the configuration: make no account, no sudo rights and no service, and start nothing.
    #[arg(long)]
    pub no_service: bool,
}

/// Where the token comes from.
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// Standard input.
    StandardInput,
    /// The command line or the environment.
    Given(Token),
}

impl FromStr for TokenSource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "-" => Ok(Self::StandardInput),
            text => Token::new(text).map(Self::Given).ok_or("the token is empty"),
        }
    }
}

impl Options {
    /// Keeps of the configuration that was copied what is not said anew. The name is not among it.
    pub fn inherit(&mut self, copied: &Config) {
        if self.host.is_none() {
            self.host = Some(copied.server.host.clone());
            self.api_host = self.api_host.take().or_else(|| copied.server.api_host.clone());
        }
        self.linux_user
            .get_or_insert_with(|| copied.linux_user.username.clone());
        self.allow_sudo |= copied.permissions.allow_sudo;
        if self.services.is_none() {
            self.services = copied.services.as_ref().map(|services| services.directory.clone());
        }
        if self.host_entries.is_empty() {
            self.host_entries.clone_from(&copied.host_entries);
        }
        for (key, value) in self.facts_mut() {
            if value.is_none() {
                *value = copied.agent.metadata.get(key).cloned();
            }
        }
    }

    /// Facts for the machine's page, each with its key there.
    pub fn facts_mut(&mut self) -> [(&'static str, &mut Option<String>); 4] {
        [
            ("tenant", &mut self.tenant),
            ("organization", &mut self.org),
            ("project", &mut self.project),
            ("user", &mut self.user),
        ]
    }
}

/// What can be wrong with the options together. Answers the account that shells run as.
pub fn check(options: &Options, root: bool) -> Result<String> {
    for (flag, url) in [
        ("--host", options.host.as_ref()),
        ("--api-host", options.api_host.as_ref()),
    ] {
        let Some(url) = url else { continue };
        ensure!(
            config::is_web_address(url),
            "{flag} must be an http:// or https:// address without path"
        );
        if url.scheme() == "http" && !network::is_loopback(url) {
            say!("Warning: {flag} is not https. Everyone on the way can read the token and every terminal.");
        }
    }
    ensure!(
        options.host_entries.len() <= MAX_HOST_ENTRIES,
        "--host-entry may be given {MAX_HOST_ENTRIES} times at most"
    );
    ensure!(
        root || options.host_entries.is_empty(),
        "--host-entry changes {} and needs root",
        hosts::FILE
    );
    if let Some(name) = &options.name {
        let fits = (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        ensure!(
            fits,
            "--name must be 1 to {MAX_NAME} characters without control characters"
        );
    }
    if let Some(directory) = &options.services {
        ensure!(directory.is_absolute(), "--services must be an absolute path");
    }
    let username = match &options.linux_user {
        Some(name) => name.clone(),
        None if root => bail!("--linux-user is required: say which account shells run as, such as --linux-user deploy"),
        None => Account::current()?.name,
    };
    ensure!(
        account::is_login_name(&username),
        "--linux-user must be a login name: letters, digits, `_`, `-` and `.`, starting with a letter, 32 at most"
    );
    if !root && Account::current()?.name != username {
        bail!("only root can start shells as {username}; run this as root, or leave --linux-user out");
    }
    if !options.allow_sudo && Account::find(&username).is_ok_and(|account| account.uid.is_root()) {
        bail!("shells as {username} have all of root's rights: choose another account, or say --allow-sudo");
    }
    Ok(username)
}

/// The token, wherever it comes from.
pub fn read_token(source: TokenSource) -> Result<Token> {
    match source {
        TokenSource::Given(token) => Ok(token),
        TokenSource::StandardInput => {
            let mut text = String::new();
            io::stdin()
                .take(MAX_TOKEN)
                .read_to_string(&mut text)
                .context("cannot read the token from standard input")?;
            Token::new(&text).context("there is no token on standard input")
        }
    }
}
