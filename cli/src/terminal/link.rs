//! One connection to the relay.
use std::time::Duration;

use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use network::websocket::{self, OpenError, Socket};
use protocol::ids::{AgentId, SessionId};
use protocol::terminal::frame::{Frame, MAX_FRAME};
use protocol::terminal::viewer::FromViewer;
use protocol::terminal::{PING, Size, VIEWER_SUBPROTOCOL};
use reqwest::StatusCode;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};

use crate::client::{Client, SOURCE, refusal_text};
use crate::error::{Error, root_cause};

/// How often an idle connection is tried.
pub const PING_EVERY: Duration = Duration::from_secs(10);

/// A connection silent for so long is dead: two pings went unanswered.
pub const SILENCE: Duration = Duration::from_secs(25);

/// How long a goodbye may take; the server forgets a connection without one as well.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why there is no connection.
#[derive(Debug)]
pub enum Failure {
    /// Trying again may help.
    Passing(String),
    /// It will not.
    Lasting(Error),
}

/// A connection. Dropped without a goodbye it counts as cut, and the relay keeps our position.
pub struct Link {
    messages: SplitStream<Socket>,
    /// Bounded by the input window: nothing else is sent in quantity.
    out: mpsc::UnboundedSender<Message>,
    writer: JoinHandle<()>,
    /// When it was made.
    pub opened: Instant,
    /// When the relay was last heard.
    pub heard: Instant,
    /// When it was last tried.
    pub pinged: Instant,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

impl Link {
    /// Connects to a session of a machine, which begins with this if there is none of that name.
    pub async fn open(client: Client, agent: AgentId, session: SessionId, size: Size) -> Result<Self, Failure> {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME));
        let Size { cols, rows } = size;
        // The token goes into a header and not into the address, which servers write into their logs.
        let request = client.get(&format!(
            "/api/terminal/{agent}/ws?session_id={session}&source={SOURCE}&cols={cols}&rows={rows}"
        ));
        let opened = websocket::open(request, VIEWER_SUBPROTOCOL, limits).await;
        let socket = opened.map_err(failure)?.socket;
        let (mut sink, messages) = socket.split();
        let (out, mut waiting) = mpsc::unbounded_channel();
        let writer = tokio::spawn(async move {
            while let Some(message) = waiting.recv().await {
                if sink.send(message).await.is_err() {
                    break;
                }
            }
        });
        let now = Instant::now();
        Ok(Self {
            messages,
            out,
            writer,
            opened: now,
            heard: now,
            pinged: now,
        })
    }

    /// The next frame; an error is the end, with its reason.
    pub async fn receive(&mut self) -> Result<Message, String> {
        let message = self.messages.next().await;
        self.heard = Instant::now();
        match message {
            Some(Ok(Message::Close(frame))) => Err(frame.map_or_else(String::new, |frame| frame.reason.to_string())),
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(root_cause(&error)),
            None => Err(String::new()),
        }
    }

    /// Queues a binary frame.
    pub fn send(&self, frame: &Frame) {
        self.queue(Message::Binary(frame.bytes().clone()));
    }

    /// Queues a control message.
    pub fn say(&self, message: &FromViewer) {
        if let Ok(text) = serde_json::to_string(message) {
            self.queue(Message::text(text));
        }
    }

    /// Queues a keep-alive.
    pub fn ping(&mut self) {
        self.pinged = Instant::now();
        self.queue(Message::text(PING));
    }

    fn queue(&self, message: Message) {
        // A writer that is gone is noticed by the end of the messages.
        let _ = self.out.send(message);
    }

    /// Leaves on purpose: the relay gives up our position.
    pub async fn leave(mut self) {
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "User disconnected".into(),
        };
        self.queue(Message::Close(Some(frame)));
        let _ = timeout(GOODBYE, async { while self.receive().await.is_ok() {} }).await;
    }
}

/// An answer of the 300s or 400s is the server's last word, except that it asks for patience; anything else may pass.
fn failure(error: OpenError) -> Failure {
    let refusal = match error {
        OpenError::Refused(refusal) => refusal,
        OpenError::Network(error) if error.is_builder() => {
            let damaged = "the token kept by vsay login is damaged; sign in again";
            return Failure::Lasting(Error::Argument(damaged.to_owned()));
        }
        error => return Failure::Passing(error.to_string()),
    };
    let status = refusal.status;
    let text = refusal_text(&refusal.body).unwrap_or_else(|| format!("the server answered {status}"));
    match status {
        StatusCode::UNAUTHORIZED => Failure::Lasting(Error::SignInRefused(text)),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Failure::Passing(text),
        _ if status.is_client_error() || status.is_redirection() => Failure::Lasting(Error::Refused(text)),
        _ => Failure::Passing(text),
    }
}
