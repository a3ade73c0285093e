//! The REST API as far as the commands need it.
use std::time::Duration;

use bytes::Bytes;
use protocol::api::Message;
use protocol::api::auth::{Login, LoginAnswer, User, VerifySecondFactor};
use protocol::api::error::ErrorBody;
use protocol::api::machines::{Machine, MachineList, MachineStatus};
use protocol::api::secret::Secret;
use protocol::ids::AgentId;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::error::{Error, root_cause};

/// Names this client to the server, which recognises `cli`.
pub const USER_AGENT: &str = concat!("vsay-shell-cli/", env!("CARGO_PKG_VERSION"));

/// The name of this kind of client in sessions and audit.
pub const SOURCE: &str = "cli";

/// How long an answer may take. The slowest is a sign-in, whose password check takes a fraction of a second.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a download may take as a whole: a log of a million entries takes a few minutes.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// A server and, after sign-in, the right to ask it.
pub struct Client {
    http: reqwest::Client,
    api_url: String,
    token: Option<Secret>,
}

impl Client {
    /// For signing in.
    pub fn anonymous(api_url: &str) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(TIMEOUT)
            .build();
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

    /// Trades a password for a token, or the question for a code. A name with `@` in it is an email address.
    pub async fn login(&self, name: String, password: Secret) -> Result<LoginAnswer, Error> {
        let (email, username) = if name.contains('@') {
            (Some(name), None)
        } else {
            (None, Some(name))
        };
        let request = self.request(Method::POST, "/api/login");
        self.ask(request.json(&Login {
            email,
            username,
            password,
        }))
        .await
    }

    /// Answers that question.
    pub async fn verify(&self, mfa_token: Secret, code: Secret) -> Result<LoginAnswer, Error> {
        let request = self.request(Method::POST, "/api/auth/mfa/verify");
        self.ask(request.json(&VerifySecondFactor { mfa_token, code })).await
    }

    /// Who the token belongs to.
    pub async fn me(&self) -> Result<User, Error> {
        self.ask(self.request(Method::GET, "/api/auth/me")).await
    }

    /// All machines the caller can reach, by name.
    pub async fn machines(&self) -> Result<Vec<Machine>, Error> {
        let found: MachineList = self.ask(self.request(Method::GET, "/api/machines")).await?;
        Ok(found.machines)
    }

    /// The one machine of that name or agent id.
    pub async fn machine(&self, name: &str) -> Result<Machine, Error> {
        pick(self.machines().await?, name)
    }

    /// Deletes a machine.
    pub async fn delete_machine(&self, agent_id: &AgentId) -> Result<(), Error> {
        let request = self.request(Method::DELETE, &format!("/api/machines/{agent_id}"));
        self.ask::<Message>(request).await.map(drop)
    }

    /// The whole audit log.
    pub async fn audit_export(&self, format: &str) -> Result<Download, Error> {
        let request = self.request(Method::GET, &format!("/api/audit/export?format={format}"));
        Ok(Download {
            response: self.send(request.timeout(DOWNLOAD_TIMEOUT)).await?,
            url: self.api_url.clone(),
        })
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

/// A long answer, as it arrives.
pub struct Download {
    response: Response,
    url: String,
}

impl Download {
    /// Its next part; nothing at the end. Fails if the server breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.response
            .chunk()
            .await
            .map_err(|error| unreachable(&self.url, &error))
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> Error {
    Error::Unreachable {
        url: url.to_owned(),
        reason: root_cause(error),
    }
}

/// The server's own words, or at least its status.
async fn refusal(response: Response) -> String {
    let status = response.status();
    let body = response.bytes().await.unwrap_or_default();
    refusal_text(&body).unwrap_or_else(|| format!("the server answered {status}"))
}

/// The text of an error body, with the fields it names.
pub fn refusal_text(body: &[u8]) -> Option<String> {
    let body: ErrorBody = serde_json::from_slice(body).ok()?;
    let fields = body
        .fields
        .iter()
        .map(|fault| format!("\n  {} {}", fault.field, fault.message));
    Some(std::iter::once(body.error).chain(fields).collect())
}

/// A machine's status for people.
pub fn status_word(status: MachineStatus) -> &'static str {
    match status {
        MachineStatus::Pending => "pending",
        MachineStatus::Online => "online",
        MachineStatus::Offline => "offline",
        MachineStatus::Revoked => "revoked",
    }
}

fn pick(machines: Vec<Machine>, name: &str) -> Result<Machine, Error> {
    if let Some(machine) = machines.iter().find(|machine| machine.agent_id.as_str() == name) {
        return Ok(machine.clone());
    }
    let mut named: Vec<Machine> = machines.into_iter().filter(|machine| machine.name == name).collect();
    match (named.pop(), named.is_empty()) {
        (None, _) => Err(Error::NoMachine(name.to_owned())),
        (Some(machine), true) => Ok(machine),
        (Some(machine), false) => {
            named.push(machine);
            let line = |machine: &Machine| format!("  {}  {}", machine.agent_id, status_word(machine.status));
            let candidates = named.iter().map(line).collect::<Vec<_>>().join("\n");
            Err(Error::Ambiguous {
                name: name.to_owned(),
                count: named.len(),
                candidates,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(agent_id: &str, name: &str) -> Machine {
        let sample = include_str!("../../protocol/fixtures/api/machine.json");
        let sample = serde_json::from_str(sample).unwrap();
        Machine {
            agent_id: agent_id.parse().unwrap(),
            name: name.to_owned(),
            ..sample
        }
    }

    #[test]
    fn a_machine_is_found_by_name_or_agent_id() {
        let all = vec![machine("00000000000a", "web"), machine("00000000000b", "db")];
        assert_eq!(pick(all.clone(), "db").unwrap().agent_id.as_str(), "00000000000b");
        assert_eq!(pick(all.clone(), "00000000000a").unwrap().name, "web");
        assert!(matches!(pick(all, "mail"), Err(Error::NoMachine(_))));
    }

    #[test]
    fn an_ambiguous_name_lists_every_candidate() {
        let all = vec![machine("00000000000a", "web"), machine("00000000000b", "web")];
        let error = pick(all.clone(), "web").unwrap_err();
        assert_eq!(error.exit_status(), 2);
        let text = error.to_string();
        assert!(text.contains("00000000000a") && text.contains("00000000000b"), "{text}");
        assert!(pick(all, "00000000000b").is_ok());
    }

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
}
