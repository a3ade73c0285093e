//! SQL of alerts: here that of what people see, beside it that of rules, and of applying them.
pub mod raise;
pub mod rules;

use protocol::ids::ObjectId;

use super::access::AlertControl;
use super::row::Found;
use crate::http::json_text::{BodyRow, json_time};
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Nothing, Query, statements};

/// The body of an alert (`a`): an [`Alert`](protocol::api::alerts::Alert).
macro_rules! alert_body {
    () => {
        concat!(
            "json_object('id', a.id, 'rule_id', a.rule_id, 'rule_name', a.rule_name, 'event', a.event, 'summary', a.summary,
               'agent_id', a.details ->> 'agent_id', 'details', json(a.details), 'status', a.status, 'count', a.count, 'started_at', ",
            json_time!("a.started_at"), ", 'last_at', ", json_time!("a.last_at"), ", 'raised_at', ", json_time!("a.raised_at"),
            ", 'resolved_at', ", json_time!("a.resolved_at"), ", 'acknowledged_at', ", json_time!("a.acknowledged_at"),
            ", 'acknowledged_by', a.acknowledged_by) AS body"
        )
    };
}

/// The alerts of the caller's (?1) organization that were raised, in some states (?2, a JSON array). Narrowed by an event (?3), a rule
/// (?4) and the public name of a machine (?5).
macro_rules! listed {
    () => {
        " FROM users u JOIN alerts a ON a.organization_id = u.organization_id AND a.status IN (SELECT value FROM json_each(?2))
         WHERE u.id = ?1 AND a.raised_at IS NOT NULL AND (?3 IS NULL OR a.event = ?3) AND (?4 IS NULL OR a.rule_id = ?4)
           AND (?5 IS NULL OR a.details ->> 'agent_id' = ?5)"
    };
}

statements! {
    LIST = concat!(
        "SELECT ", alert_body!(), listed!(), " ORDER BY a.raised_at DESC, a.id DESC LIMIT ?6 OFFSET ?7"
    );

    COUNT = concat!("SELECT COUNT(*) AS total", listed!());

    FIND = concat!(
        "SELECT a.id, a.summary AS name, ", alert_body!(), " FROM users u JOIN alerts a ON a.id = ?2 AND a.organization_id = u.organization_id
         WHERE u.id = ?1 AND a.raised_at IS NOT NULL"
    );

    /// What does not end by itself is over with that.
    ACKNOWLEDGE = "UPDATE alerts SET acknowledged_at = ?3, acknowledged_by = ?2,
           resolved_at = CASE WHEN event IN ('machine_offline', 'high_usage') THEN resolved_at ELSE ?3 END,
           status = CASE WHEN event IN ('machine_offline', 'high_usage') THEN status ELSE 'resolved' END
         WHERE id = ?1 AND status = 'open' AND acknowledged_at IS NULL";

    /// Not what goes on, however long it does.
    PURGE = "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE last_at < ?1
           AND (status = 'resolved' OR event NOT IN ('machine_offline', 'high_usage')) ORDER BY last_at LIMIT ?2)";

    PURGE_SIGNALS = "DELETE FROM alert_signals WHERE id IN (SELECT id FROM alert_signals WHERE taken = 1 AND at < ?1 ORDER BY at LIMIT ?2)";
}

/// Which alerts to list.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// One state, or all of them.
    pub status: Option<&'a str>,
    pub event: Option<&'a str>,
    pub rule_id: Option<&'a str>,
    pub agent_id: Option<&'a str>,
}

/// The alerts of the caller's organization, and how many there are on all pages together.
pub fn list(caller: &ObjectId, filter: &Filter, page: Page) -> (Query<BodyRow>, Query<Count>) {
    let (limit, offset) = page.window();
    let states = match filter.status {
        Some(status) => format!("[\"{status}\"]"),
        None => "[\"open\",\"resolved\"]".to_owned(),
    };
    let text = |text: Option<&str>| Arg::from(text.filter(|text| !text.is_empty()));
    let [caller, states, event, rule, agent]: [Arg; 5] = [
        caller.into(),
        states.into(),
        text(filter.event),
        text(filter.rule_id),
        text(filter.agent_id),
    ];
    let count = [
        caller.clone(),
        states.clone(),
        event.clone(),
        rule.clone(),
        agent.clone(),
    ];
    let rows = [caller, states, event, rule, agent, limit.into(), offset.into()];
    (Query::new(LIST, rows), Query::new(COUNT, count))
}

/// One alert. A text that is no id names none.
pub fn find(caller: &ObjectId, id: &str) -> Query<Found> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// Notes that somebody has taken note of an alert. Who did so first stays.
pub fn acknowledge(control: &AlertControl, now: &str) -> Query<Nothing> {
    let by = control.caller().username();
    Query::new(ACKNOWLEDGE, [control.id().into(), by.into(), now.into()])
}

/// Removes alerts that happened last before `before`.
pub fn purge(before: &str, limit: i64) -> Query<Nothing> {
    Query::new(PURGE, [before.into(), limit.into()])
}

/// Removes signals of before `before` that rules were applied to.
pub fn purge_signals(before: &str, limit: i64) -> Query<Nothing> {
    Query::new(PURGE_SIGNALS, [before.into(), limit.into()])
}

#[cfg(test)]
mod tests;
