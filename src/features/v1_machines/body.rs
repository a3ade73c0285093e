//! From machines' rows to the bodies of this API.
use protocol::api::machines::MachineStatus;
use protocol::api::v1::machine_id;
use protocol::api::v1_machines::{V1MachineDetail, V1MachineItem};

use crate::features::machines::row::MachineRow;

fn status(status: MachineStatus) -> &'static str {
    match status {
        MachineStatus::Online | MachineStatus::ExecutingScript => "online",
        MachineStatus::Offline => "offline",
        MachineStatus::Pending => "pending",
        MachineStatus::Revoked => "revoked",
    }
}

/// A machine in a list.
pub fn item(row: MachineRow) -> V1MachineItem {
    V1MachineItem {
        id: machine_id(&row.id),
        name: row.name,
        host: row.ip_address,
        port: None,
        status: status(row.status).to_owned(),
        tags: row.tags,
        last_connected: row.last_active,
        created_at: row.created_at,
    }
}

/// One machine.
pub fn detail(row: MachineRow) -> V1MachineDetail {
    V1MachineDetail {
        username: row.linux_user.clone(),
        description: row.description.clone(),
        jump_host: None,
        auth_type: "agent".to_owned(),
        machine: item(row),
    }
}
