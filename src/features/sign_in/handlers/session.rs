//! A sign-in that goes on and ends, and whose it is.
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{SecondsFormat, TimeDelta, Utc};
use protocol::api::auth::{LoggedOut, Refresh, Refreshed, User};
use protocol::api::error::ErrorBody;

use crate::audit::{self, Action, RequestContext, Resource};
use crate::auth::caller::{Credentials, bearer};
use crate::auth::throttle;
use crate::auth::token::TokenKey;
use crate::features::accounts::{body, store};
use crate::features::sessions::revocation::{self, Whose};
use crate::features::sign_in::{finish, state, store as sign_ins};
use crate::http::envelope::{Envelope, Enveloped, SUCCESS};
use crate::http::extract::OptionalJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// How much longer a sign-in is remembered as ended than its tokens live: one may have been issued at that very moment.
const REVOKED_MARGIN: TimeDelta = TimeDelta::hours(1);

/// Trades a token that has not expired for a new one, made from the account as it is now.
#[utoipa::path(post, path = "/api/auth/refresh", summary = "Renew a token", security((), ("bearer" = [])),
    request_body(content = Option<Refresh>, description = "The token; without a body, the one in `Authorization`"),
    responses((status = 200, description = "A new token", body = Enveloped<Refreshed>),
        (status = 401, description = "The token is wrong, expired or revoked, or its account is gone", body = ErrorBody),
        (status = 403, description = "The account is disabled", body = ErrorBody),
        (status = 429, description = "Too many renewals", body = ErrorBody)))]
pub async fn refresh(
    app: App,
    mut context: RequestContext,
    envelope: Envelope,
    headers: HeaderMap,
    OptionalJson(request): OptionalJson<Refresh>,
) -> Result<Response, ApiError> {
    let token = match &request {
        Some(request) => request.token.expose(),
        None => bearer(&headers)?
            .ok_or_else(|| ApiError::invalid_field("token", "is required, in the body or as Authorization header"))?,
    };
    let invalid = || ApiError::unauthorized("Invalid token");
    let proof = TokenKey::of(&app.config).verify(token).map_err(|_| invalid())?;
    throttle::renewal(&app, proof.user_id.as_str()).await?;
    context.client.source.clone_from(&proof.source);
    let db = app.db()?;
    let batch = (
        store::find_account(&proof.user_id),
        sign_ins::find_revoked(&proof.sign_in),
    );
    let (accounts, revoked) = db.run(batch).await?;
    let account = accounts
        .into_iter()
        .next()
        .filter(|account| account.deleted_at.is_none())
        .ok_or_else(|| ApiError::unauthorized("User not found"))?;
    if !revoked.is_empty() {
        return Err(invalid());
    }
    if account.organization_disabled {
        return Err(ApiError::forbidden("organization_disabled", "Organization is disabled"));
    }
    if !account.is_active {
        return Err(ApiError::forbidden("account_disabled", "Account is disabled"));
    }
    if account.token_version != proof.version {
        return Err(invalid());
    }
    let event = context
        .event(Action::TokenRefresh, Resource::Auth)
        .by(&account.id, &account.username)
        .within(&account.organization_id);
    db.run((store::touch_active(&account.id, &now()), audit::record(&event)))
        .await?;
    let token = finish::issue(&app, &account, &proof.source, &proof.sign_in)?;
    let body = Refreshed {
        token,
        expires_in: app.config.token_lifetime_seconds(),
    };
    envelope.reply(StatusCode::OK, SUCCESS, &body)
}

/// Ends the caller's sign-in: its tokens, in all organizations it opened, and its terminals.
#[utoipa::path(post, path = "/api/auth/logout", summary = "Sign out",
    responses((status = 200, description = "The token no longer works", body = LoggedOut)))]
pub async fn logout(app: App, credentials: Credentials) -> Result<Json<LoggedOut>, ApiError> {
    let db = app.db()?;
    let siblings = sign_ins::find_siblings(credentials.user_id());
    let (caller, siblings) = credentials.load(&db, siblings).await?;
    let sign_in = caller.sign_in();
    let began_at = state::began_at(&sign_in).unwrap_or_else(Utc::now);
    let event = caller
        .event(Action::Logout, Resource::Auth)
        .on(caller.id())
        .detail("duration_seconds", (Utc::now() - began_at).num_seconds().max(0));
    let lifetime = i64::try_from(app.config.token_lifetime_seconds()).map_err(ApiError::internal)?;
    let until =
        (Utc::now() + TimeDelta::seconds(lifetime) + REVOKED_MARGIN).to_rfc3339_opts(SecondsFormat::Millis, true);
    db.run((sign_ins::revoke(&sign_in, &until), audit::record(&event)))
        .await?;
    let accounts = siblings.iter().map(|sibling| &sibling.id).chain([caller.id()]);
    for account in accounts {
        revocation::withdraw(&app, Whose::User(account)).await?;
    }
    Ok(Json(LoggedOut {
        message: "Logged out successfully".to_owned(),
    }))
}

/// The account that calls.
#[utoipa::path(get, path = "/api/auth/me", summary = "Read one's own account",
    responses((status = 200, description = "The account", body = User)))]
pub async fn me(app: App, credentials: Credentials) -> Result<Json<User>, ApiError> {
    let account = store::find_account(credentials.user_id());
    let (caller, accounts) = credentials.load(&app.db()?, account).await?;
    let account = accounts
        .first()
        .ok_or_else(|| ApiError::internal("the caller has no account"))?;
    body::own(&app.config, &caller, account).map(Json)
}
