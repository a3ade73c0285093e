//! The client that everything goes through.
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, Url};

use crate::{TlsError, dates, tls};

/// From the look-up of a name to the end of the TLS handshake. All addresses of a name share it, so that one that swallows
/// packets leaves time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection waits for another request: long enough for the next one of the same command, and so short that
/// none is tried over a network that has changed meanwhile.
const IDLE: Duration = Duration::from_secs(5);

/// How the errors of a proxy's tunnel begin, whose type is kept from us.
const TUNNEL: &str = "tunnel error: ";

/// A client for the edge at this address, with everything set that does not depend on who uses it.
pub fn builder(user_agent: &'static str, edge: &Url) -> Result<ClientBuilder, TlsError> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls::client_config()?)
        // A connection becomes a WebSocket in HTTP/1.1 only.
        .http1_only()
        // Without Nagle's algorithm, which would hold a keystroke back until the one before is acknowledged.
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE)
        // A redirect would carry tokens to somebody else.
        .redirect(Policy::none())
        .user_agent(user_agent);
    Ok(if is_loopback(edge) {
        // What a proxy takes for this machine is another.
        builder.no_proxy()
    } else {
        builder
    })
}

/// Whether an address is this machine.
pub fn is_loopback(address: &Url) -> bool {
    address.host_str().is_some_and(|host| {
        let number = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || number.parse::<IpAddr>().is_ok_and(|number| number.is_loopback())
    })
}

/// Why a request got no answer, in the words of the innermost cause: "connection refused" rather than "error sending
/// request".
pub fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() && error.is_connect() {
        return format!("no connection within {} seconds", CONNECT_TIMEOUT.as_secs());
    }
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if let Some(words) = tls_error(cause).and_then(dates::in_words) {
        return words;
    }
    let words = cause.to_string();
    match words.strip_prefix(TUNNEL) {
        Some(words) => format!("the proxy does not let us through ({words})"),
        None => words,
    }
}

/// What TLS found wrong, which comes wrapped as an error of reading or writing.
fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref().or_else(|| {
        let wrapped = cause.downcast_ref::<io::Error>()?.get_ref()?;
        wrapped.downcast_ref()
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_one_by_name_or_number() {
        let is = |address: &str| is_loopback(&address.parse().unwrap());
        for here in [
            "http://localhost:8787",
            "http://edge.localhost",
            "http://127.0.0.1/",
            "http://[::1]:80/",
            "http://127.1.2.3",
        ] {
            assert!(is(here), "{here}");
        }
        for elsewhere in [
            "http://edge.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "http://[::2]/",
        ] {
            assert!(!is(elsewhere), "{elsewhere}");
        }
    }
}
