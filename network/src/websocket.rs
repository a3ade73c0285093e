//! Opening a WebSocket over the client that makes the requests (RFC 6455, section 4.1).
use std::net::IpAddr;
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{RequestBuilder, StatusCode, Upgraded};
use thiserror::Error;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::client::{read_at_most, reason};

/// From the first packet to the open socket. Connecting may take ten seconds of it; the rest is the edge's to look around
/// before it answers, for which it allows itself five.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(20);

/// Largest refusal that is read. A real one is a few hundred bytes.
const MAX_REFUSAL: usize = 64 * 1024;

/// A WebSocket, whatever it travels through.
pub type Socket = WebSocketStream<Upgraded>;

/// An open WebSocket and what came with it.
#[derive(Debug)]
pub struct Opened {
    /// The socket.
    pub socket: Socket,
    /// Our own address, as the network has it.
    pub local: Option<IpAddr>,
    /// The headers of the answer.
    pub headers: HeaderMap,
}

/// An answer that opens nothing.
#[derive(Debug)]
pub struct Refusal {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// What it says; empty if it says too much.
    pub body: Vec<u8>,
}

/// Why there is no socket.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The answer was another.
    #[error("the server answered {} instead of opening a WebSocket", .0.status)]
    Refused(Box<Refusal>),
    /// The answer says that it opens a WebSocket, and proves nothing.
    #[error("the server answered as if it opened a WebSocket, and did not; something on the way may have")]
    Unproven,
    /// The server does not speak our protocol.
    #[error("the server does not speak {0}")]
    Subprotocol(&'static str),
    /// No answer in time.
    #[error("the server did not answer within {} seconds", OPEN_TIMEOUT.as_secs())]
    Timeout,
    /// The network, or the address.
    #[error("{}", reason(.0))]
    Network(#[from] reqwest::Error),
}

/// Sends a `GET` that asks for a WebSocket with this subprotocol.
pub async fn open(
    request: RequestBuilder,
    subprotocol: &'static str,
    config: WebSocketConfig,
) -> Result<Opened, OpenError> {
    match timeout(OPEN_TIMEOUT, handshake(request, subprotocol, config)).await {
        Ok(opened) => opened,
        Err(_) => Err(OpenError::Timeout),
    }
}

async fn handshake(
    request: RequestBuilder,
    subprotocol: &'static str,
    config: WebSocketConfig,
) -> Result<Opened, OpenError> {
    let key = generate_key();
    let request = request
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key)
        .header(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    if status != StatusCode::SWITCHING_PROTOCOLS {
        // Its status says most of it already.
        let body = read_at_most(response, MAX_REFUSAL)
            .await
            .ok()
            .flatten()
            .unwrap_or_default();
        return Err(OpenError::Refused(Box::new(Refusal { status, headers, body })));
    }
    let says = |name: HeaderName, value: &str| headers.get(name).is_some_and(|said| said == value);
    if !says(SEC_WEBSOCKET_ACCEPT, &derive_accept_key(key.as_bytes())) {
        return Err(OpenError::Unproven);
    }
    if !says(SEC_WEBSOCKET_PROTOCOL, subprotocol) {
        return Err(OpenError::Subprotocol(subprotocol));
    }
    let local = response
        .extensions()
        .get::<HttpInfo>()
        .map(|info| info.local_addr().ip());
    let upgraded = response.upgrade().await?;
    Ok(Opened {
        socket: WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await,
        local,
        headers,
    })
}

#[cfg(test)]
mod tests;
