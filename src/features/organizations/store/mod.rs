//! SQL of organizations.
use protocol::api::command_policy::CommandPolicy;
use protocol::api::organizations::OtpPolicy;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::access::{OrganizationControl, OrganizationEnd, administers, may_create_machines};
use super::row::{OrganizationRow, StatsRow};
use crate::auth::caller::Caller;
use crate::features::roles::store as roles;
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::http::page::Page;
use crate::platform::db::{Count, Nothing, Query, flag, statements};
use crate::platform::error::ApiError;

/// An [`OrganizationRow`] of an organization (`o`).
macro_rules! organization_row {
    () => {
        "o.id, o.slug, o.name, o.description, o.disabled_at, o.otp, o.otp_minutes, o.admins_create_machines, o.inactive_days,
         o.record_sessions, o.recording_days, o.command_log_days, o.command_masks,
         o.terminal_idle_minutes, o.max_sessions, o.max_user_sessions, o.max_processes, o.max_memory_mb,
         o.allowed_networks, o.networks_for_agents, o.command_policy,
         o.created_at, o.updated_at, o.id IN (SELECT organization_id FROM setup WHERE one = 1) AS is_platform,
         (SELECT COUNT(*) FROM users c WHERE c.organization_id = o.id AND c.deleted_at IS NULL) AS user_count,
         (SELECT COUNT(*) FROM machines c WHERE c.organization_id = o.id) AS machine_count"
    };
}

statements! {
    INSERT = "INSERT INTO organizations (id, slug, name, description, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";

    /// Of all organizations, those whose slug or name has a part (?1).
    LIST = concat!(
        "SELECT ", organization_row!(), " FROM organizations o WHERE o.slug > ''
           AND (?1 IS NULL OR instr(o.slug, lower(?1)) > 0 OR instr(lower(o.name), lower(?1)) > 0)
         ORDER BY o.slug LIMIT ?2 OFFSET ?3"
    );

    COUNT = "SELECT COUNT(*) AS total FROM organizations o WHERE o.slug > ''
         AND (?1 IS NULL OR instr(o.slug, lower(?1)) > 0 OR instr(lower(o.name), lower(?1)) > 0)";

    /// By row or slug. Somebody may have chosen another's row for a slug: then the row is meant.
    FIND = concat!(
        "SELECT ", organization_row!(), " FROM users u JOIN organizations o ON (o.id = ?2 OR o.slug = ?2) AND ", administers!(),
        " WHERE u.id = ?1 ORDER BY o.id = ?2 DESC LIMIT 1"
    );

    FIND_OWN = concat!(
        "SELECT ", organization_row!(), " FROM users u JOIN organizations o ON o.id = u.organization_id AND ", administers!(),
        " WHERE u.id = ?1"
    );

    READ = concat!("SELECT ", organization_row!(), " FROM organizations o WHERE o.id = ?1");

    MAY_CREATE_MACHINES = concat!(
        "SELECT ", may_create_machines!(), " AS allowed FROM users u JOIN organizations o ON o.id = u.organization_id WHERE u.id = ?1"
    );

    UPDATE = "UPDATE organizations SET name = ?2, description = ?3, otp = ?4, otp_minutes = ?5, admins_create_machines = ?6,
           inactive_days = ?7, command_log_days = ?8, command_masks = ?9, updated_at = ?10, record_sessions = ?11,
           recording_days = ?12, terminal_idle_minutes = ?13, max_sessions = ?14, max_user_sessions = ?15, max_processes = ?16,
           max_memory_mb = ?17, allowed_networks = ?18, networks_for_agents = ?19, command_policy = ?20
           WHERE id = ?1";

    /// Where an agent of an organization (?1) is connected, some at once (?2).
    CONNECTED = "SELECT id AS machine_id FROM machines WHERE organization_id = ?1 AND is_connected = 1 LIMIT ?2";

    ENABLE = "UPDATE organizations SET disabled_at = NULL WHERE id = ?1";

    DISABLE = "UPDATE organizations SET disabled_at = COALESCE(disabled_at, ?2) WHERE id = ?1";

    /// What an organization has goes with it: groups, roles.
    DELETE = "DELETE FROM organizations WHERE id = ?1";

    STATS = "SELECT
           (SELECT COUNT(*) FROM users WHERE organization_id = ?1 AND deleted_at IS NULL AND role <> 'user') AS admins,
           (SELECT COUNT(*) FROM machines WHERE organization_id = ?1 AND status = 'online') AS online,
           (SELECT COUNT(*) FROM groups WHERE organization_id = ?1) AS groups,
           (SELECT COUNT(*) FROM terminal_sessions WHERE organization_id = ?1 AND started_at >= ?2) AS sessions,
           (SELECT COUNT(*) FROM terminal_sessions WHERE organization_id = ?1 AND status = 'active') AS active";

    SET_VAULT = "UPDATE organizations SET vault_sealed = ?2, vault_set_by = iif(?2 IS NULL, NULL, ?3), vault_set_at = iif(?2 IS NULL, NULL, ?4)
         WHERE id = ?1";

    /// Whether a caller's organization has a password of vaults.
    VAULT = concat!("SELECT json_object('set', ", json_flag!("o.vault_sealed IS NOT NULL"), ", 'set_at', ", json_time!("o.vault_set_at"),
        ", 'set_by', o.vault_set_by) AS body FROM users u JOIN organizations o ON o.id = u.organization_id WHERE u.id = ?1");
}

/// Whether somebody may do something.
#[derive(Debug, Deserialize)]
pub struct Allowed {
    #[serde(deserialize_with = "flag")]
    pub allowed: bool,
}

