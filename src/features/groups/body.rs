//! From rows to the bodies that clients see.
use protocol::api::groups::{Group, GroupMachine, GroupMember};

use super::row::{GroupRow, MachineRow, MemberRow};

impl From<GroupRow> for Group {
    fn from(row: GroupRow) -> Self {
        let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            tenant_id: row.tenant_id,
            tenant_name: row.tenant_name,
            keycloak_id: String::new(),
            member_count: count(row.member_ids.len()),
            machine_count: count(row.machine_ids.len()),
            member_ids: row.member_ids,
            machine_ids: row.machine_ids,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<MemberRow> for GroupMember {
    fn from(row: MemberRow) -> Self {
        Self {
            user_id: row.id.clone(),
            id: row.id,
            username: row.username,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            role: row.role,
            machine_role: row.machine_role,
            enabled: row.enabled,
            added_at: row.added_at,
        }
    }
}

impl From<MachineRow> for GroupMachine {
    fn from(row: MachineRow) -> Self {
        Self {
            id: row.id,
            agent_id: row.agent_id,
            name: row.name,
            status: row.status,
            added_at: row.added_at,
        }
    }
}
