//! SQL of the outbox: taking what is due, and writing down what became of it. What is put into it is in the stores that say why.
use protocol::ids::ObjectId;

use crate::features::webhooks::row::Due;
use crate::platform::db::{Nothing, Query, statements};

/// How often something is tried. With the pauses of `courier.rs` the last time is about a day after the first.
pub const MAX_ATTEMPTS: i64 = 10;

/// How many are sent at a time: as many as a Worker may have connections open.
pub const AT_ONCE: i64 = 6;

/// What a [`Due`] is made of, at ?1.
macro_rules! taken {
    () => {
        "RETURNING id, webhook_id, summary, payload, attempts, max_attempts,
           (SELECT w.url FROM webhooks w WHERE w.id = webhook_id) AS url,
           (SELECT w.secret_sealed FROM webhooks w WHERE w.id = webhook_id) AS secret_sealed,
           (SELECT group_concat(f.value ->> 'sealed', ' ') FROM webhooks w, json_each(w.former_secrets) f
             WHERE w.id = webhook_id AND f.value ->> 'until' > ?1) AS former_sealed,
           (SELECT u.email FROM users u WHERE u.id = user_id AND u.disabled_at IS NULL AND u.deleted_at IS NULL) AS email"
    };
}

statements! {
    /// What is due at ?1, for nobody else until ?2: of each receiver one, so that none waits for another.
    TAKE = concat!(
        "UPDATE deliveries SET attempts = attempts + 1, last_attempt_at = ?1, next_attempt_at = ?2
         WHERE status = 'pending' AND next_attempt_at <= ?1 AND id IN (SELECT listed.id FROM (
             SELECT d.id, d.next_attempt_at, ROW_NUMBER() OVER (PARTITION BY COALESCE(d.webhook_id, d.user_id) ORDER BY d.next_attempt_at, d.id) AS place
             FROM deliveries d WHERE d.status = 'pending' AND d.next_attempt_at <= ?1) listed
           WHERE listed.place = 1 ORDER BY listed.next_attempt_at LIMIT ?3) ", taken!()
    );

    /// The same of one (?3).
    TAKE_ONE = concat!(
        "UPDATE deliveries SET attempts = attempts + 1, last_attempt_at = ?1, next_attempt_at = ?2
         WHERE id = ?3 AND status = 'pending' AND next_attempt_at <= ?1 ", taken!()
    );

    /// Not of one that was switched off, or taken again, in the meantime.
    END_ATTEMPT = "UPDATE deliveries SET status = ?3, next_attempt_at = ?4, response_status = ?5, duration_ms = ?6, response = ?7, error = ?8
         WHERE id = ?1 AND attempts = ?2 AND status = 'pending'";

    /// Since when nothing arrives at a webhook: not at all, or since ?2 if it has arrived until then.
    MARK = "UPDATE webhooks SET failing_since = CASE WHEN ?2 IS NOT NULL THEN COALESCE(failing_since, ?2) END
         WHERE id = ?1 AND (failing_since IS NULL) = (?2 IS NOT NULL)";

    /// Where nothing arrives, what waits is not tried before ?2.
    PUT_OFF = "UPDATE deliveries SET next_attempt_at = ?2 WHERE webhook_id = ?1 AND status = 'pending' AND next_attempt_at < ?2";

    PURGE = "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Of the answer, if there was one.
    pub response_status: Option<u16>,
    pub duration_ms: i64,
    /// The first bytes of the answer.
    pub response: String,
    /// Why it failed; empty if it did not.
    pub error: String,
}

/// Takes what is due; nobody else does before `until`.
pub fn take(now: &str, until: &str) -> Query<Due> {
    Query::new(TAKE, [now.into(), until.into(), AT_ONCE.into()])
}

/// The same of one delivery.
pub fn take_one(id: &ObjectId, now: &str, until: &str) -> Query<Due> {
    Query::new(TAKE_ONE, [now.into(), until.into(), id.into()])
}

/// Writes down what became of an attempt: whether it arrived, or else when it is tried again, if it is.
pub fn end_attempt(due: &Due, outcome: &Outcome, again_at: Option<&str>) -> Query<Nothing> {
    let status = match (outcome.error.is_empty(), again_at) {
        (true, _) => "delivered",
        (false, Some(_)) => "pending",
        (false, None) => "failed",
    };
    Query::new(
        END_ATTEMPT,
        [
            (&due.id).into(),
            i64::from(due.attempts).into(),
            status.into(),
            again_at.into(),
            outcome.response_status.map(i64::from).into(),
            outcome.duration_ms.into(),
            outcome.response.as_str().into(),
            outcome.error.as_str().into(),
        ],
    )
}

/// Notes whether something arrives at a webhook: `failed` is when something did not.
pub fn mark(webhook: &ObjectId, failed: Option<&str>) -> Query<Nothing> {
    Query::new(MARK, [webhook.into(), failed.into()])
}

/// Lets what waits for a webhook wait until then.
pub fn put_off(webhook: &ObjectId, until: &str) -> Query<Nothing> {
    Query::new(PUT_OFF, [webhook.into(), until.into()])
}

/// Removes deliveries that were made before `before`.
pub fn purge(before: &str, limit: i64) -> Query<Nothing> {
    Query::new(PURGE, [before.into(), limit.into()])
}
