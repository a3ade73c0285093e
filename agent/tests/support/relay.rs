//! The relay's side of a link, played by a test.
use std::collections::VecDeque;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use jwt_compact::alg::{Ed25519, VerifyingKey};
use jwt_compact::{AlgorithmExt, TimeOptions, UntrustedToken};
use protocol::api::health::{Threshold, Thresholds};
use protocol::ids::StreamId;
use protocol::limits::LIVE_WINDOW;
use protocol::terminal::agent::{FromAgent, Report, ToAgent};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::limits::SessionLimits;
use protocol::terminal::{AGENT_SUBPROTOCOL, PING, PONG, PROTOCOL, Size};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use url::Url;

use super::{DEADLINE, within};

/// The output stream that tests open first.
pub const STREAM: StreamId = StreamId(1);

/// The input stream of the first typist.
pub const INPUT: StreamId = StreamId(2);

/// The usual size.
pub const SIZE: Size = Size { cols: 80, rows: 24 };

/// Thresholds that nothing crosses: the computer of the tests may be as busy as it likes.
pub fn never() -> Thresholds {
    let never = Threshold {
        warning: 100,
        critical: 100,
    };
    Thresholds {
        cpu: never,
        memory: never,
        disk: never,
    }
}

/// A relay that waits for agents.
pub struct Relay {
    listener: TcpListener,
}

impl Relay {
    pub async fn start() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    /// Where agents arrive, for a test that answers requests itself.
    pub fn listener(&self) -> &TcpListener {
        &self.listener
    }

    pub fn url(&self) -> Url {
        format!("http://{}", self.listener.local_addr().unwrap())
            .parse()
            .unwrap()
    }

    /// Takes the next link and reads its hello.
    pub async fn accept(&self) -> Connection {
        let tcp = self.accept_tcp().await;
        tcp.set_nodelay(true).unwrap();
        let mut headers = None;
        #[allow(clippy::result_large_err)]
        let check = |request: &Request, mut response: Response| {
            assert_eq!(request.uri().path(), "/agent/connect");
            headers = Some(request.headers().clone());
            let subprotocol = HeaderValue::from_static(AGENT_SUBPROTOCOL);
            assert_eq!(request.headers().get("sec-websocket-protocol"), Some(&subprotocol));
            response.headers_mut().insert("sec-websocket-protocol", subprotocol);
            Ok(response)
        };
        let socket = within("the upgrade", accept_hdr_async(tcp, check)).await.unwrap();
        let headers = headers.unwrap();
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let authorization = header("authorization");
        let mut connection = Connection {
            socket,
            token: authorization.strip_prefix("Bearer ").unwrap().to_owned(),
            boot: header("x-vsay-boot"),
            streams: Vec::new(),
            hello: FromAgent::Ping,
            unread: VecDeque::new(),
        };
        connection.hello = connection.message().await;
        let FromAgent::Hello { streams, .. } = &connection.hello else {
            panic!("{:?}", connection.hello)
        };
        connection.streams = streams.clone();
        connection
    }

    /// Takes the next link and says that it stands.
    pub async fn welcome(&self) -> Connection {
        let mut connection = self.accept().await;
        connection.welcome().await;
        connection
    }

    /// The same, and takes logins.
    pub async fn welcome_with_logins(&self) -> Connection {
        let mut connection = self.accept().await;
        connection.welcome_that(false, false, true, false).await;
        connection
    }

    /// The same, and takes catalogs.
    pub async fn welcome_with_services(&self) -> Connection {
        let mut connection = self.accept().await;
        connection.welcome_that(false, false, false, true).await;
        connection
    }

    /// The same of a relay that takes records of commands.
    pub async fn welcome_with_log(&self) -> Connection {
        let mut connection = self.accept().await;
        connection.welcome_that(true, false, false, false).await;
        connection
    }

    /// Refuses the next attempt.
    pub async fn refuse(&self, status: StatusCode, body: &str) {
        self.refuse_dated(status, body, None).await;
    }

    /// Refuses the next attempt, and says what time it is.
    pub async fn refuse_dated(&self, status: StatusCode, body: &str, date: Option<String>) {
        let tcp = self.accept_tcp().await;
        #[allow(clippy::result_large_err)]
        let refuse = |_: &Request, _: Response| -> Result<Response, ErrorResponse> {
            let mut response = ErrorResponse::new(Some(body.to_owned()));
            *response.status_mut() = status;
            if let Some(date) = &date {
                response.headers_mut().insert("date", date.parse().unwrap());
            }
            Err(response)
        };
        within("the refusal", accept_hdr_async(tcp, refuse)).await.unwrap_err();
    }

    async fn accept_tcp(&self) -> TcpStream {
        within("a connection", self.accept_tcp_unbounded()).await
    }

