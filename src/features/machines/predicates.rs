//! Who reaches a machine and what they may do there, decided in SQL over `u`, the caller's row, and `m`, the machine's. Nothing
//! else says so.

/// SQL: the caller may learn that the machine exists. Others get the answer of an unknown id.
macro_rules! in_sight {
    () => {
        "(m.organization_id = u.organization_id OR u.role = 'super_admin')"
    };
}

/// SQL: the caller may change and delete the machine: its owner and administrators.
macro_rules! manages {
    () => {
        "(m.owner_id = u.id OR u.role = 'super_admin' OR (u.role = 'company_admin' AND m.organization_id = u.organization_id))"
    };
}

/// SQL: the grant (`g`) has not expired. Until the scheduled handler removes it, one that has is as good as none.
macro_rules! unexpired {
    () => {
        "(g.expires_at IS NULL OR g.expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
    };
}

/// SQL: a grant (`g`) of the machine to the caller that has not expired.
macro_rules! granted {
    () => {
        concat!(
            "machine_grants g WHERE g.machine_id = m.id AND g.user_id = u.id AND ",
            $crate::features::machines::predicates::unexpired!()
        )
    };
}

/// SQL: the request (`q`) was approved for a time that is not over. One that the scheduled handler has not marked as expired yet
/// is as good as expired.
macro_rules! approved {
    () => {
        "(q.status = 'approved' AND (q.expires_at IS NULL OR q.expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))"
    };
}

/// SQL: a request (`q`) of the caller for the machine that was approved and has not expired.
macro_rules! requested {
    () => {
        concat!(
            "access_requests q WHERE q.machine_id = m.id AND q.requester_id = u.id AND ",
            $crate::features::machines::predicates::approved!()
        )
    };
}

/// SQL: the caller may use the machine: whoever manages it, whom it was granted to, whose request for it was approved, and the
/// members of its groups. Worked out for each request, so that withdrawing one way leaves the others as they are.
macro_rules! reaches {
    () => {
        concat!(
            "(",
            $crate::features::machines::predicates::manages!(),
            " OR EXISTS (SELECT 1 FROM ",
            $crate::features::machines::predicates::granted!(),
            ") OR EXISTS (SELECT 1 FROM ",
            $crate::features::machines::predicates::requested!(),
            ") OR EXISTS (SELECT 1 FROM group_machines x JOIN group_members y ON y.group_id = x.group_id
               WHERE x.machine_id = m.id AND y.user_id = u.id))"
        )
    };
}

/// SQL: the caller was given privileges for shells: the grant says so, or else the account, or else the caller manages the machine;
/// or they were asked for, and that was approved. A request only ever adds.
macro_rules! given_sudo {
    () => {
        concat!(
            "(COALESCE((SELECT NULLIF(g.machine_role, '') FROM ",
            $crate::features::machines::predicates::granted!(),
            "), NULLIF(u.machine_role, ''), CASE WHEN ",
            $crate::features::machines::predicates::manages!(),
            " THEN 'allow_sudo' END, 'non_sudo') = 'allow_sudo' OR EXISTS (SELECT 1 FROM ",
            $crate::features::machines::predicates::requested!(),
            " AND q.sudo = 1))"
        )
    };
}

/// SQL: the caller's shells on the machine may gain privileges: the machine was enrolled with it, and they were given them.
macro_rules! may_sudo {
    () => {
        concat!(
            "(m.allow_sudo = 1 AND ",
            $crate::features::machines::predicates::given_sudo!(),
            ")"
        )
    };
}

pub(crate) use {approved, given_sudo, granted, in_sight, manages, may_sudo, reaches, requested, unexpired};
