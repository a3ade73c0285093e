//! From rows to bodies.
use protocol::api::sharing::{Share, SharedSession};

use super::row::{GuestRow, ShareRow};

impl From<ShareRow> for Share {
    fn from(row: ShareRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            username: row.username,
            link_id: row.link,
            can_type: row.can_type,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

impl From<GuestRow> for SharedSession {
    fn from(row: GuestRow) -> Self {
        Self {
            id: row.id,
            session_id: row.session_id,
            agent_id: row.agent_id,
            machine_name: row.machine_name,
            owner: row.owner,
            can_type: row.can_type,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}
