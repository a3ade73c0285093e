//! Enrolment: trading a token for an identity. `POST {host}/agent/enroll`.
use std::time::Duration;

use protocol::ids::{AgentId, ObjectId};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use crate::link::USER_AGENT;

/// An edge that needs longer is not there. Ten seconds of it may pass before there is a connection.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read. The real one is a hundred bytes or so.
const MAX_ANSWER: usize = 64 * 1024;

/// Most that is shown of an edge's words.
const MAX_WORDS: usize = 300;

/// A registration token or an API key. Shown to nobody.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// A token as somebody typed or piped it.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What a machine says to become known.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    /// Leave to enrol.
    pub token: &'a Token,
    /// The public key, base64url without padding.
    pub public_key: String,
    /// The machine's name for itself.
    pub hostname: String,
    /// Platform, version and architecture.
    pub os: String,
    /// The same for every enrolment of this installation, so that the machine is recognised.
    pub host_id: &'a str,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Who shells run as.
    pub linux_user: &'a str,
    /// Whether shells may use sudo.
    pub allow_sudo: bool,
    /// The agent's version.
    pub version: &'static str,
}

/// What the edge says of a machine it now knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Enrolled {
    /// The machine's public name.
    pub agent_id: AgentId,
    /// The machine's row.
    pub machine_id: ObjectId,
    /// Its display name.
    pub name: String,
}

/// Why a machine is not known.
#[derive(Debug, Error)]
pub enum EnrollError {
    /// No answer.
    #[error("cannot reach {host}: {why}")]
    Unreachable {
        /// Whom.
        host: Url,
        /// In words.
        why: String,
        /// Whether the question may have arrived.
        asked: bool,
    },
    /// The token is void.
    #[error(
        "the edge does not accept this token ({0}). A registration token works once: ask for a new one, or use an API key"
    )]
    Token(String),
    /// The machine was revoked, or the token's owner may not do this.
    #[error("the edge refuses this machine: {0}")]
    Forbidden(String),
    /// The edge does not accept what was said.
    #[error("the edge answered {status}: {words}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its words.
        words: String,
    },
    /// Whoever answers there is no edge.
    #[error("{0} answers, but not as a VSAY edge does; is the address right?")]
    NotAnEdge(Url),
    /// No TLS.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] network::TlsError),
}

/// Enrols with the edge at `endpoint`.
pub async fn enroll(endpoint: &Url, request: &Request<'_>) -> Result<Enrolled, EnrollError> {
    let unreachable = |error: reqwest::Error| EnrollError::Unreachable {
        host: endpoint.clone(),
        why: network::reason(&error),
        asked: !error.is_connect() && !error.is_builder(),
    };
    let client = network::builder(USER_AGENT, endpoint)?
        .timeout(TIMEOUT)
        .build()
        .map_err(unreachable)?;
    let mut address = endpoint.clone();
    address.set_path("/agent/enroll");
    let response = client.post(address).json(request).send().await.map_err(unreachable)?;
    let status = response.status();
    let body = network::read_at_most(response, MAX_ANSWER)
        .await
        .map_err(unreachable)?
        .ok_or_else(|| EnrollError::NotAnEdge(endpoint.clone()))?;
    match status {
        StatusCode::CREATED => serde_json::from_slice(&body).map_err(|_| EnrollError::NotAnEdge(endpoint.clone())),
        StatusCode::UNAUTHORIZED => Err(EnrollError::Token(words_of(&body))),
        StatusCode::FORBIDDEN => Err(EnrollError::Forbidden(words_of(&body))),
        StatusCode::NOT_FOUND => Err(EnrollError::NotAnEdge(endpoint.clone())),
        status if status.is_success() || status.is_redirection() => Err(EnrollError::NotAnEdge(endpoint.clone())),
        status => Err(EnrollError::Refused {
            status,
            words: words_of(&body),
        }),
    }
}

/// The words of an error body: `error` and `detail` of the edge's JSON, or that there are none. Control characters, which
/// a terminal would obey, are left out.
pub fn words_of(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Words {
        error: String,
        #[serde(default)]
        detail: String,
    }
    let words = match serde_json::from_slice::<Words>(body) {
        Ok(Words { error, detail }) if detail.is_empty() || detail == error => error,
        Ok(Words { error, detail }) => format!("{error}: {detail}"),
        Err(_) => "no reason given".to_owned(),
    };
    words.chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_edges_and_harmless() {
        assert_eq!(
            words_of(br#"{"error":"no","detail":"the token was used"}"#),
            "no: the token was used"
        );
        assert_eq!(words_of(br#"{"error":"no","detail":"no","code":"x"}"#), "no");
        assert_eq!(words_of(b"<html>"), "no reason given");
        assert_eq!(words_of(br#"{"error":"\u001b[2Jboo"}"#), "[2Jboo");
        assert_eq!(
            words_of(format!(r#"{{"error":"{}"}}"#, "x".repeat(10_000)).as_bytes()).len(),
            MAX_WORDS
        );
    }

    #[test]
    fn a_token_is_trimmed_and_never_shown() {
        let token = Token::new(" secret\n").unwrap();
        assert_eq!(serde_json::to_string(&token).unwrap(), "\"secret\"");
        assert!(!format!("{token:?}").contains("secret"));
        assert!(Token::new(" \n").is_none());
    }
}
