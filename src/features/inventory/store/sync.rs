//! SQL of where things come from by themselves: what is said there and is not in the inventory yet, or is otherwise there. Each statement gives
//! a part (?4 at most) of it behind a key (?3), in order, for an organization (?5), a type (?1) and the field (?2) by which its things are
//! known.
use protocol::api::inventory::types::SyncSource;
use protocol::ids::ObjectId;

use crate::features::inventory::row::{Differing, Stale, SyncedType};
use crate::platform::db::{Nothing, Query, statements};

/// How many of them are read at once: half a megabyte, unless people have written much beside what comes by itself.
pub const AT_ONCE: usize = 500;

/// Those of what a source says (`$said`: `key`, `said`) that are not so in the inventory.
macro_rules! differing {
    ($said:literal) => {
        concat!(
            "WITH listed AS (",
            $said,
            ") SELECT listed.key AS key, listed.said AS said, o.id AS object, o.data, o.secrets, o.updated_at AS read_at
             FROM listed LEFT JOIN inventory_values v ON v.type_id = ?1 AND v.field = ?2 AND v.value = listed.key
               LEFT JOIN inventory_objects o ON o.id = v.object_id
             WHERE o.id IS NULL OR o.source IS NULL OR EXISTS (SELECT 1 FROM json_each(listed.said) s
               WHERE json_extract(o.data, '$.\"' || s.key || '\"') IS NOT s.value)
             ORDER BY listed.key LIMIT ?4"
        )
    };
}

/// Removes the things of a type (?1) that came from a source (?4) whose key (?2) that has no more (`$gone`, of an organization ?3).
macro_rules! remove {
    ($gone:literal) => {
        concat!(
            "DELETE FROM inventory_objects WHERE id IN (SELECT o.id FROM inventory_objects o
               JOIN inventory_values v ON v.object_id = o.id AND v.field = ?2
             WHERE o.type_id = ?1 AND o.source = ?4 AND ",
            $gone,
            ")"
        )
    };
}

