//! SQL of accounts that end.
use super::{DROP_ROLES, LEAVE_GROUPS, void_links};
use crate::features::users::access::UserControl;
use crate::platform::db::{Arg, Nothing, Query, statements};

statements! {
    /// The row stays, for the audit log and the machines' sessions; nothing that proves the account does.
    DELETE = "UPDATE users SET deleted_at = ?2, updated_at = ?2, token_version = token_version + 1, community = 0, password_hash = '',
           api_key_hash = 'deleted ' || id, api_key_sealed = '', totp_sealed = NULL, totp_confirmed_at = NULL, ssh_public_key = NULL
         WHERE id = ?1 AND deleted_at IS NULL";

    /// To the administrator who is there longest. A name that this one uses already gets the machine's own behind it. What waits
    /// to enrol needs a new registration token: the old one is known to whoever leaves.
    BEQUEATH = "UPDATE machines SET registration_token_hash = NULL, registration_token_sealed = NULL,
           host_id = CASE WHEN EXISTS (SELECT 1 FROM machines x WHERE x.owner_id = heir.id AND x.host_id = machines.host_id)
             THEN NULL ELSE host_id END,
           name = CASE WHEN EXISTS (SELECT 1 FROM machines x WHERE x.owner_id = heir.id AND x.name = machines.name)
             THEN substr(name, 1, 87) || '-' || agent_id ELSE name END,
           owner_id = heir.id
         FROM (SELECT a.id FROM users u JOIN users a ON a.organization_id = u.organization_id
           WHERE u.id = ?1 AND a.id <> u.id AND a.role <> 'user' AND a.disabled_at IS NULL AND a.deleted_at IS NULL AND a.pending = 0
           ORDER BY a.role = 'company_admin' DESC, a.int_id LIMIT 1) AS heir
         WHERE machines.owner_id = ?1";

    DELETE_KEYS = "DELETE FROM api_keys WHERE user_id = ?1";

    DELETE_GRANTS = "DELETE FROM machine_grants WHERE user_id = ?1";

    DELETE_RECOVERY_CODES = "DELETE FROM recovery_codes WHERE user_id = ?1";

    DELETE_CHALLENGE = "DELETE FROM otp_challenges WHERE user_id = ?1";
}

/// Ends an account: what it owned passes on, what it could do is taken away.
pub fn delete(control: &UserControl, now: &str) -> Vec<Query<Nothing>> {
    let id = || Arg::from(control.id());
    let rest = [
        BEQUEATH,
        DELETE_KEYS,
        DELETE_GRANTS,
        DROP_ROLES,
        DELETE_RECOVERY_CODES,
        DELETE_CHALLENGE,
    ];
    let end = Query::new(DELETE, [id(), now.into()]);
    let leave = Query::new(LEAVE_GROUPS, [id(), "[]".into()]);
    let rest = rest.map(|sql| Query::new(sql, [id()]));
    [end, leave]
        .into_iter()
        .chain(rest)
        .chain(void_links(control.id(), now))
        .collect()
}
