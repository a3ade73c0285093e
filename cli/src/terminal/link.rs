//! One connection to the relay.
use std::time::Duration;

use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use protocol::ids::{AgentId, SessionId};
use protocol::terminal::frame::{Frame, MAX_FRAME};
use protocol::terminal::viewer::FromViewer;
use protocol::terminal::{PING, Size, VIEWER_SUBPROTOCOL};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::client::{SOURCE, USER_AGENT, refusal_text};
use crate::config::Config;
use crate::error::{Error, root_cause};

/// How long making a connection may take, name lookup and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

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
    messages: SplitStream<WebSocketStream<MaybeTlsStream<TcpStream>>>,
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
    pub async fn open(config: Config, agent: AgentId, session: SessionId, size: Size) -> Result<Self, Failure> {
        let request = request(&config, &agent, &session, size).map_err(Failure::Lasting)?;
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME));
        // Keystrokes are small and must not wait for each other.
        let no_delay = true;
        let connecting = connect_async_with_config(request, Some(limits), no_delay);
        let connected = timeout(CONNECT_TIMEOUT, connecting).await;
        let connected = connected.map_err(|_| Failure::Passing("the server does not answer".to_owned()))?;
        let (socket, _) = connected.map_err(failure)?;
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

fn request(config: &Config, agent: &AgentId, session: &SessionId, size: Size) -> Result<Request<()>, Error> {
    // `http` becomes `ws` and `https` becomes `wss`.
    let base = config.api_url.replacen("http", "ws", 1);
    let Size { cols, rows } = size;
    let url = format!("{base}/api/terminal/{agent}/ws?session_id={session}&source={SOURCE}&cols={cols}&rows={rows}");
    let bad = |what: &str| Error::Argument(format!("the {what} kept by vsay login is damaged; sign in again"));
    let mut request = url.into_client_request().map_err(|_| bad("address"))?;
    // In a header and not in the address, which servers write into their logs.
    let token = HeaderValue::from_str(&format!("Bearer {}", config.token.expose())).map_err(|_| bad("token"))?;
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, token);
    headers.insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(VIEWER_SUBPROTOCOL),
    );
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert("x-source", HeaderValue::from_static(SOURCE));
    Ok(request)
}

/// An answer of the 400s is the server's last word, except that it asks for patience; anything else may pass.
fn failure(error: WsError) -> Failure {
    let WsError::Http(response) = error else {
        return Failure::Passing(root_cause(&error));
    };
    let status = response.status();
    let text = response.body().as_deref().and_then(refusal_text);
    let text = text.unwrap_or_else(|| format!("the server answered {status}"));
    match status {
        StatusCode::UNAUTHORIZED => Failure::Lasting(Error::SignInRefused(text)),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Failure::Passing(text),
        _ if status.is_client_error() => Failure::Lasting(Error::Refused(text)),
        _ => Failure::Passing(text),
    }
}
