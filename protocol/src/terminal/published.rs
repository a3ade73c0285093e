//! The published JSON frames of `/api/terminal/{agent_id}/ws`, for clients that negotiate no subprotocol.
use serde::{Deserialize, Serialize};

use super::Size;
use crate::ids::{AgentId, SessionId};
use crate::limits::COMMAND_SECONDS;

/// What a client's frame means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromClient {
    /// Keystrokes.
    Input(Vec<u8>),
    /// A new size.
    Resize(Size),
    /// A command to run without a terminal.
    Command {
        /// What a POSIX shell is to run; not blank.
        command: String,
        /// After how many seconds it is killed, within [`COMMAND_SECONDS`].
        timeout_seconds: u32,
    },
    /// A control frame of the published set that this socket does not serve.
    Unsupported(String),
    /// A keep-alive.
    Ping,
}

/// Names of control frames. Text that is not a JSON object with one of these as `type` is keystrokes, byte for byte.
const CONTROL: [&str; 11] = [
    "input",
    "resize",
    "ping",
    "command",
    "fs_operation",
    "port_connect",
    "port_data",
    "port_close",
    "vscode_init",
    "vscode_open_folder",
    "vscode_cleanup",
];

#[derive(Deserialize)]
struct InputFrame {
    #[serde(alias = "data")]
    input: String,
}

#[derive(Deserialize)]
struct CommandFrame {
    command: String,
    timeout_seconds: Option<u32>,
}

impl CommandFrame {
    fn checked(self) -> Result<FromClient, String> {
        let timeout_seconds = self.timeout_seconds.unwrap_or(*COMMAND_SECONDS.end());
        if self.command.trim().is_empty() {
            return Err("command: must not be empty".to_owned());
        }
        // The operating system ends texts with it.
        if self.command.contains('\0') {
            return Err("command: must not contain NUL".to_owned());
        }
        if !COMMAND_SECONDS.contains(&timeout_seconds) {
            let (from, to) = COMMAND_SECONDS.into_inner();
            return Err(format!("command: timeout_seconds must be from {from} to {to}"));
        }
        Ok(FromClient::Command {
            command: self.command,
            timeout_seconds,
        })
    }
}

impl FromClient {
    /// Classifies a text frame. The error says what is wrong with a control frame; the connection lives on.
    pub fn decode(text: &str) -> Result<Self, String> {
        let Some((kind, value)) = control(text) else {
            return Ok(Self::Input(text.as_bytes().to_vec()));
        };
        match kind.as_str() {
            "ping" => Ok(Self::Ping),
            "input" => serde_json::from_value::<InputFrame>(value)
                .map(|frame| Self::Input(frame.input.into_bytes()))
                .map_err(|error| format!("input: {error}")),
            "resize" => serde_json::from_value(value)
                .map(Self::Resize)
                .map_err(|error| format!("resize: {error}")),
            "command" => serde_json::from_value::<CommandFrame>(value)
                .map_err(|error| format!("command: {error}"))?
                .checked(),
            _ => Ok(Self::Unsupported(kind)),
        }
    }
}

fn control(text: &str) -> Option<(String, serde_json::Value)> {
    // Most frames are keystrokes: do not parse what cannot be an object.
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let kind = value.get("type")?.as_str()?.to_owned();
    CONTROL.contains(&kind.as_str()).then_some((kind, value))
}

