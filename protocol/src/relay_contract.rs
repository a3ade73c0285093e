//! The contract between the Worker and the relay (the Durable Object of one machine). The Worker has decided who may do
//! what before it speaks to the relay; the relay trusts these bodies and asks nobody.
use serde::{Deserialize, Serialize};

use crate::api::machines::Metrics;
use crate::ids::{AgentId, ObjectId, SessionId};
use crate::terminal::Size;

/// The name of the Durable Object binding.
pub const BINDING: &str = "RELAY";

/// The header that carries an [`AgentContext`] or [`ViewerContext`] as JSON on an upgrade. The Worker sets it; one that a
/// client sent is overwritten.
pub const CONTEXT_HEADER: &str = "x-relay-context";

/// Upgrade of an agent's link, with [`AgentContext`].
pub const AGENT_PATH: &str = "/agent";

/// Upgrade of a viewer's socket, with [`ViewerContext`].
pub const VIEWER_PATH: &str = "/viewer";

/// `GET`: answers [`Status`].
pub const STATUS_PATH: &str = "/status";

/// `POST` [`CloseSession`]: ends one session; answers 204, also when it was over.
pub const CLOSE_PATH: &str = "/close";

/// `POST` [`Revoke`]: disconnects viewers whose sign-in was withdrawn; answers 204, also when there were none.
pub const REVOKE_PATH: &str = "/revoke";

/// `POST`: the machine was deleted or revoked. Ends every session and the agent's link, and erases the object's storage.
pub const DESTROY_PATH: &str = "/destroy";

/// The name of the object that relays for a machine.
pub fn object_name(machine: &ObjectId) -> &str {
    machine.as_str()
}

/// The agent whose token the Worker verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentContext {
    /// The machine's row.
    pub machine: ObjectId,
    /// The machine's public name.
    pub agent_id: AgentId,
}

/// How a viewer's socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `vsay.stream.v1`.
    Stream,
    /// The published JSON frames of `/api/terminal`.
    Published,
    /// The published socket with `format=raw`: output as binary frames and nothing else.
    Raw,
}

/// A viewer whose access the Worker has checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerContext {
    /// The machine's row.
    pub machine: ObjectId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// Who is watching.
    pub user: ObjectId,
    /// By which name.
    pub username: String,
    /// The sign-in or key it proved itself by.
    #[serde(default)]
    pub sign_in: String,
    /// Which session to attach to, or to start if there is none of that name.
    pub session: SessionId,
    /// The viewer's size.
    pub size: Size,
    /// How the socket speaks.
    pub dialect: Dialect,
    /// Whether it may type.
    pub can_type: bool,
    /// Whether a shell started for it may gain privileges.
    pub allow_sudo: bool,
}

/// Ends a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseSession {
    /// Which.
    pub session: SessionId,
    /// Its owner has lost the right to it; otherwise somebody closes it who may.
    #[serde(default)]
    pub revoked: bool,
}

/// Disconnects viewers of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// The account.
    pub user: ObjectId,
    /// Which of its viewers.
    pub sign_ins: SignIns,
}

/// Some of an account's sign-ins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignIns {
    /// All of them.
    All,
    /// One.
    Only(String),
    /// All but one.
    AllBut(String),
}

impl SignIns {
    /// Whether a sign-in is among them.
    pub fn contain(&self, sign_in: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => only == sign_in,
            Self::AllBut(spared) => spared != sign_in,
        }
    }
}

/// What the relay knows of its machine now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether the agent's link stands.
    pub connected: bool,
    /// The last heartbeat, if any arrived since the object woke.
    pub metrics: Option<Metrics>,
    /// Milliseconds since the Unix epoch of the last sign of life, if known.
    pub last_seen_ms: Option<u64>,
}
