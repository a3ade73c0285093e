//! The bodies of `/v1`: its own envelope, and ids that begin with what they are of.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::Secret;
use super::validate::{Faults, Validate};
use crate::ids::{ObjectId, SessionId};
use crate::limits::TERMINAL_SIZE;
use crate::terminal::Size;

/// Longest id of a machine in a body, in characters; longer texts name nothing.
const MAX_ID: usize = 64;

/// What every success of `/v1` with content answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct V1<T> {
    /// Always true.
    pub success: bool,
    /// The content.
    pub data: T,
    /// For people, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
}

impl<T> V1<T> {
    /// A success.
    pub fn new(data: T) -> Self {
        Self {
            success: true,
            data,
            message: None,
        }
    }

    /// The same, with words.
    pub fn saying(self, message: &str) -> Self {
        Self {
            message: Some(message.to_owned()),
            ..self
        }
    }
}

/// What a success of `/v1` answers that has nothing else to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1Done {
    /// Always true.
    pub success: bool,
    /// For people.
    pub message: String,
}

impl V1Done {
    /// A success.
    pub fn new(message: &str) -> Self {
        Self {
            success: true,
            message: message.to_owned(),
        }
    }
}

/// The body of every answer of `/v1` from 400 up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1ErrorBody {
    /// Always false.
    pub success: bool,
    /// What happened.
    pub error: V1Error,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1Error {
    /// For programs, such as `VALIDATION_ERROR` or `NOT_FOUND`.
    pub code: String,
    /// For people.
    pub message: String,
}

/// Which part of a list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1Pagination {
    /// The page, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many there are.
    pub total: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// The id of an account here.
pub fn user_id(id: &ObjectId) -> String {
    format!("usr_{id}")
}

/// The id of a machine here.
pub fn machine_id(id: &ObjectId) -> String {
    format!("mch_{id}")
}

/// An id as the rest of the API has it: with or without what `/v1` puts before it.
pub fn bare_id<'a>(id: &'a str, prefix: &str) -> &'a str {
    id.strip_prefix(prefix).unwrap_or(id)
}

/// Whether a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum V1Status {
    /// Somebody is attached, or may attach.
    Active,
    /// It is over.
    Ended,
}

/// Who opened a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1User {
    /// `usr_` and the account's `id`.
    pub id: String,
    /// First and last name, or else the username.
    pub name: String,
}

/// The same, with the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1UserWithEmail {
    /// `usr_` and the account's `id`.
    pub id: String,
    /// First and last name, or else the username.
    pub name: String,
    /// The mail address.
    pub email: String,
}

/// A session's machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1Machine {
    /// `mch_` and the machine's `id`.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// The same, with the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1MachineWithHost {
    /// `mch_` and the machine's `id`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The machine's own address, as its agent says; empty before it has connected.
    pub host: String,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct V1Session {
    /// The session's name, with which a client attaches.
    pub id: SessionId,
    /// Who opened it.
    pub user: V1User,
    /// Where.
    pub machine: V1Machine,
    /// Whether it is over.
    pub status: V1Status,
    /// When it was opened.
    pub started_at: DateTime<Utc>,
    /// When somebody last attached or left.
    pub last_activity: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// With what it was opened: `ui`, `cli`, `vscode`, `api`, or a name of the client's own.
    pub source: String,
    /// The client's address.
    pub ip_address: String,
}

/// Sessions, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct V1SessionList {
    /// The sessions.
    pub sessions: Vec<V1Session>,
    /// Which part of the list it is. More than 10000 are not counted.
    pub pagination: V1Pagination,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct V1SessionDetail {
    /// The session's name, with which a client attaches.
    pub id: SessionId,
    /// Who opened it.
    pub user: V1UserWithEmail,
    /// Where.
    pub machine: V1MachineWithHost,
    /// Whether it is over.
    pub status: V1Status,
    /// When it was opened.
    pub started_at: DateTime<Utc>,
    /// When somebody last attached or left.
    pub last_activity: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// With what it was opened.
    pub source: String,
    /// The client's address.
    pub ip_address: String,
    /// How the client named itself.
    pub user_agent: String,
    /// How many commands of it are in the log.
    pub commands_count: u64,
}

/// A terminal's size, as clients send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1Size {
    /// Width in characters.
    #[schema(minimum = 1, maximum = 1000)]
    pub cols: i64,
    /// Height in characters.
    #[schema(minimum = 1, maximum = 1000)]
    pub rows: i64,
}

