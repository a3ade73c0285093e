//! What a client asks for when it opens a terminal.
use axum::http::HeaderMap;
use protocol::api::validate::Faults;
use protocol::ids::SessionId;
use protocol::relay_contract::Dialect;
use protocol::terminal::{Size, VIEWER_SUBPROTOCOL};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::client::{MAX_SOURCE, is_source};
use crate::http::upgrade::offers;
use crate::platform::error::ApiError;

/// Longest name of an operating system.
const MAX_OS_INFO: usize = 100;

/// The query of a terminal socket.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TerminalQuery {
    /// What `POST /api/terminal/{agent_id}/ticket` gave, for browsers. It works once and counts before a token.
    #[allow(dead_code, reason = "read by SocketCredentials; here for the API document")]
    ticket: Option<String>,
    /// The bearer token, for clients that cannot send a header. It counts before the header.
    #[allow(dead_code, reason = "read by SocketCredentials; here for the API document")]
    token: Option<String>,
    /// The session to attach to, or to open under this name: 1 to 128 characters of A-Z a-z 0-9 . _ : -
    #[param(max_length = 128, pattern = "^[A-Za-z0-9._:-]+$")]
    session_id: Option<String>,
    /// What kind of program opens it: `ui`, `cli`, `vscode`, or a name of its own.
    #[param(max_length = 32, pattern = "^[A-Za-z0-9._-]+$")]
    source: Option<String>,
    /// The operating system, if the client knows better than its `User-Agent`.
    #[param(max_length = 100)]
    os_info: Option<String>,
    /// Width in characters, 1 to 1000; 80 if absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    cols: Option<String>,
    /// Height in characters, 1 to 1000; 24 if absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    rows: Option<String>,
    /// `raw` for output as binary frames and nothing else.
    #[param(pattern = "^raw$")]
    format: Option<String>,
}

/// The same, checked.
#[derive(Debug, PartialEq, Eq)]
pub struct TerminalRequest {
    /// The session that the client named.
    pub session_id: Option<SessionId>,
    /// What kind of program it is.
    pub source: String,
    /// The operating system it named.
    pub os: Option<String>,
    /// Its size.
    pub size: Size,
    /// How it speaks.
    pub dialect: Dialect,
}

impl TerminalRequest {
    /// Checks a query. `subprotocols` are those that the client offers.
    pub fn new(query: TerminalQuery, headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut faults = Faults::default();
        let session_id = query.session_id.filter(|text| !text.is_empty()).and_then(|text| {
            text.parse::<SessionId>()
                .map_err(|_| faults.add("session_id", "must be 1 to 128 characters of A-Z a-z 0-9 . _ : -"))
                .ok()
        });
        let source = query.source.filter(|text| !text.is_empty());
        if let Some(source) = &source {
            faults.check(
                is_source(source),
                "source",
                format!("must be 1 to {MAX_SOURCE} characters of A-Z a-z 0-9 . _ -"),
            );
        }
        if let Some(os) = &query.os_info {
            faults.line("os_info", os, 0, MAX_OS_INFO);
        }
        let standard = Size::default();
        let cols = side("cols", query.cols, standard.cols, &mut faults);
        let rows = side("rows", query.rows, standard.rows, &mut faults);
        faults.check(
            query.format.as_deref().is_none_or(|format| format == "raw"),
            "format",
            "must be raw, or absent",
        );
        let faults = faults.into_vec();
        if !faults.is_empty() {
            return Err(ApiError::invalid(faults));
        }
        let dialect = match query.format {
            _ if offers(headers, VIEWER_SUBPROTOCOL) => Dialect::Stream,
            Some(_) => Dialect::Raw,
            None => Dialect::Published,
        };
        Ok(Self {
            source: source.unwrap_or_else(|| guess_source(session_id.as_ref()).to_owned()),
            os: query.os_info.map(|os| os.trim().to_owned()).filter(|os| !os.is_empty()),
            size: Size { cols, rows },
            session_id,
            dialect,
        })
    }
}

fn side(field: &str, text: Option<String>, standard: u16, faults: &mut Faults) -> u16 {
    let Some(text) = text else {
        return standard;
    };
    let side = text
        .parse()
        .ok()
        .filter(|side| protocol::limits::TERMINAL_SIZE.contains(side));
    side.unwrap_or_else(|| {
        faults.add(field, "must be a whole number from 1 to 1000");
        standard
    })
}

/// Published clients put what they are into the names of their sessions (contract).
fn guess_source(session: Option<&SessionId>) -> &'static str {
    match session.map(SessionId::as_str) {
        Some(name) if name.starts_with("vscode") => "vscode",
        Some(name) if name.starts_with("cli") => "cli",
        _ => "ui",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> TerminalQuery {
        serde_json::from_value(
            pairs
                .iter()
                .map(|&(name, value)| (name.to_owned(), serde_json::Value::from(value)))
                .collect(),
        )
        .unwrap()
    }

    fn request(pairs: &[(&str, &str)], subprotocols: Option<&str>) -> Result<TerminalRequest, String> {
        let headers = subprotocols
            .map(|text| (header::SEC_WEBSOCKET_PROTOCOL, text.parse().unwrap()))
            .into_iter()
            .collect();
        TerminalRequest::new(query(pairs), &headers).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn a_client_that_says_nothing_gets_the_published_frames_at_80_by_24() {
        let expected = TerminalRequest {
            session_id: None,
            source: "ui".into(),
            os: None,
            size: Size { cols: 80, rows: 24 },
            dialect: Dialect::Published,
        };
        assert_eq!(request(&[], None), Ok(expected));
    }

    #[test]
    fn the_dialect_follows_from_subprotocol_and_format() {
        let dialect = |pairs: &[(&str, &str)], subprotocols| request(pairs, subprotocols).unwrap().dialect;
        assert_eq!(dialect(&[("format", "raw")], None), Dialect::Raw);
        assert_eq!(dialect(&[], Some("other, vsay.stream.v1")), Dialect::Stream);
        assert_eq!(dialect(&[("format", "raw")], Some("vsay.stream.v1")), Dialect::Stream);
        assert_eq!(dialect(&[], Some("vsay.stream.v12")), Dialect::Published);
    }

    #[test]
    fn the_source_is_said_or_follows_from_the_name_of_the_session() {
        let source = |pairs: &[(&str, &str)]| request(pairs, None).unwrap().source;
        assert_eq!(source(&[("source", "tool"), ("session_id", "cli-1")]), "tool");
        assert_eq!(source(&[("session_id", "vscode_1")]), "vscode");
        assert_eq!(source(&[("session_id", "cli-1")]), "cli");
        assert_eq!(source(&[("session_id", "session_1_x")]), "ui");
    }

    #[test]
    fn every_parameter_out_of_bounds_is_named() {
        let error = request(
            &[
                ("session_id", "a b"),
                ("source", "ü"),
                ("os_info", "a\nb"),
                ("cols", "0"),
                ("rows", "many"),
                ("format", "json"),
            ],
            None,
        )
        .unwrap_err();
        for field in ["session_id", "source", "os_info", "cols", "rows", "format"] {
            assert!(error.contains(&format!("field: \"{field}\"")), "{field}: {error}");
        }
        assert!(request(&[("cols", "1001")], None).is_err());
        assert!(request(&[("cols", "1000"), ("rows", "1")], None).is_ok());
    }
}
