//! The writing half of a link.
use std::time::Duration;

use futures_util::{Sink, SinkExt};
use protocol::terminal::agent::FromAgent;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

use crate::session::{OUTBOX, Outbox, Outgoing};

/// Messages of the link itself that wait to be written. More than a few mean that nothing is written any more.
const MESSAGES: usize = 16;

/// How long the last words of a link may take.
const FINISH_WITHIN: Duration = Duration::from_secs(2);

/// Writes what sessions and the link have to say, the link first: its few messages say that it is alive. Dropping it
/// stops writing.
pub struct Writer {
    messages: Option<mpsc::Sender<Message>>,
    outbox: Outbox,
    task: JoinHandle<Result<(), WebSocketError>>,
}

impl Writer {
    /// Starts to write to `sink` what comes out of `from_sessions`, the other end of `outbox`.
    pub fn start(
        sink: impl Sink<Message, Error = WebSocketError> + Unpin + Send + 'static,
        outbox: Outbox,
        from_sessions: mpsc::Receiver<Outgoing>,
    ) -> Self {
        let (messages, from_link) = mpsc::channel(MESSAGES);
        let task = tokio::spawn(write(sink, from_link, from_sessions));
        Self {
            messages: Some(messages),
            outbox,
            task,
        }
    }

    /// Where sessions put what they have to say.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Writes a message of the link's own. False when too many wait already, or nothing is written any more.
    pub fn say(&self, message: Message) -> bool {
        self.messages
            .as_ref()
            .is_some_and(|messages| match messages.try_send(message) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Closed(_)) => false,
            })
    }

    /// Waits until writing has failed, and says why.
    pub async fn ended(&mut self) -> String {
        match (&mut self.task).await {
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(())) | Err(_) => "writing ended".to_owned(),
        }
    }

    /// Writes what there is, says goodbye, and closes.
    pub async fn finish(mut self) {
        self.messages = None;
        if timeout(FINISH_WITHIN, self.ended()).await.is_err() {
            tracing::debug!("the goodbye could not be written in time");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A control message as it travels.
pub fn text(message: &FromAgent) -> Message {
    // These types have no map with keys that are not text, the one thing that JSON cannot write.
    Message::text(serde_json::to_string(message).unwrap_or_default())
}

async fn write(
    mut sink: impl Sink<Message, Error = WebSocketError> + Unpin,
    mut messages: mpsc::Receiver<Message>,
    mut outbox: mpsc::Receiver<Outgoing>,
) -> Result<(), WebSocketError> {
    loop {
        let message = tokio::select! {
            biased;
            message = messages.recv() => match message {
                Some(message) => message,
                None => break,
            },
            Some(outgoing) = outbox.recv() => encode(outgoing),
        };
        sink.feed(message).await?;
        // What is there already goes out in the same write.
        for _ in 0..OUTBOX {
            let Some(message) = messages.try_recv().ok().or_else(|| outbox.try_recv().ok().map(encode)) else {
                break;
            };
            sink.feed(message).await?;
        }
        sink.flush().await?;
    }
    while let Ok(outgoing) = outbox.try_recv() {
        sink.feed(encode(outgoing)).await?;
    }
    let goodbye = CloseFrame {
        code: CloseCode::Away,
        reason: "the agent stops".into(),
    };
    sink.send(Message::Close(Some(goodbye))).await?;
    sink.close().await
}

fn encode(outgoing: Outgoing) -> Message {
    match outgoing {
        Outgoing::Frame(frame) => Message::Binary(frame.bytes().clone()),
        Outgoing::Message(message) => text(&message),
    }
}
