//! A viewer that speaks `vsay.stream.v1`.
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use protocol::ids::{StreamId, ViewerId};
use protocol::stream::{InputWriter, OutputReader};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{PROTOCOL, Size, VIEWER_SUBPROTOCOL};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::{Socket, Terminal, open};

/// Which session to attach to, and as whom.
pub struct Attachment {
    /// The edge's origin.
    pub origin: String,
    /// The path of the terminal socket, session included.
    pub path: String,
    /// A person's token.
    pub token: String,
    /// The same over reconnects.
    pub viewer: ViewerId,
}

/// A viewer's state, and its connection of now.
pub struct StreamTerminal {
    socket: Socket,
    streams: Streams,
    reader: OutputReader,
    writer: InputWriter,
    clock: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Streams {
    output: StreamId,
    input: StreamId,
}

impl StreamTerminal {
    /// Attaches as a newcomer.
    pub async fn attach(attachment: &Attachment) -> Result<Self> {
        let (socket, streams, applied, offset) = join(attachment, None).await?;
        let (reader, writer) = (OutputReader::starting_at(offset), InputWriter::starting_at(applied));
        Ok(Self {
            socket,
            streams,
            reader,
            writer,
            clock: Instant::now(),
        })
    }

    /// A viewer of a bare relay, where nobody says hello.
    pub fn bare(socket: Socket) -> Self {
        let streams = Streams {
            output: StreamId(1),
            input: StreamId(2),
        };
        Self {
            socket,
            streams,
            reader: OutputReader::default(),
            writer: InputWriter::starting_at(0),
            clock: Instant::now(),
        }
    }

    /// Breaks the connection without a goodbye. What is left can be resumed.
    pub fn cut(self) -> Cut {
        Cut {
            streams: self.streams,
            reader: self.reader,
            writer: self.writer,
            clock: self.clock,
        }
    }

    fn now_ms(&self) -> u64 {
        self.clock.elapsed().as_millis() as u64
    }

    async fn send_frames(&mut self) -> Result<()> {
        let now = self.now_ms();
        if let Some(offset) = self.reader.due_ack(now) {
            self.socket
                .send(Message::Binary(Frame::ack(self.streams.output, offset).bytes().clone()))
                .await?;
        }
        while let Some(frame) = self.writer.next_frame(self.streams.input) {
            self.socket.send(Message::Binary(frame.bytes().clone())).await?;
        }
        Ok(())
    }

    fn binary(&mut self, bytes: Bytes) -> Result<Bytes> {
        let frame = Frame::decode(bytes)?;
        match frame.kind {
            Kind::Output => {
                let new = self.reader.receive(frame.offset, frame.payload())?.len();
                // Whoever takes it compares it at once, which is all that this terminal does to show it.
                self.reader.consume(new as u64, self.now_ms());
                Ok(frame.bytes().slice(frame.bytes().len() - new..))
            }
            Kind::Ack => {
                self.writer.acknowledge(frame.offset);
                Ok(Bytes::new())
            }
            // The snapshot of a shell that has just begun.
            Kind::Snapshot => Ok(Bytes::new()),
            kind => bail!("a viewer was sent a frame of kind {kind:?}"),
        }
    }

    fn control(&mut self, text: &str) -> Result<()> {
        match serde_json::from_str(text)? {
            ToViewer::Snapshot { offset, .. } => self.reader = OutputReader::starting_at(offset),
            ToViewer::ResumeInput { applied } => self.writer.resume(applied),
            ToViewer::Gap { from, to } => bail!("the bytes from {from} to {to} are lost"),
            ToViewer::Agent { online: false } => bail!("the agent's link broke"),
            ToViewer::Exit { .. } => bail!("the shell ended"),
            // Where the machine is too busy for the bucket, the numbers say so.
            ToViewer::Error { code, .. } if code == "recording_behind" => {}
            ToViewer::Error { error, .. } => bail!("the relay refused a frame: {error}"),
            ToViewer::Disconnect { reason, .. } => bail!("the relay closed: {reason}"),
            ToViewer::CommandRunning { .. } | ToViewer::CommandEnded { .. } | ToViewer::Presence { .. } => {}
            ToViewer::Attached { .. } | ToViewer::Agent { .. } | ToViewer::Resized { .. } | ToViewer::Pong => {}
        }
        Ok(())
    }
}

impl Terminal for StreamTerminal {
    async fn send(&mut self, keys: &[u8]) -> Result<()> {
        self.writer.push(keys);
        self.send_frames().await
    }

    async fn output(&mut self) -> Result<Bytes> {
        loop {
            self.send_frames().await?;
            let message = match self.reader.ack_deadline() {
                Some(deadline) => {
                    match timeout_at(self.clock + Duration::from_millis(deadline), self.socket.next()).await {
                        Ok(message) => message,
                        Err(_) => continue,
                    }
                }
                None => self.socket.next().await,
            };
            let output = match message {
                Some(Ok(Message::Binary(bytes))) => self.binary(bytes)?,
                Some(Ok(Message::Text(text))) => {
                    self.control(&text)?;
                    continue;
                }
                Some(Ok(Message::Close(_))) | None => bail!("the connection was closed"),
                Some(Ok(_)) => continue,
                Some(Err(error)) => bail!(error),
            };
            if !output.is_empty() {
                return Ok(output);
            }
        }
    }
}

/// A viewer whose connection is gone.
pub struct Cut {
    streams: Streams,
    reader: OutputReader,
    writer: InputWriter,
    clock: Instant,
}

impl Cut {
    /// Attaches again, to go on where it stopped.
    pub async fn resume(mut self, attachment: &Attachment) -> Result<StreamTerminal> {
        let received = self.reader.received();
        let (socket, streams, applied, offset) = join(attachment, Some(received)).await?;
        ensure!(streams == self.streams, "the relay attached to another stream");
        ensure!(offset == received, "the relay goes on at {offset}, not at {received}");
        self.writer.resume(applied);
        // What was consumed and not acknowledged is acknowledged with what follows.
        let Self {
            streams,
            reader,
            writer,
            clock,
        } = self;
        Ok(StreamTerminal {
            socket,
            streams,
            reader,
            writer,
            clock,
        })
    }
}

async fn join(attachment: &Attachment, received: Option<u64>) -> Result<(Socket, Streams, u64, u64)> {
    let Attachment {
        origin,
        path,
        token,
        viewer,
    } = attachment;
    let mut socket = open(origin, path, Some(token), Some(VIEWER_SUBPROTOCOL)).await?;
    let hello = FromViewer::Hello {
        protocol: PROTOCOL,
        viewer: viewer.clone(),
        received,
        size: Size::default(),
        commands: false,
        presence: false,
    };
    socket.send(Message::text(serde_json::to_string(&hello)?)).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        match serde_json::from_str(&text)? {
            ToViewer::Attached {
                stream,
                input,
                applied,
                offset,
                ..
            } => {
                return Ok((socket, Streams { output: stream, input }, applied, offset));
            }
            // Where the machine is too busy for the bucket, the numbers say so.
            ToViewer::Error { code, .. } if code == "recording_behind" => {}
            ToViewer::Error { error, .. } => bail!("the relay refused: {error}"),
            ToViewer::Disconnect { reason, .. } => bail!("the relay refused: {reason}"),
            _ => {}
        }
    }
    bail!("the relay closed before it attached")
}
