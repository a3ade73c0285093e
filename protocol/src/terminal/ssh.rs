//! Terminals that a runner opens by SSH to hosts without an agent: what it is asked for and tells, and the published frames of
//! `/api/instances/ssh/{hostname}` and `/api/inventory/server/ssh/{hostname}`.
use serde::{Deserialize, Serialize};

use super::Size;

/// Longest name of a user at the other end, in characters (contract of the published sockets).
pub const MAX_USER: usize = 32;

/// Longest name of a host, in bytes: what DNS takes.
pub const MAX_HOSTNAME: usize = 253;

/// Hosts that a runner tells of for one service. With the longest names they are less than
/// [`MAX_CATALOG_PART`](super::services::MAX_CATALOG_PART), and far more than somebody deploys with one service.
pub const MAX_HOSTS: usize = 200;

/// Longest address, user and fingerprint that are taken of a runner, in characters: all of them are far shorter.
const MAX_WORD: usize = 255;

/// What an output frame of a published socket has at most, in bytes (contract).
pub const MAX_OUTPUT: usize = 4096;

/// The word for a session whose SSH connection was lost, rather than that its shell ended: in its row, and what ends it on sockets.
pub const CONNECTION_LOST: &str = "connection_lost";

/// What a published client is told when the other end has ended the session (contract).
pub const CONNECTION_CLOSED: &str = "Connection closed";

/// Whether somebody may be called so at the other end: `^[a-zA-Z0-9._-]{1,32}$` (contract).
pub fn is_user(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    (1..=MAX_USER).contains(&name.len()) && name.bytes().all(plain)
}

/// Whether a host can be called so: on one line, without spaces, and not too long.
pub fn is_hostname(name: &str) -> bool {
    (1..=MAX_HOSTNAME).contains(&name.len()) && !name.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// Why there is no terminal, if no service knows how to get to a host (contract).
pub fn no_credentials(hostname: &str) -> String {
    format!("No SSH credentials found for {hostname}")
}

/// Why there is none for any other reason (contract).
pub fn failed(why: impl std::fmt::Display) -> String {
    format!("SSH connection failed: {why}")
}

/// Why a terminal ended that was there (contract).
pub fn disconnected(why: impl std::fmt::Display) -> String {
    format!("SSH disconnected: {why}")
}

/// Where a terminal leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshTarget {
    /// The host, as inventories of services name it.
    pub hostname: String,
    /// As whom; nothing for whom the inventory names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Where it has led.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshConnected {
    /// The address.
    pub ip: String,
    /// As whom.
    pub user: String,
    /// Whom the inventory names.
    pub default_user: String,
    /// The fingerprint of the host's key, with its type, if nobody knew that before and it was written down now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<String>,
}

impl SshConnected {
    /// The same within bounds, whoever said it.
    pub fn within_bounds(self) -> Self {
        let cut = |text: String| text.chars().take(MAX_WORD).collect();
        Self {
            ip: cut(self.ip),
            user: cut(self.user),
            default_user: cut(self.default_user),
            trusted: self.trusted.map(cut),
        }
    }
}

/// What a published client's frame means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromClient {
    /// Keystrokes.
    Input(String),
    /// A new size.
    Resize(Size),
    /// Nothing: it is of an unknown type, or makes no sense.
    Nothing,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame {
    Input {
        data: String,
    },
    Resize {
        cols: Option<i64>,
        rows: Option<i64>,
    },
    #[serde(other)]
    Unknown,
}

impl FromClient {
    /// Reads a text frame. What makes no sense is passed over (contract).
    pub fn decode(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Frame::Input { data }) => Self::Input(data),
            Ok(Frame::Resize { cols, rows }) => {
                let standard = Size::default();
                let side = |side: Option<i64>, standard: u16| side.unwrap_or_else(|| standard.into());
                let size = Size::new(side(cols, standard.cols), side(rows, standard.rows));
                size.map_or(Self::Nothing, Self::Resize)
            }
            Ok(Frame::Unknown) | Err(_) => Self::Nothing,
        }
    }
}

