//! SQL of what is put into the outbox because something happened: for webhooks that are told of it whatever rules say, and for those whom a
//! rule tells. `alerts/` runs it in the transaction in which it applies its rules.
use super::outbox::MAX_ATTEMPTS;
use crate::auth::account_store::is_active;
use crate::platform::db::{Nothing, Query, statements};

/// SQL: what happened (`g`) in a line. Never NULL, whatever its details lack.
macro_rules! summary {
    () => {
        "COALESCE(CASE g.event
           WHEN 'machine_offline' THEN (g.details ->> 'machine') || ' is offline'
           WHEN 'machine_online' THEN (g.details ->> 'machine') || ' is online'
           WHEN 'session_start' THEN (g.details ->> 'username') || ' opened a terminal on ' || (g.details ->> 'machine')
           WHEN 'failed_login' THEN 'Failed to sign in as ' || (g.details ->> 'username')
           WHEN 'command' THEN (g.details ->> 'username') || iif(g.details ->> 'refused', ' was refused ', ' ran ') || substr(replace(replace(g.details ->> 'command', char(10), ' '), char(13), ' '), 1, 80)
             || ' on ' || (g.details ->> 'machine') || iif((g.details ->> 'exit_code') <> 0, ' (exit code ' || (g.details ->> 'exit_code') || ')', '')
           WHEN 'high_usage' THEN (g.details ->> 'machine') || ': ' || (g.details ->> 'health') || ', CPU ' || printf('%.0f', g.details ->> 'cpu_percent')
             || ' %, memory ' || printf('%.0f', g.details ->> 'memory_percent') || ' %, disk ' || printf('%.0f', g.details ->> 'disk_percent') || ' %'
         END, g.event)"
    };
}
pub(crate) use summary;

/// SQL: what happened (`g`) and has not been looked at, up to a row (?1).
macro_rules! waiting {
    () => {
        "alert_signals g INDEXED BY alert_signals_waiting"
    };
}
pub(crate) use waiting;

/// SQL: a time in words, such as `5 Jan 2026, 09:30 UTC`; NULL if there is none.
macro_rules! in_words {
    ($time:literal) => {
        concat!(
            "ltrim(strftime('%d', ",
            $time,
            "), '0') || ' ' || substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * strftime('%m', ",
            $time,
            ") - 2, 3) || strftime(' %Y, %H:%M UTC', ",
            $time,
            ")"
        )
    };
}
pub(super) use in_words;

/// What both kinds of receivers are told of alerts (`a`).
macro_rules! insert {
    ($receiver:literal) => {
        concat!(
            "INSERT INTO deliveries (id, organization_id, ",
            $receiver,
            ", event, summary, payload, max_attempts, next_attempt_at, created_at)
             SELECT lower(hex(randomblob(12))), "
        )
    };
}

statements! {
    EVENTS = concat!(
        insert!("webhook_id"), "w.organization_id, w.id, g.event, ", summary!(), ", json_object('type', g.event, 'timestamp', g.at, 'data',
             json_set(g.details, '$.machine_id', g.machine_id, '$.summary', ", summary!(), ")), ?3, ?2, ?2
         FROM ", waiting!(), " CROSS JOIN webhooks w ON w.organization_id = g.organization_id AND w.active = 1
         WHERE g.taken = 0 AND +g.id <= ?1 AND EXISTS (SELECT 1 FROM json_each(w.events) e WHERE e.value = g.event)"
    );

    ALERTS = concat!(
        insert!("webhook_id"), "w.organization_id, w.id, 'alert_' || a.told, iif(a.told = 'resolved', 'Resolved: ', '') || a.summary,
           json_object('type', 'alert_' || a.told, 'timestamp', ?1, 'data', json_object('alert_id', a.id, 'rule_id', a.rule_id,
             'rule', a.rule_name, 'event', a.event, 'summary', a.summary, 'status', a.status, 'count', a.count, 'started_at', a.started_at,
             'last_at', a.last_at, 'raised_at', a.raised_at, 'resolved_at', a.resolved_at, 'details', json(a.details))), ?2, ?1, ?1
         FROM alerts a INDEXED BY alerts_untold CROSS JOIN webhooks w ON w.organization_id = a.organization_id AND w.active = 1
         LEFT JOIN alert_rules r ON r.id = a.rule_id
         WHERE a.told IS NOT NULL AND (EXISTS (SELECT 1 FROM json_each(r.webhook_ids) e WHERE e.value = w.id)
           OR EXISTS (SELECT 1 FROM json_each(w.events) e WHERE e.value = 'alert_' || a.told))"
    );

    LETTERS = concat!(
        insert!("user_id"), "u.organization_id, u.id, 'alert_' || a.told, iif(a.told = 'resolved', 'Resolved: ', '') || a.summary,
           a.summary || '. The rule \"' || a.rule_name || '\" tells you of it. It happened '
             || iif(a.count = 1, 'once, on ', a.count || ' times, first on ') || ", in_words!("a.started_at"), "
             || iif(a.told = 'resolved', '; it was over on ' || ", in_words!("a.resolved_at"), ", '') || '.', ?2, ?1, ?1
         FROM alerts a INDEXED BY alerts_untold CROSS JOIN alert_rules r ON r.id = a.rule_id CROSS JOIN json_each(r.user_ids) e
         CROSS JOIN users u ON u.id = e.value AND u.organization_id = a.organization_id
         JOIN organizations o ON o.id = u.organization_id WHERE a.told IS NOT NULL AND ", is_active!()
    );
}

/// Tells webhooks of what happened, up to the signal `until`.
pub fn events(until: i64, now: &str) -> Query<Nothing> {
    Query::new(EVENTS, [until.into(), now.into(), MAX_ATTEMPTS.into()])
}

/// Tells webhooks and people of the alerts that somebody has still to be told of.
pub fn alerts(now: &str) -> [Query<Nothing>; 2] {
    [ALERTS, LETTERS].map(|sql| Query::new(sql, [now.into(), MAX_ATTEMPTS.into()]))
}
