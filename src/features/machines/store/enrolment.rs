//! SQL of machines, as their agents see them: enrolment and identity.
use protocol::api::agents::{Enroll, Enrolled};
use protocol::api::health::Thresholds;
use protocol::api::machines::MachineStatus;
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;

use crate::auth::account_store::is_active;
use crate::features::organizations::access::may_create_machines;
use crate::platform::db::{Arg, Nothing, Query, flag, json, statements};

/// What an agent says of its machine: from ?2 on, as [`facts`] binds it. A machine that was enrolled waits for its agent.
macro_rules! set_facts {
    () => {
        "UPDATE machines SET agent_public_key = ?2, host_id = ?3, hostname = ?4, os = ?5, linux_user = COALESCE(?6, linux_user),
         allow_sudo = COALESCE(?7, allow_sudo), agent_version = ?8, status = 'offline', is_connected = 0,
         registration_token_hash = NULL, registration_token_sealed = NULL"
    };
}

/// Something of the account whose API key has this digest, if the account may use it.
macro_rules! key_owner {
    ($digest:literal, $($columns:tt)+) => {
        concat!(
            "SELECT ",
            $($columns)+,
            " FROM users u JOIN organizations o ON o.id = u.organization_id WHERE u.api_key_hash = ",
            $digest,
            " AND ",
            is_active!()
        )
    };
}

statements! {
    /// A host that enrols with a token becomes that token's machine, and is no longer the one it was for the same owner.
    RELEASE_HOST = "UPDATE machines SET host_id = NULL WHERE host_id = ?2
         AND owner_id = (SELECT owner_id FROM machines WHERE registration_token_hash = ?1 AND status <> 'revoked')";

    /// Spends the token: the second to try finds no row.
    ENROLL_BY_TOKEN = concat!(
        set_facts!(), ", enrolled_by_key = 0 WHERE registration_token_hash = ?1 AND status <> 'revoked' RETURNING id AS machine_id, agent_id, name"
    );

    /// The machine that a token was made for, and whose it is.
    FIND_BY_TOKEN = "SELECT m.id, m.agent_id, m.name, m.status, m.organization_id, m.owner_id, w.username AS owner
         FROM machines m JOIN users w ON w.id = m.owner_id WHERE m.registration_token_hash = ?1";

    FIND_KEY_OWNER = key_owner!(
        "?1", "u.id, u.username, u.organization_id, u.must_reset_password, ", may_create_machines!(), " AS may_create"
    );

    /// The machine that this host is already, for this key's owner.
    FIND_HOST = "SELECT m.id, m.name, m.status, m.hostname, m.agent_public_key FROM users u JOIN machines m ON m.owner_id = u.id AND m.host_id = ?2 WHERE u.api_key_hash = ?1";

    /// The owner's machines whose names begin alike.
    FIND_NAMES = "SELECT m.name FROM users u JOIN machines m ON m.owner_id = u.id AND m.name >= ?2
         WHERE u.api_key_hash = ?1 AND substr(m.name, 1, length(?2)) = ?2";

    /// Not if the key was replaced since it was looked up: its machines were shut out then, and no more may come.
    ENROLL_AGAIN = concat!(
        set_facts!(), ", enrolled_by_key = 1 WHERE id = ?1 AND status <> 'revoked' AND owner_id = (", key_owner!("?9", "u.id"), ")
         RETURNING id AS machine_id, agent_id, name");

    /// The same.
    INSERT_ENROLLED = concat!(
        "INSERT INTO machines
         (id, agent_public_key, host_id, hostname, os, linux_user, allow_sudo, agent_version, status, organization_id, owner_id, agent_id,
          name, created_at, enrolled_by_key) ",
        key_owner!("?9", "?1, ?2, ?3, ?4, ?5, COALESCE(?6, ''), COALESCE(?7, 0), ?8, 'offline', u.organization_id, u.id, ?10, ?11, ?12, 1"),
        " AND ", may_create_machines!(), " RETURNING id AS machine_id, agent_id, name"
    );

    /// The identity that a connection token is checked against.
    FIND_IDENTITY = "SELECT m.id, m.agent_id, m.status, m.agent_public_key, m.name, m.organization_id, m.thresholds,
           EXISTS (SELECT 1 FROM commands k WHERE k.machine_id = m.id AND k.source = 'script' AND k.finished_at IS NULL
             AND k.status = 'queued') AS script_waits, iif(o.networks_for_agents = 1, o.allowed_networks, '[]') AS networks
         FROM machines m JOIN organizations o ON o.id = m.organization_id WHERE m.agent_id = ?1";

    /// Takes their identity from the machines that enrolled with the account's key, and gives them. Each is still its host's, which
    /// may enrol again.
    SHUT_OUT_ENROLLED = "UPDATE machines SET agent_public_key = NULL, enrolled_by_key = 0, status = 'offline', is_connected = 0
         WHERE owner_id = ?1 AND enrolled_by_key = 1 AND status <> 'revoked' RETURNING id";
}

/// The account whose API key an agent presented.
#[derive(Debug, Deserialize)]
pub struct KeyOwner {
    pub id: ObjectId,
    pub username: String,
    pub organization_id: ObjectId,
    /// Somebody else chose its password.
    #[serde(deserialize_with = "flag")]
    pub must_reset_password: bool,
    /// It may make machines, as its organization has it.
    #[serde(deserialize_with = "flag")]
    pub may_create: bool,
}

/// The machine that a host is already.
#[derive(Debug, Deserialize)]
pub struct KnownHost {
    pub id: ObjectId,
    pub name: String,
    pub status: MachineStatus,
    /// Its own name for itself.
    pub hostname: String,
    pub agent_public_key: Option<String>,
}

/// The machine that a registration token was made for.
#[derive(Debug, Deserialize)]
pub struct Registered {
    pub id: ObjectId,
    pub agent_id: AgentId,
    pub name: String,
    pub status: MachineStatus,
    pub organization_id: ObjectId,
    pub owner_id: ObjectId,
    pub owner: String,
}

#[derive(Debug, Deserialize)]
pub struct Named {
    pub name: String,
}

/// A machine's identity. Without a key, it has none.
#[derive(Debug, Deserialize)]
pub struct Identity {
    pub id: ObjectId,
    pub agent_id: AgentId,
    pub status: MachineStatus,
    pub agent_public_key: Option<String>,
    pub name: String,
    pub organization_id: ObjectId,
    #[serde(deserialize_with = "json")]
    pub thresholds: Thresholds,
    /// Its first script may not have reached its relay.
    #[serde(deserialize_with = "flag")]
    pub script_waits: bool,
    /// From which networks it may connect; empty is from all.
    #[serde(deserialize_with = "json")]
    pub networks: Vec<String>,
}

/// A machine that an API key makes.
#[derive(Debug)]
pub struct NewHost<'a> {
    pub id: ObjectId,
    pub agent_id: AgentId,
    pub name: &'a str,
    pub now: &'a str,
}

