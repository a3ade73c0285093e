//! ttyd, a terminal server without a relay, if this machine has it: <https://github.com/tsl0922/ttyd>.
//!
//! A message is one letter and its payload. To the server: `0` input; the first message is a JSON object. From it: `0`
//! output, other letters are the page's concern.
use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::process::Command;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use super::{Socket, Terminal, open};
use crate::http::connect;
use crate::process::Program;

const INPUT: u8 = b'0';
const OUTPUT: u8 = b'0';

/// How long ttyd may take to listen.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// A running ttyd.
pub struct Ttyd {
    origin: String,
    program: Program,
}

impl Ttyd {
    /// Starts ttyd, if there is one.
    pub async fn start() -> Result<Option<Self>> {
        let found = Command::new("ttyd").arg("--version").output().await;
        if !found.is_ok_and(|output| output.status.success()) {
            return Ok(None);
        }
        // Free now, and ttyd takes no other way to be told.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("ttyd");
        command.args([
            "--debug",
            "3",
            "--interface",
            "127.0.0.1",
            "--writable",
            "--port",
            &port.to_string(),
            "bash",
        ]);
        let ttyd = Self {
            origin: format!("http://127.0.0.1:{port}"),
            program: Program::start(&mut command)?,
        };
        let deadline = Instant::now() + READY_WITHIN;
        while connect(&ttyd.origin).await.is_err() {
            if Instant::now() > deadline {
                bail!("ttyd does not listen");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Some(ttyd))
    }

    /// Ends it.
    pub async fn end(self) {
        self.program.end().await;
    }
}

/// A connection, which is a shell.
pub struct TtydTerminal(Socket);

impl TtydTerminal {
    /// Starts a shell.
    pub async fn open(ttyd: &Ttyd) -> Result<Self> {
        let mut socket = open(&ttyd.origin, "/ws", None, Some("tty")).await?;
        socket
            .send(Message::binary(&br#"{"AuthToken":"","columns":80,"rows":24}"#[..]))
            .await?;
        Ok(Self(socket))
    }
}

impl Terminal for TtydTerminal {
    async fn send(&mut self, keys: &[u8]) -> Result<()> {
        Ok(self.0.send(Message::binary([&[INPUT], keys].concat())).await?)
    }

    async fn output(&mut self) -> Result<Bytes> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) if bytes.first() == Some(&OUTPUT) => return Ok(bytes.slice(1..)),
                Some(Ok(Message::Close(_))) | None => bail!("ttyd closed the connection"),
                Some(Ok(_)) => {}
                Some(Err(error)) => bail!(error),
            }
        }
    }
}