    /// The next connection, whenever it comes.
    pub async fn accept_tcp_unbounded(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }
}

/// What an agent said.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Received {
    Message(FromAgent),
    Frame(Frame),
    /// With the code, if it said goodbye.
    Closed(Option<u16>),
}

/// One link.
pub struct Connection {
    socket: WebSocketStream<TcpStream>,
    /// What the agent showed to be let in.
    pub token: String,
    /// Which run of the agent asked to be let in.
    pub boot: String,
    pub hello: FromAgent,
    /// The shells that the hello reported.
    pub streams: Vec<Report>,
    /// What was received while something else was awaited.
    unread: VecDeque<Received>,
}

impl Connection {
    pub async fn welcome(&mut self) {
        self.welcome_that(false, false, false, false).await;
    }

    /// The same of a relay that takes what commands write as it comes.
    pub async fn welcome_with_output(&mut self) {
        self.welcome_that(false, true, false, false).await;
    }

    async fn welcome_that(&mut self, command_log: bool, command_output: bool, logins: bool, services: bool) {
        let agent_id = "0123456789ab".parse().unwrap();
        self.send(ToAgent::Welcome {
            protocol: PROTOCOL,
            agent_id,
            heartbeat_seconds: 30,
            command_log,
            command_output,
            pulled_metrics: true,
            thresholds: never(),
            logins,
            services,
            policies: Default::default(),
        })
        .await;
    }

    pub async fn send(&mut self, message: ToAgent) {
        let json = serde_json::to_string(&message).unwrap();
        self.socket.send(Message::text(json)).await.unwrap();
    }

    pub async fn send_frame(&mut self, frame: &Frame) {
        self.socket.send(Message::Binary(frame.bytes().clone())).await.unwrap();
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Verifies the token that opened the link, and answers its claims.
    pub fn claims(&self, public_key: &str) -> serde_json::Value {
        let key = data_encoding::BASE64URL_NOPAD.decode(public_key.as_bytes()).unwrap();
        let key = <ed25519_dalek::VerifyingKey as VerifyingKey<Ed25519>>::from_slice(&key).unwrap();
        let token = UntrustedToken::new(&self.token).unwrap();
        let token = Ed25519.validator::<serde_json::Value>(&key).validate(&token).unwrap();
        token.claims().validate_expiration(&TimeOptions::default()).unwrap();
        token.claims().custom.clone()
    }

    /// The second in which the token that opened the link was made, as it says.
    pub fn issued_at(&self) -> i64 {
        let payload = self.token.split('.').nth(1).unwrap();
        let payload = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        claims["iat"].as_i64().unwrap()
    }

    /// What the agent says next; pings are answered and heartbeats left out.
    pub async fn next(&mut self) -> Received {
        if let Some(received) = self.unread.pop_front() {
            return received;
        }
        let deadline = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < deadline, "the agent says no more than that it lives");
            match self.next_raw().await {
                Received::Message(FromAgent::Ping) => self.socket.send(Message::text(PONG)).await.unwrap(),
                Received::Message(FromAgent::Heartbeat { .. } | FromAgent::History { .. }) => {}
                received => return received,
            }
        }
    }

    /// What the agent says next, whatever it is.
    pub async fn next_raw(&mut self) -> Received {
        loop {
            match within("a frame of the agent", self.socket.next()).await {
                Some(Ok(Message::Binary(bytes))) => return Received::Frame(Frame::decode(bytes).unwrap()),
                Some(Ok(Message::Text(json))) if json == PING => return Received::Message(FromAgent::Ping),
                Some(Ok(Message::Text(json))) => return Received::Message(serde_json::from_str(&json).unwrap()),
                Some(Ok(Message::Close(frame))) => return Received::Closed(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Received::Closed(None),
            }
        }
    }

    /// The next control message; frames before it are kept for later.
    pub async fn message(&mut self) -> FromAgent {
        let mut frames = VecDeque::new();
        let message = loop {
            match self.next().await {
                Received::Message(message) => break message,
                frame @ Received::Frame(_) => frames.push_back(frame),
                Received::Closed(code) => panic!("closed with {code:?}"),
            }
        };
        frames.append(&mut self.unread);
        self.unread = frames;
        message
    }

    /// Opens a shell with one typist.
    pub async fn open_shell(&mut self) -> Terminal {
        self.open_shell_that(false).await
    }

    /// The same for a session that may use sudo, or may not.
    pub async fn open_shell_that(&mut self, allow_sudo: bool) -> Terminal {
        self.open(STREAM, allow_sudo).await;
        assert_eq!(self.message().await, FromAgent::Opened { stream: STREAM });
        self.send(ToAgent::OpenInput {
            stream: STREAM,
            input: INPUT,
        })
        .await;
        Terminal::default()
    }

    pub async fn open(&mut self, stream: StreamId, allow_sudo: bool) {
        self.open_within(stream, allow_sudo, SessionLimits::default()).await;
    }

    /// Opens a shell that has limits.
    pub async fn open_within(&mut self, stream: StreamId, allow_sudo: bool, limits: SessionLimits) {
        let session_id = format!("sess_{stream}").parse().unwrap();
        self.send(ToAgent::Open {
            stream,
            session_id,
            size: SIZE,
            allow_sudo,
            username: "ann".into(),
            limits,
            ssh: None,
        })
        .await;
    }

    /// Cuts the link without a word.
    pub fn cut(self) {}
}

