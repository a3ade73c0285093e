//! SQL of approved requests whose time is over.
use chrono::{DateTime, Utc};

use super::{around, request_row};
use crate::features::access_requests::row::Expired;
use crate::platform::db::{Exists, Query, statements, stored};

/// Most requests ended in one run.
const AT_ONCE: i64 = 100;

statements! {
    EXPIRED = concat!(
        "SELECT ", request_row!(), ", m.organization_id FROM access_requests q ", around!(),
        " WHERE q.status = 'approved' AND q.expires_at <= ?1 ORDER BY q.expires_at LIMIT ?2"
    );

    /// Not if it was revoked in the meantime.
    END = "UPDATE access_requests SET status = 'expired', updated_at = ?2 WHERE id = ?1 AND status = 'approved' AND expires_at <= ?2
         RETURNING id";
}

/// The requests whose time is over at `now`, at most [`AT_ONCE`].
pub fn find(now: DateTime<Utc>) -> Query<Expired> {
    Query::new(EXPIRED, [stored(now).into(), AT_ONCE.into()])
}

/// Notes that the time of a request is over. It gives nothing any more since that time.
pub fn end(expired: &Expired, now: DateTime<Utc>) -> Query<Exists> {
    Query::new(END, [(&expired.request.id).into(), stored(now).into()])
}
