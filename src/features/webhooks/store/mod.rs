//! SQL of webhooks: here that of the webhooks themselves, beside it that of what they are told.
pub mod deliveries;
pub mod outbox;
pub mod told;

use protocol::api::webhooks::SaveWebhook;
use protocol::ids::ObjectId;

use self::told::in_words;
use super::access::WebhookControl;
use super::row::{Dead, FoundWebhook};
use crate::auth::account_store::is_active;
use crate::auth::caller::Caller;
use crate::http::json_text::{BodyRow, json_flag, json_time};
use crate::platform::db::{Arg, Exists, Nothing, Query, statements};
use crate::platform::error::ApiError;

/// Most webhooks of an organization: each event is looked up in all of them.
pub const MAX_WEBHOOKS: i64 = 20;

/// Most webhooks switched off in one run.
const AT_ONCE: i64 = 20;

/// How many secrets of before sign beside a webhook's own: enough for somebody who lost the new one and replaces it again, few enough for
/// a header.
pub const MAX_FORMER: i64 = 3;

/// Most administrators who are told that one was.
const MAX_TOLD: i64 = 10;

/// The body of a webhook (`w`): a [`Webhook`](protocol::api::webhooks::Webhook).
macro_rules! webhook_body {
    () => {
        concat!(
            "json_object('id', w.id, 'name', w.name, 'url', w.url, 'events', json(w.events), 'active', ",
            json_flag!("w.active"),
            ", 'failing_since', ",
            json_time!("w.failing_since"),
            ", 'switched_off_at', ",
            json_time!("w.switched_off_at"),
            ", 'former_secret_until', (SELECT replace(MAX(f.value ->> 'until'), '.000Z', 'Z') FROM json_each(w.former_secrets) f
                 WHERE f.value ->> 'until' > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
               'pending', (SELECT COUNT(*) FROM deliveries d WHERE d.webhook_id = w.id AND d.status = 'pending'),
               'created_at', ",
            json_time!("w.created_at"),
            ", 'updated_at', ",
            json_time!("w.updated_at"),
            ") AS body"
        )
    };
}

statements! {
    LIST = concat!(
        "SELECT ", webhook_body!(), " FROM users u JOIN webhooks w ON w.organization_id = u.organization_id WHERE u.id = ?1 ORDER BY w.id"
    );

    FIND = concat!(
        "SELECT w.id, w.name, w.active, ", webhook_body!(),
        " FROM users u JOIN webhooks w ON w.id = ?2 AND w.organization_id = u.organization_id WHERE u.id = ?1"
    );

    /// As long as there is room for one more (?8).
    INSERT = "INSERT INTO webhooks (id, organization_id, name, url, secret_sealed, events, active, created_at, updated_at)
         SELECT ?1, u.organization_id, ?3, ?4, ?5, ?6, ?7, ?9, ?9 FROM users u WHERE u.id = ?2
           AND (SELECT COUNT(*) FROM webhooks w WHERE w.organization_id = u.organization_id) < ?8";

    /// Another address begins anew, and so does one that is switched on.
    UPDATE = "UPDATE webhooks SET name = ?2, events = ?4, active = ?5, updated_at = ?6,
           failing_since = CASE WHEN url = ?3 AND active = ?5 THEN failing_since END,
           switched_off_at = CASE WHEN ?5 = 1 THEN NULL ELSE switched_off_at END, url = ?3
         WHERE id = ?1";

    /// The one that was becomes a former one until ?4. Those whose time is over at ?3 go, and so does what is more than there may be.
    ROTATE = "UPDATE webhooks SET secret_sealed = ?2, updated_at = ?3, former_secrets = (SELECT json_group_array(json(listed.value)) FROM (
             SELECT json_object('sealed', secret_sealed, 'until', ?4) AS value, -1 AS place
             UNION ALL SELECT f.value, f.key FROM json_each(former_secrets) f WHERE f.value ->> 'until' > ?3
             ORDER BY place LIMIT ?5) listed)
         WHERE id = ?1";

    DELETE = "DELETE FROM webhooks WHERE id = ?1";

    /// Those where nothing has arrived since before ?1.
    DEAD = "SELECT id, organization_id, name, url, failing_since FROM webhooks WHERE active = 1 AND failing_since <= ?1
         ORDER BY failing_since LIMIT ?2";

    /// Not if something arrived in the meantime.
    SWITCH_OFF = "UPDATE webhooks SET active = 0, switched_off_at = ?2 WHERE id = ?1 AND active = 1 AND failing_since = ?3 RETURNING id";

    /// Letters to those who administer the organization of a webhook (?1), if the statement before it in the same batch wrote down that
    /// it was switched off.
    TELL_OF_SWITCH = concat!(
        "INSERT INTO deliveries (id, organization_id, user_id, event, summary, payload, max_attempts, next_attempt_at, created_at)
         SELECT lower(hex(randomblob(12))), o.id, u.id, 'webhook_disabled', 'The webhook ' || w.name || ' was switched off',
           'Nothing has arrived at ' || w.url || ' since ' || ", in_words!("w.failing_since"), " || '. Switch it on again once that is repaired.', ?3, ?2, ?2
         FROM webhooks w JOIN organizations o ON o.id = w.organization_id JOIN users u ON u.organization_id = o.id
         WHERE changes() > 0 AND w.id = ?1 AND u.role <> 'user' AND ", is_active!(), " ORDER BY u.int_id LIMIT ?4"
    );
}

