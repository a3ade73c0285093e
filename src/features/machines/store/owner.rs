//! SQL of machines whose owner leaves.
use protocol::ids::ObjectId;

use crate::platform::db::{Nothing, Query, statements};

statements! {
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
}

/// Gives an account's machines to an administrator of its organization, if there is one.
pub fn bequeath(owner: &ObjectId) -> Query<Nothing> {
    Query::new(BEQUEATH, [owner.into()])
}
