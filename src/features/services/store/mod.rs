//! SQL of services.
use durable_objects::relay::Catalog;
use protocol::ids::ObjectId;
use protocol::terminal::services::{CONFIGS, MAX_CATALOG, Service};
use serde_json::Value;

use super::row::{OutputsRow, ServiceRow, Target};
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::platform::db::{Arg, Nothing, Query, statements};

/// How much of a catalog a statement takes, in bytes: far below what D1 binds, and all of it is a dozen statements at most.
const MAX_LIST: usize = MAX_CATALOG / 8;

/// SQL: a service (`s`) on its way out, of a machine (`m`) that is a runner (`r`), for a caller (`c`).
macro_rules! of_caller {
    () => {
        " FROM users c JOIN services s ON s.organization_id = c.organization_id
           JOIN runners r ON r.machine_id = s.machine_id JOIN machines m ON m.id = s.machine_id WHERE c.id = ?1"
    };
}

/// SQL: another service (`o`) of the name of `s` in its organization.
macro_rules! another {
    () => {
        "SELECT 1 FROM services o WHERE o.organization_id = s.organization_id AND o.name = s.name AND o.machine_id <> s.machine_id"
    };
}

/// SQL: what `s` is called in paths. The first of those with one name has it for itself: those that can be deployed come before
/// what is left of others, and then the machine's id decides.
macro_rules! address {
    () => {
        concat!(
            "iif(EXISTS (",
            another!(),
            " AND (o.deployable, s.machine_id) > (s.deployable, o.machine_id)), s.name || '@' || m.agent_id, s.name)"
        )
    };
}

/// SQL: whether `s` shares its name, and its runner at a time (?2).
macro_rules! whose {
    () => {
        concat!(
            "'conflict', json(iif(EXISTS (",
            another!(),
            "), 'true', 'false')), 'runner', json_object('machine_id', m.id, 'agent_id', m.agent_id, 'name', m.name, 'online', ",
            json_flag!("m.is_connected = 1"),
            ", 'told_at', ",
            json_time!("r.told_at"),
            ", 'age_seconds', max(0, unixepoch(?2) - unixepoch(r.told_at)), 'left_out', r.left_out)"
        )
    };
}

/// SQL: a [`Service`](protocol::api::services::Service) without its end.
macro_rules! service {
    () => {
        concat!(
            "SELECT json_object('name', ",
            address!(),
            ", 'service_dir', '/services/' || s.name, 'scripts', json(s.body -> 'scripts'), 'has_instance', ",
            json_flag!("EXISTS (SELECT 1 FROM json_each(s.body, '$.configs') WHERE value = 'instance.yaml')"),
            ", 'configs', json(s.body -> 'configs'), 'asks', json(COALESCE(s.body -> 'asks', '[]')),
             'problems', json(COALESCE(s.body -> 'problems', '[]')), ",
            whose!()
        )
    };
}

/// SQL: the one of them that is called so in paths: by its name, and its runner's if that is given.
macro_rules! addressed {
    ($name:literal, $runner:literal) => {
        concat!(
            " AND s.name = ",
            $name,
            " AND s.deployable = 1 AND (",
            $runner,
            " IS NULL OR m.agent_id = ",
            $runner,
            ") ORDER BY s.machine_id LIMIT 1"
        )
    };
}

/// SQL: a [`Target`] of a service (`s`), for a caller (`c`).
macro_rules! target {
    () => {
        "SELECT s.name, s.machine_id, s.body -> 'scripts' AS scripts,
           (SELECT o.vault_sealed FROM organizations o WHERE o.id = c.organization_id) AS vault_sealed"
    };
}

/// SQL: a text of an entry (`i`) of `instances`.
macro_rules! entry {
    ($name:literal) => {
        concat!("'", $name, "', COALESCE(i.value ->> '", $name, "', '')")
    };
}