/// An organization to be made.
#[derive(Debug)]
pub struct NewOrganization<'a> {
    pub id: &'a ObjectId,
    pub slug: &'a str,
    pub name: &'a str,
    pub description: &'a str,
    pub now: &'a str,
}

/// What can be changed of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changeable {
    pub name: String,
    pub description: String,
    pub otp: OtpPolicy,
    pub otp_minutes: u32,
    pub admins_create_machines: bool,
    pub inactive_days: u32,
    pub record_sessions: bool,
    pub recording_days: u32,
    pub command_log_days: u32,
    pub command_masks: Vec<String>,
    pub terminal_idle_minutes: u32,
    pub max_sessions: u32,
    pub max_user_sessions: u32,
    pub max_processes: u32,
    pub max_memory_mb: u32,
    pub allowed_networks: Vec<String>,
    pub networks_for_agents: bool,
    pub command_policy: CommandPolicy,
}

/// A machine by its row.
#[derive(Debug, Deserialize)]
pub struct MachineId {
    pub machine_id: ObjectId,
}

/// Makes an organization with its system role.
pub fn insert(new: &NewOrganization) -> (Query<Nothing>, Query<Nothing>) {
    let organization = [
        new.id.into(),
        new.slug.into(),
        new.name.into(),
        new.description.into(),
        new.now.into(),
    ];
    (Query::new(INSERT, organization), roles::insert_system(new.id, new.now))
}

/// All organizations, by slug, and how many there are. For super administrators.
pub fn list(
    caller: &Caller,
    search: Option<&str>,
    page: Page,
) -> Result<(Query<OrganizationRow>, Query<Count>), ApiError> {
    if !caller.is_super_admin() {
        return Err(ApiError::not_authorized());
    }
    let (limit, offset) = page.window();
    let search = search.filter(|text| !text.is_empty());
    Ok((
        Query::new(LIST, [search.into(), limit.into(), offset.into()]),
        Query::new(COUNT, [search.into()]),
    ))
}

/// One organization by row or slug, if the caller may change it.
/// [`OrganizationControl::decide`] says what follows from the row.
pub fn find(caller: &ObjectId, organization: &str) -> Query<OrganizationRow> {
    Query::new(FIND, [caller.into(), organization.into()])
}

/// The caller's own organization, if it may change it.
pub fn find_own(caller: &ObjectId) -> Query<OrganizationRow> {
    Query::new(FIND_OWN, [caller.into()])
}

/// An organization after a change.
pub fn read(organization: &ObjectId) -> Query<OrganizationRow> {
    Query::new(READ, [organization.into()])
}

/// Whether an account may make machines in its organization.
pub fn may_create_machines(user: &ObjectId) -> Query<Allowed> {
    Query::new(MAY_CREATE_MACHINES, [user.into()])
}

/// Changes an organization's names and settings.
pub fn update(control: &OrganizationControl, new: &Changeable, now: &str) -> Query<Nothing> {
    let policy = serde_json::json!(new.command_policy).to_string();
    Query::new(
        UPDATE,
        [
            control.id().into(),
            new.name.as_str().into(),
            new.description.as_str().into(),
            new.otp.as_str().into(),
            i64::from(new.otp_minutes).into(),
            new.admins_create_machines.into(),
            i64::from(new.inactive_days).into(),
            i64::from(new.command_log_days).into(),
            serde_json::Value::from(new.command_masks.clone()).to_string().into(),
            now.into(),
            new.record_sessions.into(),
            i64::from(new.recording_days).into(),
            i64::from(new.terminal_idle_minutes).into(),
            i64::from(new.max_sessions).into(),
            i64::from(new.max_user_sessions).into(),
            i64::from(new.max_processes).into(),
            i64::from(new.max_memory_mb).into(),
            serde_json::Value::from(new.allowed_networks.clone()).to_string().into(),
            new.networks_for_agents.into(),
            policy.into(),
        ],
    )
}

/// Where an agent of an organization is connected, at most so many.
pub fn connected(organization: &ObjectId, limit: i64) -> Query<MachineId> {
    Query::new(CONNECTED, [organization.into(), limit.into()])
}

/// Lets an organization's people sign in again.
pub fn enable(end: &OrganizationEnd) -> Query<Nothing> {
    Query::new(ENABLE, [end.id().into()])
}

/// Shuts an organization's people out.
pub fn disable(end: &OrganizationEnd, now: &str) -> Query<Nothing> {
    Query::new(DISABLE, [end.id().into(), now.into()])
}

/// Removes an organization that has no people and no machines. What the audit log says of it stays.
pub fn delete(end: &OrganizationEnd) -> Query<Nothing> {
    Query::new(DELETE, [end.id().into()])
}

/// What the password of an organization's vaults is sealed with.
pub fn vault_associated_data(organization: &ObjectId) -> String {
    format!("organizations.vault:{organization}")
}

/// Keeps the password of an organization's vaults, or that there is none, as somebody has said.
pub fn set_vault(organization: &ObjectId, sealed: Option<String>, by: &str, now: &str) -> Query<Nothing> {
    Query::new(SET_VAULT, [organization.into(), sealed.into(), by.into(), now.into()])
}

/// Whether a caller's organization has one.
pub fn vault(caller: &ObjectId) -> Query<BodyRow> {
    Query::new(VAULT, [caller.into()])
}

/// How busy an organization is; `today` is when the day began.
pub fn stats(control: &OrganizationControl, today: &str) -> Query<StatsRow> {
    Query::new(STATS, [control.id().into(), today.into()])
}

#[cfg(test)]
mod tests;
