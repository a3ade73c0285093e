//! A viewer that speaks `vsay.stream.v1` and keeps what a browser would hold. It reads, acknowledges and sends only while
//! it waits for something: a test that does not wait with it has a viewer that stopped.
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use protocol::ids::{StreamId, ViewerId};
use protocol::stream::{InputWriter, OutputReader};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::{FromViewer, ToViewer};
use protocol::terminal::{ExitStatus, PROTOCOL, Size, VIEWER_SUBPROTOCOL};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::account::Account;
use super::agent::Agent;
use super::wait::PATIENCE;

/// A socket of a client.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The size that viewers have unless a test says otherwise.
pub const SIZE: Size = Size { cols: 80, rows: 24 };

/// Nothing for so long on a loopback connection means that nothing will come.
const QUIET: Duration = Duration::from_millis(300);

/// Opens a socket; a refusal is its status and body.
pub async fn open(url: &str, headers: &HeaderMap) -> Result<Socket, (u16, String)> {
    let mut request = url.replacen("http", "ws", 1).into_client_request().expect("a url");
    request.headers_mut().extend(headers.clone());
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(WsError::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err((response.status().as_u16(), String::from_utf8_lossy(body).into_owned()))
        }
        Err(error) => panic!("{url}: {error}"),
    }
}

/// The headers that choose our own protocol.
pub fn stream_headers() -> HeaderMap {
    [(
        "sec-websocket-protocol".parse().expect("a name"),
        HeaderValue::from_static(VIEWER_SUBPROTOCOL),
    )]
    .into_iter()
    .collect()
}

/// One tab of a browser.
pub struct Viewer {
    url: String,
    id: ViewerId,
    size: Size,
    presence: bool,
    headers: HeaderMap,
    socket: Option<Socket>,
    started: Instant,
    /// Where output and input travel, once attached.
    pub streams: Option<(StreamId, StreamId)>,
    reader: OutputReader,
    writer: InputWriter,
    /// What becomes of output: kept, or only looked at.
    sink: Sink,
    /// Whether what is read is acknowledged.
    pub acknowledges: bool,
    /// Every control message since the last (re)connection, except pongs.
    pub messages: Vec<ToViewer>,
    /// Pongs, in all.
    pub count_pongs: usize,
    /// The code and reason with which the socket was closed.
    pub closed: Option<(u16, String)>,
    /// Screen snapshots that were drawn, whole ones.
    pub snapshots: Vec<Vec<u8>>,
    snapshot: Vec<u8>,
}

/// Looks at output as it comes, instead of keeping it.
type Look = Box<dyn FnMut(&[u8]) + Send>;

enum Sink {
    Keep(Vec<u8>),
    Look(Look),
}

impl Viewer {
    /// A viewer of a session that does not connect yet.
    pub fn new(account: &Account, agent: &Agent, session: &str) -> Self {
        Self::through(&account.anonymous.url, account, agent, session)
    }

    /// The same, that dials `url` (a proxy).
    pub fn through(url: &str, account: &Account, agent: &Agent, session: &str) -> Self {
        Self::at(format!(
            "{url}/api/terminal/{}/ws?token={}&session_id={session}",
            agent.agent_id, account.token
        ))
    }

    /// A viewer of a session that was shared with the account.
    pub fn guest(account: &Account, share: &str) -> Self {
        let base = &account.anonymous.url;
        Self::at(format!("{base}/api/shares/{share}/ws?token={}", account.token))
    }

    /// A viewer of a session on another host, which a runner opens.
    pub fn by_ssh(account: &Account, hostname: &str, query: &str) -> Self {
        let base = &account.anonymous.url;
        Self::at(format!(
            "{base}/api/instances/ssh/{hostname}?token={}{query}",
            account.token
        ))
    }

