//! Enrolment: how a machine gets its identity.
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts::MAX_FACT;
use super::machines::{MAX_LINUX_USER, MAX_NAME, is_linux_user};
use super::secret::Secret;
use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId};

/// The audience of the token with which an agent connects.
pub const CONNECT_AUDIENCE: &str = "vsay-agent-connect";

/// With which an agent that connects hands in a new key: the public key…
pub const NEXT_KEY_HEADER: &str = "x-vsay-next-key";

/// …a connection token that is signed with its private half…
pub const NEXT_TOKEN_HEADER: &str = "x-vsay-next-token";

/// …and what it was told when it was asked to (`rotate_key`).
pub const CHALLENGE_HEADER: &str = "x-vsay-challenge";

/// The code of a refusal of the new key alone: the old one is as good as before.
pub const NOT_ROTATED: &str = "key_not_rotated";

/// Longest life of that token in seconds. It is signed afresh for each connection, so it need only outlast a slow one.
pub const CONNECT_TOKEN_SECONDS: i64 = 120;

/// How far the clocks of an agent and of the edge may differ, in seconds.
pub const CLOCK_SKEW_SECONDS: i64 = 60;

/// An account API key begins so; any other enrolment token is a registration token.
pub const API_KEY_PREFIX: &str = "vsay_ak_";

/// Longest id of a host, in characters: 256 bits in hex.
const MAX_HOST_ID: usize = 64;

/// A machine that asks for an identity.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Enroll {
    /// A registration token, which enrols the machine it was made for and is void afterwards; or an account API key
    /// (`vsay_ak_…`), which makes a machine for the key's owner.
    #[schema(value_type = String, min_length = 1, max_length = 255, format = "line")]
    pub token: Secret,
    /// The machine's new Ed25519 public key: 32 bytes in unpadded base64url.
    #[schema(min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$")]
    pub public_key: String,
    /// The machine's name for itself.
    #[schema(min_length = 1, max_length = 255, format = "line")]
    pub hostname: String,
    /// Platform, version and architecture, such as `Debian 12 x86_64`.
    #[schema(max_length = 255, format = "line")]
    pub os: String,
    /// A random number that an installation made for itself, so that enrolled again with the same account it is the same
    /// machine. Absent, empty, without a digit but 0, or not in hex, it names no host, and the machine is a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "5f1c02e1a9d84b5e")]
    pub host_id: Option<String>,
    /// The name of a machine that an account API key makes; the hostname if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100, format = "line")]
    pub name: Option<String>,
    /// The account that shells run as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32, pattern = r"^([A-Za-z0-9_][A-Za-z0-9._-]*\$?)?$")]
    pub linux_user: Option<String>,
    /// Whether shells may ever gain privileges on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_sudo: Option<bool>,
    /// The agent's version.
    #[schema(max_length = 64, format = "line")]
    pub version: String,
}

impl Enroll {
    /// Which host it is, if it says so: what many hosts say alike, such as an empty machine id or `uninitialized`, names none.
    pub fn host(&self) -> Option<&str> {
        let names = |id: &&str| id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0');
        self.host_id.as_deref().map(str::trim).filter(names)
    }
}

impl fmt::Debug for Enroll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enroll")
            .field("hostname", &self.hostname)
            .field("host_id", &self.host_id)
            .finish_non_exhaustive()
    }
}

impl Validate for Enroll {
    fn validate(&self, faults: &mut Faults) {
        faults.line("token", self.token.expose(), 1, MAX_FACT);
        faults.check(
            is_public_key(&self.public_key),
            "public_key",
            "must be 32 bytes in unpadded base64url (43 characters)",
        );
        faults.line("hostname", &self.hostname, 1, MAX_FACT);
        faults.line("os", &self.os, 0, MAX_FACT);
        faults.check(
            self.host_id.as_deref().unwrap_or_default().chars().count() <= MAX_HOST_ID,
            "host_id",
            format!("must have at most {MAX_HOST_ID} characters"),
        );
        if let Some(name) = &self.name {
            faults.line("name", name, 1, MAX_NAME);
        }
        if let Some(user) = &self.linux_user {
            faults.check(
                is_linux_user(user),
                "linux_user",
                format!("must be a login name of at most {MAX_LINUX_USER} characters"),
            );
        }
        faults.line("version", &self.version, 0, 64);
    }
}

/// Whether a text has the form of 32 bytes in unpadded base64url: 43 characters, the last of which carries four bits.
fn is_public_key(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && text.ends_with(|c| "AEIMQUYcgkosw048".contains(c))
}

/// The machine's identity. The agent keeps it beside its private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Enrolled {
    /// The issuer of the machine's connection tokens, and its name in paths.
    pub agent_id: AgentId,
    /// The machine's row.
    pub machine_id: ObjectId,
    /// What people call it.
    pub name: String,
}

/// What an agent signs with its key for each connection to `/agent/connect` (EdDSA). `exp` may lie at most
/// [`CONNECT_TOKEN_SECONDS`] after `iat`. A token opens one link, so a `jti` makes each unlike the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectClaims {
    /// The agent.
    pub iss: AgentId,
    /// [`CONNECT_AUDIENCE`].
    pub aud: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enroll() -> Enroll {
        Enroll {
            token: "t".to_owned().into(),
            public_key: "A".repeat(43),
            hostname: "web-1".into(),
            os: "Debian 12 x86_64".into(),
            host_id: Some("0a".repeat(32)),
            name: None,
            linux_user: Some("deploy".into()),
            allow_sudo: None,
            version: "0.1.0".into(),
        }
    }

    fn fields(request: &Enroll) -> Vec<String> {
        let mut faults = Faults::default();
        request.validate(&mut faults);
        faults.into_vec().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn an_enrolment_in_order_is_accepted() {
        assert!(fields(&enroll()).is_empty());
    }

    #[test]
    fn each_fact_a_machine_says_has_a_bound() {
        let bad = Enroll {
            token: String::new().into(),
            public_key: "B".repeat(43),
            hostname: "x".repeat(256),
            os: "x".repeat(256),
            host_id: Some("x".repeat(65)),
            name: Some(String::new()),
            linux_user: Some("no such user".into()),
            allow_sudo: None,
            version: "x".repeat(65),
        };
        assert_eq!(
            fields(&bad),
            [
                "token",
                "public_key",
                "hostname",
                "os",
                "host_id",
                "name",
                "linux_user",
                "version"
            ]
        );
    }

    #[test]
    fn an_id_that_many_hosts_have_names_none() {
        let host = |id: Option<&str>| {
            let request = Enroll {
                host_id: id.map(str::to_owned),
                ..enroll()
            };
            assert!(fields(&request).is_empty(), "{id:?}");
            request.host().map(str::to_owned)
        };
        for id in [
            None,
            Some(""),
            Some("  "),
            Some("uninitialized"),
            Some("0"),
            Some(&*"0".repeat(64)),
        ] {
            assert_eq!(host(id), None, "{id:?}");
        }
        assert_eq!(host(Some("00a0")).as_deref(), Some("00a0"));
        let absent =
            serde_json::json!({"token": "t", "public_key": "A".repeat(43), "hostname": "h", "os": "", "version": ""});
        assert!(fields(&serde_json::from_value(absent).unwrap()).is_empty());
    }

    #[test]
    fn an_enrolment_shows_neither_token_nor_key_in_debug_output() {
        let text = format!(
            "{:?}",
            Enroll {
                token: "hunter2".to_owned().into(),
                ..enroll()
            }
        );
        assert!(!text.contains("hunter2") && !text.contains("AAAA"), "{text}");
    }
}
