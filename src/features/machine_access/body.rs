//! Who may use a machine, as it is shown.
use protocol::api::access::{AccessUser, MachineRole};

use super::row::UserRow;

impl From<UserRow> for AccessUser {
    fn from(row: UserRow) -> Self {
        let role = |sudo| match sudo {
            true => MachineRole::AllowSudo,
            false => MachineRole::NonSudo,
        };
        let machine_role = role(row.given_sudo);
        Self {
            user_id: row.id,
            username: row.username,
            email: row.email,
            role: row.role,
            machine_role,
            machine_role_name: machine_role.label().to_owned(),
            effective_role: role(row.may_sudo),
            via: row.ways.first().cloned().unwrap_or_default(),
            ways: row.ways,
            granted_at: row.granted_at,
            granted_by: row.granted_by,
            expires_at: row.expires_at,
        }
    }
}
