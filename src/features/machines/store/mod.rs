//! SQL of machines, as people see them.
pub mod duplicate;
pub mod end;
pub mod enrolment;
pub mod metrics;
pub mod owner;
pub mod rotation;
pub mod summary;

use protocol::api::machines::{CreateMachine, UpdateMachine};
use protocol::ids::{AgentId, ObjectId};
use serde::Deserialize;

use super::access::MachineControl;
use super::predicates::{in_sight, manages, may_sudo, reaches};
use super::row::{Found, MachineRow};
use crate::auth::caller::Caller;
use crate::features::organizations::access::session_limits;
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Nothing, Query, json, statements};
use crate::platform::error::ApiError;

/// SQL: what a machine (`m`) is doing. One that is connected may be running its first script; whether it is stands with that.
macro_rules! status {
    () => {
        "iif(m.status = 'online' AND EXISTS (SELECT 1 FROM commands k WHERE k.machine_id = m.id AND k.source = 'script'
           AND k.finished_at IS NULL), 'executing_script', m.status)"
    };
}

/// A [`MachineRow`] as one JSON text, its fields in order. D1 hands a text over in half the time it takes for as many
/// columns.
macro_rules! machine_row {
    () => {
        concat!(
            "json_array(m.id, m.agent_id, m.name, m.description, m.hostname, m.os, m.ip_address, ", $crate::features::machines::store::status!(), ", m.is_connected,
           m.linux_user, m.allow_sudo, m.deploy_application, json(m.tags), json_patch(m.metadata, m.own_metadata), m.agent_version, m.cpu_percent,
           m.memory_percent, m.disk_percent, m.network_inbound, m.network_outbound, m.uptime_seconds, m.last_active, json_array(m.metrics_at, m.health, json(m.thresholds), json(m.command_policy)),
           m.created_at, m.revoked_at, m.owner_id, w.username, o.slug,
           json((SELECT json_group_array(x.group_id) FROM group_machines x WHERE x.machine_id = m.id)),
           json((SELECT json_group_array(v.username) FROM (
               SELECT g.user_id FROM machine_grants g WHERE g.machine_id = m.id AND ", $crate::features::machines::predicates::unexpired!(), "
               UNION SELECT q.requester_id FROM access_requests q WHERE q.machine_id = m.id AND ", $crate::features::machines::predicates::approved!(), ") AS listed
             JOIN users v ON v.id = listed.user_id)),
           json(CASE WHEN m.duplicate_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-10 minutes')
             THEN json_object('ip_address', m.duplicate_address, 'at', m.duplicate_at) END)) AS machine"
        )
    };
}

/// The machines the caller (?1) lists, in one organization: that of the super administrator's choice (?2) or the caller's
/// own. Narrowed by a part of name or description (?3), a status (?4) and a tag (?5).
macro_rules! listed {
    () => {
        concat!(
            " FROM users u JOIN organizations o ON o.id =
               CASE WHEN u.role = 'super_admin' AND ?2 IS NOT NULL THEN (SELECT id FROM organizations WHERE slug = ?2) ELSE u.organization_id END
             JOIN machines m ON m.organization_id = o.id JOIN users w ON w.id = m.owner_id
             WHERE u.id = ?1 AND ", reaches!(), "
             AND (?3 IS NULL OR instr(lower(m.name), lower(?3)) > 0 OR instr(lower(m.description), lower(?3)) > 0)
             AND (?4 IS NULL OR ?4 = ", status!(), ")
             AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(m.tags) WHERE value = ?5))"
        )
    };
}

macro_rules! found {
    () => {
        concat!(
            "SELECT ",
            machine_row!(),
            ", m.organization_id, m.custom_script, m.registration_token_sealed, ",
            reaches!(),
            " AS reaches, ",
            manages!(),
            " AS manages, ",
            may_sudo!(),
            " AS may_sudo, ",
            session_limits!(),
            " AS limits
             FROM users u JOIN machines m ON ",
            in_sight!(),
            "
             JOIN organizations o ON o.id = m.organization_id JOIN users w ON w.id = m.owner_id WHERE u.id = ?1"
        )
    };
}

pub(crate) use {machine_row, status};

