//! From rows to the bodies of this API.
use protocol::api::sessions::SessionStatus;
use protocol::api::v1::{
    V1Machine, V1MachineWithHost, V1Pagination, V1Session, V1SessionDetail, V1Status, V1User, V1UserWithEmail,
    machine_id, user_id,
};

use crate::features::sessions::row::SessionRow;
use crate::http::page::Paging;

fn status(status: SessionStatus) -> V1Status {
    match status {
        SessionStatus::Active => V1Status::Active,
        SessionStatus::Closed => V1Status::Ended,
    }
}

/// A session in a list.
pub fn listed(row: SessionRow) -> V1Session {
    V1Session {
        id: row.session_id,
        user: V1User {
            id: user_id(&row.user_id),
            name: row.full_name,
        },
        machine: V1Machine {
            id: machine_id(&row.machine_id),
            name: row.machine_name,
        },
        status: status(row.status),
        started_at: row.started_at,
        last_activity: row.last_activity,
        ended_at: row.ended_at,
        source: row.source,
        ip_address: row.ip_address,
    }
}

/// One session.
pub fn detail(row: SessionRow) -> V1SessionDetail {
    V1SessionDetail {
        id: row.session_id,
        user: V1UserWithEmail {
            id: user_id(&row.user_id),
            name: row.full_name,
            email: row.email,
        },
        machine: V1MachineWithHost {
            id: machine_id(&row.machine_id),
            name: row.machine_name,
            host: row.machine_host,
        },
        status: status(row.status),
        started_at: row.started_at,
        last_activity: row.last_activity,
        ended_at: row.ended_at,
        source: row.source,
        ip_address: row.ip_address,
        user_agent: row.user_agent,
        commands_count: row.commands,
    }
}

/// Which part of a list it is.
pub fn pagination(paging: Paging) -> V1Pagination {
    V1Pagination {
        page: paging.page,
        limit: paging.limit,
        total: paging.total,
        total_pages: paging.total_pages,
    }
}
