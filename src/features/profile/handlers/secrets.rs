//! One's own secrets: the password, and the key that enrols machines.
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::future::join_all;
use protocol::api::auth::Refreshed;
use protocol::api::error::ErrorBody;
use protocol::api::profile::{RegeneratedKey, ResetOwnPassword};

use super::load;
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::auth::throttle;
use crate::features::accounts::new_account::NewApiKey;
use crate::features::accounts::password_change;
use crate::features::profile::store;
use crate::features::sign_in::finish;
use crate::http::envelope::{Envelope, Enveloped};
use crate::http::extract::ValidJson;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;
use crate::platform::log;

/// Replaces the key that enrols machines. Machines that enrolled with the old one are disconnected, and must be enrolled again;
/// those that enrolled with a token of their own stay.
#[utoipa::path(post, path = "/api/profile/regenerate-api-key", summary = "Replace one's account API key",
    responses((status = 200, description = "The new key; the old one works no more", body = Enveloped<RegeneratedKey>),
        (status = 403, description = "The caller uses an API key", body = ErrorBody)))]
pub async fn regenerate_api_key(app: App, credentials: Credentials, envelope: Envelope) -> Result<Response, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let new = NewApiKey::make(&app, caller.id())?;
    let event = caller.event(Action::ApiKeyRegenerated, Resource::User).on(caller.id());
    let ((_, _, machines), _) = db
        .run((
            store::set_api_key(&caller, &new.hash, &new.sealed, &now()),
            audit::record(&event),
        ))
        .await?;
    let cuts = machines
        .iter()
        .map(async |machine| app.relay(&machine.id)?.destroy().await);
    for error in join_all(cuts).await.into_iter().filter_map(Result::err) {
        // Its link holds until it breaks; its agent does not come back.
        log::error(&format!("an agent could not be disconnected: {}", error.cause()));
    }
    let body = RegeneratedKey { api_key: new.key };
    envelope.reply(StatusCode::OK, "API key regenerated", &body)
}

/// Changes the caller's password. Its other sign-ins end; the token of this one is replaced by the one in the answer.
#[utoipa::path(post, path = "/api/profile/reset-password", summary = "Change one's password",
    request_body = ResetOwnPassword,
    responses((status = 200, description = "The token to go on with", body = Enveloped<Refreshed>),
        (status = 400, description = "A field breaks its rule, or the current password is wrong", body = ErrorBody),
        (status = 403, description = "The caller uses an API key", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn reset_own_password(
    app: App,
    credentials: Credentials,
    envelope: Envelope,
    ValidJson(request): ValidJson<ResetOwnPassword>,
) -> Result<Response, ApiError> {
    throttle::attempt(&app, &credentials.context().client, credentials.user_id().as_str()).await?;
    let (caller, account) = load(&app, credentials).await?;
    let (current, new) = (&request.current_password, &request.new_password);
    let account = password_change::change(&app, &caller, &account, Some(current), new).await?;
    let body = Refreshed {
        token: finish::issue(&app, &account, caller.source(), &caller.sign_in())?,
        expires_in: app.config.token_lifetime_seconds(),
    };
    envelope.reply(StatusCode::OK, "Password updated successfully", &body)
}
