//! The frames of `/v1/sessions/{id}/ws`: JSON, of which the first proves who opens it.
use serde::{Deserialize, Serialize};

use super::Size;
use super::close::Close;
use crate::api::secret::Secret;

/// How long a socket may wait for its proof, in milliseconds (contract). It is the first thing a client sends.
pub const AUTH_WITHIN_MS: u64 = 10_000;

/// Longest proof, in bytes: a token of somebody with many organizations has half as many.
pub const MAX_PROOF: usize = 8192;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromClient {
    /// Who it is. Comes first, and once.
    Auth {
        /// What it was given for this session, or what else proves its account.
        token: Secret,
    },
    /// Keystrokes.
    Input {
        /// The text.
        #[serde(alias = "input")]
        data: String,
    },
    /// A new size.
    Resize {
        /// Of its window.
        #[serde(flatten)]
        size: Size,
    },
    /// A keep-alive.
    Ping,
}

impl FromClient {
    /// Reads a text frame. The error says what is wrong with it.
    pub fn decode(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let text = error.to_string();
            // Without the position, which says nothing about a frame.
            text.split(" at line ").next().unwrap_or_default().to_owned()
        })
    }
}

/// What it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToClient {
    /// Terminal output, whole UTF-8 characters.
    Output {
        /// The text.
        data: String,
    },
    /// Something failed; unless a close follows, the connection lives.
    Error {
        /// For people.
        message: String,
        /// For programs, such as `VALIDATION_ERROR`.
        code: String,
        /// The message again, for clients that look for it where output is.
        data: String,
    },
    /// The last frame before the relay closes.
    Disconnect {
        /// For people.
        reason: String,
        /// How the shell exited, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
    },
    /// Answer to a ping.
    Pong,
}

impl ToClient {
    /// A failure in words, with its code.
    pub fn error(code: &str, message: &str) -> Self {
        Self::Error {
            message: message.to_owned(),
            code: code.to_owned(),
            data: message.to_owned(),
        }
    }
}

/// Why a socket is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It proved nothing, or not in time, or with something that is wrong or has expired.
    Unauthorized,
    /// There is no such session, or it is not for whoever asks to know of it.
    NotFound,
    /// It is somebody else's of the same organization.
    Forbidden,
    /// It is over.
    Ended,
    /// It cannot be looked up just now.
    Unavailable,
}

impl Refusal {
    /// The last frame that the client gets.
    pub fn frame(self) -> ToClient {
        match self {
            Self::Unauthorized => ToClient::error(
                "UNAUTHORIZED",
                "The first message must be auth, with a token that is good for this session",
            ),
            Self::NotFound => ToClient::error(
                "NOT_FOUND",
                "Session not found; one whose name a client chose is opened with ?token= or the Authorization header",
            ),
            Self::Forbidden => ToClient::error("FORBIDDEN", "This session belongs to somebody else"),
            Self::Ended => ToClient::Disconnect {
                reason: "This session has ended".to_owned(),
                exit_code: None,
            },
            Self::Unavailable => ToClient::error("INTERNAL_ERROR", "Your access cannot be checked just now; try again"),
        }
    }

    /// How its socket is closed.
    pub fn close(self) -> Close {
        match self {
            Self::Unauthorized => Close::Unauthorized,
            Self::NotFound => Close::SessionNotFound,
            Self::Forbidden => Close::AccessRevoked,
            Self::Ended => Close::SessionEnded,
            Self::Unavailable => Close::InternalError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_frames_are_understood() {
        let decoded = FromClient::decode(r#"{"type":"auth","token":"a"}"#).unwrap();
        assert_eq!(
            decoded,
            FromClient::Auth {
                token: "a".to_owned().into()
            }
        );
        for text in [
            r#"{"type":"input","data":"ls\n"}"#,
            r#"{"type":"input","input":"ls\n"}"#,
        ] {
            assert_eq!(
                FromClient::decode(text),
                Ok(FromClient::Input {
                    data: "ls\n".to_owned()
                })
            );
        }
        let size = Size { cols: 120, rows: 40 };
        assert_eq!(
            FromClient::decode(r#"{"type":"resize","rows":40,"cols":120}"#),
            Ok(FromClient::Resize { size })
        );
        assert_eq!(FromClient::decode(super::super::PING), Ok(FromClient::Ping));
    }

    #[test]
    fn what_is_no_frame_is_told_what_is_wrong_with_it() {
        for (text, words) in [
            ("ls\n", "expected value"),
            ("{}", "type"),
            (r#"{"type":"command"}"#, "command"),
            (r#"{"type":"input"}"#, "data"),
            (r#"{"type":"resize","cols":0,"rows":1}"#, "1 to 1000"),
        ] {
            let error = FromClient::decode(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn frames_are_written_as_published() {
        let text = |frame: ToClient| serde_json::to_string(&frame).unwrap();
        assert_eq!(
            text(ToClient::Output { data: "a".to_owned() }),
            r#"{"type":"output","data":"a"}"#
        );
        assert_eq!(
            text(ToClient::error("X", "why")),
            r#"{"type":"error","message":"why","code":"X","data":"why"}"#
        );
        assert_eq!(
            text(Refusal::Ended.frame()),
            r#"{"type":"disconnect","reason":"This session has ended"}"#
        );
        assert_eq!(text(ToClient::Pong), super::super::PONG);
    }
}
