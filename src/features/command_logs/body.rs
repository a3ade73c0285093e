//! From rows to bodies.
use protocol::api::command_logs::{CommandLog, CommandLogPage, CommandOutcome, CommandSeen};

use super::store::{Command, ListedRow, SCANNED};

impl From<Command> for CommandLog {
    fn from(row: Command) -> Self {
        // Where what one wrote ends is known of what was announced only.
        let has_range = row.output_from.is_some() && row.seen == CommandSeen::Announced;
        Self {
            success: row.outcome != CommandOutcome::Exited || row.exit_code == Some(0),
            id: row.id,
            key: row.key,
            command: row.command,
            command_text: row.text,
            seen: row.seen,
            user_id: row.user_id,
            username: row.username,
            timestamp: row.started_at,
            source: row.source,
            session_id: row.session_id,
            machine_id: row.machine_id,
            machine_name: row.machine_name,
            agent_id: row.agent_id,
            browser: row.browser,
            os_info: row.os_info,
            ip_address: row.ip_address,
            command_id: row.command_id,
            cwd: row.cwd,
            outcome: row.outcome,
            exit_code: row.exit_code,
            duration_ms: row.duration_ms,
            output: String::new(),
            output_available: row.recording_id.is_some() && has_range,
            output_truncated: false,
            recording_id: row.recording_id,
            recording_at_ms: None,
            output_from: row.output_from,
            output_to: row.output_to,
            missing: row.missing,
            policy: row.policy,
        }
    }
}

/// What a list answers.
pub fn page(rows: Vec<ListedRow>, after: u64, (page, limit): (u64, u64)) -> CommandLogPage {
    let read = rows.first().map(|row| row.read.clone()).unwrap_or_default();
    let found = rows.into_iter().filter_map(|row| row.command);
    let logs: Vec<CommandLog> = found.map(CommandLog::from).collect();
    let complete = read.rows < SCANNED;
    let is_full = logs.len() as u64 == limit;
    let last = logs.last().map(|log| log.key).filter(|_| is_full);
    CommandLogPage {
        total: read.total,
        page,
        limit,
        total_pages: read.total.div_ceil(limit),
        complete,
        next: last.or(read.oldest.filter(|_| !complete)),
        newest: read.newest.unwrap_or(after),
        logs,
    }
}
