//! SQL that applies rules to what happened. All statements of one run are one transaction: a signal is looked at by one run, once.
use chrono::{DateTime, Utc};
use protocol::ids::ObjectId;

use crate::features::alerts::row::Waiting;
use crate::features::webhooks::store::told::{self, summary, waiting};
use crate::platform::db::{Nothing, Query, statements, stored};

/// Most signals that one run looks at.
const AT_ONCE: i64 = 200;

/// SQL: what happened on a machine (`m`) is for a rule (`r`) to look at.
macro_rules! in_scope {
    () => {
        "((r.tag IS NULL OR EXISTS (SELECT 1 FROM json_each(m.tags) t WHERE t.value = r.tag))
           AND (r.group_id IS NULL OR EXISTS (SELECT 1 FROM group_machines x WHERE x.group_id = r.group_id AND x.machine_id = m.id))
           AND (r.machine_id IS NULL OR r.machine_id = m.id))"
    };
}

/// SQL: a state of a machine is one that a rule (`r`) tells of.
macro_rules! reaches_level {
    ($health:literal) => {
        concat!(
            "(",
            $health,
            " = 'critical' OR (",
            $health,
            " = 'warning' AND r.level = 'warning'))"
        )
    };
}

/// SQL: the words of a command (`g`), each between spaces. What separates commands, quotes, and the folders of programs separate words.
macro_rules! words {
    () => {
        "(' ' || replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(g.details ->> 'command',
           ';', ' '), '|', ' '), '&', ' '), '(', ' '), ')', ' '), '/', ' '), '`', ' '), '\"', ' '), '''', ' '), '<', ' '), char(9), ' '),
           char(10), ' '), char(13), ' ') || ' ')"
    };
}

/// SQL: a time that is some minutes after or before another.
macro_rules! moved {
    ($time:literal, $sign:literal, $minutes:literal) => {
        concat!(
            "strftime('%Y-%m-%dT%H:%M:%fZ', ",
            $time,
            ", '",
            $sign,
            "' || ",
            $minutes,
            " || ' minutes')"
        )
    };
}

/// SQL: until when a rule (`r`) does not tell of a subject again; empty if it may.
macro_rules! quiet_until {
    ($subject:literal) => {
        concat!(
            "COALESCE(strftime('%Y-%m-%dT%H:%M:%fZ', (SELECT MAX(p.notified_at) FROM alerts p WHERE p.rule_id = r.id AND p.subject = ",
            $subject,
            "), '+' || r.quiet_minutes || ' minutes'), '')"
        )
    };
}

statements! {
    WAITING = "SELECT (SELECT MAX(id) FROM (SELECT id FROM alert_signals INDEXED BY alert_signals_waiting WHERE taken = 0 ORDER BY id LIMIT ?2) listed)
           AS until, EXISTS (SELECT 1 FROM alerts WHERE status = 'pending' AND due_at <= ?1) AS due";

    /// What is over. One that never became open was nothing.
    RESOLVE = concat!(
        "UPDATE alerts SET told = iif(status = 'open', 'resolved', NULL), status = 'resolved', resolved_at = ?2, due_at = NULL
         WHERE id IN (SELECT a.id FROM ", waiting!(), " CROSS JOIN alerts a ON a.machine_id = g.machine_id AND a.status <> 'resolved'
           CROSS JOIN alert_rules r ON r.id = a.rule_id WHERE g.taken = 0 AND +g.id <= ?1
             AND ((g.event = 'machine_online' AND a.event = 'machine_offline')
               OR (g.event = 'high_usage' AND a.event = 'high_usage' AND NOT ", reaches_level!("(g.details ->> 'health')"), ")))"
    );

    /// What rules tell of. Of a state, the last one counts. What is open already is counted; what does not end by itself is told again
    /// after a time.
    RAISE = concat!(
        "INSERT INTO alerts (id, organization_id, rule_id, rule_name, event, subject, machine_id, details, summary, status, started_at, last_at, due_at)
         SELECT lower(hex(randomblob(12))), r.organization_id, r.id, r.name, r.event, g.subject, g.machine_id, g.details, ", summary!(), ",
           'pending', g.at, g.at, max(iif(r.event = 'machine_offline' AND r.minutes > 0, ", moved!("g.at", "+", "r.minutes"), ", ?2), ",
        quiet_until!("g.subject"), ")
         FROM ", waiting!(), " CROSS JOIN alert_rules r ON r.organization_id = g.organization_id AND r.event = g.event AND r.active = 1
         LEFT JOIN machines m ON m.id = g.machine_id
         WHERE g.taken = 0 AND +g.id <= ?1 AND ", in_scope!(), "
           AND (r.event NOT IN ('machine_offline', 'high_usage') OR NOT EXISTS (SELECT 1 FROM alert_signals l
             WHERE l.organization_id = g.organization_id AND l.event = iif(g.event = 'machine_offline', 'machine_online', 'high_usage')
               AND l.subject = g.subject AND l.id > g.id AND l.id <= ?1))
           AND (r.event <> 'high_usage' OR ", reaches_level!("(g.details ->> 'health')"), ")
           AND (r.event <> 'command' OR ((r.program = '' OR instr(", words!(), ", ' ' || r.program || ' ') > 0)
             AND (r.failed_only = 0 OR (g.details ->> 'exit_code') <> 0)))
           AND (r.event <> 'failed_login' OR r.count <= (SELECT COUNT(*) FROM alert_signals b WHERE b.organization_id = g.organization_id
             AND b.event = 'failed_login' AND b.subject = g.subject AND b.at > ", moved!("g.at", "-", "r.minutes"), " AND b.id <= g.id))
         ORDER BY g.id
         ON CONFLICT (rule_id, subject) WHERE status <> 'resolved' DO UPDATE SET count = count + 1, last_at = excluded.last_at,
           details = excluded.details, summary = excluded.summary,
           told = CASE WHEN status = 'open' AND event NOT IN ('machine_offline', 'high_usage') AND notified_at <= strftime('%Y-%m-%dT%H:%M:%fZ', ?2,
             '-' || (SELECT q.quiet_minutes FROM alert_rules q WHERE q.id = alerts.rule_id) || ' minutes') THEN 'raised' ELSE told END"
    );

    /// What a rule that was just made or changed (?1) tells of is so already.
    BEGIN = concat!(
        "INSERT INTO alerts (id, organization_id, rule_id, rule_name, event, subject, machine_id, details, summary, status, started_at, last_at, due_at)
         SELECT lower(hex(randomblob(12))), r.organization_id, r.id, r.name, r.event, m.id, m.id, json_object('machine', m.name, 'agent_id', m.agent_id,
             'health', m.health), m.name || iif(r.event = 'machine_offline', ' is offline', ': ' || m.health), 'pending', ?2, ?2,
           max(?2, iif(r.event = 'machine_offline', COALESCE(", moved!("m.last_active", "+", "r.minutes"), ", ''), ''), ", quiet_until!("m.id"), ")
         FROM alert_rules r CROSS JOIN machines m ON m.organization_id = r.organization_id
         WHERE r.id = ?1 AND r.active = 1 AND ", in_scope!(), "
           AND ((r.event = 'machine_offline' AND m.status = 'offline')
             OR (r.event = 'high_usage' AND m.status = 'online' AND ", reaches_level!("m.health"), "))
         ON CONFLICT (rule_id, subject) WHERE status <> 'resolved' DO NOTHING"
    );

    /// Those whose time has come.
    OPEN = "UPDATE alerts SET told = 'raised', status = 'open', due_at = NULL, raised_at = ?1 WHERE status = 'pending' AND due_at <= ?1";

    /// Everybody was told.
    NOTE = "UPDATE alerts INDEXED BY alerts_untold SET notified_at = iif(told = 'raised', ?1, notified_at), told = NULL WHERE told IS NOT NULL";

    /// Everything was looked at.
    TAKEN = "UPDATE alert_signals INDEXED BY alert_signals_waiting SET taken = 1 WHERE taken = 0 AND +id <= ?1";
}

/// What there is to do at `now`.
pub fn waiting(now: DateTime<Utc>) -> Query<Waiting> {
    Query::new(WAITING, [stored(now).into(), AT_ONCE.into()])
}

/// Does it: applies rules to signals up to `until`, opens the alerts whose time has come, and puts into the outbox what follows.
pub fn run(until: i64, now: DateTime<Utc>) -> Vec<Query<Nothing>> {
    let now = stored(now);
    let [to_webhooks, to_people] = told::alerts(&now);
    vec![
        Query::new(RESOLVE, [until.into(), now.as_str().into()]),
        Query::new(RAISE, [until.into(), now.as_str().into()]),
        Query::new(OPEN, [now.as_str().into()]),
        told::events(until, &now),
        to_webhooks,
        to_people,
        Query::new(NOTE, [now.as_str().into()]),
        Query::new(TAKEN, [until.into()]),
    ]
}

/// Raises what a rule tells of and is so already.
pub fn begin(rule: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(BEGIN, [rule.into(), now.into()])
}
