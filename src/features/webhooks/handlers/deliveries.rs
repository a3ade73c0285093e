//! What a webhook was told, and telling it once more.
use chrono::Utc;
use protocol::api::error::ErrorBody;
use protocol::api::webhooks::{Delivery, DeliveryList};
use protocol::ids::ObjectId;

use super::load;
use crate::auth::caller::Credentials;
use crate::features::webhooks::access::WebhookControl;
use crate::features::webhooks::courier;
use crate::features::webhooks::store::{self, deliveries};
use crate::http::extract::{PathPair, PathParam, QueryParams};
use crate::http::json_text::JsonText;
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::{Count, now, stored};
use crate::platform::error::ApiError;
use crate::platform::random;

/// What is answered where there is no such delivery.
const ABSENT: &str = "Delivery not found";

/// Sends a delivery of no meaning, and waits for what is answered: up to ten seconds. It is not tried again.
#[utoipa::path(post, path = "/api/webhooks/{webhook_id}/test", summary = "Test a webhook",
    params(("webhook_id" = String, Path, description = "The webhook's `id`")),
    responses((status = 200, description = "What became of it", body = Delivery),
        (status = 404, description = "No such webhook in the caller's organization", body = ErrorBody),
        (status = 409, description = "The webhook is switched off", body = ErrorBody)))]
pub async fn test_webhook(
    app: App,
    credentials: Credentials,
    PathParam(webhook_id): PathParam,
) -> Result<JsonText, ApiError> {
    let control = load(&app, credentials, &webhook_id).await?;
    control.expect_active()?;
    let id = random::object_id()?;
    app.db()?.run(deliveries::test(&control, &id, &now())).await?;
    sent(&app, &control, &id).await
}

/// Lists what a webhook was told, newest first, always in pages. Deliveries are kept for 30 days, and at most 500 of a webhook.
#[utoipa::path(get, path = "/api/webhooks/{webhook_id}/deliveries", summary = "List the deliveries of a webhook",
    params(("webhook_id" = String, Path, description = "The webhook's `id`"), PageQuery),
    responses((status = 200, description = "The deliveries", body = DeliveryList),
        (status = 404, description = "No such webhook in the caller's organization", body = ErrorBody)))]
pub async fn list_deliveries(
    app: App,
    credentials: Credentials,
    PathParam(webhook_id): PathParam,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let page = page.always();
    let find = store::find(credentials.user_id(), &webhook_id);
    let list = deliveries::list(&webhook_id, page);
    let (caller, (found, (rows, count))) = credentials.load(&app.db()?, (find, list)).await?;
    WebhookControl::decide(caller, found)?;
    Ok(JsonText::page("deliveries", &rows, page.of(Count::of(&count))))
}

/// Sends a delivery once more, with the same `webhook-id`, and waits for what is answered: up to ten seconds.
#[utoipa::path(post, path = "/api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", summary = "Send a delivery again",
    params(("webhook_id" = String, Path, description = "The webhook's `id`"),
        ("delivery_id" = String, Path, description = "The delivery's `id`")),
    responses((status = 200, description = "What became of it", body = Delivery),
        (status = 404, description = "No such delivery of such a webhook in the caller's organization", body = ErrorBody),
        (status = 409, description = "The webhook is switched off, or the delivery is on its way at this moment", body = ErrorBody)))]
pub async fn redeliver(
    app: App,
    credentials: Credentials,
    PathPair(webhook_id, delivery_id): PathPair,
) -> Result<JsonText, ApiError> {
    let control = load(&app, credentials, &webhook_id).await?;
    let id: ObjectId = delivery_id.parse().map_err(|_| ApiError::not_found(ABSENT))?;
    control.expect_active()?;
    let at = Utc::now();
    let again = deliveries::again(&control, id.as_str(), &stored(at), &stored(at - courier::TAKEN_FOR));
    let batch = (again, deliveries::read(&control, id.as_str()));
    let (again, found) = app.db()?.run(batch).await?;
    if found.is_empty() {
        return Err(ApiError::not_found(ABSENT));
    }
    if again.is_empty() {
        return Err(ApiError::conflict(
            "on_its_way",
            "The delivery is on its way at this moment",
        ));
    }
    sent(&app, &control, &id).await
}

/// Sends a delivery and answers what became of it.
async fn sent(app: &App, control: &WebhookControl, id: &ObjectId) -> Result<JsonText, ApiError> {
    courier::send_one(app, id).await?;
    let rows = app.db()?.run(deliveries::read(control, id.as_str())).await?;
    let row = rows.into_iter().next();
    row.map(|row| JsonText(row.body))
        .ok_or_else(|| ApiError::not_found(ABSENT))
}
