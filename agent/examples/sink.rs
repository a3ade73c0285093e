//! How fast the agent alone is: a relay that reads everything, grants credit as the real one does, and measures.
//!
//! `scripts/build.sh native && cargo run --release -p vsay-agent --example sink -- build/bin/vsay-agent`
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use protocol::ids::StreamId;
use protocol::limits::LIVE_WINDOW;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::{AGENT_SUBPROTOCOL, PROTOCOL, Size};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use vsay_agent::account::Account;
use vsay_agent::config::{Agent, Config, LinuxUser, Logging, Permissions, Server, Storage};
use vsay_agent::identity::Identity;

const STREAM: StreamId = StreamId(1);
const INPUT: StreamId = StreamId(2);

/// Output is acknowledged in steps of this size, as viewers do.
const ACK: u64 = 64 * 1024;

const KEYS: usize = 2000;

struct Link {
    socket: WebSocketStream<TcpStream>,
    typed: u64,
    acked: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let agent = std::env::args().nth(1).expect("the agent's program");
    let commands: Vec<String> = std::env::args().skip(2).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("agent.key");
    Identity::generate().unwrap().save(&key_file).unwrap();
    let account = Account::current().unwrap();
    let config = Config {
        agent: Agent {
            id: "0123456789ab".parse().unwrap(),
            name: "sink".into(),
            metadata: Default::default(),
        },
        server: Server {
            host: format!("http://{}", listener.local_addr().unwrap()).parse().unwrap(),
            api_host: None,
            key_file,
        },
        linux_user: LinuxUser { username: account.name },
        permissions: Permissions { allow_sudo: true },
        host_entries: Vec::new(),
        services: None,
        logging: Logging { level: "warn".into() },
        storage: Storage::default(),
    };
    let path = directory.path().join("agent.yaml");
    config.save(&path).unwrap();
    let mut child = Command::new(agent)
        .arg("start")
        .arg("--config")
        .arg(&path)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();

    let mut link = accept(&listener).await;
    link.type_text("exec sh\r").await;
    link.type_text("stty raw -echo; PS1=; printf 'ready%s' '!'\n").await;
    link.read_until(b"ready!").await;

    let commands = if commands.is_empty() {
        vec![
            "yes | head -c 500000000".to_owned(),
            "head -c 500000000 /dev/zero".to_owned(),
        ]
    } else {
        commands
    };
    for command in commands {
        let (bytes, elapsed) = link.bulk(&command).await;
        println!("{:7.1} MB/s  {command}", bytes as f64 / 1e6 / elapsed.as_secs_f64());
    }

    link.type_text("exec cat\n").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut times = Vec::with_capacity(KEYS);
    for _ in 0..KEYS {
        times.push(link.key().await);
    }
    times.sort();
    let at = |part: f64| times[(part * KEYS as f64) as usize].as_secs_f64() * 1e6;
    println!(
        "keystroke to echo, through cat: p50 {:.0} µs, p95 {:.0} µs, p99 {:.0} µs",
        at(0.5),
        at(0.95),
        at(0.99)
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn accept(listener: &TcpListener) -> Link {
    let (tcp, _) = listener.accept().await.unwrap();
    tcp.set_nodelay(true).unwrap();
    #[allow(clippy::result_large_err)]
    let subprotocol = |_: &Request, mut response: Response| {
        response
            .headers_mut()
            .insert("sec-websocket-protocol", HeaderValue::from_static(AGENT_SUBPROTOCOL));
        Ok(response)
    };
    let socket = accept_hdr_async(tcp, subprotocol).await.unwrap();
    let mut link = Link {
        socket,
        typed: 0,
        acked: 0,
    };
    let agent_id = "0123456789ab".parse().unwrap();
    link.say(ToAgent::Welcome {
        protocol: PROTOCOL,
        agent_id,
        heartbeat_seconds: 3600,
        command_log: false,
        command_output: false,
        pulled_metrics: false,
        thresholds: Default::default(),
        logins: false,
        services: false,
        policies: Default::default(),
    })
    .await;
    link.say(ToAgent::Open {
        stream: STREAM,
        session_id: "sess".parse().unwrap(),
        size: Size::default(),
        allow_sudo: true,
        username: "bench".into(),
        limits: Default::default(),
        ssh: None,
    })
    .await;
    link.say(ToAgent::OpenInput {
        stream: STREAM,
        input: INPUT,
    })
    .await;
    link
}

impl Link {
    async fn say(&mut self, message: ToAgent) {
        self.socket
            .send(Message::text(serde_json::to_string(&message).unwrap()))
            .await
            .unwrap();
    }

    async fn type_text(&mut self, text: &str) {
        let frame = Frame::new(Kind::Input, INPUT, self.typed, text.as_bytes());
        self.typed += text.len() as u64;
        self.socket.send(Message::Binary(frame.bytes().clone())).await.unwrap();
    }

    /// The next output frame, acknowledged.
    async fn output(&mut self) -> Frame {
        loop {
            let Message::Binary(bytes) = self.socket.next().await.unwrap().unwrap() else {
                continue;
            };
            let frame = Frame::decode(bytes).unwrap();
            if frame.kind == Kind::Output {
                if frame.end() - self.acked >= ACK {
                    self.acked = frame.end();
                    let credit = Frame::credit(STREAM, self.acked, Some(LIVE_WINDOW));
                    self.socket.send(Message::Binary(credit.bytes().clone())).await.unwrap();
                }
                return frame;
            }
        }
    }

    async fn read_until(&mut self, mark: &[u8]) -> u64 {
        let mut bytes = 0;
        let mut tail = Vec::new();
        loop {
            let frame = self.output().await;
            let payload = frame.payload();
            bytes += payload.len() as u64;
            tail.extend_from_slice(&payload[payload.len().saturating_sub(mark.len())..]);
            if tail.ends_with(mark) {
                return bytes;
            }
            tail.drain(..tail.len().saturating_sub(mark.len()));
        }
    }

    async fn bulk(&mut self, command: &str) -> (u64, Duration) {
        let start = Instant::now();
        self.type_text(&format!("{command}; printf 'end%s' '!'\n")).await;
        let bytes = self.read_until(b"end!").await;
        (bytes, start.elapsed())
    }

    async fn key(&mut self) -> Duration {
        let start = Instant::now();
        self.type_text("x").await;
        self.output().await;
        start.elapsed()
    }
}
