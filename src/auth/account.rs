//! Which accounts count.

/// SQL: the account (`u`) of the organization (`o`) may sign in and stay signed in.
macro_rules! stands {
    () => {
        "(u.disabled_at IS NULL AND u.deleted_at IS NULL AND u.pending = 0 AND o.disabled_at IS NULL)"
    };
}

pub(crate) use stands;