/// What the relay says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToClient {
    /// The first frame: the shell is there.
    SessionReady {
        /// The session's name.
        session_id: SessionId,
        /// The machine's public name.
        agent_id: AgentId,
        /// The terminal's size.
        #[serde(flatten)]
        size: Size,
    },
    /// Terminal output, whole UTF-8 characters.
    Output {
        /// The text.
        output: String,
    },
    /// A command was handed to the machine.
    CommandStarted {
        /// Its name, unique over all machines.
        command_id: String,
        /// The command.
        command: String,
    },
    /// What a command has written, while it runs and once it has ended.
    CommandOutput {
        /// Its name.
        command_id: String,
        /// What it wrote there: all of it, or while it runs what is new.
        stdout: String,
        /// The same.
        stderr: String,
        /// Its exit code; none while it runs, and if a signal ended it or it did not run.
        exit_code: Option<i32>,
        /// Whether it is over. Nothing follows, and this frame has all that it wrote.
        completed: bool,
        /// While it runs, the number of this part of its output, from 0. One that is missing was not sent to a client that is
        /// behind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<u32>,
        /// Present and true if it wrote more than was kept.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        truncated: bool,
        /// Why there is no exit code, for people.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// Something failed; the connection lives.
    Error {
        /// For people.
        error: String,
        /// For programs, such as `AGENT_OFFLINE`.
        code: String,
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

/// Turns a byte stream into text without breaking a character that is split over two chunks. Bytes that are no UTF-8
/// at all become U+FFFD, as in a terminal.
#[derive(Debug, Clone, Default)]
pub struct Utf8Stream {
    held: Vec<u8>,
}

impl Utf8Stream {
    /// What stands for the bytes that are held back, now that nothing follows.
    pub fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }

    /// The text that is complete after `bytes`; at most three bytes are held back.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let joined;
        let mut rest = if self.held.is_empty() {
            bytes
        } else {
            self.held.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.held);
            &joined[..]
        };
        let mut text = String::with_capacity(rest.len());
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    match error.error_len() {
                        Some(len) => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            rest = after.get(len..).unwrap_or_default();
                        }
                        None => {
                            self.held = after.to_vec();
                            break;
                        }
                    }
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_that_is_no_control_frame_is_keystrokes() {
        for text in [
            "ls\r",
            "{",
            "{}",
            r#"{"type":"unheard"}"#,
            r#"{"type":5}"#,
            "[1]",
            "null",
            "",
        ] {
            assert_eq!(
                FromClient::decode(text),
                Ok(FromClient::Input(text.as_bytes().to_vec())),
                "{text}"
            );
        }
    }

    #[test]
    fn input_is_accepted_in_both_spellings() {
        for text in [r#"{"type":"input","input":"a"}"#, r#"{"type":"input","data":"a"}"#] {
            assert_eq!(FromClient::decode(text), Ok(FromClient::Input(b"a".to_vec())));
        }
    }

    #[test]
    fn a_control_frame_with_bad_fields_says_what_is_wrong() {
        let error = FromClient::decode(r#"{"type":"resize","cols":0,"rows":5}"#).unwrap_err();
        assert!(error.contains("1 to 1000"), "{error}");
        assert!(
            FromClient::decode(r#"{"type":"input"}"#)
                .unwrap_err()
                .starts_with("input")
        );
    }

    #[test]
    fn a_command_has_a_text_and_a_bounded_time() {
        let decoded = FromClient::decode(r#"{"type":"command","command":"id","timeout_seconds":7}"#);
        let expected = FromClient::Command {
            command: "id".to_owned(),
            timeout_seconds: 7,
        };
        assert_eq!(decoded, Ok(expected));
        for (bad, rule) in [
            (r#"{"type":"command"}"#, "command"),
            (r#"{"type":"command","command":" "}"#, "empty"),
            (r#"{"type":"command","command":"a\u0000b"}"#, "NUL"),
            (r#"{"type":"command","command":"id","timeout_seconds":0}"#, "1 to 300"),
            (r#"{"type":"command","command":"id","timeout_seconds":301}"#, "1 to 300"),
        ] {
            let error = FromClient::decode(bad).unwrap_err();
            assert!(error.starts_with("command: ") && error.contains(rule), "{bad}: {error}");
        }
    }

    proptest! {
        #[test]
        fn text_cut_anywhere_comes_out_whole(text: String, cuts in proptest::collection::vec(any::<usize>(), 0..6)) {
            let mut stream = Utf8Stream::default();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (text.len() + 1)).collect();
            cuts.sort_unstable();
            let mut out = String::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([text.len()]) {
                out.push_str(&stream.push(&text.as_bytes()[from..cut]));
                from = cut;
            }
            prop_assert_eq!(out, text);
        }

        #[test]
        fn any_bytes_hold_back_at_most_three_and_come_out_as_they_would_at_once(bytes: Vec<u8>, cut: usize) {
            let mut stream = Utf8Stream::default();
            let (first, rest) = bytes.split_at(cut % (bytes.len() + 1));
            let mut text = stream.push(first);
            text += &stream.push(rest);
            prop_assert!(stream.held.len() <= 3);
            text += &stream.finish();
            prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
        }
    }
}
