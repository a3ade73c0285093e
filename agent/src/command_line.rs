//! The command line of the agent: what `vsay-agent` understands.
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use crate::config::{self, Config};
use crate::system::System;
use crate::{configure, policy, say, start, uninstall, validate};

/// Lets those who may reach this machine's terminal through a VSAY edge.
#[derive(Debug, Parser)]
#[command(name = "vsay-agent", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this machine known to an edge and install the agent; again to change that.
    Configure(Box<configure::Options>),
    /// Run the agent: in the foreground, unless told otherwise.
    Start(Start),
    /// Stop the agent and undo what configure did to this machine. The machine stays known to the edge, and the account stays.
    Uninstall(ConfigFile),
    /// Check the configuration without connecting.
    Validate(ConfigFile),
    /// Print the configuration as it is understood, defaults included.
    ShowConfig(ConfigFile),
    /// Print the version.
    Version,
    /// What the agent starts to have commands read.
    #[command(name = policy::reader::SUBCOMMAND, hide = true)]
    ReadCommands,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Start {
    #[command(flatten)]
    file: ConfigFile,
    /// Start it and return once it runs. One that runs with this configuration is replaced.
    #[arg(long)]
    background: bool,
    /// Leave the session of whoever starts it.
    #[arg(long, hide = true)]
    detached: bool,
    /// Where the files of the operating system lie, such as etc/passwd.
    #[arg(long, default_value = "/", hide = true)]
    system_root: PathBuf,
}

impl ConfigFile {
    fn path(self) -> PathBuf {
        self.config.unwrap_or_else(config::default_path)
    }
}

/// Does what the arguments of this process say. A status other than 0 comes with words on standard error.
// One thread: a keystroke on its way to the shell and back then never waits for another to wake up.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            say::line(io::stderr(), format_args!("vsay-agent: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Configure(options) => configure::configure(*options).await?,
        Command::Start(Start {
            file, background: true, ..
        }) => start::in_background(&file.path()).await?,
        Command::Start(options) => {
            if options.detached {
                start::detach();
            }
            start::start(&options.file.path(), System::at(options.system_root)).await?;
        }
        Command::Uninstall(file) => uninstall::uninstall(file.config).await?,
        Command::Validate(file) => {
            let path = file.path();
            let problems = validate::problems(&path)?;
            for problem in &problems {
                say!("{}: {problem}", path.display());
            }
            if !problems.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
            say!("{}: fine", path.display());
        }
        Command::ShowConfig(file) => print(&Config::load(&file.path())?.config.to_yaml()?)?,
        Command::ReadCommands => policy::reader::main()?,
        Command::Version => print(concat!("vsay-agent ", env!("CARGO_PKG_VERSION"), "\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what was asked for. Whoever has closed the pipe has read enough; any other failure is one.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("cannot print"),
    }
}