statements! {
    /// A runner (?1) has told of its services (?2: how many not), at a time (?3). A machine that is gone or revoked is none.
    TOLD = "INSERT INTO runners (machine_id, left_out, told_at)
         SELECT id, ?2, ?3 FROM machines WHERE id = ?1 AND status <> 'revoked'
         ON CONFLICT (machine_id) DO UPDATE SET left_out = excluded.left_out, told_at = excluded.told_at";

    /// What it (?1) does not name any more (?2, a JSON array) is gone.
    GONE = "DELETE FROM services WHERE machine_id = ?1 AND name NOT IN (SELECT value FROM json_each(?2))";

    /// What it (?1) tells of (?2, a JSON array): only what has changed is written.
    SERVICES = "INSERT INTO services (machine_id, name, organization_id, deployable, deployed, body)
         SELECT m.id, s.value ->> 'name', m.organization_id, s.value ->> 'deployable', s.value ->> 'deployed', s.value
         FROM json_each(?2) s JOIN machines m ON m.id = ?1 JOIN runners r ON r.machine_id = m.id WHERE true
         ON CONFLICT (machine_id, name) DO UPDATE SET deployable = excluded.deployable, deployed = excluded.deployed,
           body = excluded.body WHERE body <> excluded.body";

    /// The services of a caller's organization.
    LIST = concat!(service!(), ") AS body", of_caller!(), " AND s.deployable = 1 ORDER BY s.name, s.machine_id");

    /// What is deployed there.
    DEPLOYMENTS = concat!("SELECT json_object('name', ", address!(), ", ", whose!(), ") AS body", of_caller!(),
        " AND s.deployed = 1 ORDER BY s.name, s.deployable DESC, s.machine_id");

    /// All of one by its name (?3), and the runner's (?4) if it is given.
    FIND = concat!(
        service!(),
        ", 'instance', json(s.body -> 'instance'), 'instance_error', s.body ->> 'instance_error', 'instances', json((
             SELECT json_group_array(json_object(",
        entry!("label"), ", ", entry!("hostname"), ", ", entry!("plan"), ", ", entry!("region"), ", ", entry!("os"),
        ", 'tags', json(iif(json_type(i.value, '$.tags') = 'array', i.value -> 'tags', '[]'))))
             FROM json_each(s.body, '$.instance.instances') i WHERE i.type = 'object'))) AS body",
        of_caller!(),
        addressed!("?3", "?4")
    );

    /// Who has it, by its name (?2), and the runner's (?3) if it is given.
    RUNNER = concat!("SELECT s.name, s.machine_id, m.agent_id", of_caller!(), addressed!("?2", "?3"));

    /// What the last runs of a caller's services gave, of each as a field of an object.
    ALL_OUTPUTS = concat!("SELECT json_quote(", address!(), ") || ':' || (s.body -> 'outputs') AS body", of_caller!(),
        " AND s.deployable = 1 AND json_array_length(s.body, '$.outputs') > 0 ORDER BY s.name, s.machine_id");

    /// What the last run of one gave, by its name (?2), and the runner's (?3) if it is given.
    OUTPUTS = concat!("SELECT s.name, s.machine_id, COALESCE(s.body -> 'outputs', '[]') AS outputs,
           EXISTS (SELECT 1 FROM json_each(s.body, '$.outputs') o WHERE o.type = 'object' AND o.value ->> 'type' = 'credential')
             AS has_credentials", of_caller!(), addressed!("?2", "?3"));

    /// Which of the configs that there can be (?4, a JSON array) it has.
    CONFIGS_OF = concat!(
        "SELECT json_object('service_dir', '/services/' || s.name, 'configs', json((
             SELECT json_group_array(json_object('name', k.value, 'exists', ",
        json_flag!("EXISTS (SELECT 1 FROM json_each(s.body, '$.configs') h WHERE h.value = k.value)"),
        ")) FROM json_each(?4) k))) AS body",
        of_caller!(),
        addressed!("?2", "?3")
    );

    /// What a job of one needs, by its name (?2), and the runner's (?3) if it is given.
    TARGET = concat!(target!(), of_caller!(), addressed!("?2", "?3"));

    /// The same of the one that a job (?2) was of, where it ran.
    TARGET_OF_JOB = concat!(target!(), "
         FROM users c JOIN jobs j ON j.id = ?2 AND j.organization_id = c.organization_id
         JOIN services s ON s.machine_id = j.machine_id AND s.name = j.service AND s.organization_id = c.organization_id
         WHERE c.id = ?1 AND s.deployable = 1");
}

/// Makes a catalog that of a machine. The same again changes nothing but its time.
pub fn replace(
    machine: &ObjectId,
    catalog: &Catalog,
    now: &str,
) -> (Query<Nothing>, Query<Nothing>, Vec<Query<Nothing>>) {
    let names = Value::from_iter(catalog.services.iter().map(|service| service.name.as_str())).to_string();
    let services = lists(&catalog.services).into_iter();
    (
        Query::new(TOLD, [machine.into(), i64::from(catalog.left_out).into(), now.into()]),
        Query::new(GONE, [machine.into(), names.into()]),
        services
            .map(|list| Query::new(SERVICES, [machine.into(), list.into()]))
            .collect(),
    )
}

/// The services of a caller's organization, as they are known at a time.
pub fn list(caller: &ObjectId, now: &str) -> Query<BodyRow> {
    Query::new(LIST, [caller.into(), now.into()])
}

/// What is deployed in a caller's organization.
pub fn deployments(caller: &ObjectId, now: &str) -> Query<BodyRow> {
    Query::new(DEPLOYMENTS, [caller.into(), now.into()])
}

/// A service, by its name in paths.
pub fn find(caller: &ObjectId, address: &str, now: &str) -> Query<BodyRow> {
    let (name, runner) = parts(address);
    Query::new(FIND, [caller.into(), now.into(), name, runner])
}

/// Who has a service, by its name in paths.
pub fn runner(caller: &ObjectId, address: &str) -> Query<ServiceRow> {
    let (name, runner) = parts(address);
    Query::new(RUNNER, [caller.into(), name, runner])
}

/// The configs of a service, by its name in paths.
pub fn configs(caller: &ObjectId, address: &str) -> Query<BodyRow> {
    let (name, runner) = parts(address);
    let all = Value::from(CONFIGS.to_vec()).to_string();
    Query::new(CONFIGS_OF, [caller.into(), name, runner, all.into()])
}

/// What the last runs of the services of a caller's organization gave: rows that are fields of an object.
pub fn all_outputs(caller: &ObjectId) -> Query<BodyRow> {
    Query::new(ALL_OUTPUTS, [caller.into()])
}

/// What the last run of a service gave, by its name in paths.
pub fn outputs(caller: &ObjectId, address: &str) -> Query<OutputsRow> {
    let (name, runner) = parts(address);
    Query::new(OUTPUTS, [caller.into(), name, runner])
}

/// What a job of a service needs, by its name in paths.
pub fn target(caller: &ObjectId, address: &str) -> Query<Target> {
    let (name, runner) = parts(address);
    Query::new(TARGET, [caller.into(), name, runner])
}

/// What a job of a service needs, by another job of it.
pub fn target_of_job(caller: &ObjectId, job: &str) -> Query<Target> {
    Query::new(TARGET_OF_JOB, [caller.into(), job.into()])
}

/// A name in paths as what it is made of: the service's, and its runner's if it has that.
fn parts(address: &str) -> (Arg, Arg) {
    match address.split_once('@') {
        Some((name, runner)) => (name.into(), runner.into()),
        None => (address.into(), Arg::Null),
    }
}

/// A catalog as lists of services, as JSON, of [`MAX_LIST`] bytes each if no service is larger.
fn lists(services: &[Service]) -> Vec<String> {
    let mut lists = Vec::new();
    let mut list = String::new();
    // These types have no map with keys that are not text, the one thing that JSON cannot write.
    for text in services
        .iter()
        .filter_map(|service| serde_json::to_string(service).ok())
    {
        if !list.is_empty() && list.len() + text.len() > MAX_LIST {
            lists.push(format!("[{}]", std::mem::take(&mut list)));
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&text);
    }
    if !list.is_empty() {
        lists.push(format!("[{list}]"));
    }
    lists
}

#[cfg(test)]
mod tests;
