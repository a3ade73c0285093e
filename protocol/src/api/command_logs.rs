//! The command log: what was run on machines.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::ObjectId;

/// Longest text that can be looked for, in characters.
pub const MAX_QUERY: usize = 200;

/// Most texts that an organization has masked. Each is looked for in each command before it is stored.
pub const MAX_MASKS: usize = 50;

/// Longest of them, in characters.
pub const MAX_MASK: usize = 200;

/// What is known of a command's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandText {
    /// All of it.
    Whole,
    /// A part of it: its first 16 KiB, or as much as the screen shows.
    Cut,
    /// Nothing: the shell's history did not keep it.
    NotKept,
    /// Nothing: it was typed while the terminal showed nothing.
    Hidden,
    /// The row stands for `missing` commands that the machine had no room for.
    Missing,
}

/// How it is known that a command was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandSeen {
    /// The shell said so, or it was sent.
    Announced,
    /// The shell ran it without a line at its prompt, as a key that is bound to a command does. The text is one simple command;
    /// how and when it ended is not known.
    Unannounced,
    /// It is a line as the terminal showed it, while a shell that does not say what it runs took keys. How and when it ended is not
    /// known.
    Screen,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandOutcome {
    /// With `exit_code`.
    Exited,
    /// It was stopped, as by Ctrl-Z.
    Stopped,
    /// Nobody saw.
    Unknown,
}

/// What the lists of programs had to say of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandAgainstPolicy {
    /// It was typed in a terminal, where they warn and refuse nothing.
    Warned,
    /// It was refused, and did not run.
    Refused,
}

/// A command that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandLog {
    /// The row, among those of its machine.
    pub id: ObjectId,
    /// Its place in the order in which rows came in, for `before` and `after`.
    pub key: u64,
    /// What was run; empty where that is not known.
    pub command: String,
    /// What is known of it.
    pub command_text: CommandText,
    /// How it is known that it was run.
    pub seen: CommandSeen,
    /// Whose terminal it was; nothing where that is not known any more.
    pub user_id: Option<String>,
    /// That account's name then.
    pub username: String,
    /// When it began.
    pub timestamp: DateTime<Utc>,
    /// Whether it ended with 0. True where nobody saw (contract); `exit_code` tells.
    pub success: bool,
    /// With what its terminal was opened, such as `ui`.
    pub source: String,
    /// The terminal.
    pub session_id: String,
    /// The machine's row, which may be gone.
    pub machine_id: ObjectId,
    /// The machine's name then.
    pub machine_name: String,
    /// The machine's public name.
    pub agent_id: String,
    /// The browser, or what was in its place.
    pub browser: String,
    /// The client's operating system.
    pub os_info: String,
    /// The client's address.
    pub ip_address: String,
    /// Of a command that was sent, its number.
    pub command_id: Option<String>,
    /// The directory it began in.
    pub cwd: String,
    /// How it ended.
    pub outcome: CommandOutcome,
    /// The shell's number for that, if it exited. Shells may have any of 32 bits.
    pub exit_code: Option<i32>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// What it wrote, as a terminal takes it: 64 KiB of it at most for one row, 4 KiB in a search for 25 rows or fewer, and nothing
    /// in other lists.
    pub output: String,
    /// Whether there is a recording of what it wrote.
    pub output_available: bool,
    /// Whether it wrote more than `output`, where that is not empty.
    pub output_truncated: bool,
    /// The recording that has what it wrote.
    pub recording_id: Option<ObjectId>,
    /// When it began to write, in milliseconds of the recording; where one row is read.
    pub recording_at_ms: Option<u64>,
    /// Where its output begins in the terminal's stream…
    pub output_from: Option<u64>,
    /// …and the offset after its last byte.
    pub output_to: Option<u64>,
    /// How many commands this stands for, if `command_text` is `missing`.
    pub missing: u32,
    /// What the lists of programs had against it, if they had something.
    pub policy: Option<CommandAgainstPolicy>,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandLogDetail {
    /// It, with what it wrote.
    pub log: CommandLog,
}

/// A page of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandLogPage {
    /// The commands.
    pub logs: Vec<CommandLog>,
    /// How many there are, as far as was read.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are, as far as was read.
    pub total_pages: u64,
    /// Whether all was read that could match. If not, `next` goes on where it stopped.
    pub complete: bool,
    /// What to give as `before` for what is older, if there may be any.
    pub next: Option<u64>,
    /// The newest row that was looked at, or `after` if there was none: what comes in later is found with it as `after`.
    pub newest: u64,
}
