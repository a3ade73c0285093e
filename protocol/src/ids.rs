//! Identifiers as newtypes, so that one kind cannot stand where another belongs. Each validates on the way in: an id
//! that exists is well formed.
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::limits::{MAX_SESSION_ID, OBJECT_ID_LEN};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} must be {rule}")]
pub struct InvalidId {
    what: &'static str,
    rule: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The id as it travels.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidId { what: $what, rule: $rule })
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// Any row a client can name: user, machine, organization. 24 lowercase hex characters, the first 96 bits of a
    /// UUIDv7, so ids sort by creation.
    ObjectId, "id", "24 lowercase hex characters",
    |text| text.len() == OBJECT_ID_LEN && is_lower_hex(text)
);

text_id!(
    /// A machine's public name in paths (`agent_id`). Assigned when the machine is created and kept for its life.
    AgentId, "agent_id", "12 lowercase hex characters",
    |text| text.len() == 12 && is_lower_hex(text)
);

text_id!(
    /// A terminal session. Clients of the published socket may choose it; ours are `sess_` and 24 hex.
    SessionId, "session_id", "1 to 128 characters of A-Z a-z 0-9 . _ : -",
    |text| (1..=MAX_SESSION_ID).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
);

text_id!(
    /// One browser tab or CLI run. Minted by it and kept over reconnects, so that its input resumes where it stopped.
    ViewerId, "viewer", "32 lowercase hex characters",
    |text| text.len() == 32 && is_lower_hex(text)
);

text_id!(
    /// One run of an agent process. A different one means that the shells of the run before are gone.
    BootId, "boot", "32 lowercase hex characters",
    |text| text.len() == 32 && is_lower_hex(text)
);

text_id!(
    /// A command without a terminal, unique over all machines: `cmd_` and 24 hex, or 32 if a terminal's client asked for it.
    CommandId, "command_id", "cmd_ and 24 or 32 lowercase hex characters",
    |text| text.strip_prefix("cmd_").is_some_and(|hex| matches!(hex.len(), 24 | 32) && is_lower_hex(hex))
);

text_id!(
    /// A job of a runner, unique over all of them (contract of the published API).
    JobId, "job_id", "8 lowercase hex characters",
    |text| text.len() == 8 && is_lower_hex(text)
);

text_id!(
    /// What an agent notes on its disk of the commands it starts. A different one means that the notes before are lost.
    JournalId, "journal", "32 lowercase hex characters",
    |text| text.len() == 32 && is_lower_hex(text)
);

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A stream on one machine, in either direction. The relay counts them up and never reuses one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub u32);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_id_is_24_lowercase_hex_characters() {
        assert!("0123456789abcdef01234567".parse::<ObjectId>().is_ok());
        for bad in [
            "",
            "0123456789ABCDEF01234567",
            "0123456789abcdef0123456",
            "0123456789abcdef0123456g",
        ] {
            assert!(bad.parse::<ObjectId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_id_may_be_chosen_within_bounds() {
        for good in ["sess_0123", "cli-1700000000", "session_1_abc", "a:b.c"] {
            assert!(good.parse::<SessionId>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "ä", "a/b", &"x".repeat(129)] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_refuses_to_decode_from_bad_json_and_says_the_rule() {
        let error = serde_json::from_str::<ViewerId>("\"nope\"").unwrap_err().to_string();
        assert!(error.contains("32 lowercase hex characters"), "{error}");
    }
}
