//! SQL of organizations.
use protocol::api::organizations::OtpPolicy;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::access::{OrganizationControl, OrganizationEnd, administers, may_create_machines};
use super::row::OrganizationRow;
use crate::auth::caller::Caller;
use crate::http::page::Page;
use crate::platform::db::{Count, Nothing, Query, flag, statements};
use crate::platform::error::ApiError;

/// Most machines that one request to delete an organization takes with it. Each is a request to its relay, of which the
/// platform allows a thousand.
pub const MACHINES_AT_ONCE: usize = 500;

/// An [`OrganizationRow`] of an organization (`o`).
macro_rules! organization_row {
    () => {
        "o.id, o.slug, o.name, o.description, o.disabled_at, o.otp, o.otp_minutes, o.admins_create_machines, o.inactive_days,
         o.created_at, o.updated_at, o.id IN (SELECT organization_id FROM setup WHERE one = 1) AS is_platform,
         (SELECT COUNT(*) FROM users c WHERE c.organization_id = o.id AND c.deleted_at IS NULL) AS user_count,
         (SELECT COUNT(*) FROM machines c WHERE c.organization_id = o.id) AS machine_count"
    };
}

statements! {
    INSERT = "INSERT INTO organizations (id, slug, name, description, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";

    /// The role that stands for administering it.
    INSERT_SYSTEM_ROLE = "INSERT INTO roles (organization_id, name, description, created_at, is_system)
         VALUES (?1, 'super-admin', 'Full system access', ?2, 1)";

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
           inactive_days = ?7, updated_at = ?8 WHERE id = ?1";

    ENABLE = "UPDATE organizations SET disabled_at = NULL WHERE id = ?1";

    DISABLE = "UPDATE organizations SET disabled_at = COALESCE(disabled_at, ?2) WHERE id = ?1";

    END_TOKENS = "UPDATE users SET token_version = token_version + 1 WHERE organization_id = ?1";

    /// From here on no agent of the organization connects anew.
    REVOKE_MACHINES = "UPDATE machines SET status = 'revoked', revoked_at = COALESCE(revoked_at, ?2), is_connected = 0,
           agent_public_key = NULL WHERE organization_id = ?1";

    MACHINES = "SELECT id FROM machines WHERE organization_id = ?1 LIMIT ?2";

    DELETE_SESSIONS_OF_MACHINES = "DELETE FROM terminal_sessions WHERE machine_id IN (SELECT value FROM json_each(?1))";

    DELETE_MACHINES = "DELETE FROM machines WHERE id IN (SELECT value FROM json_each(?1))";

    DELETE_SESSIONS_OF_USERS = "DELETE FROM terminal_sessions WHERE user_id IN (SELECT id FROM users WHERE organization_id = ?1)";

    /// What people have goes with them: grants, memberships, keys, letters. Gives where their avatars are, which are not here.
    DELETE_USERS = "DELETE FROM users WHERE organization_id = ?1 RETURNING id, avatar_url";

    /// What an organization has goes with it: groups, roles.
    DELETE = "DELETE FROM organizations WHERE id = ?1";

    STATS = "SELECT
           (SELECT COUNT(*) FROM users WHERE organization_id = ?1 AND deleted_at IS NULL AND role <> 'user') AS admins,
           (SELECT COUNT(*) FROM machines WHERE organization_id = ?1 AND status = 'online') AS online,
           (SELECT COUNT(*) FROM groups WHERE organization_id = ?1) AS groups,
           (SELECT COUNT(*) FROM terminal_sessions WHERE organization_id = ?1 AND started_at >= ?2) AS sessions";
}

/// Somebody who was removed.
#[derive(Debug, Deserialize)]
pub struct Gone {
    pub id: ObjectId,
    pub avatar_url: Option<String>,
}

/// Whether somebody may do something.
#[derive(Debug, Deserialize)]
pub struct Allowed {
    #[serde(deserialize_with = "flag")]
    pub allowed: bool,
}

/// A machine of an organization that is being deleted.
#[derive(Debug, Deserialize)]
pub struct Doomed {
    pub id: ObjectId,
}

/// Counts that an organization's row does not have.
#[derive(Debug, Default, Deserialize)]
pub struct StatsRow {
    pub admins: u64,
    pub online: u64,
    pub groups: u64,
    pub sessions: u64,
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
    (
        Query::new(INSERT, organization),
        Query::new(INSERT_SYSTEM_ROLE, [new.id.into(), new.now.into()]),
    )
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
            now.into(),
        ],
    )
}

/// Lets an organization's people sign in again.
pub fn enable(end: &OrganizationEnd) -> Query<Nothing> {
    Query::new(ENABLE, [end.id().into()])
}

/// Shuts an organization's people out, and everything they are signed in with.
pub fn disable(end: &OrganizationEnd, now: &str) -> (Query<Nothing>, Query<Nothing>) {
    (
        Query::new(DISABLE, [end.id().into(), now.into()]),
        Query::new(END_TOKENS, [end.id().into()]),
    )
}

/// Shuts an organization's agents out, for good.
pub fn revoke_machines(end: &OrganizationEnd, now: &str) -> Query<Nothing> {
    Query::new(REVOKE_MACHINES, [end.id().into(), now.into()])
}

/// Some of the machines of an organization: one more than [`MACHINES_AT_ONCE`], if there are as many.
pub fn machines(end: &OrganizationEnd) -> Query<Doomed> {
    let limit = i64::try_from(MACHINES_AT_ONCE + 1).unwrap_or(i64::MAX);
    Query::new(MACHINES, [end.id().into(), limit.into()])
}

/// Removes machines whose relays are gone, with their sessions.
pub fn delete_machines(_: &OrganizationEnd, machines: &[Doomed]) -> Result<(Query<Nothing>, Query<Nothing>), ApiError> {
    let ids: Vec<&ObjectId> = machines.iter().map(|machine| &machine.id).collect();
    let ids = serde_json::to_string(&ids).map_err(ApiError::internal)?;
    Ok((
        Query::new(DELETE_SESSIONS_OF_MACHINES, [ids.as_str().into()]),
        Query::new(DELETE_MACHINES, [ids.into()]),
    ))
}

/// Removes an organization without machines, with everything in it, and gives its people. What the audit log says of it stays.
pub fn delete(end: &OrganizationEnd) -> (Query<Nothing>, Query<Gone>, Query<Nothing>) {
    (
        Query::new(DELETE_SESSIONS_OF_USERS, [end.id().into()]),
        Query::new(DELETE_USERS, [end.id().into()]),
        Query::new(DELETE, [end.id().into()]),
    )
}

/// How busy an organization is; `today` is when the day began.
pub fn stats(control: &OrganizationControl, today: &str) -> Query<StatsRow> {
    Query::new(STATS, [control.id().into(), today.into()])
}

#[cfg(test)]
mod tests;
