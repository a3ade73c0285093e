//! What somebody ran at a prompt, as the agent saw it begin and end: the rows of the command log.
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{ObjectId, SessionId, StreamId};

/// Longest text of a command that is kept, in bytes. A pasted script of some hundred lines is whole; D1 takes rows of 2 MB, and
/// [`MAX_RECORDS`] of them must fit one message.
pub const MAX_COMMAND_TEXT: usize = 16 * 1024;

/// Longest directory that is kept, in bytes: the longest path that Linux takes.
pub const MAX_DIRECTORY: usize = 4096;

/// Records in one message at most.
pub const MAX_RECORDS: usize = 100;

/// What one message of records may take as JSON, so that it fits [`MAX_AGENT_TEXT`](crate::limits::MAX_AGENT_TEXT) with what
/// stands around them. One record alone always does: its text is six times as long in the worst case, as `\u0001`.
pub const MAX_RECORDS_BYTES: usize = 200 * 1024;

/// Latest time that is believed, in milliseconds since the Unix epoch: the last of the year 9999.
const MAX_TIME: u64 = 253_402_300_799_999;

/// Longest duration that is believed, in milliseconds: a hundred years.
const MAX_DURATION: u64 = 100 * 365 * 86_400 * 1000;

/// What is known of a command's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Text {
    /// All of it.
    Whole,
    /// A part of it: its beginning, since it is longer than [`MAX_COMMAND_TEXT`], or as much as the screen shows.
    Cut,
    /// Nothing, since the shell's history did not keep it.
    NotKept,
    /// Nothing, since it was typed while the terminal showed nothing.
    Hidden,
    /// This stands for records that were lost for want of room.
    Missing,
}

impl Text {
    /// The word for it, as it travels and is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Cut => "cut",
            Self::NotKept => "not_kept",
            Self::Hidden => "hidden",
            Self::Missing => "missing",
        }
    }
}

/// How it is known that something was run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The shell's hooks said so.
    #[default]
    Announced,
    /// The shell ran it without saying so, and its hooks noticed. How it ended, and when, is not known.
    Unannounced,
    /// It is a line that the terminal showed while a shell without hooks took keys. How it ended, and when, is not known.
    Screen,
}

impl Seen {
    /// The word for it, as it travels and is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Unannounced => "unannounced",
            Self::Screen => "screen",
        }
    }

    /// Whether somebody said how and when it ended, if it did.
    pub fn has_end(self) -> bool {
        self == Self::Announced
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// By itself or a signal, with the number that the shell has for it: in zsh, any of 32 bits.
    Exited {
        /// That number.
        exit_code: i32,
    },
    /// It was stopped, as by Ctrl-Z, and may go on later without a record.
    Stopped,
    /// Nobody saw, as when the shell was killed or another took its place.
    Unknown,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// Chosen by the agent, so that a record that comes twice is one.
    pub id: ObjectId,
    /// The session it was typed in.
    pub session_id: SessionId,
    /// How it is known of.
    #[serde(default, skip_serializing_if = "is_announced")]
    pub seen: Seen,
    /// What is known of its text.
    pub text: Text,
    /// Its text; empty where that is not known.
    #[serde(deserialize_with = "command")]
    pub command: String,
    /// The directory it began in.
    #[serde(deserialize_with = "directory")]
    pub cwd: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// When it began by the machine's clock, in milliseconds since the Unix epoch.
    #[serde(deserialize_with = "time")]
    pub started_at: u64,
    /// How long it took, in milliseconds; 0 where nobody saw.
    #[serde(deserialize_with = "duration")]
    pub duration_ms: u64,
    /// The output stream of its terminal.
    pub stream: StreamId,
    /// Where in the stream its output begins…
    #[serde(deserialize_with = "offset")]
    pub from: u64,
    /// …and the offset after its last byte.
    #[serde(deserialize_with = "offset")]
    pub to: u64,
    /// How many records this stands for, if it stands for lost ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u32,
    /// Whether it would have been refused, or waited for approval, had it been sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub against_policy: bool,
}

fn is_announced(seen: &Seen) -> bool {
    *seen == Seen::Announced
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// As much of a text as `max` bytes hold, cut between two characters.
pub fn within(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn command<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| within(&text, MAX_COMMAND_TEXT).replace('\0', ""))
}

fn directory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| within(&text, MAX_DIRECTORY).replace('\0', ""))
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    u64::deserialize(deserializer).map(|ms| ms.min(MAX_TIME))
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    u64::deserialize(deserializer).map(|ms| ms.min(MAX_DURATION))
}

/// D1 takes whole numbers up to 2⁵³.
fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    u64::deserialize(deserializer).map(|offset| offset.min((1 << 53) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!({
            "id": "0123456789abcdef01234567", "session_id": "sess_1", "text": "whole", "command": "ls", "cwd": "/",
            "outcome": "exited", "exit_code": -1, "started_at": 1, "duration_ms": 2, "stream": 1, "from": 0, "to": 9
        })
    }

    #[test]
    fn a_record_is_the_same_after_its_way() {
        for (outcome, code) in [("exited", Some(300)), ("stopped", None), ("unknown", None)] {
            let mut value = sample();
            value["outcome"] = outcome.into();
            match code {
                Some(code) => value["exit_code"] = code.into(),
                None => drop(value.as_object_mut().unwrap().remove("exit_code")),
            }
            let record: CommandRecord = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(&record).unwrap(), value);
        }
    }

    #[test]
    fn a_record_says_how_it_is_known_of_unless_it_was_announced() {
        for seen in [Seen::Announced, Seen::Unannounced, Seen::Screen] {
            let mut value = sample();
            if seen != Seen::Announced {
                value["seen"] = seen.as_str().into();
            }
            let record: CommandRecord = serde_json::from_value(value.clone()).unwrap();
            assert_eq!((record.seen, serde_json::to_value(&record).unwrap()), (seen, value));
        }
    }

    #[test]
    fn what_is_too_much_for_a_row_is_cut_where_it_comes_in() {
        let mut value = sample();
        value["command"] = format!("\0{}", "é".repeat(MAX_COMMAND_TEXT)).into();
        value["cwd"] = "/".repeat(MAX_DIRECTORY + 1).into();
        for number in ["started_at", "duration_ms", "from", "to"] {
            value[number] = u64::MAX.into();
        }
        let record: CommandRecord = serde_json::from_value(value).unwrap();
        assert!(record.command.chars().all(|char| char == 'é') && record.command.len() <= MAX_COMMAND_TEXT);
        assert_eq!(record.cwd.len(), MAX_DIRECTORY);
        assert_eq!((record.started_at, record.duration_ms), (MAX_TIME, MAX_DURATION));
        assert_eq!((record.from, record.to), ((1 << 53) - 1, (1 << 53) - 1));
    }

    #[test]
    fn the_longest_record_fits_a_message() {
        let mut value = sample();
        value["command"] = "\u{1}".repeat(MAX_COMMAND_TEXT).into();
        value["cwd"] = "\u{1}".repeat(MAX_DIRECTORY).into();
        let record: CommandRecord = serde_json::from_value(value).unwrap();
        assert!(serde_json::to_string(&record).unwrap().len() <= MAX_RECORDS_BYTES);
    }
}
