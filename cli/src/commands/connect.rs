//! `vsay connect`
use protocol::ids::SessionId;

use crate::client::Client;
use crate::config::Config;
use crate::error::Error;
use crate::terminal;

/// Opens a terminal and answers the shell's exit status.
pub async fn run(config: &Config, name: &str, session: Option<SessionId>) -> Result<i32, Error> {
    let client = Client::signed_in(config)?;
    let machine = client.machine(name).await?;
    let session = match session {
        Some(session) => session,
        None => terminal::new_session_id()?,
    };
    terminal::run(client, &machine, session).await
}
