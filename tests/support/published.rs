//! A client of the published socket: JSON frames, or `format=raw`.
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use super::account::Account;
use super::agent::Agent;
use super::viewer::{Socket, open};
use super::wait::PATIENCE;

/// A client and everything it was told.
pub struct Published {
    socket: Socket,
    /// Every JSON frame.
    pub frames: Vec<Value>,
    /// The text of all output frames.
    pub text: String,
    /// All binary frames.
    pub raw: Vec<u8>,
    /// The code and reason with which the socket was closed.
    pub closed: Option<(u16, String)>,
}

impl Published {
    /// Opens the published socket of a machine; `query` goes behind the token.
    pub async fn connect(account: &Account, agent: &Agent, query: &str) -> Self {
        Self::open(account, &format!("/api/terminal/{}", agent.agent_id), query).await
    }

    /// The same of a session that was shared with the account.
    pub async fn guest(account: &Account, share: &str, query: &str) -> Self {
        Self::open(account, &format!("/api/shares/{share}"), query).await
    }

    async fn open(account: &Account, path: &str, query: &str) -> Self {
        let (base, token) = (&account.anonymous.url, &account.token);
        Self::at(&format!("{base}{path}/ws?token={token}{query}")).await
    }

    /// Opens a published socket by all of its address.
    pub async fn at(url: &str) -> Self {
        let socket = open(url, &HeaderMap::new()).await.expect("an upgrade");
        Self {
            socket,
            frames: Vec::new(),
            text: String::new(),
            raw: Vec::new(),
            closed: None,
        }
    }

    /// Sends text as it is.
    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("an open socket");
    }

    /// Sends a JSON frame.
    pub async fn say(&mut self, frame: Value) {
        self.send(&frame.to_string()).await;
    }

    /// Types as most clients do.
    pub async fn types(&mut self, text: &str) {
        self.say(json!({"type": "input", "input": text})).await;
    }

    /// Sends bytes.
    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.socket
            .send(Message::binary(bytes.to_vec()))
            .await
            .expect("an open socket");
    }

    /// Loses the connection without a goodbye.
    pub fn cut(self) {
        drop(self.socket);
    }

    /// Waits for a frame of this type, and answers the first there was.
    pub async fn wait_frame(&mut self, kind: &str) -> Value {
        let is_it = |frame: &&Value| frame["type"] == kind;
        self.wait(&format!("a {kind} frame"), |client| {
            client.frames.iter().any(|frame| is_it(&frame))
        })
        .await;
        self.frames.iter().find(is_it).cloned().expect("there is one")
    }

    /// Waits for text in the output.
    pub async fn wait_for_output(&mut self, text: &str) {
        self.wait(&format!("{text:?} in the output"), |client| client.text.contains(text))
            .await;
    }

    /// Waits until the socket is closed.
    pub async fn wait_closed(&mut self) -> (u16, String) {
        self.wait("the socket to close", |client| client.closed.is_some()).await;
        self.closed.clone().expect("it is")
    }

    /// Reads until a condition holds.
    pub async fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(
                self.closed.is_none(),
                "closed {:?} before: {what}\n{:#?}",
                self.closed,
                self.frames
            );
            let Ok(message) = timeout_at(deadline, self.socket.next()).await else {
                panic!("waited {PATIENCE:?} in vain for: {what}\n{:#?}", self.frames);
            };
            match message {
                Some(Ok(Message::Text(text))) => self.take(&text),
                Some(Ok(Message::Binary(bytes))) => self.raw.extend_from_slice(&bytes),
                Some(Ok(Message::Close(Some(frame)))) => {
                    self.closed = Some((frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.closed = Some((1006, "no close frame".to_owned())),
            }
        }
    }

    fn take(&mut self, text: &str) {
        let frame: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        if frame["type"] == "output" {
            let output = frame["output"].as_str().or(frame["data"].as_str());
            self.text.push_str(output.expect("text"));
        }
        self.frames.push(frame);
    }
}
