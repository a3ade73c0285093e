//! SQL of instances, of what they cost, and of the provider's key.
use protocol::ids::ObjectId;
use serde_json::Value;

use super::row::{GroupRow, HeadRow, HostRow, KeyRow, Known};
use super::vultr::{Account, Instance, Listed, Plan};
use crate::auth::caller::Caller;
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::platform::db::{Arg, Nothing, Query, statements};

/// How many instances a statement takes: 200 KB of JSON, far below what D1 binds.
const AT_ONCE: usize = 500;

/// SQL: the instances (`i`) of a caller's (?1) organization, with what their plans (`p`) cost.
macro_rules! priced {
    () => {
        " FROM users u JOIN instances i ON i.organization_id = u.organization_id
           LEFT JOIN instance_plans p ON p.organization_id = i.organization_id AND p.id = i.plan"
    };
}

/// SQL: what some of them cost together. Sums of cents are not quite whole numbers of them.
macro_rules! total {
    () => {
        "round(COALESCE(SUM(p.monthly_cost), 0.0), 2)"
    };
}

/// SQL: that as an entry of a list, and as a field.
macro_rules! grouped {
    ($name:literal, $column:literal) => {
        concat!(
            "SELECT json_object('",
            $name,
            "', ",
            $column,
            ", 'monthly_cost', ",
            total!(),
            ", 'instance_count', COUNT(*)) AS body, json_quote(",
            $column,
            ") || ':' || json_quote(",
            total!(),
            ") AS field"
        )
    };
}

/// SQL: the same in order: the dearest first.
macro_rules! dearest_first {
    ($column:literal) => {
        concat!(
            " WHERE u.id = ?1 GROUP BY ",
            $column,
            " ORDER BY ",
            total!(),
            " DESC, ",
            $column
        )
    };
}

