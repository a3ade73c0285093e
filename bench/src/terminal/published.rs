//! A client of the published JSON frames.
use anyhow::{Result, bail};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use protocol::terminal::published::ToClient;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{Attachment, Socket, Terminal, open};

/// A client's connection.
pub struct PublishedTerminal(Socket);

impl PublishedTerminal {
    /// Opens a session and waits until its shell is there.
    pub async fn attach(attachment: &Attachment) -> Result<Self> {
        let Attachment {
            origin, path, token, ..
        } = attachment;
        let mut terminal = Self(open(origin, path, Some(token), None).await?);
        loop {
            if let ToClient::SessionReady { .. } = terminal.receive().await? {
                return Ok(terminal);
            }
        }
    }

    async fn receive(&mut self) -> Result<ToClient> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text)? {
                    ToClient::Error { error, .. } => bail!("the relay refused: {error}"),
                    ToClient::Disconnect { reason, .. } => bail!("the relay closed: {reason}"),
                    message => return Ok(message),
                },
                Some(Ok(Message::Close(_))) | None => bail!("the connection was closed"),
                Some(Ok(_)) => {}
                Some(Err(error)) => bail!(error),
            }
        }
    }
}

impl Terminal for PublishedTerminal {
    async fn send(&mut self, keys: &[u8]) -> Result<()> {
        let frame = json!({ "type": "input", "input": std::str::from_utf8(keys)? });
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    async fn output(&mut self) -> Result<Bytes> {
        loop {
            if let ToClient::Output { output } = self.receive().await? {
                return Ok(output.into());
            }
        }
    }
}
