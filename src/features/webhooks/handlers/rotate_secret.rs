//! Another secret for a webhook.
use chrono::Utc;
use protocol::api::error::ErrorBody;
use protocol::api::webhooks::WebhookCreated;

use super::{load, one};
use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::features::webhooks::access::WebhookControl;
use crate::features::webhooks::{courier, signature, store};
use crate::http::extract::PathParam;
use crate::http::json_text::JsonText;
use crate::platform::context::App;
use crate::platform::db::stored;
use crate::platform::error::ApiError;

/// Gives a webhook a new secret, which is answered now and never again. For 24 hours the one of before signs every delivery beside it, so
/// that none is refused while its receiver is told of the new one.
#[utoipa::path(post, path = "/api/webhooks/{webhook_id}/rotate-secret", summary = "Replace the secret of a webhook",
    params(("webhook_id" = String, Path, description = "The webhook's `id`")),
    responses((status = 200, description = "The webhook and its new secret", body = WebhookCreated),
        (status = 404, description = "No such webhook in the caller's organization", body = ErrorBody)))]
pub async fn rotate_secret(
    app: App,
    credentials: Credentials,
    PathParam(webhook_id): PathParam,
) -> Result<JsonText, ApiError> {
    let control = load(&app, credentials, &webhook_id).await?;
    let secret = signature::new_secret()?;
    let sealed = app.config.sealing.seal(&courier::associated(control.id()), &secret)?;
    let now = Utc::now();
    let until = stored(now + courier::FORMER_SIGNS_FOR);
    let event = control
        .event(Action::WebhookSecretRotated)
        .detail("former_secret_until", until.as_str());
    let batch = (
        store::rotate(&control, &sealed, &stored(now), &until),
        audit::record_if_changed(&event),
        store::find(control.caller().id(), &webhook_id),
    );
    let (_, _, found) = app.db()?.run(batch).await?;
    let control = WebhookControl::decide(control.caller().clone(), found)?;
    Ok(one::with_secret(&control.into_body(), &secret))
}
