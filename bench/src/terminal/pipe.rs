//! The floor: a Durable Object that passes messages on, with nothing but a socket behind it.
use std::thread::{self, JoinHandle};

use anyhow::{Result, anyhow, bail};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use protocol::ids::StreamId;
use protocol::limits::{LIVE_WINDOW, MAX_PAYLOAD};
use protocol::terminal::frame::{Frame, Kind};
use tokio::runtime;
use tokio_tungstenite::tungstenite::Message;

use super::{Socket, StreamTerminal, Terminal, open};
use crate::source::{BEGIN, Source};

/// What sits on the other side of the pipe, in an agent's place, on a thread of its own as an agent is a process of its own.
#[derive(Clone, Copy)]
pub enum Peer {
    /// Sends input back as output.
    Echo,
    /// Once it hears something, sends the source, as far ahead of the acknowledgements as an agent may.
    Pour(u64),
}

/// Both ends of a pipe that nobody has used before: the viewer's, and the thread of the other.
pub async fn pipe(origin: &str, name: &str, peer: Peer) -> Result<(StreamTerminal, JoinHandle<Result<()>>)> {
    let path = |side: &str| format!("/pipe?name={name}&side={side}");
    let right = open(origin, &path("right"), None, None)
        .await?
        .into_inner()
        .into_std()?;
    let left = StreamTerminal::bare(open(origin, &path("left"), None, None).await?);
    let thread = thread::spawn(move || {
        runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(async {
                let stream = tokio::net::TcpStream::from_std(right)?;
                let role = tokio_tungstenite::tungstenite::protocol::Role::Client;
                let socket = Socket::from_raw_socket(stream, role, None).await;
                match peer {
                    Peer::Echo => send_back(socket).await,
                    Peer::Pour(len) => pour(socket, len).await,
                }
            })
    });
    Ok((left, thread))
}

async fn send_back(mut socket: Socket) -> Result<()> {
    let mut at = 0;
    while let Some(frame) = receive(&mut socket).await? {
        if frame.kind == Kind::Input {
            let echo = Frame::new(Kind::Output, StreamId(1), at, frame.payload());
            at = echo.end();
            socket.send(Message::Binary(echo.bytes().clone())).await?;
        }
    }
    Ok(())
}

async fn pour(mut socket: Socket, len: u64) -> Result<()> {
    receive(&mut socket).await?;
    let (mut source, mut acked) = (Source::new(len), 0);
    let mut next = Frame::new(Kind::Output, StreamId(1), 0, BEGIN);
    loop {
        while !next.payload().is_empty() && next.end() <= acked + LIVE_WINDOW {
            socket.feed(Message::Binary(next.bytes().clone())).await?;
            next = Frame::new(Kind::Output, StreamId(1), next.end(), source.next(MAX_PAYLOAD));
        }
        socket.flush().await?;
        match receive(&mut socket).await? {
            Some(frame) if frame.kind == Kind::Ack => acked = frame.offset,
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

/// The next frame, or nothing once the viewer has gone.
async fn receive(socket: &mut Socket) -> Result<Option<Frame>> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => return Ok(Some(Frame::decode(bytes)?)),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(None),
            Some(Ok(_)) => {}
        }
    }
}

/// One socket of a Durable Object that sends everything back.
pub struct Echo(Socket);

impl Echo {
    /// Connects to an object of its own.
    pub async fn open(origin: &str, name: &str) -> Result<Self> {
        Ok(Self(open(origin, &format!("/pipe?name={name}"), None, None).await?))
    }
}

impl Terminal for Echo {
    async fn send(&mut self, keys: &[u8]) -> Result<()> {
        let frame = Frame::new(Kind::Input, StreamId(1), 0, keys);
        Ok(self.0.send(Message::Binary(frame.bytes().clone())).await?)
    }

    async fn output(&mut self) -> Result<Bytes> {
        match self.0.next().await {
            Some(Ok(Message::Binary(bytes))) => Ok(Bytes::copy_from_slice(Frame::decode(bytes)?.payload())),
            Some(Err(error)) => bail!(error),
            other => Err(anyhow!("the echo ended: {other:?}")),
        }
    }
}
