//! Making, reading, changing and removing webhooks.
use axum::http::StatusCode;
use protocol::api::Message;
use protocol::api::error::ErrorBody;
use protocol::api::secret::Secret;
use protocol::api::webhooks::{SaveWebhook, Webhook, WebhookCreated, WebhookList};

use super::load;
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::webhooks::access::WebhookControl;
use crate::features::webhooks::{address, courier, signature, store};
use crate::http::extract::{PathParam, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::random;

/// Lists the webhooks of the organization.
#[utoipa::path(get, path = "/api/webhooks", summary = "List webhooks",
    responses((status = 200, description = "All of them", body = WebhookList)))]
pub async fn list_webhooks(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = store::list(credentials.user_id());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::all("webhooks", &rows))
}

/// Makes a webhook. Its secret is answered now and never again.
#[utoipa::path(post, path = "/api/webhooks", summary = "Make a webhook", request_body = SaveWebhook,
    responses((status = 201, description = "The webhook and its secret", body = WebhookCreated),
        (status = 409, description = "The organization has 20 already", body = ErrorBody)))]
pub async fn create_webhook(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<SaveWebhook>,
) -> Result<(StatusCode, JsonText), ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    check(&app, &request)?;
    let (id, secret) = (random::object_id()?, signature::new_secret()?);
    let sealed = app.config.sealing.seal(&courier::associated(&id), &secret)?;
    let event = caller
        .event(Action::WebhookCreated, Resource::Webhook)
        .created()
        .on(&id)
        .detail("name", request.name.trim())
        .detail("url", request.url.as_str())
        .detail("events", request.events.as_slice());
    let batch = (
        store::insert(&caller, &id, &request, &sealed, &now())?,
        audit::record_if_changed(&event),
        store::find(caller.id(), id.as_str()),
    );
    let (_, _, found) = db.run(batch).await?;
    let body = found.into_iter().next().map(|found| found.body).ok_or_else(full)?;
    Ok((StatusCode::CREATED, with_secret(&body, &secret)))
}

/// A webhook's body with the secret that is shown this once. Of base64 nothing needs escaping.
pub fn with_secret(body: &str, secret: &Secret) -> JsonText {
    JsonText(format!("{{\"webhook\":{body},\"secret\":\"{}\"}}", secret.expose()))
}

/// Reads a webhook.
#[utoipa::path(get, path = "/api/webhooks/{webhook_id}", summary = "Read a webhook",
    params(("webhook_id" = String, Path, description = "The webhook's `id`")),
    responses((status = 200, description = "The webhook", body = Webhook),
        (status = 404, description = "No such webhook in the caller's organization", body = ErrorBody)))]
pub async fn find_webhook(
    app: App,
    credentials: Credentials,
    PathParam(webhook_id): PathParam,
) -> Result<JsonText, ApiError> {
    let control = load(&app, credentials, &webhook_id).await?;
    Ok(JsonText(control.into_body()))
}

/// Makes a webhook what the body says; what that leaves out is as of a new one. The secret stays.
#[utoipa::path(put, path = "/api/webhooks/{webhook_id}", summary = "Change a webhook",
    params(("webhook_id" = String, Path, description = "The webhook's `id`")), request_body = SaveWebhook,
    responses((status = 200, description = "The webhook as it is now", body = Webhook),
        (status = 404, description = "No such webhook in the caller's organization", body = ErrorBody)))]
pub async fn update_webhook(
    app: App,
    credentials: Credentials,
    PathParam(webhook_id): PathParam,
    ValidJson(request): ValidJson<SaveWebhook>,
) -> Result<JsonText, ApiError> {
    let control = load(&app, credentials, &webhook_id).await?;
    check(&app, &request)?;
    let event = control
        .event(Action::WebhookUpdated)
        .detail("url", request.url.as_str())
        .detail("events", request.events.as_slice())
        .detail("active", request.active);
    let batch = (
        store::update(&control, &request, &now())?,
        audit::record_if_changed(&event),
        store::find(control.caller().id(), &webhook_id),
    );
    let (_, _, found) = app.db()?.run(batch).await?;
    let caller = control.caller().clone();
    Ok(JsonText(WebhookControl::decide(caller, found)?.into_body()))
}

/// Removes a webhook with its deliveries; what waits for it is not sent.
#[utoipa::path(delete, path = "/api/webhooks/{webhook_id}", summary = "Remove a webhook",
    params(("webhook_id" = String, Path, description = "The webhook's `id`")),
    responses((status = 200, description = "It is gone", body = Message),
        (status = 404, description = "No such webhook in the caller's organization", body = ErrorBody)))]
pub async fn delete_webhook(
    app: App,
    credentials: Credentials,
    PathParam(webhook_id): PathParam,
) -> Result<Json<Message>, ApiError> {
    let control = load(&app, credentials, &webhook_id).await?;
    let event = control.event(Action::WebhookDeleted);
    let batch = (store::delete(&control), audit::record_if_changed(&event));
    app.db()?.run(batch).await?;
    Ok(Json(Message {
        message: "Webhook deleted".to_owned(),
    }))
}

/// What only the deployment knows of an address: where it must not lead.
fn check(app: &App, request: &SaveWebhook) -> Result<(), ApiError> {
    address::check(&request.url, &courier::policy(app)).map_err(|fault| ApiError::invalid_field("url", fault))
}

fn full() -> ApiError {
    let max = store::MAX_WEBHOOKS;
    ApiError::conflict(
        "limit_reached",
        format!("An organization has at most {max} webhooks: remove one first"),
    )
}
