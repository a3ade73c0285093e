//! Opening a link.
use std::sync::Arc;
use std::time::Duration;

use protocol::limits::MAX_AGENT_TEXT;
use protocol::terminal::AGENT_SUBPROTOCOL;
use protocol::terminal::frame::MAX_FRAME;
use rustls::ClientConfig;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, USER_AGENT};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use url::Url;

use crate::identity::Identity;
use protocol::ids::AgentId;

/// From the first packet to the upgraded socket. An edge that needs longer is not there.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What the socket may hold unwritten beyond one frame. Small, because a keystroke's echo waits behind it.
const WRITE_BUFFER: usize = 128 * 1024;

/// An open link.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why there is no link.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The edge answered that this machine may not connect.
    #[error("the edge refuses this machine ({0}): {1}")]
    Refused(StatusCode, String),
    /// The edge answered something that is no link.
    #[error("the edge answered {0} instead of opening a link")]
    Answer(StatusCode),
    /// The edge does not speak our protocol.
    #[error("the edge does not speak {AGENT_SUBPROTOCOL}")]
    Subprotocol,
    /// No answer in time.
    #[error("the edge did not answer within {} seconds", TIMEOUT.as_secs())]
    Timeout,
    /// The network, or the address.
    #[error("{0}")]
    Network(#[from] Box<WebSocketError>),
    /// No token could be made.
    #[error("cannot sign a token: {0}")]
    Token(#[from] jwt_compact::CreationError),
    /// The address cannot be one.
    #[error("{0} is no address to connect to")]
    Address(Url),
}

/// Opens a link as `agent_id`.
pub async fn connect(
    endpoint: &Url,
    agent_id: &AgentId,
    identity: &Identity,
    tls: Arc<ClientConfig>,
) -> Result<Socket, ConnectError> {
    let address = link_address(endpoint)?;
    let mut request = address.as_str().into_client_request().map_err(Box::new)?;
    let bearer = format!("Bearer {}", identity.token(agent_id)?);
    let bearer = HeaderValue::try_from(bearer).map_err(|_| ConnectError::Address(address))?;
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(AGENT_SUBPROTOCOL));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("vsay-agent/", env!("CARGO_PKG_VERSION"))),
    );

    let largest = MAX_FRAME.max(MAX_AGENT_TEXT);
    let config = WebSocketConfig::default()
        .max_frame_size(Some(largest))
        .max_message_size(Some(largest))
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER + 2 * largest);
    // Without Nagle's algorithm, which would hold an echo back until the one before is acknowledged.
    let opening = connect_async_tls_with_config(request, Some(config), true, Some(Connector::Rustls(tls)));
    match timeout(TIMEOUT, opening).await {
        Err(_) => Err(ConnectError::Timeout),
        Ok(Ok((socket, response))) => {
            let protocol = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
            if protocol.is_some_and(|protocol| protocol == AGENT_SUBPROTOCOL) {
                Ok(socket)
            } else {
                Err(ConnectError::Subprotocol)
            }
        }
        Ok(Err(WebSocketError::Http(response))) => {
            let status = response.status();
            match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    let body = response.body().as_deref().unwrap_or_default();
                    Err(ConnectError::Refused(status, crate::enroll::words_of(body)))
                }
                _ => Err(ConnectError::Answer(status)),
            }
        }
        Ok(Err(error)) => Err(Box::new(error).into()),
    }
}

fn link_address(endpoint: &Url) -> Result<Url, ConnectError> {
    let mut address = endpoint.clone();
    let scheme = if endpoint.scheme() == "https" { "wss" } else { "ws" };
    address
        .set_scheme(scheme)
        .map_err(|()| ConnectError::Address(endpoint.clone()))?;
    address.set_path("/agent/connect");
    Ok(address)
}
