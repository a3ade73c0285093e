//! The REST API as far as the commands need it, a file per noun.
mod audit;
mod commands;
mod machines;
mod sign_in;

use std::time::Duration;

use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;
use reqwest::header::LOCATION;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::error::{Error, root_cause};

pub use machines::status_word;

/// Names this client to the server, which recognises `cli`.
pub const USER_AGENT: &str = concat!("vsay-shell-cli/", env!("CARGO_PKG_VERSION"));

/// The name of this kind of client in sessions and audit.
pub const SOURCE: &str = "cli";

/// How long an answer may take. The slowest is a sign-in, whose password check takes a fraction of a second.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A server and, after sign-in, the right to ask it.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    api_url: String,
    token: Option<Secret>,
}

impl Client {
    /// For signing in.
    pub fn anonymous(api_url: &str) -> Result<Self, Error> {
        let edge = Url::parse(api_url)
            .map_err(|_| Error::Argument("the address kept by vsay login is damaged; sign in again".to_owned()))?;
        let builder = network::builder(USER_AGENT, &edge).map_err(|error| Error::Unexpected(error.to_string()))?;
        let http = builder.timeout(TIMEOUT).build();
        let http = http.map_err(|error| Error::Unexpected(root_cause(&error)))?;
        Ok(Self {
            http,
            api_url: api_url.to_owned(),
            token: None,
        })
    }

    /// For everything else.
    pub fn signed_in(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            token: Some(config.token.clone()),
            ..Self::anonymous(&config.api_url)?
        })
    }

    /// A request that is sent by somebody else.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.api_url))
            .header("X-Source", SOURCE);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = self.send(request).await?;
        let body = response
            .bytes()
            .await
            .map_err(|error| unreachable(&self.api_url, &error))?;
        serde_json::from_slice(&body).map_err(|error| Error::Unexpected(error.to_string()))
    }

    /// The answer, if it is a success.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request
            .send()
            .await
            .map_err(|error| unreachable(&self.api_url, &error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let message = refusal(response).await;
        let token_refused = status == StatusCode::UNAUTHORIZED && self.token.is_some();
        Err(if token_refused {
            Error::SignInRefused(message)
        } else {
            Error::Refused(message)
        })
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> Error {
    Error::Unreachable {
        url: url.to_owned(),
        reason: network::reason(error),
    }
}

/// The server's own words, or at least its status.
async fn refusal(response: Response) -> String {
    let status = response.status();
    if let Some(elsewhere) = response.headers().get(LOCATION).filter(|_| status.is_redirection()) {
        let elsewhere = String::from_utf8_lossy(elsewhere.as_bytes()).into_owned();
        return format!("the server answered {status} and points to {elsewhere}; sign in there");
    }
    let body = response.bytes().await.unwrap_or_default();
    refusal_text(&body).unwrap_or_else(|| format!("the server answered {status}"))
}

/// The text of an error body, with the fields it names. Where the text is about one of them, it is not said again.
pub fn refusal_text(body: &[u8]) -> Option<String> {
    let body: ErrorBody = serde_json::from_slice(body).ok()?;
    let faults = body
        .fields
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.message));
    let others = faults.filter(|fault| *fault != body.error);
    let lines = others.map(|fault| format!("\n  {fault}")).collect::<String>();
    Some(body.error + &lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        assert_eq!(
            refusal_text(
                br#"{"error":"No","detail":"No","code":"invalid","fields":[{"field":"name","message":"is required"}]}"#
            )
            .unwrap(),
            "No\n  name is required"
        );
        assert_eq!(refusal_text(b"<html>"), None);
    }

    #[test]
    fn what_is_wrong_with_a_field_is_said_once() {
        let said = |fields: &str| {
            let body = format!(r#"{{"error":"name is required","detail":"","code":"invalid","fields":[{fields}]}}"#);
            refusal_text(body.as_bytes()).unwrap()
        };
        let name = r#"{"field":"name","message":"is required"}"#;
        assert_eq!(said(name), "name is required");
        assert_eq!(
            said(&format!(r#"{name},{{"field":"tags","message":"must be a list"}}"#)),
            "name is required\n  tags must be a list"
        );
    }
}
