//! SQL of the end of machines: of one, and of all in an organization. Their sessions go with them.
use protocol::ids::ObjectId;
use serde::Deserialize;

use crate::features::machines::access::MachineControl;
use crate::features::organizations::access::OrganizationEnd;
use crate::platform::db::{Nothing, Query, statements};
use crate::platform::error::ApiError;

/// Most machines that one request to delete an organization takes with it. Each is a request to its relay, of which the
/// platform allows a thousand.
pub const AT_ONCE: usize = 500;

statements! {
    /// From here on its agent's token is worth nothing.
    REVOKE = "UPDATE machines SET status = 'revoked', revoked_at = ?2, is_connected = 0, agent_public_key = NULL WHERE id = ?1";

    DELETE_SESSIONS = "DELETE FROM terminal_sessions WHERE machine_id = ?1";

    DELETE = "DELETE FROM machines WHERE id = ?1";

    /// From here on no agent of the organization connects anew.
    REVOKE_ALL = "UPDATE machines SET status = 'revoked', revoked_at = COALESCE(revoked_at, ?2), is_connected = 0,
           agent_public_key = NULL WHERE organization_id = ?1";

    FIND_SOME = "SELECT id FROM machines WHERE organization_id = ?1 LIMIT ?2";

    DELETE_THEIR_SESSIONS = "DELETE FROM terminal_sessions WHERE machine_id IN (SELECT value FROM json_each(?1))";

    DELETE_SOME = "DELETE FROM machines WHERE id IN (SELECT value FROM json_each(?1))";
}

/// A machine of an organization that is being deleted.
#[derive(Debug, Deserialize)]
pub struct Doomed {
    pub id: ObjectId,
}

/// Shuts the machine's agent out.
pub fn revoke(control: &MachineControl, now: &str) -> Query<Nothing> {
    Query::new(REVOKE, [control.id().into(), now.into()])
}

/// Removes the machine and its sessions.
pub fn delete(control: &MachineControl) -> (Query<Nothing>, Query<Nothing>) {
    (
        Query::new(DELETE_SESSIONS, [control.id().into()]),
        Query::new(DELETE, [control.id().into()]),
    )
}

/// Shuts an organization's agents out, for good.
pub fn revoke_all(end: &OrganizationEnd, now: &str) -> Query<Nothing> {
    Query::new(REVOKE_ALL, [end.id().into(), now.into()])
}

/// Some of the machines of an organization: one more than [`AT_ONCE`], if there are as many.
pub fn find_some(end: &OrganizationEnd) -> Query<Doomed> {
    let limit = i64::try_from(AT_ONCE + 1).unwrap_or(i64::MAX);
    Query::new(FIND_SOME, [end.id().into(), limit.into()])
}

/// Removes machines whose relays are gone, with their sessions.
pub fn delete_some(_: &OrganizationEnd, machines: &[Doomed]) -> Result<(Query<Nothing>, Query<Nothing>), ApiError> {
    let ids: Vec<&ObjectId> = machines.iter().map(|machine| &machine.id).collect();
    let ids = serde_json::to_string(&ids).map_err(ApiError::internal)?;
    Ok((
        Query::new(DELETE_THEIR_SESSIONS, [ids.as_str().into()]),
        Query::new(DELETE_SOME, [ids.into()]),
    ))
}
