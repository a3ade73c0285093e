//! From a command's row to the body that clients see.
use protocol::api::commands::{Command, CommandDetail, CommandResult};

use super::row::CommandRow;

impl From<CommandRow> for Command {
    fn from(row: CommandRow) -> Self {
        Self {
            command_id: row.command_id,
            batch_id: row.batch_id,
            session_id: row.session_id,
            agent_id: row.agent_id,
            machine_id: row.machine_id,
            machine_name: row.machine_name,
            user_id: row.user_id,
            username: row.username,
            source: row.source,
            command: row.command,
            allow_sudo: row.sudo,
            status: row.status,
            exit_code: row.exit_code,
            signal: row.signal,
            error: row.error,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            decision_reason: row.decision_reason,
            truncated: row.truncated,
            duration_ms: row.duration_ms,
            created_at: row.created_at,
            sent_at: row.sent_at,
            finished_at: row.finished_at,
        }
    }
}

/// A command with what its relay keeps of it.
pub fn detail(row: CommandRow, result: Option<CommandResult>) -> CommandDetail {
    let output_available = result.is_some();
    let (stdout, stderr) = result.map(|result| (result.stdout, result.stderr)).unwrap_or_default();
    CommandDetail {
        command: row.into(),
        output_available,
        stdout,
        stderr,
    }
}