    fn at(url: String) -> Self {
        let mut id = [0; 16];
        getrandom::fill(&mut id).expect("randomness");
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            url,
            id: id.parse().expect("32 hex digits"),
            size: SIZE,
            presence: false,
            headers: stream_headers(),
            socket: None,
            started: Instant::now(),
            streams: None,
            reader: OutputReader::default(),
            writer: InputWriter::default(),
            sink: Sink::Keep(Vec::new()),
            acknowledges: true,
            messages: Vec::new(),
            count_pongs: 0,
            closed: None,
            snapshots: Vec::new(),
            snapshot: Vec::new(),
        }
    }

    /// Connects and waits until the shell is there.
    pub async fn attached(account: &Account, agent: &Agent, session: &str) -> Self {
        let mut viewer = Self::new(account, agent, session);
        viewer.connect().await;
        viewer.wait_attached().await;
        viewer
    }

    /// Has this size from the next connection on.
    pub fn with_size(mut self, cols: u16, rows: u16) -> Self {
        self.size = Size { cols, rows };
        self
    }

    /// Comes from this network address, as the network in front of the Worker would say, from the next connection on.
    pub fn coming_from(mut self, address: &'static str) -> Self {
        self.headers
            .insert("cf-connecting-ip", HeaderValue::from_static(address));
        self
    }

    /// Wants to know who is there from the next connection on.
    pub fn with_presence(mut self) -> Self {
        self.presence = true;
        self
    }

    /// Who is there, by name, as it was last told.
    pub fn people(&self) -> Vec<&str> {
        let told = self.messages.iter().rev().find_map(|message| match message {
            ToViewer::Presence { people } => Some(people),
            _ => None,
        });
        told.into_iter()
            .flatten()
            .map(|person| person.username.as_str())
            .collect()
    }

    /// Hands output to `look` instead of keeping it.
    pub fn look_at_output(&mut self, look: impl FnMut(&[u8]) + Send + 'static) {
        self.sink = Sink::Look(Box::new(look));
    }

    /// Keeps output from now on.
    pub fn keep_output(&mut self) {
        self.sink = Sink::Keep(Vec::new());
    }

    /// Dials another address from the next connection on.
    pub fn dials(&mut self, url: &str) {
        let path = self.url.find("/api/").expect("a path");
        self.url.replace_range(..path, url);
    }

    /// Connects (again) and says hello.
    pub async fn connect(&mut self) {
        self.messages.clear();
        self.closed = None;
        self.socket = Some(open(&self.url, &self.headers).await.expect("an upgrade"));
        let received = self.streams.map(|_| self.reader.received());
        let (viewer, size) = (self.id.clone(), self.size);
        self.say(&FromViewer::Hello {
            protocol: PROTOCOL,
            viewer,
            received,
            size,
            commands: true,
            presence: self.presence,
        })
        .await;
    }

    /// Loses the connection without a goodbye.
    pub fn cut(&mut self) {
        self.socket = None;
    }

    /// Leaves with a close frame.
    pub async fn leave(&mut self) {
        let mut socket = self.socket.take().expect("connected");
        let _ = socket.close(None).await;
    }

    /// Loses the connection and comes back.
    pub async fn reconnect(&mut self) {
        self.cut();
        self.connect().await;
        self.wait_attached().await;
    }

    /// Waits until the shell is there.
    pub async fn wait_attached(&mut self) {
        self.wait("attached", |viewer| {
            viewer.saw(|message| matches!(message, ToViewer::Attached { .. }))
        })
        .await;
    }

    /// Whether a message arrived since the last connection.
    pub fn saw(&self, is_it: impl FnMut(&ToViewer) -> bool) -> bool {
        self.messages.iter().any(is_it)
    }

    /// How many such messages arrived since the last connection.
    pub fn count(&self, is_it: impl Fn(&ToViewer) -> bool) -> usize {
        self.messages.iter().filter(|message| is_it(message)).count()
    }

    /// How the shell ended, if that was told.
    pub fn exit(&self) -> Option<ExitStatus> {
        self.messages.iter().find_map(|message| match message {
            ToViewer::Exit { status } => Some(status.clone()),
            _ => None,
        })
    }

    /// All output, if it is kept.
    pub fn output(&self) -> &[u8] {
        match &self.sink {
            Sink::Keep(bytes) => bytes,
            Sink::Look(_) => panic!("output is not kept"),
        }
    }

    /// All output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.output()).into_owned()
    }

    /// The offset up to which output has been received.
    pub fn received(&self) -> u64 {
        self.reader.received()
    }

    /// Input that was not acknowledged yet.
    pub fn pending_input(&self) -> usize {
        self.writer.pending()
    }

    /// Types; goes out when it next waits.
    pub fn types(&mut self, text: &str) {
        self.writer.push(text.as_bytes());
    }

    /// Types a line, and waits for `marker` in the output.
    pub async fn run(&mut self, line: &str, marker: &str) {
        self.types(&format!("{line}\r"));
        self.wait_for_output(marker).await;
    }

    /// Waits for text in the output.
    pub async fn wait_for_output(&mut self, text: &str) {
        let needle = text.as_bytes().to_vec();
        let mut searched = 0;
        self.wait(&format!("{text:?} in the output"), move |viewer| {
            let output = viewer.output();
            let found = output[searched..].windows(needle.len()).any(|window| window == needle);
            searched = output.len().saturating_sub(needle.len());
            found
        })
        .await;
    }

    /// Waits until the socket is closed.
    pub async fn wait_closed(&mut self) -> (u16, String) {
        self.wait("the socket to close", |viewer| viewer.closed.is_some()).await;
        self.closed.clone().expect("it is")
    }

    /// Reads, acknowledges and sends until a condition holds; fails with `what` after [`PATIENCE`] without progress.
    pub async fn wait(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let mut deadline = Instant::now() + PATIENCE;
        loop {
            self.flush().await;
            if done(self) {
                return;
            }
            let wake = self.ack_at().map_or(deadline, |at| at.min(deadline));
            let before = self.reader.received();
            self.step(wake).await;
            if self.reader.received() > before {
                deadline = Instant::now() + PATIENCE;
            }
            assert!(
                Instant::now() < deadline,
                "waited {PATIENCE:?} in vain for: {what}\n{}",
                self.describe()
            );
        }
    }

    /// Reads until nothing has arrived for a while.
    pub async fn quiet(&mut self) {
        loop {
            self.flush().await;
            let before = self.reader.received();
            self.step(Instant::now() + QUIET).await;
            if self.reader.received() == before {
                return;
            }
        }
    }

    /// Goes on for as long as `other` takes, and answers what that does.
    pub async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        loop {
            self.flush().await;
            let wake = self.ack_at().unwrap_or_else(|| Instant::now() + PATIENCE);
            tokio::select! {
                value = &mut other => return value,
                () = self.step(wake) => {}
            }
        }
    }

    /// Takes one frame, if one comes before `wake`. May be given up and called again.
    async fn step(&mut self, wake: Instant) {
        let Some(socket) = self.socket.as_mut().filter(|_| self.closed.is_none()) else {
            return tokio::time::sleep_until(wake).await;
        };
        let Ok(message) = timeout_at(wake, socket.next()).await else {
            return;
        };
        match message {
            Some(Ok(Message::Text(text))) => self.control(&text),
            Some(Ok(Message::Binary(bytes))) => self.binary(bytes),
            Some(Ok(Message::Close(Some(frame)))) => {
                self.closed = Some((frame.code.into(), frame.reason.to_string()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => self.closed = Some((1006, "no close frame".to_owned())),
        }
    }

    fn control(&mut self, text: &str) {
        let message: ToViewer = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        match &message {
            ToViewer::Attached {
                stream,
                input,
                applied,
                offset,
                ..
            } => {
                let returning = self.streams == Some((*stream, *input));
                if returning {
                    assert_eq!(*offset, self.reader.received(), "output goes on where it stopped");
                } else {
                    assert_eq!(self.streams, None, "a session keeps its streams");
                    self.reader = OutputReader::starting_at(*offset);
                    self.streams = Some((*stream, *input));
                }
                self.writer.resume(*applied);
            }
            ToViewer::ResumeInput { applied } => self.writer.resume(*applied),
            ToViewer::Snapshot { offset, .. } => self.reader = OutputReader::starting_at(*offset),
            _ => {}
        }
        match message {
            ToViewer::Pong => self.count_pongs += 1,
            message => self.messages.push(message),
        }
    }

    fn binary(&mut self, bytes: Bytes) {
        let frame = Frame::decode(bytes).expect("the relay sends frames");
        let (stream, input) = self.streams.expect("frames come after attached");
        match frame.kind {
            Kind::Output => {
                assert_eq!(frame.stream, stream);
                let new = self
                    .reader
                    .receive(frame.offset, frame.payload())
                    .expect("nothing is left out");
                match &mut self.sink {
                    Sink::Keep(bytes) => bytes.extend_from_slice(new),
                    Sink::Look(look) => look(new),
                }
                let count = new.len() as u64;
                self.reader.consume(count, self.now_ms());
            }
            Kind::Snapshot => {
                assert_eq!((frame.stream, frame.offset), (stream, self.reader.received()));
                self.snapshot.extend_from_slice(frame.payload());
                if frame.payload().len() < protocol::limits::MAX_PAYLOAD {
                    let snapshot = std::mem::take(&mut self.snapshot);
                    // It is what the terminal shows from now on.
                    if let Sink::Keep(bytes) = &mut self.sink {
                        bytes.extend_from_slice(&snapshot);
                    }
                    self.snapshots.push(snapshot);
                }
            }
            Kind::Ack => {
                assert_eq!(frame.stream, input);
                self.writer.acknowledge(frame.offset);
            }
            kind => panic!("the relay sent {kind:?} to a viewer"),
        }
    }

    /// Sends what is due. Input is only sent once attached.
    async fn flush(&mut self) {
        let Some((stream, input)) = self.streams else { return };
        if self.closed.is_some() || !self.saw(|message| matches!(message, ToViewer::Attached { .. })) {
            return;
        }
        if self.acknowledges
            && let Some(offset) = self.reader.due_ack(self.now_ms())
        {
            self.send(Message::Binary(Frame::ack(stream, offset).bytes().clone()))
                .await;
        }
        while let Some(frame) = self.writer.next_frame(input) {
            self.send(Message::Binary(frame.bytes().clone())).await;
        }
    }

    /// Says a control message.
    pub async fn say(&mut self, message: &FromViewer) {
        self.send(Message::text(serde_json::to_string(message).expect("it encodes")))
            .await;
    }

    /// Sends anything. What the other side has closed meanwhile is noticed when reading.
    pub async fn send(&mut self, message: Message) {
        if let Some(socket) = self.socket.as_mut() {
            let _ = socket.send(message).await;
        }
    }

    fn ack_at(&self) -> Option<Instant> {
        let deadline = self
            .reader
            .ack_deadline()
            .filter(|_| self.acknowledges && self.closed.is_none())?;
        Some(self.started + Duration::from_millis(deadline))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).expect("a short test")
    }

    fn describe(&self) -> String {
        let output = match &self.sink {
            Sink::Keep(bytes) => {
                let tail = bytes.get(bytes.len().saturating_sub(2000)..).unwrap_or_default();
                format!("the output ends in {:?}", String::from_utf8_lossy(tail))
            }
            Sink::Look(_) => "output is not kept".to_owned(),
        };
        let received = self.reader.received();
        format!(
            "closed: {:?}\nmessages: {:#?}\nreceived {received}, {output}",
            self.closed, self.messages
        )
    }
}
