//! Logins on a machine that do not pass the edge: by SSH, or at its console.
use serde::{Deserialize, Serialize};

use crate::api::facts;

/// Logins that are told of at once: those of a machine that many people work on. It is about 40 KB of a frame.
pub const MAX_LOGINS: usize = 200;

/// New ones among them. Each is a row and an entry of the audit log, so a machine on which somebody logs in all the time does not fill
/// either: what is more is counted.
pub const MAX_NEW_LOGINS: usize = 16;

/// How soon after the last message of them the next may come, in seconds.
pub const LOGINS_APART_SECONDS: u64 = 30;

/// Somebody's login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalLogin {
    /// What tells it from all others of its machine.
    #[serde(deserialize_with = "facts::text")]
    pub seed: String,
    /// `ssh` or `console`.
    #[serde(deserialize_with = "facts::text")]
    pub protocol: String,
    /// Which account.
    #[serde(deserialize_with = "facts::text")]
    pub os_user: String,
    /// From where, as the machine says; empty at the console.
    #[serde(deserialize_with = "facts::text")]
    pub source_ip: String,
    /// On which terminal; empty without one.
    #[serde(deserialize_with = "facts::text")]
    pub line: String,
    /// Since when, in milliseconds since the Unix epoch.
    pub login_at: u64,
    /// Until when, if it is over.
    pub logout_at: Option<u64>,
}

/// The logins of a machine. Those that last are all that do; one that was told of before and is not among them is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logins {
    /// The number of the message, by which it is acknowledged.
    pub number: u64,
    /// At most [`MAX_LOGINS`]: those that last, and those that are over since the message before.
    pub logins: Vec<ExternalLogin>,
    /// How many there were besides since the message before.
    pub left_out: u32,
}
