//! An edge with one machine, played by a test, and the program as people and scripts run it.
use std::env;
use std::ffi::OsString;
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::ids::StreamId;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::viewer::ToViewer;
use protocol::terminal::{ExitStatus, PING, PONG, PROTOCOL, Size, VIEWER_SUBPROTOCOL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

const OUTPUT: StreamId = StreamId(1);
const INPUT: StreamId = StreamId(2);

/// No condition of a test takes longer, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for something that must happen.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: did not happen within {DEADLINE:?}"),
    }
}

/// The program: the one that `VSAY_BIN` names by its whole path, as `scripts/test.sh` does with the one that others install, or
/// the one that Cargo has built.
pub fn program() -> OsString {
    env::var_os("VSAY_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_vsay").into())
}

/// An edge that knows one machine, named `web`.
pub struct Edge {
    listener: TcpListener,
    folder: tempfile::TempDir,
}

impl Edge {
    pub async fn start() -> Self {
        let edge = Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        edge.sign_in_at(&edge.url());
        edge
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    /// Keeps a sign-in at an address.
    pub fn sign_in_at(&self, url: &str) {
        let text = format!(r#"{{"api_url": "{url}", "token": "t0ken"}}"#);
        std::fs::write(self.config(), text).unwrap();
        std::fs::set_permissions(self.config(), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Where the sign-in is kept.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    /// The program, in no environment but its own.
    pub fn vsay(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).env_clear().env("VSAY_CONFIG", self.config());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// A shell in a terminal of its own that becomes `vsay connect web`, and says its process id before.
    pub fn connect_in_terminal(&self) -> Terminal {
        let mut command = Command::new("script");
        let line = "echo pid=$$; exec \"$VSAY\" connect web";
        command.args(["--quiet", "--return", "--command", line, "/dev/null"]);
        command
            .env("VSAY_CONFIG", self.config())
            .env("VSAY", program())
            .env("SHELL", "/bin/sh");
        command.kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        Terminal {
            child: command.spawn().expect("script (util-linux) runs"),
            seen: Vec::new(),
        }
    }

    /// Answers one request for the list of machines.
    pub async fn list(&self) {
        let tcp = within("a request", self.arrival()).await;
        assert!(!is_upgrade(&tcp).await);
        self.answer_list(tcp).await;
    }

    /// Answers what is asked until somebody opens a terminal, and lets them in.
    pub async fn terminal(&self) -> Relay {
        loop {
            let tcp = within("a request", self.arrival()).await;
            if !is_upgrade(&tcp).await {
                self.answer_list(tcp).await;
                continue;
            }
            let mut relay = Relay::accept(tcp).await;
            relay.attach().await;
            return relay;
        }
    }

    /// Whether nobody has connected. Asked after the end of whoever might have: one that did waits in the listener's queue.
    pub async fn was_left_alone(&self) -> bool {
        tokio::time::timeout(Duration::from_millis(100), self.arrival())
            .await
            .is_err()
    }

    async fn arrival(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    async fn answer_list(&self, tcp: TcpStream) {
        let machine = include_str!("../../../protocol/fixtures/api/machine.json");
        let body = format!(r#"{{"machines": [{machine}], "total": 1, "page": 1, "limit": 50, "total_pages": 1}}"#);
        reply(tcp, &body).await;
    }

    /// Answers one request with a body, and gives what was asked: its first line, and its body.
    pub async fn answer(&self, body: &str) -> (String, String) {
        let tcp = within("a request", self.arrival()).await;
        assert!(!is_upgrade(&tcp).await);
        let asked = reply(tcp, body).await;
        let (head, sent) = asked.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), sent.to_owned())
    }
}

/// Answers a request, and gives all of it once the connection has ended.
async fn reply(mut tcp: TcpStream, body: &str) -> String {
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    tcp.write_all(answer.as_bytes()).await.unwrap();
    let mut asked = Vec::new();
    let _ = within("the end of the connection", tcp.read_to_end(&mut asked)).await;
    String::from_utf8_lossy(&asked).into_owned()
}

async fn is_upgrade(tcp: &TcpStream) -> bool {
    let mut head = [0; 4096];
    loop {
        let count = within("a request", tcp.peek(&mut head)).await.unwrap();
        let text = String::from_utf8_lossy(&head[..count]).to_lowercase();
        if text.contains("\r\n\r\n") {
            return text.contains("upgrade: websocket");
        }
        tokio::task::yield_now().await;
    }
}

/// The relay's end of a terminal.
pub struct Relay {
    socket: WebSocketStream<TcpStream>,
    written: u64,
    /// Everything that was typed.
    pub typed: Vec<u8>,
}

impl Relay {
    async fn accept(tcp: TcpStream) -> Self {
        #[allow(clippy::result_large_err)]
        let check = |request: &Request, mut response: Response| {
            assert_eq!(request.headers()["authorization"], "Bearer t0ken");
            assert_eq!(request.headers()["sec-websocket-protocol"], VIEWER_SUBPROTOCOL);
            let subprotocol = VIEWER_SUBPROTOCOL.parse().unwrap();
            response.headers_mut().insert("sec-websocket-protocol", subprotocol);
            Ok(response)
        };
        Self {
            socket: within("the upgrade", accept_hdr_async(tcp, check)).await.unwrap(),
            written: 0,
            typed: Vec::new(),
        }
    }

    async fn attach(&mut self) {
        let hello = within("a hello", self.socket.next()).await.unwrap().unwrap();
        assert!(hello.to_text().unwrap().contains("\"hello\""), "{hello:?}");
        self.say(ToViewer::Attached {
            protocol: PROTOCOL,
            session_id: "sess_1".parse().unwrap(),
            stream: OUTPUT,
            input: INPUT,
            applied: 0,
            offset: 0,
            end: 0,
            size: Size::default(),
            sized_by: None,
            can_type: true,
            resumed: false,
        })
        .await;
    }

    pub async fn say(&mut self, message: ToViewer) {
        let text = serde_json::to_string(&message).unwrap();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The shell writes.
    pub async fn write(&mut self, text: &str) {
        let frame = Frame::new(Kind::Output, OUTPUT, self.written, text.as_bytes());
        self.written += text.len() as u64;
        self.socket.send(Message::Binary(frame.bytes().clone())).await.unwrap();
    }

    /// What no relay does.
    pub async fn leave_a_hole(&mut self) {
        self.written += 100;
        self.write("x").await;
    }

    /// The shell ends.
    pub async fn exit(&mut self, code: i32) {
        let status = ExitStatus {
            code: Some(code),
            signal: None,
            reason: None,
        };
        self.say(ToViewer::Exit { status }).await;
    }

    /// Takes what is typed until it ends so.
    pub async fn wait_for(&mut self, end: &[u8]) {
        let what = format!("{end:?} to be typed");
        // As a whole: keep-alives come for ever.
        within(&what, async {
            while !self.typed.ends_with(end) {
                let message = self.socket.next().await.unwrap().unwrap();
                self.take(message).await;
            }
        })
        .await;
    }

    async fn take(&mut self, message: Message) {
        match message {
            Message::Binary(bytes) => {
                let frame = Frame::decode(bytes).unwrap();
                if frame.kind == Kind::Input {
                    assert_eq!((frame.stream, frame.offset), (INPUT, self.typed.len() as u64));
                    self.typed.extend_from_slice(frame.payload());
                    let ack = Frame::ack(INPUT, self.typed.len() as u64);
                    self.socket.send(Message::Binary(ack.bytes().clone())).await.unwrap();
                }
            }
            Message::Text(text) if text == PING => self.socket.send(Message::text(PONG)).await.unwrap(),
            Message::Text(text) => assert!(text.contains("resize"), "{text}"),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the viewer has said goodbye.
    pub async fn goodbye(mut self) {
        within("a goodbye", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => {
                        assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1000));
                        return;
                    }
                    Some(Ok(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
        })
        .await;
    }
}

/// A terminal with the program in it.
pub struct Terminal {
    child: Child,
    /// What it was sent so far.
    pub seen: Vec<u8>,
}

impl Terminal {
    pub async fn types(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).await.unwrap();
        stdin.flush().await.unwrap();
    }

    pub async fn wait_for(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.text().contains(text) {
            let what = format!("{text:?} on the screen, which shows {:?}", self.text());
            let stdout = self.child.stdout.as_mut().unwrap();
            let count = within(&what, stdout.read(&mut buffer)).await.unwrap();
            assert!(count > 0, "ended without {text:?}: {:?}", self.text());
            self.seen.extend_from_slice(&buffer[..count]);
        }
    }

    /// The process id of the program.
    pub async fn pid(&mut self) -> String {
        self.wait_for("\r\n").await;
        let text = self.text();
        text.split("pid=")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap()
            .to_owned()
    }

    /// Waits for the end, and answers the exit status.
    pub async fn wait(&mut self) -> i32 {
        let mut rest = Vec::new();
        let stdout = self.child.stdout.as_mut().unwrap();
        within("the terminal to close", stdout.read_to_end(&mut rest))
            .await
            .unwrap();
        self.seen.extend(rest);
        let status = within("the end", self.child.wait()).await.unwrap();
        status.code().unwrap_or(-1)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}
