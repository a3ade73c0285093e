//! From a recording's row to the body that clients see.
use protocol::api::recordings::Recording;
use protocol::recording::prefix;

use super::row::RecordingRow;

impl From<&RecordingRow> for Recording {
    fn from(row: &RecordingRow) -> Self {
        let row = row.clone();
        Self {
            s3_key: prefix(&row.id),
            id: row.id,
            session_id: row.session_id,
            agent_id: row.agent_id,
            machine_id: row.machine_id,
            machine_name: row.machine_name,
            tenant_id: row.tenant_id,
            user_id: row.user_id,
            username: row.username,
            state: row.state,
            size_bytes: row.size_bytes,
            output_bytes: row.output_bytes,
            duration_seconds: row.duration_ms as f64 / 1000.0,
            cols: row.cols,
            rows: row.rows,
            exit_code: row.exit_code,
            created_at: row.started_at,
            ended_at: row.ended_at,
            expires_at: row.expires_at,
            can_delete: row.manages,
        }
    }
}
