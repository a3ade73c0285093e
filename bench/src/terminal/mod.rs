//! Terminals as their users see them, whatever lies between.
mod pipe;
mod published;
mod shell;
mod stream;
mod ttyd;

pub use pipe::{Echo, Peer, pipe};
pub use published::PublishedTerminal;
pub use shell::{begin, begun, echoes, pours};
pub use stream::{Attachment, StreamTerminal};
pub use ttyd::{Ttyd, TtydTerminal};

use anyhow::{Context, Result};
use bytes::Bytes;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::http::{authority, connect};

/// A WebSocket without TLS: everything here runs on one machine.
pub type Socket = WebSocketStream<TcpStream>;

/// A terminal that somebody is at.
pub trait Terminal {
    /// Types.
    async fn send(&mut self, keys: &[u8]) -> Result<()>;

    /// Waits for output and takes it. Giving up waiting loses nothing.
    async fn output(&mut self) -> Result<Bytes>;
}

/// Opens a WebSocket.
pub async fn open(origin: &str, path: &str, token: Option<&str>, subprotocol: Option<&str>) -> Result<Socket> {
    let mut request = format!("ws://{}{path}", authority(origin)?).into_client_request()?;
    if let Some(token) = token {
        let value = HeaderValue::from_str(&format!("Bearer {token}"))?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    if let Some(subprotocol) = subprotocol {
        request
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(subprotocol)?);
    }
    let (socket, _) = client_async(request, connect(origin).await?)
        .await
        .with_context(|| format!("{path} was refused"))?;
    Ok(socket)
}