/// What a person at the first terminal has typed and seen.
#[derive(Default)]
pub struct Terminal {
    /// All output, from the first byte on.
    pub output: Vec<u8>,
    typed: u64,
    /// Input up to here was acknowledged.
    pub applied: u64,
}

impl Terminal {
    /// Types on the first input stream.
    pub async fn type_text(&mut self, connection: &mut Connection, text: &str) {
        connection
            .send_frame(&Frame::new(Kind::Input, INPUT, self.typed, text.as_bytes()))
            .await;
        self.typed += text.len() as u64;
    }

    /// Takes a frame in, and acknowledges output.
    pub async fn take(&mut self, connection: &mut Connection, frame: &Frame) {
        match frame.kind {
            Kind::Output => {
                assert_eq!(frame.stream, STREAM);
                assert!(
                    frame.offset <= self.output.len() as u64,
                    "a hole before {}",
                    frame.offset
                );
                if let Some(new) = frame.starting_at(self.output.len() as u64) {
                    self.output.extend_from_slice(new.payload());
                }
                let credit = Frame::credit(STREAM, self.output.len() as u64, Some(LIVE_WINDOW));
                // An agent that is on its way out has closed its end, and what it said before is still to be read.
                let _ = connection.socket.send(Message::Binary(credit.bytes().clone())).await;
            }
            Kind::Ack => {
                assert_eq!(frame.stream, INPUT);
                self.applied = frame.offset;
            }
            kind => panic!("an unexpected {kind:?}"),
        }
    }

    /// Reads until the output holds `text`.
    pub async fn wait_for(&mut self, connection: &mut Connection, text: &str) {
        // The agent's pings go on while nothing happens.
        let deadline = Instant::now() + DEADLINE;
        while !self.text().contains(text) {
            assert!(Instant::now() < deadline, "no {text:?} in {:?}", self.text());
            match connection.next().await {
                Received::Frame(frame) => self.take(connection, &frame).await,
                other => panic!("{other:?} instead of {text:?} after {:?}", self.text()),
            }
        }
    }

    /// Reads until the shell has begun a prompt after `from`.
    pub async fn wait_for_prompt(&mut self, connection: &mut Connection, from: usize) {
        const READS_KEYS: &[u8] = b"\x1b[?2004h";
        let deadline = Instant::now() + DEADLINE;
        while !self.output[from..]
            .windows(READS_KEYS.len())
            .any(|part| part == READS_KEYS)
        {
            assert!(Instant::now() < deadline, "no prompt in {:?}", self.text());
            match connection.next().await {
                Received::Frame(frame) => self.take(connection, &frame).await,
                other => panic!("{other:?} instead of a prompt after {:?}", self.text()),
            }
        }
    }

    /// Reads until a control message comes.
    pub async fn wait_for_message(&mut self, connection: &mut Connection) -> FromAgent {
        let deadline = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < deadline, "no message after {:?}", self.text());
            match connection.next().await {
                Received::Frame(frame) => self.take(connection, &frame).await,
                Received::Message(message) => return message,
                Received::Closed(code) => panic!("closed with {code:?} after {:?}", self.text()),
            }
        }
    }

    /// Runs a command and answers what it printed: one line, between marks that the echo of the command does not show.
    pub async fn run(&mut self, connection: &mut Connection, command: &str) -> String {
        let from = self.output.len();
        self.type_text(
            connection,
            &format!("printf '<%s\\n' start; {command}; printf 'end%s\\n' '>'\r"),
        )
        .await;
        loop {
            let text = String::from_utf8_lossy(&self.output[from..]).into_owned();
            let inside = text
                .split_once("<start\r\n")
                .and_then(|(_, rest)| Some(rest.split_once("end>")?.0.to_owned()));
            if let Some(printed) = inside {
                return printed.trim_end().to_owned();
            }
            match connection.next().await {
                Received::Frame(frame) => self.take(connection, &frame).await,
                other => panic!("{other:?} after {text:?}"),
            }
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}