/// A session to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1CreateSession {
    /// On which machine: its id, with or without `mch_`, or its `agent_id`.
    #[schema(min_length = 1, max_length = 64, format = "line")]
    pub machine_id: String,
    /// The terminal's size; 80 by 24 if absent.
    #[serde(default)]
    #[schema(required = false)]
    pub terminal_size: Option<V1Size>,
}

impl V1CreateSession {
    /// The terminal's size. Out of bounds, which [`Validate`] has refused, it is the usual one.
    pub fn size(&self) -> Size {
        let asked = self.terminal_size.and_then(|size| Size::new(size.cols, size.rows));
        asked.unwrap_or_default()
    }
}

impl Validate for V1CreateSession {
    fn validate(&self, faults: &mut Faults) {
        faults.line("machine_id", &self.machine_id, 1, MAX_ID);
        if let Some(size) = self.terminal_size {
            for (field, side) in [("terminal_size.cols", size.cols), ("terminal_size.rows", size.rows)] {
                let fits = u16::try_from(side).is_ok_and(|side| TERMINAL_SIZE.contains(&side));
                faults.check(fits, field, "must be a whole number from 1 to 1000");
            }
        }
    }
}

/// A session that waits for its client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1OpenedSession {
    /// Its name.
    pub session_id: SessionId,
    /// Where its socket is.
    #[schema(example = "wss://edge.example.com/v1/sessions/sess_0123456789abcdef01234567/ws")]
    pub websocket_url: String,
    /// What the first frame of the socket says: `{"type":"auth","token":"…"}`. It opens this session and nothing else, as often as it
    /// is used before it expires.
    #[schema(value_type = String)]
    pub token: Secret,
    /// When the token is worth nothing any more. A socket that is open by then stays open.
    pub expires_at: DateTime<Utc>,
}

/// What an entry of a session's log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum V1LogKind {
    /// What was run.
    Command,
    /// What the command before it wrote.
    Output,
}

/// An entry of a session's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1Log {
    /// When the command began, or had written this.
    pub timestamp: DateTime<Utc>,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: V1LogKind,
    /// The command, or the text as the terminal got it, with its escape sequences.
    pub content: String,
}

/// What was run in a session, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1Logs {
    /// The session's name.
    pub session_id: SessionId,
    /// The entries.
    pub logs: Vec<V1Log>,
    /// Which part of it it is, in commands.
    pub pagination: V1Pagination,
}

/// A machine by how often it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct V1TopMachine {
    /// `mch_` and the machine's `id`.
    pub machine_id: String,
    /// What people call it.
    pub name: String,
    /// How many sessions began there in the time.
    pub sessions_count: u64,
}

/// How much the sessions of an organization were used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct V1SessionStats {
    /// Sessions that began in the time.
    pub total_sessions: u64,
    /// Sessions that run now.
    pub active_sessions: u64,
    /// How long sessions were open within the time, all together.
    pub total_duration_hours: f64,
    /// People with a session that began in the time.
    pub unique_users: u64,
    /// The machines with most of them, at most 5.
    pub top_machines: Vec<V1TopMachine>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn a_session_is_opened_on_a_machine_in_a_size_within_bounds() {
        let refused = |json: &str| refused_fields::<V1CreateSession>(json);
        assert!(refused(r#"{"machine_id":"mch_1"}"#).is_empty());
        assert!(refused(r#"{"machine_id":"a","terminal_size":{"cols":1,"rows":1000}}"#).is_empty());
        assert_eq!(refused(r#"{"machine_id":" "}"#), ["machine_id"]);
        assert_eq!(
            refused(r#"{"machine_id":"a","terminal_size":{"cols":0,"rows":1001}}"#),
            ["terminal_size.cols", "terminal_size.rows"]
        );
    }

    #[test]
    fn an_id_is_the_same_with_and_without_its_prefix() {
        let id: ObjectId = "00000000000000000000000a".parse().unwrap();
        assert_eq!(bare_id(&machine_id(&id), "mch_"), id.as_str());
        assert_eq!(bare_id(&user_id(&id), "usr_"), id.as_str());
        assert_eq!(bare_id(id.as_str(), "usr_"), id.as_str());
    }

    #[test]
    fn an_answer_has_words_only_where_there_are_some() {
        let text = |body: V1<u8>| serde_json::to_string(&body).unwrap();
        assert_eq!(text(V1::new(5)), r#"{"success":true,"data":5}"#);
        assert_eq!(
            text(V1::new(5).saying("made")),
            r#"{"success":true,"data":5,"message":"made"}"#
        );
    }
}
