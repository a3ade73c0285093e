//! How the native programs reach an edge: one client for requests and WebSockets, so that what works for one works for the
//! other.
//!
//! - Names with IPv6 and IPv4 addresses are tried side by side (RFC 8305): a network that swallows one of the two does not
//!   keep a machine away.
//! - `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or not, name the proxies, `http://`, `https://` or
//!   `socks5://`, with a user and password if they want one. An edge on this machine is reached without.
//! - Certificates are checked against what the system trusts, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
#![forbid(unsafe_code)]

mod client;
mod dates;
mod tls;
pub mod websocket;

pub use client::{builder, is_loopback, read_at_most, reason};
pub use rustls::Error as TlsError;
