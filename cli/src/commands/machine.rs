//! `vsay machine`
use std::io::{IsTerminal, Write};

use protocol::api::machines::CreateMachine;

use super::say;
use crate::args::Machine;
use crate::client::Client;
use crate::error::{Error, tell};
use crate::qr::Picture;
use crate::terminal;

mod wait;

/// Runs a subcommand and answers its exit status.
pub async fn run(client: &Client, command: Machine) -> Result<i32, Error> {
    match command {
        Machine::Add {
            name,
            linux_user,
            allow_sudo,
            tags,
            no_wait,
        } => {
            let machine = CreateMachine {
                name,
                linux_user,
                allow_sudo,
                tags,
                ..CreateMachine::default()
            };
            add(client, &machine, !no_wait).await
        }
    }
}

/// Makes a machine, prints the line that makes a computer that machine, and waits until it is.
async fn add(client: &Client, machine: &CreateMachine, wait: bool) -> Result<i32, Error> {
    let made = client.create_machine(machine).await?;
    let line = made.install_command.expose();
    tell("Run this line on the computer. The token in it works once.\n\n");
    say(line)?;
    if std::io::stdout().is_terminal() {
        tell("\n");
        show_picture(line)?;
    }
    if !wait {
        return Ok(0);
    }
    wait::until_online(client, &made.machine).await
}

/// Shows the line as a QR code, if all of it fits into the window: a part of one cannot be scanned.
fn show_picture(line: &str) -> Result<(), Error> {
    let window = terminal::size();
    match Picture::of(line) {
        Some(picture) if picture.columns() <= window.cols.into() && picture.lines.len() < window.rows.into() => {
            Ok(std::io::stdout().write_all(picture.painted().as_bytes())?)
        }
        _ => {
            tell("In a larger window there is a QR code of it here.\n");
            Ok(())
        }
    }
}