fn facts(first: Arg, request: &Enroll) -> [Arg; 8] {
    [
        first,
        request.public_key.as_str().into(),
        request.host().into(),
        request.hostname.trim().into(),
        request.os.trim().into(),
        request.linux_user.as_deref().into(),
        request.allow_sudo.into(),
        request.version.trim().into(),
    ]
}

/// The machine that a registration token was made for.
pub fn find_by_token(token_hash: &str) -> Query<Registered> {
    Query::new(FIND_BY_TOKEN, [token_hash.into()])
}

/// Enrols the machine that a registration token was made for. No row if the token is spent.
pub fn enroll_by_token(token_hash: &str, request: &Enroll) -> (Query<Nothing>, Query<Enrolled>) {
    let release = Query::new(RELEASE_HOST, [token_hash.into(), request.host().into()]);
    (release, Query::new(ENROLL_BY_TOKEN, facts(token_hash.into(), request)))
}

/// All that an enrolment by API key must know: the key's owner, the machine that the host is already, and the owner's names
/// that begin with `prefix`.
pub fn find_by_key(
    key_hash: &str,
    host_id: Option<&str>,
    prefix: &str,
) -> (Query<KeyOwner>, (Query<KnownHost>, Query<Named>)) {
    let owner = Query::new(FIND_KEY_OWNER, [key_hash.into()]);
    let host = Query::new(FIND_HOST, [key_hash.into(), host_id.into()]);
    (owner, (host, Query::new(FIND_NAMES, [key_hash.into(), prefix.into()])))
}

/// Gives a machine a new identity. No row if the key is its owner's no longer, or the machine was revoked.
pub fn enroll_again(key_hash: &str, machine: &ObjectId, request: &Enroll) -> Query<Enrolled> {
    let [id, key, host, hostname, os, user, sudo, version] = facts(machine.into(), request);
    let args = [id, key, host, hostname, os, user, sudo, version, key_hash.into()];
    Query::new(ENROLL_AGAIN, args)
}

/// Makes a machine with an identity. No row if the key is nobody's any longer, or its owner may make no machines.
pub fn insert_enrolled(key_hash: &str, new: &NewHost, request: &Enroll) -> Query<Enrolled> {
    let [id, key, host, hostname, os, user, sudo, version] = facts((&new.id).into(), request);
    let [agent_id, name, now] = [(&new.agent_id).into(), new.name.into(), new.now.into()];
    let owner = key_hash.into();
    Query::new(
        INSERT_ENROLLED,
        [
            id, key, host, hostname, os, user, sudo, version, owner, agent_id, name, now,
        ],
    )
}

/// The identity of an agent.
pub fn find_identity(agent_id: &AgentId) -> Query<Identity> {
    Query::new(FIND_IDENTITY, [agent_id.into()])
}

/// A machine that was shut out.
#[derive(Debug, Deserialize)]
pub struct ShutOut {
    pub id: ObjectId,
}

/// Takes their identity from the machines that enrolled with the key of `owner`, and gives them.
pub fn shut_out(owner: &ObjectId) -> Query<ShutOut> {
    Query::new(SHUT_OUT_ENROLLED, [owner.into()])
}

#[cfg(test)]
mod tests;
