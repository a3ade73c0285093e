//! The client that everything goes through.
use std::error::Error;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

use crate::{TlsError, tls};

/// From the look-up of a name to the end of the TLS handshake. All addresses of a name share it, so that one that swallows
/// packets leaves time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection waits for another request: long enough for the next one of the same command, and so short that
/// none is tried over a network that has changed meanwhile.
const IDLE: Duration = Duration::from_secs(5);

/// A client with everything set that does not depend on who uses it.
pub fn builder(user_agent: &'static str) -> Result<ClientBuilder, TlsError> {
    Ok(Client::builder()
        .tls_backend_preconfigured(tls::client_config()?)
        // A connection becomes a WebSocket in HTTP/1.1 only.
        .http1_only()
        // Without Nagle's algorithm, which would hold a keystroke back until the one before is acknowledged.
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE)
        // A redirect would carry tokens to somebody else.
        .redirect(Policy::none())
        .user_agent(user_agent))
}

/// Why a request got no answer, in the words of the innermost cause: "connection refused" rather than "error sending
/// request".
pub fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() && error.is_connect() {
        return format!("no connection within {} seconds", CONNECT_TIMEOUT.as_secs());
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The body of an answer; nothing if it is longer than `limit`.
pub async fn read_at_most(mut response: Response, limit: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
