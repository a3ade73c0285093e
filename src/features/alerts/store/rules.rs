//! SQL of rules.
use protocol::api::alerts::SaveAlertRule;
use protocol::ids::ObjectId;

use crate::auth::caller::Caller;
use crate::features::alerts::access::{Naming, RuleControl};
use crate::features::alerts::row::{Found, Named};
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::platform::db::{Arg, Nothing, Query, statements};
use crate::platform::error::ApiError;

/// Most rules of an organization: each signal is held against those of its event.
pub const MAX_RULES: i64 = 50;

/// The body of a rule (`r`): an [`AlertRule`](protocol::api::alerts::AlertRule).
macro_rules! rule_body {
    () => {
        concat!(
            "json_insert(json_object('id', r.id, 'name', r.name, 'event', r.event, 'tag', r.tag, 'group_id', r.group_id,
               'machine_id', r.machine_id, 'minutes', r.minutes, 'count', r.count, 'program', r.program, 'failed_only', ",
            json_flag!("r.failed_only"), ", 'level', r.level, 'quiet_minutes', r.quiet_minutes, 'user_ids', json(r.user_ids),
               'webhook_ids', json(r.webhook_ids), 'active', ", json_flag!("r.active"), ", 'created_at', ", json_time!("r.created_at"),
            "), '$.updated_at', ", json_time!("r.updated_at"), ") AS body"
        )
    };
}

statements! {
    LIST = concat!(
        "SELECT ", rule_body!(), " FROM users u JOIN alert_rules r ON r.organization_id = u.organization_id WHERE u.id = ?1 ORDER BY r.id"
    );

    FIND = concat!(
        "SELECT r.id, r.name, ", rule_body!(), " FROM users u JOIN alert_rules r ON r.id = ?2 AND r.organization_id = u.organization_id
         WHERE u.id = ?1"
    );

    /// Whether a group (?2), people (?4) and webhooks (?5) are of the caller's (?1) organization, and which row a machine (?3) is.
    NAMED = "SELECT (?2 IS NULL OR EXISTS (SELECT 1 FROM groups g WHERE g.id = ?2 AND g.organization_id = u.organization_id)) AS \"group\",
           (SELECT m.id FROM machines m WHERE (m.id = ?3 OR m.agent_id = ?3) AND +m.organization_id = u.organization_id) AS machine_id,
           NOT EXISTS (SELECT 1 FROM json_each(?4) x WHERE NOT EXISTS
             (SELECT 1 FROM users v WHERE v.id = x.value AND v.organization_id = u.organization_id AND v.deleted_at IS NULL)) AS users,
           NOT EXISTS (SELECT 1 FROM json_each(?5) x WHERE NOT EXISTS
             (SELECT 1 FROM webhooks w WHERE w.id = x.value AND w.organization_id = u.organization_id)) AS webhooks
         FROM users u WHERE u.id = ?1";

    /// As long as there is room for one more (?18).
    INSERT = "INSERT INTO alert_rules (id, organization_id, name, event, tag, group_id, machine_id, minutes, count, program, failed_only,
           level, quiet_minutes, user_ids, webhook_ids, active, created_at, updated_at)
         SELECT ?1, u.organization_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16 FROM users u WHERE u.id = ?17
           AND (SELECT COUNT(*) FROM alert_rules r WHERE r.organization_id = u.organization_id) < ?18";

    UPDATE = "UPDATE alert_rules SET name = ?2, event = ?3, tag = ?4, group_id = ?5, machine_id = ?6, minutes = ?7, count = ?8, program = ?9,
           failed_only = ?10, level = ?11, quiet_minutes = ?12, user_ids = ?13, webhook_ids = ?14, active = ?15, updated_at = ?16
         WHERE id = ?1";

    DELETE = "DELETE FROM alert_rules WHERE id = ?1";
}

/// The rules of the caller's organization.
pub fn list(caller: &ObjectId) -> Query<BodyRow> {
    Query::new(LIST, [caller.into()])
}

/// One of them. A text that is no id names none.
pub fn find(caller: &ObjectId, id: &str) -> Query<Found> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// What a rule names, as far as it is there.
pub fn named(caller: &ObjectId, rule: &SaveAlertRule) -> Result<Query<Named>, ApiError> {
    Ok(Query::new(
        NAMED,
        [
            caller.into(),
            rule.group_id.as_deref().into(),
            rule.machine_id.as_deref().into(),
            json(&rule.user_ids)?,
            json(&rule.webhook_ids)?,
        ],
    ))
}

/// Makes a rule in the caller's organization, unless that has as many as it may.
pub fn insert(
    caller: &Caller,
    id: &ObjectId,
    naming: &Naming,
    rule: &SaveAlertRule,
    now: &str,
) -> Result<Query<Nothing>, ApiError> {
    let mut query = Query::new(INSERT, fields(id, naming, rule, now)?);
    query.args.extend([caller.id().into(), MAX_RULES.into()]);
    Ok(query)
}

/// Makes a rule what it shall be.
pub fn update(
    control: &RuleControl,
    naming: &Naming,
    rule: &SaveAlertRule,
    now: &str,
) -> Result<Query<Nothing>, ApiError> {
    Ok(Query::new(UPDATE, fields(control.id(), naming, rule, now)?))
}

/// Removes a rule. What it told of is over, and stays in the list.
pub fn delete(control: &RuleControl) -> Query<Nothing> {
    Query::new(DELETE, [control.id().into()])
}

fn fields(id: &ObjectId, naming: &Naming, rule: &SaveAlertRule, now: &str) -> Result<[Arg; 16], ApiError> {
    Ok([
        id.into(),
        rule.name.trim().into(),
        rule.event.as_str().into(),
        rule.tag.as_deref().map(str::trim).into(),
        rule.group_id.as_deref().into(),
        naming.machine().map(ObjectId::as_str).into(),
        i64::from(rule.minutes).into(),
        i64::from(rule.count).into(),
        rule.program.as_str().into(),
        rule.failed_only.into(),
        rule.level.as_str().into(),
        i64::from(rule.quiet_minutes).into(),
        json(&rule.user_ids)?,
        json(&rule.webhook_ids)?,
        rule.active.into(),
        now.into(),
    ])
}

/// A list as it is stored.
fn json(list: &[String]) -> Result<Arg, ApiError> {
    Ok(serde_json::to_string(list).map_err(ApiError::internal)?.into())
}