statements! {
    LIST = concat!("SELECT ", machine_row!(), listed!(), " ORDER BY m.name, m.id LIMIT ?6 OFFSET ?7");

    COUNT = concat!("SELECT COUNT(*) AS total", listed!());

    FIND_BY_AGENT_ID = concat!(found!(), " AND m.agent_id = ?2");

    FIND_BY_ID = concat!(found!(), " AND m.id = ?2");

    INSERT = "INSERT INTO machines
         (id, organization_id, owner_id, agent_id, name, description, linux_user, allow_sudo, deploy_application, custom_script, tags,
          registration_token_hash, registration_token_sealed, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

    /// What is NULL stays.
    UPDATE = "UPDATE machines SET name = COALESCE(?2, name), description = COALESCE(?3, description), tags = COALESCE(?4, tags),
           own_metadata = COALESCE(?5, own_metadata), thresholds = COALESCE(?6, thresholds),
           command_policy = COALESCE(?7, command_policy) WHERE id = ?1";

    SET_REGISTRATION_TOKEN = "UPDATE machines SET registration_token_hash = ?2, registration_token_sealed = ?3 WHERE id = ?1";
}

/// One machine of a list.
#[derive(Debug, Deserialize)]
pub struct Listed {
    #[serde(deserialize_with = "json")]
    pub machine: MachineRow,
}

#[derive(Debug, Clone)]
pub enum Key {
    /// By its public name. Whatever a client sent: a text that is no such name names no machine.
    AgentId(String),
    /// By its row.
    Id(ObjectId),
}

/// Which machines to list.
#[derive(Debug, Default)]
pub struct Filter {
    pub search: Option<String>,
    pub status: Option<String>,
    pub tag: Option<String>,
    pub tenant_id: Option<String>,
}

/// A machine to be made.
#[derive(Debug)]
pub struct NewMachine {
    pub id: ObjectId,
    pub agent_id: AgentId,
    pub request: CreateMachine,
    pub token_hash: String,
    pub token_sealed: String,
    pub now: String,
}

/// The machines the caller lists.
pub fn list(caller: &ObjectId, filter: &Filter, page: Page) -> Query<Listed> {
    let (limit, offset) = page.window();
    let [caller, tenant, search, status, tag] = filter.args(caller);
    Query::new(LIST, [caller, tenant, search, status, tag, limit.into(), offset.into()])
}

/// How many there are on all pages together.
pub fn count(caller: &ObjectId, filter: &Filter) -> Query<Count> {
    Query::new(COUNT, filter.args(caller))
}

impl Filter {
    fn args(&self, caller: &ObjectId) -> [Arg; 5] {
        let text = |text: &Option<String>| Arg::from(text.as_deref().filter(|text| !text.is_empty()));
        [
            caller.into(),
            text(&self.tenant_id),
            text(&self.search),
            text(&self.status),
            text(&self.tag),
        ]
    }
}

/// One machine, if the caller may know of it. [`MachineAccess::decide`](crate::features::machines::access::MachineAccess::decide) says
/// what follows from the row.
pub fn find(caller: &ObjectId, key: &Key) -> Query<Found> {
    match key {
        Key::AgentId(agent_id) => Query::new(FIND_BY_AGENT_ID, [caller.into(), agent_id.as_str().into()]),
        Key::Id(id) => Query::new(FIND_BY_ID, [caller.into(), id.into()]),
    }
}

/// Makes a machine of the caller's own.
pub fn insert(owner: &Caller, new: &NewMachine) -> Result<Query<Nothing>, ApiError> {
    Ok(Query::new(
        INSERT,
        [
            (&new.id).into(),
            owner.organization_id().into(),
            owner.id().into(),
            (&new.agent_id).into(),
            new.request.name.trim().into(),
            new.request.description.as_str().into(),
            new.request.linux_user.as_str().into(),
            new.request.allow_sudo.into(),
            new.request.deploy_application.into(),
            new.request.custom_script.as_str().into(),
            serde_json::to_string(&new.request.tags)
                .map_err(ApiError::internal)?
                .into(),
            new.token_hash.as_str().into(),
            new.token_sealed.as_str().into(),
            new.now.as_str().into(),
        ],
    ))
}

/// Changes what people say of a machine.
pub fn update(control: &MachineControl, change: &UpdateMachine) -> Result<Query<Nothing>, ApiError> {
    let json = |text: serde_json::Result<String>| text.map_err(ApiError::internal);
    let tags = change.tags.as_ref().map(serde_json::to_string).map(json).transpose()?;
    let metadata = change
        .metadata
        .as_ref()
        .map(serde_json::to_string)
        .map(json)
        .transpose()?;
    let thresholds = change.thresholds.as_ref().map(serde_json::to_string);
    let thresholds = thresholds.map(json).transpose()?;
    let policy = change.command_policy.as_ref().map(serde_json::to_string);
    let policy = policy.map(json).transpose()?;
    Ok(Query::new(
        UPDATE,
        [
            control.id().into(),
            change.name.as_deref().map(str::trim).into(),
            change.description.as_deref().into(),
            tags.into(),
            metadata.into(),
            thresholds.into(),
            policy.into(),
        ],
    ))
}

/// Replaces the registration token.
pub fn set_registration_token(control: &MachineControl, hash: &str, sealed: &str) -> Query<Nothing> {
    Query::new(
        SET_REGISTRATION_TOKEN,
        [control.id().into(), hash.into(), sealed.into()],
    )
}

#[cfg(test)]
mod tests;
