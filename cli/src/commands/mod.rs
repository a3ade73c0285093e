//! One file per subcommand that is more than a line.
mod audit;
mod connect;
mod delete;
mod exec;
mod list;
mod login;
mod machine;

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use crate::args::{Args, Command};
use crate::client::Client;
use crate::config::ConfigFile;
use crate::error::{Error, tell};

/// Runs a command and answers its exit status.
pub async fn run(args: Args) -> Result<i32, Error> {
    let file = ConfigFile::locate(args.config)?;
    match args.command {
        Command::Login { url, email, token } => login::run(&file, &url, email, token).await?,
        Command::Logout => logout(&file)?,
        Command::List => list::run(&Client::signed_in(&file.load()?)?).await?,
        Command::Connect { machine, session } => return connect::run(&file.load()?, &machine, session).await,
        Command::Exec(exec) => return exec::run(&file, exec).await,
        Command::Machine { command } => return machine::run(&Client::signed_in(&file.load()?)?, command).await,
        Command::Delete { machine, yes } => delete::run(&Client::signed_in(&file.load()?)?, &machine, yes).await?,
        Command::Audit { command } => return audit::run(&file, command).await,
        Command::Status => status(&file).await?,
        Command::Version => say(concat!("vsay ", env!("CARGO_PKG_VERSION")))?,
    }
    Ok(0)
}

fn logout(file: &ConfigFile) -> Result<(), Error> {
    say(if file.clear()? {
        "Signed out."
    } else {
        "Nobody was signed in."
    })
}

async fn status(file: &ConfigFile) -> Result<(), Error> {
    let config = file.load()?;
    let user = Client::signed_in(&config)?.me().await?;
    say(format!("Server   {}", config.api_url))?;
    say(format!("User     {} <{}>", user.username, user.email))?;
    say(format!("Team     {}", user.tenant_name))?;
    say(format!("Kept in  {}", file.path().display()))
}

/// Writes lines to standard output.
fn say(lines: impl Display) -> Result<(), Error> {
    Ok(writeln!(std::io::stdout(), "{lines}")?)
}

/// Asks a question on the terminal; `None` if there is none to ask on.
fn ask(question: &str) -> Result<Option<String>, Error> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    tell(question);
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(Some(answer.trim().to_owned()))
}
