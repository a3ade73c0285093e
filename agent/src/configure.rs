//! Making this machine known to an edge, and the agent a part of the machine. Running it again reconfigures.
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use nix::unistd::Uid;
use url::{Host, Url};

use crate::account::Account;
use crate::config::{self, Agent, Config, LinuxUser, Logging, MAX_HOST_ENTRIES, Permissions, Server, Storage};
use crate::enroll::{self, Request, Token};
use crate::identity::Identity;
use crate::metrics;
use crate::service::hosts::{self, HostEntry};
use crate::service::{account, sudoers, systemd};

/// Longest token that is read from standard input.
const MAX_TOKEN: u64 = 4096;

/// Longest display name, in characters.
const MAX_NAME: usize = 128;

/// What the command line says.
#[derive(Debug, Args)]
pub struct Options {
    /// Registration token or API key; `-` reads it from standard input, where no list of processes shows it.
    #[arg(long, env = "VSAY_TOKEN", hide_env_values = true)]
    token: TokenSource,
    /// The edge's address, such as https://vsay.example.
    #[arg(long)]
    host: Url,
    /// The account that shells run as; made if missing. Whoever runs this, unless that is root.
    #[arg(long)]
    linux_user: Option<String>,
    /// Let sessions use sudo if the edge says that their user may.
    #[arg(long)]
    allow_sudo: bool,
    /// The machine's display name; the host name unless given.
    #[arg(long)]
    name: Option<String>,
    /// Where the agent's endpoints are, if not at --host.
    #[arg(long)]
    api_host: Option<Url>,
    /// For the machine's page.
    #[arg(long)]
    tenant: Option<String>,
    /// For the machine's page.
    #[arg(long)]
    org: Option<String>,
    /// For the machine's page.
    #[arg(long)]
    project: Option<String>,
    /// For the machine's page.
    #[arg(long)]
    user: Option<String>,
    /// A line for the hosts file, as IP:DOMAIN; up to five times.
    #[arg(long = "host-entry", value_name = "IP:DOMAIN")]
    host_entries: Vec<String>,
    /// Where the configuration goes; the key is put beside it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Only enrol and write the configuration: make no account, no sudo rights and no service.
    #[arg(long)]
    no_service: bool,
}

/// Where the token comes from.
#[derive(Debug, Clone)]
enum TokenSource {
    StandardInput,
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

/// Configures the agent. What was done, and what was not, is said on standard output.
pub async fn configure(options: Options) -> Result<()> {
    let root = Uid::effective().is_root();
    let path = options.config.clone().unwrap_or_else(config::default_path);
    let path = std::path::absolute(&path).with_context(|| format!("{} is no path", path.display()))?;
    let username = check(&options, root)?;
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
            println!("Made the account {username}.");
        }
    } else {
        Account::find(&username)?;
    }
    if root && hosts::update(Path::new(hosts::FILE), &host_entries)? {
        println!("Updated {}.", hosts::FILE);
    }

    let config = enrol(&options, &path, username, &token).await?;
    println!(
        "This machine is known as {:?} (agent {}).",
        config.agent.name, config.agent.id
    );
    println!("Wrote {}.", path.display());

    if system {
        set_sudo(&config)?;
        start_service(&config, &path)?;
    } else {
        println!(
            "No service was installed. Start the agent with: {}",
            start_command(&path)
        );
    }
    Ok(())
}

/// What can be wrong with the options together. Answers the account that shells run as.
fn check(options: &Options, root: bool) -> Result<String> {
    for (flag, url) in [
        ("--host", Some(&options.host)),
        ("--api-host", options.api_host.as_ref()),
    ] {
        let Some(url) = url else { continue };
        ensure!(
            config::is_web_address(url),
            "{flag} must be an http:// or https:// address without path"
        );
        if url.scheme() == "http" && !is_loopback(url) {
            println!("Warning: {flag} is not https. Everyone on the way can read the token and every terminal.");
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

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn read_token(source: TokenSource) -> Result<Token> {
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

/// Makes a key, has the edge accept it, and writes key and configuration.
async fn enrol(options: &Options, path: &Path, username: String, token: &Token) -> Result<Config> {
    let directory = path.parent().context("the configuration needs a directory")?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let key_file = path.with_extension("key");
    let pending = path.with_extension("key.pending");
    let identity = Identity::generate()?;
    // Before the token is spent: a registration token works once, so what can fail here must fail first.
    identity.save(&pending)?;

    let endpoint = options.api_host.as_ref().unwrap_or(&options.host);
    let request = Request {
        token,
        public_key: identity.public_key(),
        hostname: metrics::hostname(),
        os: metrics::operating_system(),
        host_id: enroll::host_id(),
        name: options.name.as_deref(),
        linux_user: &username,
        allow_sudo: options.allow_sudo,
        version: env!("CARGO_PKG_VERSION"),
    };
    let enrolled = match enroll::enroll(endpoint, &request).await {
        Ok(enrolled) => enrolled,
        Err(error) => {
            let _ = fs::remove_file(&pending);
            return Err(error.into());
        }
    };
    fs::rename(&pending, &key_file).with_context(|| format!("cannot write {}", key_file.display()))?;

    let metadata = [
        ("tenant", &options.tenant),
        ("organization", &options.org),
        ("project", &options.project),
        ("user", &options.user),
    ];
    let metadata: BTreeMap<String, String> = metadata
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
        .collect();
    // What people have set by hand stays.
    let before = Config::load(path).ok().map(|loaded| loaded.config);
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
            host: options.host.clone(),
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
        println!("{username} may use sudo without a password.");
    } else if sudoers::forbid(directory)? {
        println!("Took back the leave to use sudo that was given before.");
    }
    Ok(())
}

fn start_service(config: &Config, path: &Path) -> Result<()> {
    if !systemd::is_running() {
        println!("systemd does not run this machine, so no service was installed and nothing starts at boot.");
        println!("Start the agent with: {}", start_command(path));
        return Ok(());
    }
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    systemd::install(
        Path::new(systemd::DIRECTORY),
        &program,
        path,
        config.permissions.allow_sudo,
    )?;
    println!(
        "Started {}. See how it does with: systemctl status vsay-agent",
        systemd::UNIT
    );
    Ok(())
}

fn start_command(path: &Path) -> String {
    format!("vsay-agent start --config {}", path.display())
}
