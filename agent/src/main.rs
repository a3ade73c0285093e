//! The command line of the agent.
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use vsay_agent::config::{self, Config};
use vsay_agent::{configure, start, validate};

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
    /// Run the agent in the foreground.
    Start(ConfigFile),
    /// Check the configuration without connecting.
    Validate(ConfigFile),
    /// Print the configuration as it is understood, defaults included.
    ShowConfig(ConfigFile),
    /// Print the version.
    Version,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long)]
    config: Option<PathBuf>,
}

impl ConfigFile {
    fn path(self) -> PathBuf {
        self.config.unwrap_or_else(config::default_path)
    }
}

// One thread: a keystroke on its way to the shell and back then never waits for another to wake up.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("vsay-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Configure(options) => configure::configure(*options).await?,
        Command::Start(file) => start::start(&file.path()).await?,
        Command::Validate(file) => {
            let path = file.path();
            let problems = validate::problems(&path)?;
            for problem in &problems {
                println!("{}: {problem}", path.display());
            }
            if !problems.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
            println!("{}: fine", path.display());
        }
        Command::ShowConfig(file) => print!("{}", Config::load(&file.path())?.config.to_yaml()?),
        Command::Version => println!("vsay-agent {}", env!("CARGO_PKG_VERSION")),
    }
    Ok(ExitCode::SUCCESS)
}
