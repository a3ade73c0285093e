//! A receiver of webhooks: a small server of its own, that checks signatures as the specification tells receivers to, and answers as a
//! test says.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::loopback::Loopback;
use super::wait::eventually;

/// How far a timestamp may be off, in seconds: what the specification's libraries allow.
const TOLERANCE: i64 = 300;

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With a status and a body.
    With(u16, &'static str),
    /// With a redirect to this address.
    To(String),
    /// Not at all: the connection stays open.
    Never,
}

/// What was posted.
#[derive(Debug, Clone)]
pub struct Posted {
    /// By lower case name.
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Posted {
    /// A header that must be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:#?}"))
    }

    /// Its body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:#?}"))
    }

    /// Whether it was signed with this secret a moment ago.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = Base64::decode_vec(secret.strip_prefix("whsec_").expect("the form of secrets")).expect("base64");
        let timestamp = self.header("webhook-timestamp");
        let age = chrono::Utc::now().timestamp() - timestamp.parse::<i64>().expect("seconds");
        let mut code = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        code.update(format!("{}.{timestamp}.{}", self.header("webhook-id"), self.body).as_bytes());
        let signatures = self.header("webhook-signature").split(' ');
        let given = signatures
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|signature| Base64::decode_vec(signature).ok());
        age.abs() <= TOLERANCE && given.into_iter().any(|given| code.clone().verify_slice(&given).is_ok())
    }
}

/// A running receiver. It ends when dropped.
pub struct Receiver {
    /// Its address.
    pub url: String,
    received: Arc<Mutex<Vec<Posted>>>,
    _server: Loopback,
}

impl Receiver {
    /// Answers the first requests so, and all others like the last of them.
    pub async fn start(replies: Vec<Reply>) -> Self {
        let received = Arc::<Mutex<Vec<Posted>>>::default();
        let into = received.clone();
        let server = Loopback::start(move |socket| serve(socket, replies.clone(), into.clone())).await;
        Self {
            url: format!("http://{}/hook", server.address),
            received,
            _server: server,
        }
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Posted> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until so many came, and gives them.
    pub async fn waits_for(&self, count: usize) -> Vec<Posted> {
        eventually(&format!("{count} deliveries"), async || {
            Some(self.received()).filter(|posted| posted.len() >= count)
        })
        .await
    }
}

/// One request of a connection, which is then closed.
async fn serve(socket: TcpStream, replies: Vec<Reply>, received: Arc<Mutex<Vec<Posted>>>) {
    let mut stream = BufReader::new(socket);
    let Some(posted) = read(&mut stream).await else { return };
    let reply = {
        let mut received = received.lock().unwrap();
        received.push(posted);
        replies[(received.len() - 1).min(replies.len() - 1)].clone()
    };
    let answer = match reply {
        Reply::With(status, body) => format!(
            "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Reply::To(url) => {
            format!("HTTP/1.1 307 Elsewhere\r\nlocation: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        Reply::Never => return std::future::pending().await,
    };
    let _ = stream.get_mut().write_all(answer.as_bytes()).await;
    let _ = stream.get_mut().shutdown().await;
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Posted> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    assert!(first.starts_with("POST /hook HTTP/1.1"), "{first}");
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = Vec::new();
    match headers.get("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => {
            body.resize(length, 0);
            stream.read_exact(&mut body).await.ok()?;
        }
        None => {
            // In chunks.
            loop {
                let mut size = String::new();
                stream.read_line(&mut size).await.ok()?;
                let size = usize::from_str_radix(size.trim(), 16).ok()?;
                let mut chunk = vec![0; size + 2];
                stream.read_exact(&mut chunk).await.ok()?;
                if size == 0 {
                    break;
                }
                body.extend(&chunk[..size]);
            }
        }
    }
    Some(Posted {
        headers,
        body: String::from_utf8(body).ok()?,
    })
}
