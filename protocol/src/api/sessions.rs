//! Terminal sessions.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command_logs::CommandLog;
use super::secret::Secret;
use super::validate::{Faults, Validate};
use crate::ids::{AgentId, ObjectId, SessionId};

/// Longest name that people give a session, in characters: what a tab and a line of a list show.
pub const MAX_NAME: usize = 100;

/// Whether a session's shell may still be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Somebody is attached, or may attach again.
    Active,
    /// It is over.
    Closed,
}

/// One shell on a machine, opened by one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TerminalSession {
    /// The row.
    pub id: ObjectId,
    /// The session's name, with which a client attaches again.
    pub session_id: SessionId,
    /// What people call it; empty if nobody gave it a name.
    pub name: String,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// The machine's row.
    pub machine_id: ObjectId,
    /// What people call the machine.
    pub machine_name: String,
    /// Who opened it.
    pub user_id: ObjectId,
    /// By which name.
    pub username: String,
    /// From where: `ui`, `cli`, `vscode`, or a name of the client's own.
    pub source: String,
    /// Whether it is over.
    pub status: SessionStatus,
    /// When it was opened.
    pub started_at: DateTime<Utc>,
    /// The same, under another name.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The same, under another name.
    pub closed_at: Option<DateTime<Utc>>,
    /// When somebody last attached or left.
    pub last_activity: DateTime<Utc>,
    /// Why it ended, such as `terminated` or `session_ended`.
    pub close_reason: Option<String>,
    /// The browser, such as `Firefox`, or `Unknown`.
    pub browser: String,
    /// The operating system of whoever opened it, such as `macOS`, or `Unknown`.
    pub os: String,
    /// The same, under another name.
    pub os_info: String,
    /// How the client named itself.
    pub user_agent: String,
    /// The client's address.
    pub ip_address: String,
    /// Width of the terminal when it was opened.
    pub cols: u16,
    /// Height of the terminal when it was opened.
    pub rows: u16,
    /// The host it is on, if the machine is a runner that opened it there by SSH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// As whom, if another was asked for than the inventory names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_user: Option<String>,
    /// Commands recorded so far.
    pub command_count: u64,
}

/// A page of sessions, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<TerminalSession>,
    /// How many there are on all pages; 10000 if there are more.
    pub total: u64,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many fit on a page.
    pub limit: u64,
    /// How many pages there are.
    pub total_pages: u64,
}

/// Somebody who looks at a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionViewer {
    /// By which name.
    pub username: String,
    /// Whether they may type.
    pub can_type: bool,
}

/// What a session does at this moment, as its machine says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveFacts {
    /// The session's name.
    pub session_id: SessionId,
    /// The machine's public name.
    pub agent_id: AgentId,
    /// The terminal's title, as programs have set it.
    pub title: String,
    /// The command that runs, with what is masked in the command log; none while the shell waits for one.
    pub command: Option<String>,
    /// The shell's directory; empty if it is not known.
    pub cwd: String,
    /// Width of the terminal.
    pub cols: u16,
    /// Height of the terminal.
    pub rows: u16,
    /// Who looks at it.
    pub viewers: Vec<SessionViewer>,
    /// When the terminal last wrote something, if that is known.
    pub last_activity: Option<DateTime<Utc>>,
}

/// What sessions do at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveSessions {
    /// Those of which it is known.
    pub sessions: Vec<LiveFacts>,
}

/// A session, and a page of what was run in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionDetail {
    /// The session.
    pub session: TerminalSession,
    /// What it does at this moment; nothing if it is over, or if its machine does not say.
    pub live: Option<LiveFacts>,
    /// What people call its machine.
    pub machine_name: String,
    /// What was run in it, oldest first, each with the beginning of what it wrote if the page has 25 at most.
    pub logs: Vec<CommandLog>,
    /// How many commands there are on all pages.
    pub logs_total: u64,
    /// Which page it is, from 1.
    pub logs_page: u64,
    /// How many fit on a page.
    pub logs_limit: u64,
    /// How many pages there are.
    pub logs_total_pages: u64,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionBody {
    /// The session.
    pub session: TerminalSession,
}

/// What is to change of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateSession {
    /// What people call it; empty takes the name away.
    #[schema(max_length = 100, example = "nightly backup", format = "line")]
    pub name: String,
}

impl Validate for UpdateSession {
    fn validate(&self, faults: &mut Faults) {
        faults.line("name", &self.name, 0, MAX_NAME);
    }
}

/// What opens one terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SocketTicket {
    /// For `?ticket=`. It works once, for the machine it was made for.
    #[schema(value_type = String, pattern = "^[0-9a-f]{48}$")]
    pub ticket: Secret,
    /// Seconds until it is worth nothing.
    pub expires_in: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validate::refused_fields;

    #[test]
    fn a_name_is_a_line_of_bounded_length() {
        let refused = |name: &str| refused_fields::<UpdateSession>(&serde_json::json!({ "name": name }).to_string());
        for good in ["", "nightly backup", &"é".repeat(MAX_NAME)] {
            assert!(refused(good).is_empty(), "{good}");
        }
        for bad in ["a\nb", &"x".repeat(MAX_NAME + 1)] {
            assert_eq!(refused(bad), ["name"], "{bad}");
        }
    }
}