/// What a published client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToClient {
    /// The shell is there.
    Connected {
        /// The host, as it was asked for.
        hostname: String,
        /// Its address.
        ip: String,
        /// As whom.
        user: String,
        /// Whom the inventory names.
        default_user: String,
    },
    /// Terminal output, whole UTF-8 characters, at most [`MAX_OUTPUT`] bytes.
    Output {
        /// The text.
        data: String,
    },
    /// It failed, or is over. The socket closes.
    Error {
        /// For people.
        message: String,
    },
}

/// A text in pieces of at most [`MAX_OUTPUT`] bytes, each of whole characters.
pub fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut end = text.len().min(MAX_OUTPUT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, rest) = text.split_at_checked(end)?;
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Why the Worker closes a published socket that it does not hand over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing proves whose it is.
    MissingToken,
    /// What does is wrong or over.
    InvalidToken,
    /// The user at the other end cannot be called so.
    InvalidUser,
    /// The account may not.
    Forbidden,
    /// There is no such thing to connect to.
    NotFound,
    /// No service of a runner knows how.
    NoCredentials,
    /// There is no room for one more session.
    SessionLimit,
}

impl Refusal {
    /// The number in the close frame.
    pub fn code(self) -> u16 {
        match self {
            Self::MissingToken | Self::InvalidToken => 4001,
            Self::InvalidUser => 4002,
            Self::Forbidden => 4003,
            Self::NotFound => 4004,
            Self::NoCredentials => 1008,
            Self::SessionLimit => 4029,
        }
    }

    /// The text in the close frame.
    pub fn reason(self) -> &'static str {
        match self {
            Self::MissingToken => "Missing token",
            Self::InvalidToken => "Invalid token",
            Self::InvalidUser => "Invalid username format",
            Self::Forbidden => "Permission denied: SSH access",
            Self::NotFound => "Object not found",
            Self::NoCredentials => "No SSH credentials found",
            Self::SessionLimit => "Session limit reached",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_with_plain_characters() {
        for good in ["root", "a", "first.last", "-", &"x".repeat(MAX_USER)] {
            assert!(is_user(good), "{good}");
        }
        for bad in ["", "a b", "ä", "a\n", "a/b", "a@b", &"x".repeat(MAX_USER + 1)] {
            assert!(!is_user(bad), "{bad:?}");
        }
    }

    #[test]
    fn frames_that_make_no_sense_are_passed_over() {
        let resize = |cols, rows| FromClient::Resize(Size { cols, rows });
        for (text, expected) in [
            (r#"{"type":"input","data":"ls\r"}"#, FromClient::Input("ls\r".into())),
            (r#"{"type":"resize","cols":100,"rows":30}"#, resize(100, 30)),
            (r#"{"type":"resize"}"#, resize(80, 24)),
            (r#"{"type":"resize","rows":5}"#, resize(80, 5)),
            (r#"{"type":"resize","cols":0}"#, FromClient::Nothing),
            (r#"{"type":"input"}"#, FromClient::Nothing),
            (r#"{"type":"input","data":5}"#, FromClient::Nothing),
            (r#"{"type":"hello","data":"x"}"#, FromClient::Nothing),
            ("ls\r", FromClient::Nothing),
            ("[1]", FromClient::Nothing),
            ("", FromClient::Nothing),
        ] {
            assert_eq!(FromClient::decode(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_client_is_told_is_written_as_it_was_published() {
        let connected = ToClient::Connected {
            hostname: "web-1".into(),
            ip: "10.0.0.5".into(),
            user: "root".into(),
            default_user: "root".into(),
        };
        for (frame, expected) in [
            (
                connected,
                r#"{"type":"connected","hostname":"web-1","ip":"10.0.0.5","user":"root","default_user":"root"}"#,
            ),
            (ToClient::Output { data: "é".into() }, r#"{"type":"output","data":"é"}"#),
            (
                ToClient::Error {
                    message: no_credentials("web-1"),
                },
                r#"{"type":"error","message":"No SSH credentials found for web-1"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&frame).unwrap(), expected);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = format!("x{}", "é".repeat(MAX_OUTPUT));
        let cut: Vec<&str> = pieces(&text).collect();
        assert_eq!(cut.concat(), text);
        assert!(
            cut.iter().all(|piece| piece.len() <= MAX_OUTPUT) && cut.len() == 3,
            "{}",
            cut.len()
        );
        assert_eq!(pieces("").count(), 0);
    }
}