/// The webhooks of the caller's organization.
pub fn list(caller: &ObjectId) -> Query<BodyRow> {
    Query::new(LIST, [caller.into()])
}

/// One of them. A text that is no id names none.
pub fn find(caller: &ObjectId, id: &str) -> Query<FoundWebhook> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// Makes a webhook in the caller's organization, unless that has as many as it may.
pub fn insert(
    caller: &Caller,
    id: &ObjectId,
    webhook: &SaveWebhook,
    secret_sealed: &str,
    now: &str,
) -> Result<Query<Nothing>, ApiError> {
    Ok(Query::new(
        INSERT,
        [
            id.into(),
            caller.id().into(),
            webhook.name.trim().into(),
            webhook.url.as_str().into(),
            secret_sealed.into(),
            events(webhook)?,
            webhook.active.into(),
            MAX_WEBHOOKS.into(),
            now.into(),
        ],
    ))
}

/// Makes a webhook what it shall be.
pub fn update(control: &WebhookControl, webhook: &SaveWebhook, now: &str) -> Result<Query<Nothing>, ApiError> {
    Ok(Query::new(
        UPDATE,
        [
            control.id().into(),
            webhook.name.trim().into(),
            webhook.url.as_str().into(),
            events(webhook)?,
            webhook.active.into(),
            now.into(),
        ],
    ))
}

/// Gives a webhook another secret; the one it has signs beside it until `until`.
pub fn rotate(control: &WebhookControl, secret_sealed: &str, now: &str, until: &str) -> Query<Nothing> {
    let args = [
        control.id().into(),
        secret_sealed.into(),
        now.into(),
        until.into(),
        MAX_FORMER.into(),
    ];
    Query::new(ROTATE, args)
}

/// Removes a webhook with its deliveries.
pub fn delete(control: &WebhookControl) -> Query<Nothing> {
    Query::new(DELETE, [control.id().into()])
}

/// The webhooks where nothing has arrived since `before`.
pub fn dead(before: &str) -> Query<Dead> {
    Query::new(DEAD, [before.into(), AT_ONCE.into()])
}

/// Switches one of them off. A row if it was.
pub fn switch_off(dead: &Dead, now: &str) -> Query<Exists> {
    let since = dead.failing_since.as_str();
    Query::new(SWITCH_OFF, [(&dead.id).into(), now.into(), since.into()])
}

/// Tells administrators of that, behind its entry in the log.
pub fn tell_of_switch(dead: &Dead, now: &str) -> Query<Nothing> {
    let args = [
        (&dead.id).into(),
        now.into(),
        outbox::MAX_ATTEMPTS.into(),
        MAX_TOLD.into(),
    ];
    Query::new(TELL_OF_SWITCH, args)
}

fn events(webhook: &SaveWebhook) -> Result<Arg, ApiError> {
    Ok(serde_json::to_string(&webhook.events)
        .map_err(ApiError::internal)?
        .into())
}

#[cfg(test)]
mod tests;
