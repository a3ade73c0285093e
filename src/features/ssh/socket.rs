//! How a socket that is not opened is answered. A client of the published frames hears it in a frame and by the code of the close, as browsers
//! show nobody why an upgrade was refused; everybody else gets the answer that all operations give.
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use protocol::terminal::VIEWER_SUBPROTOCOL;
use protocol::terminal::ssh::{Refusal, SshTarget, ToClient, is_hostname, is_user};
use serde::Deserialize;
use utoipa::IntoParams;
use worker::WebSocketPair;

use crate::features::terminals::request::{TerminalQuery, TerminalRequest};
use crate::http::upgrade::{is_upgrade, offers};
use crate::platform::error::ApiError;

/// As whom a terminal is opened.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SshQuery {
    /// The user at the host; without one the one that the inventory names: 1 to 32 characters of A-Z a-z 0-9 . _ -
    #[param(max_length = 32, pattern = "^[a-zA-Z0-9._-]+$")]
    pub(super) user: Option<String>,
}

/// What a socket is asked for, checked.
#[derive(Debug)]
pub struct Asked {
    /// How it speaks, and in which session.
    pub request: TerminalRequest,
    /// Where it leads.
    pub target: SshTarget,
}

impl Asked {
    /// Checks what somebody asks for.
    pub fn new(hostname: String, terminal: TerminalQuery, ssh: SshQuery, headers: &HeaderMap) -> Result<Self, Stop> {
        let request = TerminalRequest::new(terminal, headers)?;
        let user = ssh.user.filter(|user| !user.is_empty());
        if !user.as_deref().is_none_or(is_user) {
            let error = ApiError::invalid_field("user", "must be 1 to 32 characters of A-Z a-z 0-9 . _ -");
            return Err(Stop::with(error, Refusal::InvalidUser));
        }
        if !is_hostname(&hostname) {
            return Err(Stop::with(ApiError::not_found("No such host"), Refusal::NotFound));
        }
        Ok(Self {
            request,
            target: SshTarget { hostname, user },
        })
    }
}

/// Why a socket is not opened.
#[derive(Debug)]
pub struct Stop {
    error: ApiError,
    /// What it is called in the published frames; nothing where those have no word for it.
    refusal: Option<Refusal>,
}

impl Stop {
    /// With what it is called in the published frames.
    pub fn with(error: ApiError, refusal: Refusal) -> Self {
        Self {
            error,
            refusal: Some(refusal),
        }
    }
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        let refusal = match error.status() {
            StatusCode::UNAUTHORIZED => Some(Refusal::InvalidToken),
            StatusCode::FORBIDDEN => Some(Refusal::Forbidden),
            StatusCode::NOT_FOUND => Some(Refusal::NotFound),
            _ => None,
        };
        Self { error, refusal }
    }
}

/// The answer to a request for a socket, whatever became of it.
pub fn answer(opened: Result<Response, Stop>, headers: &HeaderMap) -> Result<Response, ApiError> {
    let speaks_frames = is_upgrade(headers) && !offers(headers, VIEWER_SUBPROTOCOL);
    match opened {
        Ok(response) => Ok(response),
        Err(Stop {
            error,
            refusal: Some(refusal),
        }) if speaks_frames => refuse(&error, refusal),
        Err(Stop { error, .. }) => Err(error),
    }
}

/// A socket that is told why it is none.
fn refuse(error: &ApiError, refusal: Refusal) -> Result<Response, ApiError> {
    let WebSocketPair { client, server } = WebSocketPair::new()?;
    server.accept()?;
    let message = match refusal {
        // In the words of the answer.
        Refusal::NoCredentials | Refusal::SessionLimit | Refusal::NotFound => error.text().to_owned(),
        refusal => refusal.reason().to_owned(),
    };
    let frame = serde_json::to_string(&ToClient::Error { message }).map_err(ApiError::internal)?;
    server.send_with_str(frame)?;
    server.close(Some(refusal.code()), Some(refusal.reason()))?;
    Ok(worker::Response::from_websocket(client)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(hostname: &str, user: Option<&str>) -> Result<SshTarget, (u16, Option<Refusal>)> {
        let ssh = SshQuery {
            user: user.map(str::to_owned),
        };
        let asked = Asked::new(hostname.to_owned(), TerminalQuery::default(), ssh, &HeaderMap::new());
        asked
            .map(|asked| asked.target)
            .map_err(|stop| (stop.error.status().as_u16(), stop.refusal))
    }

    #[test]
    fn who_asks_for_a_host_may_say_as_whom() {
        let target = |user: Option<&str>| SshTarget {
            hostname: "web-1".into(),
            user: user.map(str::to_owned),
        };
        assert_eq!(asked("web-1", None), Ok(target(None)));
        assert_eq!(asked("web-1", Some("")), Ok(target(None)));
        assert_eq!(asked("web-1", Some("deploy")), Ok(target(Some("deploy"))));
        assert_eq!(asked("web-1", Some("a b")), Err((400, Some(Refusal::InvalidUser))));
        assert_eq!(asked("a b", None), Err((404, Some(Refusal::NotFound))));
    }
}
