//! SQL of recordings, but what the relay writes.
use protocol::ids::{ObjectId, SessionId};

use super::access::RecordingControl;
use super::row::{Expired, RecordingRow};
use crate::features::machines::predicates::{manages, reaches};
use crate::platform::db::{Count, Nothing, Query, statements};

/// SQL: the caller (`u`) administers the organization of the recording (`r`).
macro_rules! administers {
    () => {
        "COALESCE(u.role = 'super_admin' OR (u.role = 'company_admin' AND r.organization_id = u.organization_id), 0)"
    };
}

/// A [`RecordingRow`] of a recording (`r`) of a machine (`m`) that may be gone, for the caller (`u`).
macro_rules! recording_row {
    () => {
        concat!(
            "r.id, r.organization_id, COALESCE(o.slug, '') AS tenant_id, r.session_id, r.agent_id, r.machine_id, r.machine_name,
             r.user_id, r.username, r.state, r.started_at, r.ended_at, r.expires_at, r.duration_ms, r.output_bytes, r.size_bytes,
             r.cols, r.rows, r.exit_code, COALESCE(", reaches!(), ", 0) OR ", administers!(), " AS reaches,
             COALESCE(", manages!(), ", 0) OR ", administers!(), " AS manages"
        )
    };
}

/// The recordings (`r`) of a session (?3) on a machine (?2) that the caller (?1) may see.
macro_rules! of_session {
    () => {
        concat!(
            " FROM users u JOIN recordings r ON r.machine_id = ?2 AND r.session_id = ?3
               AND (r.organization_id = u.organization_id OR u.role = 'super_admin')
             LEFT JOIN machines m ON m.id = r.machine_id LEFT JOIN organizations o ON o.id = r.organization_id
             WHERE u.id = ?1 AND (COALESCE(",
            reaches!(),
            ", 0) OR ",
            administers!(),
            ")"
        )
    };
}

statements! {
    /// A machine's (?2), newest first.
    LIST_OF_MACHINE = concat!(
        "SELECT ", recording_row!(), " FROM users u JOIN machines m ON m.agent_id = ?2 JOIN recordings r ON r.machine_id = m.id
         LEFT JOIN organizations o ON o.id = r.organization_id
         WHERE u.id = ?1 ORDER BY r.started_at DESC, r.id DESC LIMIT ?3 OFFSET ?4"
    );

    COUNT_OF_MACHINE = "SELECT COUNT(*) AS total FROM machines m JOIN recordings r ON r.machine_id = m.id WHERE m.agent_id = ?1";

    /// The caller's organization's, newest first, also of machines that are gone.
    LIST_OF_ORGANIZATION = concat!(
        "SELECT ", recording_row!(), " FROM users u JOIN recordings r ON r.organization_id = u.organization_id
         LEFT JOIN machines m ON m.id = r.machine_id LEFT JOIN organizations o ON o.id = r.organization_id
         WHERE u.id = ?1 ORDER BY r.started_at DESC, r.id DESC LIMIT ?2 OFFSET ?3"
    );

    COUNT_OF_ORGANIZATION = "SELECT COUNT(*) AS total FROM users u JOIN recordings r ON r.organization_id = u.organization_id
         WHERE u.id = ?1";

    /// Those of a session (?3) on a machine (?2) that the caller may see, the oldest first: one for each shell it had.
    LIST_OF_SESSION = concat!(
        "SELECT ", recording_row!(), of_session!(), " ORDER BY r.started_at, r.id LIMIT ?4 OFFSET ?5"
    );

    COUNT_OF_SESSION = concat!("SELECT COUNT(*) AS total", of_session!());

    FIND = concat!(
        "SELECT ", recording_row!(), " FROM users u JOIN recordings r ON (r.organization_id = u.organization_id OR u.role = 'super_admin')
         LEFT JOIN machines m ON m.id = r.machine_id LEFT JOIN organizations o ON o.id = r.organization_id
         WHERE u.id = ?1 AND r.id = ?2"
    );

    /// For whoever was given its address by somebody who may see it. Whose session it was may be gone.
    READ = concat!(
        "SELECT ", recording_row!(), " FROM recordings r LEFT JOIN users u ON u.id = r.user_id
         LEFT JOIN machines m ON m.id = r.machine_id LEFT JOIN organizations o ON o.id = r.organization_id WHERE r.id = ?1"
    );

    EXPIRED = "SELECT id FROM recordings WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";

    DELETE = "DELETE FROM recordings WHERE id = ?1 AND state <> 'recording'";

    DELETE_EXPIRED = "DELETE FROM recordings WHERE id = ?1 AND expires_at <= ?2";
}

/// Some of the recordings of a machine, by its public name, newest first, and how many there are. Whether the caller reaches the
/// machine, whoever asks has to find out.
pub fn list_of_machine(
    caller: &ObjectId,
    agent_id: &str,
    limit: i64,
    skip: i64,
) -> (Query<RecordingRow>, Query<Count>) {
    (
        Query::new(
            LIST_OF_MACHINE,
            [caller.into(), agent_id.into(), limit.into(), skip.into()],
        ),
        Query::new(COUNT_OF_MACHINE, [agent_id.into()]),
    )
}

/// Some of the recordings of the caller's organization, newest first, and how many there are. For administrators.
pub fn list_of_organization(caller: &ObjectId, limit: i64, skip: i64) -> (Query<RecordingRow>, Query<Count>) {
    (
        Query::new(LIST_OF_ORGANIZATION, [caller.into(), limit.into(), skip.into()]),
        Query::new(COUNT_OF_ORGANIZATION, [caller.into()]),
    )
}

/// Some of the recordings of a session that the caller may see, the oldest first, and how many there are.
pub fn list_of_session(
    caller: &ObjectId,
    machine: &ObjectId,
    session: &SessionId,
    (limit, skip): (i64, i64),
) -> (Query<RecordingRow>, Query<Count>) {
    let of = || [caller.into(), machine.into(), session.into()];
    let [who, on, named] = of();
    (
        Query::new(LIST_OF_SESSION, [who, on, named, limit.into(), skip.into()]),
        Query::new(COUNT_OF_SESSION, of()),
    )
}

/// One recording, if the caller may know of it.
/// [`RecordingAccess::decide`](super::access::RecordingAccess::decide) says what follows from the row.
pub fn find(caller: &ObjectId, recording: &ObjectId) -> Query<RecordingRow> {
    Query::new(FIND, [caller.into(), recording.into()])
}

/// One recording, for whoever has proven by its address to know somebody who may see it.
pub fn read(recording: &ObjectId) -> Query<RecordingRow> {
    Query::new(READ, [recording.into()])
}

/// Removes a recording of which nothing is left in the bucket.
pub fn delete(control: &RecordingControl) -> Query<Nothing> {
    Query::new(DELETE, [control.id().into()])
}

/// Some of the recordings that have expired by then, the longest expired first.
pub fn expired(now: &str, most: i64) -> Query<Expired> {
    Query::new(EXPIRED, [now.into(), most.into()])
}

/// Removes a recording that has expired by then and of which nothing is left in the bucket.
pub fn delete_expired(expired: &Expired, now: &str) -> Query<Nothing> {
    Query::new(DELETE_EXPIRED, [(&expired.id).into(), now.into()])
}

#[cfg(test)]
mod tests;
