//! SQL of deliveries, as people see them.
use protocol::ids::ObjectId;

use crate::features::webhooks::access::WebhookControl;
use crate::http::json_text::{BodyRow, json_time};
use crate::http::page::Page;
use crate::platform::db::{Count, Exists, Nothing, Query, statements};

/// The body of a delivery (`d`): a [`Delivery`](protocol::api::webhooks::Delivery).
macro_rules! delivery_body {
    () => {
        concat!(
            "json_object('id', d.id, 'event', d.event, 'summary', d.summary, 'payload', d.payload, 'status', d.status,
               'attempts', d.attempts, 'next_attempt_at', ",
            json_time!("d.next_attempt_at"),
            ", 'last_attempt_at', ",
            json_time!("d.last_attempt_at"),
            ", 'response_status', d.response_status, 'duration_ms', d.duration_ms,
               'response', d.response, 'error', d.error, 'created_at', ",
            json_time!("d.created_at"),
            ") AS body"
        )
    };
}

statements! {
    LIST = concat!(
        "SELECT ", delivery_body!(), " FROM deliveries d WHERE d.webhook_id = ?1 ORDER BY d.created_at DESC, d.id DESC LIMIT ?2 OFFSET ?3"
    );

    COUNT = "SELECT COUNT(*) AS total FROM deliveries WHERE webhook_id = ?1";

    READ = concat!("SELECT ", delivery_body!(), " FROM deliveries d WHERE d.id = ?2 AND d.webhook_id = ?1");

    /// It is sent once and by whoever made it.
    TEST = "INSERT INTO deliveries (id, organization_id, webhook_id, event, summary, payload, max_attempts, next_attempt_at, created_at)
         SELECT ?2, w.organization_id, w.id, 'test', 'A test',
           json_object('type', 'test', 'timestamp', ?3, 'data', json_object('webhook_id', w.id, 'name', w.name)), 1, ?3, ?3
         FROM webhooks w WHERE w.id = ?1";

    /// Once more, whatever became of it. What is on its way at this moment is left alone.
    AGAIN = "UPDATE deliveries SET status = 'pending', max_attempts = attempts + 1, next_attempt_at = ?3
         WHERE id = ?2 AND webhook_id = ?1 AND NOT (status = 'pending' AND attempts > 0 AND next_attempt_at > ?3 AND last_attempt_at > ?4)
         RETURNING id";
}

/// What a webhook was told, newest first, and how much there is on all pages together. To be shown only to whoever administers it.
pub fn list(webhook: &str, page: Page) -> (Query<BodyRow>, Query<Count>) {
    let (limit, offset) = page.window();
    (
        Query::new(LIST, [webhook.into(), limit.into(), offset.into()]),
        Query::new(COUNT, [webhook.into()]),
    )
}

/// One delivery.
pub fn read(control: &WebhookControl, id: &str) -> Query<BodyRow> {
    Query::new(READ, [control.id().into(), id.into()])
}

/// Makes a delivery that tells of nothing.
pub fn test(control: &WebhookControl, id: &ObjectId, now: &str) -> Query<Nothing> {
    Query::new(TEST, [control.id().into(), id.into(), now.into()])
}

/// Has a delivery sent once more, unless an attempt that began after `busy` may still go on. A row if it is.
pub fn again(control: &WebhookControl, id: &str, now: &str, busy: &str) -> Query<Exists> {
    Query::new(AGAIN, [control.id().into(), id.into(), now.into(), busy.into()])
}