statements! {
    INSTANCES = differing!("SELECT i.host AS key, json_object('hostname', i.host, 'ip_address', i.address, 'region', i.region, 'plan', i.plan,
             'os', i.os, 'power_status', iif(i.power_status IN ('running', 'stopped', 'suspended'), i.power_status, 'unknown'),
             'vultr_id', i.id, 'vultr_label', i.label, 'vultr_tags', json(i.tags)) AS said
           FROM instances i WHERE i.organization_id = ?5 AND i.host > ?3");

    /// What no runner has any more is missing, and stays.
    SERVICES = differing!("SELECT s.name AS key, json_object('name', s.name, 'service_dir', '/services/' || s.name, 'status', 'available') AS said
           FROM services s WHERE s.organization_id = ?5 AND s.name > ?3 AND s.deployable = 1 GROUP BY s.name
         UNION ALL SELECT g.value, '{\"status\":\"missing\"}' FROM inventory_objects m JOIN inventory_values g ON g.object_id = m.id AND g.field = ?2
           WHERE m.type_id = ?1 AND m.source = 'service_discovery' AND g.value > ?3 AND NOT EXISTS (SELECT 1 FROM services s
             WHERE s.organization_id = ?5 AND s.name = g.value AND s.deployable = 1)");

    /// Administrators have the system role, which nobody is given.
    USERS = differing!("SELECT u.username AS key, json_object('username', u.username,
             'display_name', iif(trim(u.display_name) <> '', trim(u.display_name), trim(u.first_name || ' ' || u.last_name)),
             'email', u.email, 'ssh_public_key', u.ssh_public_key,
             'role', COALESCE((SELECT group_concat(listed_roles.name, ', ') FROM (SELECT r.name FROM roles r WHERE r.organization_id = u.organization_id
                AND CASE WHEN r.is_system = 1 THEN u.role <> 'user'
                  ELSE EXISTS (SELECT 1 FROM user_roles h WHERE h.user_id = u.id AND h.role_id = r.id) END ORDER BY r.name) listed_roles), ''),
             'status', CASE WHEN u.disabled_at IS NOT NULL THEN 'inactive' WHEN u.pending = 1 THEN 'invited' ELSE 'active' END,
             'last_login_at', u.last_login_at) AS said
           FROM users u WHERE u.organization_id = ?5 AND u.deleted_at IS NULL AND u.username > ?3");

    /// What is in the inventory stays as it was when it was deployed. Where that is says the server that it was done to, or else an instance
    /// with the service's name for its own or for a tag.
    DEPLOYMENTS = "SELECT j.id AS key, json_object('service_name', COALESCE(j.directory, j.service), 'deployment_id', j.deployment_id,
             'hostname', COALESCE(o.data ->> 'hostname', i.host), 'ip_address', COALESCE(o.data ->> 'ip_address', i.address),
             'status', j.status, 'deployed_by', j.username, 'job_id', j.id, 'started_at', j.started_at, 'finished_at', j.finished_at) AS said,
           NULL AS object, NULL AS data, NULL AS secrets, NULL AS read_at
         FROM jobs j INDEXED BY jobs_that_deployed LEFT JOIN inventory_objects o ON o.id = j.object_id AND o.data ->> 'hostname' <> ''
           LEFT JOIN instances i ON i.organization_id = j.organization_id AND i.id = (SELECT n.id FROM instances n
             WHERE n.organization_id = j.organization_id AND (n.host = COALESCE(j.directory, j.service)
               OR EXISTS (SELECT 1 FROM json_each(n.tags) g WHERE g.value = COALESCE(j.directory, j.service))) ORDER BY n.host LIMIT 1)
         WHERE j.organization_id = ?5 AND j.id > ?3 AND j.action = 'deploy' AND j.deployment_id IS NOT NULL
           AND j.status IN ('completed', 'failed')
           AND NOT EXISTS (SELECT 1 FROM inventory_values v WHERE v.type_id = ?1 AND v.field = ?2 AND v.value = j.id)
         ORDER BY j.id LIMIT ?4";

    /// Only a whole list says what is gone, and an empty one may be whole.
    INSTANCES_GONE = remove!("v.value NOT IN (SELECT i.host FROM instances i WHERE i.organization_id = ?3)
             AND EXISTS (SELECT 1 FROM clouds c WHERE c.organization_id = ?3 AND c.listed_at IS NOT NULL AND c.left_out = 0)");

    USERS_GONE = remove!("v.value NOT IN (SELECT u.username FROM users u WHERE u.organization_id = ?3 AND u.deleted_at IS NULL)");

    /// The types of an organization (?1) whose things come from a source (?2), and how often that has changed since it was looked at.
    TYPES = "SELECT t.id, t.definition, (SELECT s.changes FROM inventory_stale s WHERE s.organization_id = ?1 AND s.source = ?2) AS changes
         FROM inventory_types t WHERE t.organization_id = ?1 AND t.definition ->> '$.sync.source' = ?2";

    /// It was looked at, unless it has changed meanwhile (?3).
    LOOKED_AT = "DELETE FROM inventory_stale WHERE organization_id = ?1 AND source = ?2 AND changes = ?3";

    /// Others come before what cannot be looked at.
    PUT_OFF = "UPDATE inventory_stale SET changes = changes + 1 WHERE organization_id = ?1 AND source = ?2";

    /// What has changed and was not looked at, some of it (?1).
    STALE = "SELECT organization_id, source FROM inventory_stale ORDER BY changes LIMIT ?1";

    /// The same of the organization that has a machine (?1).
    STALE_OF_MACHINE = "SELECT s.organization_id, s.source FROM machines m JOIN inventory_stale s ON s.organization_id = m.organization_id WHERE m.id = ?1";
}

/// The types whose things come from a source.
pub fn types(organization: &ObjectId, source: SyncSource) -> Query<SyncedType> {
    Query::new(TYPES, [organization.into(), source.as_str().into()])
}

/// What a source says behind a key that is otherwise in the inventory.
pub fn differing(
    organization: &ObjectId,
    source: SyncSource,
    of: &SyncedType,
    field: &str,
    after: &str,
) -> Query<Differing> {
    let sql = match source {
        SyncSource::VultrInventory => INSTANCES,
        SyncSource::ServiceDiscovery => SERVICES,
        SyncSource::UserSync => USERS,
        SyncSource::DeploymentSync => DEPLOYMENTS,
    };
    let most = AT_ONCE as i64;
    Query::new(
        sql,
        [
            of.id.into(),
            field.into(),
            after.into(),
            most.into(),
            organization.into(),
        ],
    )
}

/// Removes what a source has no more; nothing of one whose things stay.
pub fn gone(organization: &ObjectId, source: SyncSource, of: &SyncedType, field: &str) -> Option<Query<Nothing>> {
    let sql = match source {
        SyncSource::VultrInventory => INSTANCES_GONE,
        SyncSource::UserSync => USERS_GONE,
        SyncSource::ServiceDiscovery | SyncSource::DeploymentSync => return None,
    };
    let args = [of.id.into(), field.into(), organization.into(), source.as_str().into()];
    Some(Query::new(sql, args))
}

/// Notes that a source was looked at as it was when so much had changed.
pub fn looked_at(organization: &ObjectId, source: SyncSource, changes: i64) -> Query<Nothing> {
    Query::new(LOOKED_AT, [organization.into(), source.as_str().into(), changes.into()])
}

/// Notes that one could not be looked at.
pub fn put_off(organization: &ObjectId, source: SyncSource) -> Query<Nothing> {
    Query::new(PUT_OFF, [organization.into(), source.as_str().into()])
}

/// What has changed and was not looked at, so many at most.
pub fn stale(most: i64) -> Query<Stale> {
    Query::new(STALE, [most.into()])
}

/// The same of the organization that has a machine.
pub fn stale_of_machine(machine: &ObjectId) -> Query<Stale> {
    Query::new(STALE_OF_MACHINE, [machine.into()])
}
