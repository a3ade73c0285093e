//! From a session's row to the body that clients see.
use protocol::api::sessions::{SessionList, TerminalSession};

use super::row::SessionRow;
use crate::http::page::Paging;

impl From<SessionRow> for TerminalSession {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            session_id: row.session_id,
            name: row.name,
            agent_id: row.agent_id,
            machine_id: row.machine_id,
            machine_name: row.machine_name,
            user_id: row.user_id,
            username: row.username,
            source: row.source,
            status: row.status,
            started_at: row.started_at,
            created_at: row.started_at,
            ended_at: row.ended_at,
            closed_at: row.ended_at,
            last_activity: row.last_activity,
            close_reason: row.close_reason,
            browser: row.browser,
            os_info: row.os.clone(),
            os: row.os,
            user_agent: row.user_agent,
            ip_address: row.ip_address,
            cols: row.cols,
            rows: row.rows,
            target: row.ssh_host,
            target_user: row.ssh_user,
            command_count: row.commands,
        }
    }
}

/// A page of a list.
pub fn page(rows: Vec<SessionRow>, paging: Paging) -> SessionList {
    SessionList {
        sessions: rows.into_iter().map(TerminalSession::from).collect(),
        total: paging.total,
        page: paging.page,
        limit: paging.limit,
        total_pages: paging.total_pages,
    }
}
