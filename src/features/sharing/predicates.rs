//! Who is a guest at a session, decided in SQL. Nothing else says so.

/// SQL: the invitation or link (`h`) stands: nobody was sent away, and its time is not over.
macro_rules! stands {
    () => {
        "(h.removed_at IS NULL AND (h.expires_at IS NULL OR h.expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))"
    };
}

/// SQL: the account (`u`) is invited to the session (`s`), to type if this is 1 and to watch if it is 0.
macro_rules! invited {
    ($can_type:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM session_shares h WHERE h.session = s.id AND h.user_id = u.id AND h.can_type = ",
            $can_type,
            " AND h.organization_id = u.organization_id AND ",
            $crate::features::sharing::predicates::stands!(),
            ")"
        )
    };
}

pub(crate) use {invited, stands};
