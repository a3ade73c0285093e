//! SQL of requests for machines.
pub mod expired;
pub mod list;

use protocol::ids::ObjectId;

use super::access::{Approval, Askable, OwnRequest, RequestControl};
use super::row::{Decider, Found};
use crate::auth::account_store::is_active;
use crate::features::machines::predicates::{given_sudo, in_sight, manages};
use crate::platform::db::{Exists, Nothing, Query, statements};

/// Most people who are told of one request: its machine's owner first, then administrators. Each letter is a request to the mail
/// service.
const MAX_TOLD: i64 = 10;

/// A request (`q`) of somebody (`v`) for a machine (`m`) of somebody's (`w`) in an organization (`o`) as one JSON text: the
/// fields of an [`AccessRequest`](protocol::api::access_requests::AccessRequest) in order.
macro_rules! request_row {
    () => {
        concat!(
            "json_array(q.id, m.id, m.name, m.agent_id, v.id, v.username, v.email, o.slug, w.id, w.username, w.email, q.note,
               iif(q.sudo, 'allow_sudo', ''), q.duration_hours,
               iif(q.status = 'approved' AND NOT ", $crate::features::machines::predicates::approved!(), ", 'expired', q.status), ",
            $crate::features::access_requests::store::name!("q.approved_by"), ", q.approved_at, q.expires_at, ",
            $crate::features::access_requests::store::name!("q.rejected_by"), ", q.reject_comment, ",
            $crate::features::access_requests::store::name!("q.revoked_by"), ", q.revoked_at, q.requested_at, q.updated_at) AS request"
        )
    };
}

/// Somebody's name, or their id once they are gone with their organization.
macro_rules! name {
    ($id:literal) => {
        concat!(
            "COALESCE((SELECT b.username FROM users b WHERE b.id = ",
            $id,
            "), ",
            $id,
            ")"
        )
    };
}

/// The rows that [`request_row`] wants beside the request.
macro_rules! around {
    () => {
        "JOIN machines m ON m.id = q.machine_id JOIN organizations o ON o.id = m.organization_id
         JOIN users v ON v.id = q.requester_id JOIN users w ON w.id = m.owner_id"
    };
}
pub(super) use {around, name, request_row};

statements! {
    /// If the caller (?1) may know of the machine.
    FIND = concat!(
        "SELECT ", request_row!(), ", m.organization_id, ", manages!(), " AS manages, ", given_sudo!(), " AS has_sudo
         FROM users u JOIN access_requests q ON q.id = ?2 ", around!(), " WHERE u.id = ?1 AND ", in_sight!()
    );

    /// Nobody asks for another organization's machine, whatever was looked up before.
    INSERT = "INSERT INTO access_requests (id, organization_id, machine_id, requester_id, note, sudo, duration_hours, requested_at, updated_at)
         SELECT ?1, m.organization_id, m.id, v.id, ?4, ?5, ?6, ?7, ?7 FROM machines m
         JOIN users v ON v.organization_id = m.organization_id AND v.deleted_at IS NULL WHERE m.id = ?2 AND v.id = ?3";

    CANCEL = "DELETE FROM access_requests WHERE id = ?1 AND status = 'pending' RETURNING id";

    APPROVE = "UPDATE access_requests SET status = 'approved', approved_by = ?2, approved_at = ?3, updated_at = ?3, expires_at = ?4
         WHERE id = ?1 AND status = 'pending' RETURNING id";

    REJECT = "UPDATE access_requests SET status = 'rejected', rejected_by = ?2, updated_at = ?3, reject_comment = ?4
         WHERE id = ?1 AND status = 'pending' RETURNING id";

    REVOKE = "UPDATE access_requests SET status = 'revoked', revoked_by = ?2, revoked_at = ?3, updated_at = ?3
         WHERE id = ?1 AND status = 'approved' RETURNING id";

    /// Who decides upon requests for a machine (?1), but for somebody (?2).
    DECIDERS = concat!(
        "SELECT u.email FROM machines m JOIN organizations o ON o.id = m.organization_id JOIN users u ON u.organization_id = o.id
         WHERE m.id = ?1 AND u.id <> ?2 AND (u.id = m.owner_id OR u.role <> 'user') AND ", is_active!(), "
         ORDER BY u.id = m.owner_id DESC, u.int_id LIMIT ?3"
    );

    DELETE_ALL = "DELETE FROM access_requests WHERE requester_id = ?1";
}

/// A request to be made.
#[derive(Debug)]
pub struct NewRequest<'a> {
    pub id: ObjectId,
    pub note: &'a str,
    pub sudo: bool,
    pub duration_hours: u32,
    pub now: String,
}

/// One request, if the caller may know of it. What they may do with it, `access.rs` decides.
pub fn find(caller: &ObjectId, id: &ObjectId) -> Query<Found> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// Makes a request of the caller's. One that is pending already is a [`Duplicate`](crate::platform::db::DbError::Duplicate).
pub fn insert(askable: &Askable, new: &NewRequest) -> Query<Nothing> {
    Query::new(
        INSERT,
        [
            (&new.id).into(),
            (&askable.machine().id).into(),
            askable.caller().id().into(),
            new.note.into(),
            new.sudo.into(),
            i64::from(new.duration_hours).into(),
            new.now.as_str().into(),
        ],
    )
}

/// Those who are told that a request was made.
pub fn deciders(askable: &Askable) -> Query<Decider> {
    let machine = &askable.machine().id;
    Query::new(
        DECIDERS,
        [machine.into(), askable.caller().id().into(), MAX_TOLD.into()],
    )
}

/// Removes a request. A row if it was pending still; so with the others.
pub fn cancel(own: &OwnRequest) -> Query<Exists> {
    Query::new(CANCEL, [(&own.request().request().id).into()])
}

/// Gives what is asked for.
pub fn approve(approval: &Approval, now: &str, expires_at: Option<&str>) -> Query<Exists> {
    let control = approval.control();
    let (id, by) = (&control.request().id, control.caller().id());
    Query::new(APPROVE, [id.into(), by.into(), now.into(), expires_at.into()])
}

/// Refuses.
pub fn reject(control: &RequestControl, comment: &str, now: &str) -> Query<Exists> {
    let (id, by) = (&control.request().id, control.caller().id());
    Query::new(REJECT, [id.into(), by.into(), now.into(), comment.into()])
}

/// Takes back what was given.
pub fn revoke(control: &RequestControl, now: &str) -> Query<Exists> {
    let (id, by) = (&control.request().id, control.caller().id());
    Query::new(REVOKE, [id.into(), by.into(), now.into()])
}

/// Ends all that an account asked for.
pub fn delete_all(user: &ObjectId) -> Query<Nothing> {
    Query::new(DELETE_ALL, [user.into()])
}

#[cfg(test)]
mod tests;