statements! {
    /// What is known of a caller's (?1) list at a time (?2).
    HEAD = concat!("SELECT json_object('cached_at', ", json_time!("c.listed_at"),
        ", 'age_seconds', max(0, unixepoch(?2) - unixepoch(c.listed_at)), 'left_out', COALESCE(c.left_out, 0), 'configured', ",
        json_flag!("c.key_sealed IS NOT NULL"), ") AS body, c.listed_at IS NOT NULL AS listed
         FROM users u LEFT JOIN clouds c ON c.organization_id = u.organization_id WHERE u.id = ?1");

    HOSTS = "SELECT i.host, i.tags, json_object('ansible_host', i.address, 'vultr_id', i.id, 'vultr_label', i.label, 'vultr_region', i.region,
           'vultr_plan', i.plan, 'vultr_os', i.os, 'vultr_power_status', i.power_status, 'vultr_power', i.power_status, 'vultr_tags', json(i.tags))
           AS body
         FROM users u JOIN instances i ON i.organization_id = u.organization_id WHERE u.id = ?1 ORDER BY i.host, i.id";

    /// Whether a caller's (?1) list is whole and newer than a time (?4), and has a label (?2) in a region (?3).
    KNOWN = "SELECT COALESCE(c.left_out = 0 AND c.listed_at > ?4, 0) AS fresh,
           EXISTS (SELECT 1 FROM instances i WHERE i.organization_id = u.organization_id AND i.label = ?2 AND i.region = ?3) AS there
         FROM users u LEFT JOIN clouds c ON c.organization_id = u.organization_id WHERE u.id = ?1";

    COSTS = concat!("SELECT json_object('generated_at', ", json_time!("c.costs_at"),
        ", 'account', json(COALESCE(c.account, '{\"pending_charges\":0.0,\"balance\":0.0}')), 'total_monthly_cost', (SELECT ", total!(),
        priced!(), " WHERE u.id = ?1), 'source', iif(c.costs_at IS NULL, 'computed', 'playbook'), 'cached_at', ",
        json_time!("COALESCE(c.costs_at, c.listed_at)"), ") AS body
         FROM users u LEFT JOIN clouds c ON c.organization_id = u.organization_id WHERE u.id = ?1");

    /// When what costs are made of was asked for.
    COSTS_AT = concat!("SELECT json_object('cached_at', ", json_time!("COALESCE(c.costs_at, c.listed_at)"), ") AS body
         FROM users u LEFT JOIN clouds c ON c.organization_id = u.organization_id WHERE u.id = ?1");

    COSTS_EACH = concat!("SELECT json_object('label', i.label, 'hostname', i.host, 'plan', i.plan, 'region', i.region, 'tags', json(i.tags),
           'power_status', i.power_status, 'monthly_cost', COALESCE(p.monthly_cost, 0.0), 'hourly_cost', COALESCE(p.hourly_cost, 0.0),
           'vultr_id', i.id) AS body", priced!(), " WHERE u.id = ?1 ORDER BY i.host, i.id");

    /// An instance counts for each of its tags.
    BY_TAG = concat!(grouped!("tag", "t.value"), priced!(), " JOIN json_each(i.tags) t", dearest_first!("t.value"));

    BY_REGION = concat!(grouped!("region", "i.region"), priced!(), dearest_first!("i.region"));

    /// Where a caller's (?1) instances are.
    PROVIDER = concat!("SELECT json_object('provider', 'vultr', 'configured', ", json_flag!("c.key_sealed IS NOT NULL"), ", 'set_at', ",
        json_time!("c.key_set_at"), ", 'set_by', c.key_set_by) AS body
         FROM users u LEFT JOIN clouds c ON c.organization_id = u.organization_id WHERE u.id = ?1");

    KEY = "SELECT key_sealed FROM clouds WHERE organization_id = ?1";

    /// With it goes all that was said to whoever had it.
    REMOVE_KEY = "DELETE FROM clouds WHERE organization_id = ?1";

    SET_KEY = "INSERT INTO clouds (organization_id, key_sealed, key_set_at, key_set_by) VALUES (?1, ?2, ?3, ?4)";

    /// What the provider does not name any more (?2, a JSON array) to whoever has the key (?3) is gone.
    GONE = "DELETE FROM instances WHERE organization_id = ?1 AND id NOT IN (SELECT value FROM json_each(?2))
         AND EXISTS (SELECT 1 FROM clouds WHERE organization_id = ?1 AND key_sealed = ?3)";

    /// What it names (?2, a JSON array): only what has changed is written.
    INSTANCES = "INSERT INTO instances (organization_id, id, host, label, region, plan, os, address, power_status, tags)
         SELECT c.organization_id, v.value ->> 'id', v.value ->> 'host', v.value ->> 'label', v.value ->> 'region', v.value ->> 'plan',
           v.value ->> 'os', v.value ->> 'address', v.value ->> 'power_status', v.value -> 'tags'
         FROM json_each(?2) v JOIN clouds c ON c.organization_id = ?1 AND c.key_sealed = ?3 WHERE true
         ON CONFLICT (organization_id, id) DO UPDATE SET host = excluded.host, label = excluded.label, region = excluded.region,
           plan = excluded.plan, os = excluded.os, address = excluded.address, power_status = excluded.power_status, tags = excluded.tags
         WHERE (host, label, region, plan, os, address, power_status, tags) IS NOT (excluded.host, excluded.label, excluded.region,
           excluded.plan, excluded.os, excluded.address, excluded.power_status, excluded.tags)";

    /// That was all but so many (?4), at a time (?3).
    LISTED = "UPDATE clouds SET listed_at = ?3, left_out = ?4 WHERE organization_id = ?1 AND key_sealed = ?2";

    /// Plans (?2, a JSON array): only what has changed is written.
    PLANS = "INSERT INTO instance_plans (organization_id, id, monthly_cost, hourly_cost)
         SELECT c.organization_id, v.value ->> 'id', v.value ->> 'monthly_cost', v.value ->> 'hourly_cost'
         FROM json_each(?2) v JOIN clouds c ON c.organization_id = ?1 AND c.key_sealed = ?3 WHERE true
         ON CONFLICT (organization_id, id) DO UPDATE SET monthly_cost = excluded.monthly_cost, hourly_cost = excluded.hourly_cost
         WHERE (monthly_cost, hourly_cost) IS NOT (excluded.monthly_cost, excluded.hourly_cost)";

    ACCOUNT = "UPDATE clouds SET account = ?3, costs_at = ?4 WHERE organization_id = ?1 AND key_sealed = ?2";

    /// Some (?2, a JSON array) were halted.
    HALTED = "UPDATE instances SET power_status = 'stopped' WHERE organization_id = ?1 AND id IN (SELECT value FROM json_each(?2))";

    DESTROYED = "DELETE FROM instances WHERE organization_id = ?1 AND id = ?2";
}

/// A caller's instances, as they were listed last, and what is known of that list.
pub fn list(caller: &ObjectId, now: &str) -> (Query<HeadRow>, Query<HostRow>) {
    (
        Query::new(HEAD, [caller.into(), now.into()]),
        Query::new(HOSTS, [caller.into()]),
    )
}

/// Whether it is known of an instance that it is there, by a list that is newer than a time.
pub fn known(caller: &ObjectId, label: &str, region: &str, after: &str) -> Query<Known> {
    Query::new(KNOWN, [caller.into(), label.into(), region.into(), after.into()])
}

type Costs = (Query<BodyRow>, Query<BodyRow>, Query<GroupRow>, Query<GroupRow>);

/// What a caller's instances cost: in all, each, by tag and by region.
pub fn costs(caller: &ObjectId) -> Costs {
    (
        Query::new(COSTS, [caller.into()]),
        Query::new(COSTS_EACH, [caller.into()]),
        Query::new(BY_TAG, [caller.into()]),
        Query::new(BY_REGION, [caller.into()]),
    )
}

/// What a caller's instances cost by tag.
pub fn costs_by_tag(caller: &ObjectId) -> (Query<BodyRow>, Query<GroupRow>) {
    (
        Query::new(COSTS_AT, [caller.into()]),
        Query::new(BY_TAG, [caller.into()]),
    )
}

/// What a caller's instances cost by region.
pub fn costs_by_region(caller: &ObjectId) -> (Query<BodyRow>, Query<GroupRow>) {
    (
        Query::new(COSTS_AT, [caller.into()]),
        Query::new(BY_REGION, [caller.into()]),
    )
}

/// Where a caller's instances are.
pub fn provider(caller: &ObjectId) -> Query<BodyRow> {
    Query::new(PROVIDER, [caller.into()])
}

/// An organization's key, sealed.
pub fn key(organization: &ObjectId) -> Query<KeyRow> {
    Query::new(KEY, [organization.into()])
}

/// Removes the key of a caller's organization, and what was said to whoever had it.
pub fn remove_key(caller: &Caller) -> Query<Nothing> {
    Query::new(REMOVE_KEY, [caller.organization_id().into()])
}

/// Sets the key of a caller's organization, which has none.
pub fn set_key(caller: &Caller, sealed: &str, now: &str) -> Query<Nothing> {
    Query::new(
        SET_KEY,
        [
            caller.organization_id().into(),
            sealed.into(),
            now.into(),
            caller.username().into(),
        ],
    )
}

/// Makes what the provider has listed to whoever has a key that of an organization, if that is still its key.
pub fn replace(
    organization: &ObjectId,
    sealed: &str,
    list: &Listed<Instance>,
    now: &str,
) -> (Query<Nothing>, Vec<Query<Nothing>>, Query<Nothing>) {
    let ids = ids(&list.items);
    let parts = list.items.chunks(AT_ONCE).map(|part| {
        let part = Value::from_iter(part.iter().map(Instance::to_json)).to_string();
        Query::new(INSTANCES, [organization.into(), part.into(), sealed.into()])
    });
    (
        Query::new(GONE, [organization.into(), ids, sealed.into()]),
        parts.collect(),
        Query::new(
            LISTED,
            [organization.into(), sealed.into(), now.into(), list.left_out.into()],
        ),
    )
}

/// Keeps what plans cost.
pub fn price(organization: &ObjectId, sealed: &str, plans: &[Plan]) -> Query<Nothing> {
    let plans = Value::from_iter(plans.iter().map(Plan::to_json)).to_string();
    Query::new(PLANS, [organization.into(), plans.into(), sealed.into()])
}

/// Keeps what an account owes and has.
pub fn account(organization: &ObjectId, sealed: &str, account: &Account, now: &str) -> Query<Nothing> {
    Query::new(
        ACCOUNT,
        [
            organization.into(),
            sealed.into(),
            account.to_json().to_string().into(),
            now.into(),
        ],
    )
}

/// Notes that instances were halted.
pub fn halted(organization: &ObjectId, instances: &[Instance]) -> Query<Nothing> {
    Query::new(HALTED, [organization.into(), ids(instances)])
}

/// Notes that an instance was destroyed.
pub fn destroyed(organization: &ObjectId, instance: &Instance) -> Query<Nothing> {
    Query::new(DESTROYED, [organization.into(), instance.id.as_str().into()])
}

fn ids(instances: &[Instance]) -> Arg {
    let ids = instances.iter().map(|instance| instance.id.as_str());
    Value::from_iter(ids).to_string().into()
}

#[cfg(test)]
mod tests;
