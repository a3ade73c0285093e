//! Signing in: a password, then the organization where there are several, then a code where one is needed.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use protocol::api::auth::{
    Challenge, Factor, Login, LoginAnswer, SelectTenant, SignedIn, VerifyOtp, VerifySecondFactor,
};
use protocol::api::error::ErrorBody;
use protocol::ids::ObjectId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::{self, Action, Event, RequestContext, Resource};
use crate::auth::console::KeptProof;
use crate::auth::throttle;
use crate::auth::token::TokenKey;
use crate::features::accounts::row::AccountRow;
use crate::features::accounts::{password, second_factor, store};
use crate::features::alerts;
use crate::features::sign_in::state::SignInState;
use crate::features::sign_in::{finish, otp, store as sign_ins};
use crate::http::envelope::{Envelope, Enveloped};
use crate::http::extract::ValidJson;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// What a wrong password and an unknown account are answered.
const INVALID: &str = "Invalid credentials";

/// What a session token that does not work is answered.
const INVALID_SESSION: &str = "Invalid or expired session";

/// What `/api/login` answers.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes a shape; nothing makes one")]
pub enum CommunityAnswer {
    /// Done.
    SignedIn(Box<Enveloped<SignedIn>>),
    /// A code is needed.
    Challenge(Challenge),
}

/// Trades a password for a token, of the organization used last where the address has accounts in several.
#[utoipa::path(post, path = "/api/login", summary = "Sign in", request_body = Login,
    responses((status = 200, description = "A token, or the code that is needed", body = CommunityAnswer),
        (status = 401, description = "The account does not exist or the password is wrong", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn community(
    app: App,
    context: RequestContext,
    envelope: Envelope,
    ValidJson(request): ValidJson<Login>,
) -> Result<Response, ApiError> {
    let rows = verify(&app, &context, &request).await?;
    let state = SignInState::begin(&context.client.source, "password", false, &rows)?;
    let last = rows.first().ok_or_else(|| ApiError::unauthorized(INVALID))?;
    match finish::proceed(&app, &context, &state, &rows, last).await? {
        LoginAnswer::SignedIn(body) => envelope.reply(StatusCode::OK, "Login successful", &body),
        other => Ok(Json(other).into_response()),
    }
}

/// Trades a password for a token, a choice of organizations, or the code that is needed.
#[utoipa::path(post, path = "/api/auth/login", summary = "Sign in to one of several organizations",
    request_body = Login,
    responses((status = 200, description = "A token, or what else is needed", body = LoginAnswer),
        (status = 401, description = "The account does not exist or the password is wrong", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn login(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<Login>,
) -> Result<Json<LoginAnswer>, ApiError> {
    let rows = verify(&app, &context, &request).await?;
    let state = SignInState::begin(&context.client.source, "password", false, &rows)?;
    match rows.as_slice() {
        [only] => finish::proceed(&app, &context, &state, &rows, only).await,
        several => finish::choice(&app, &state, several),
    }
    .map(Json)
}

/// Goes on with one of the organizations that a sign-in opened, now or to switch to another later.
#[utoipa::path(post, path = "/api/auth/select-tenant", summary = "Choose an organization",
    request_body = SelectTenant,
    responses((status = 200, description = "A token, or the code that is needed", body = LoginAnswer),
        (status = 401, description = "The session token is wrong, expired or ended", body = ErrorBody),
        (status = 403, description = "The organization is not among those opened, or it or the account is disabled", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn select_tenant(
    app: App,
    context: RequestContext,
    kept: Option<KeptProof>,
    ValidJson(request): ValidJson<SelectTenant>,
) -> Result<Json<LoginAnswer>, ApiError> {
    let session_token = request
        .session_token
        .or_else(|| kept.map(|KeptProof(proof)| proof))
        .ok_or_else(|| ApiError::invalid_field("session_token", "is required"))?;
    let state = SignInState::of_session_token(&TokenKey::of(&app.config), session_token.expose());
    let named = state.as_ref().map_or("", |state| state.email.as_str());
    throttle::attempt(&app, &context.client, &format!("session:{named}")).await?;
    let state = state.ok_or_else(|| ApiError::unauthorized(INVALID_SESSION))?;
    let chosen = state
        .in_tenant(request.tenant_id.trim())
        .ok_or_else(|| ApiError::forbidden("forbidden", "Access to this tenant is not allowed"))?;
    let rows = resume(&app, &state, chosen).await?;
    let account = pick(&rows, chosen)?;
    let mut answer = finish::proceed(&app, &context, &state, &rows, account).await?;
    // The token that was sent stays the one to switch with; a new one would let it live for ever.
    if let LoginAnswer::SignedIn(body) = &mut answer {
        body.session_token = session_token;
    }
    Ok(Json(answer))
}

/// Goes on with the code that was mailed.
#[utoipa::path(post, path = "/api/auth/verify-otp", summary = "Sign in with a mailed code",
    request_body = VerifyOtp,
    responses((status = 200, description = "A token", body = LoginAnswer),
        (status = 401, description = "The code is wrong, expired or used up", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn verify_otp(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<VerifyOtp>,
) -> Result<Json<LoginAnswer>, ApiError> {
    let name = request.username.trim();
    throttle::attempt(&app, &context.client, &format!("otp:{name}")).await?;
    // An address names no account: it may have several.
    let account = match name.contains('@') {
        true => None,
        false => app.db()?.run(store::find_logins(name)).await?.into_iter().next(),
    };
    let invalid = ApiError::unauthorized("Invalid or expired OTP");
    let Some(account) = account else {
        return refuse(&app, vec![failure(&context, None).claimed_by(name)], invalid).await;
    };
    match otp::redeem(&app, &account.id, &request.otp_code).await? {
        Some(state) => go_on(&app, &context, state, Factor::Mail, &account.id).await.map(Json),
        None => {
            refuse(
                &app,
                vec![failure(&context, Some(&account)).detail("reason", "wrong_code")],
                invalid,
            )
            .await
        }
    }
}

/// Goes on with a code of the authenticator app, a recovery code, or the code that was mailed.
#[utoipa::path(post, path = "/api/auth/mfa/verify", summary = "Sign in with a second factor",
    request_body = VerifySecondFactor,
    responses((status = 200, description = "A token", body = LoginAnswer),
        (status = 401, description = "The code is wrong, or the sign-in has expired", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub async fn verify_factor(
    app: App,
    context: RequestContext,
    ValidJson(request): ValidJson<VerifySecondFactor>,
) -> Result<Json<LoginAnswer>, ApiError> {
    let verified = SignInState::of_challenge_token(&TokenKey::of(&app.config), request.mfa_token.expose());
    let named = verified
        .as_ref()
        .map_or("", |(_, challenged)| challenged.account.as_str());
    throttle::attempt(&app, &context.client, &format!("factor:{named}")).await?;
    let (state, challenged) = verified.ok_or_else(|| ApiError::unauthorized(INVALID_SESSION))?;
    let rows = resume(&app, &state, &challenged.account).await?;
    let account = pick(&rows, &challenged.account)?;
    let state = match challenged.factor {
        // What the code was mailed for counts: it may be for a later sign-in.
        Factor::Mail => otp::redeem(&app, &account.id, &request.code).await?,
        Factor::Totp => second_factor::check(&app, &account.id, &request.code)
            .await?
            .then_some(state),
    };
    match state {
        Some(state) => go_on(&app, &context, state, challenged.factor, &account.id)
            .await
            .map(Json),
        None => {
            let event = failure(&context, Some(account)).detail("reason", "wrong_code");
            refuse(&app, vec![event], ApiError::unauthorized("Invalid code")).await
        }
    }
}

/// The accounts whose password it is. An account that does not exist costs as much time as a wrong password, and is answered
/// alike.
async fn verify(app: &App, context: &RequestContext, request: &Login) -> Result<Vec<AccountRow>, ApiError> {
    let name = request.name().unwrap_or_default();
    throttle::attempt(app, &context.client, name).await?;
    let (rows, set_up) = app.db()?.run((store::find_logins(name), store::find_any())).await?;
    if set_up.is_empty() && !name.contains('@') {
        return Err(ApiError::bad_request("Setup not completed"));
    }
    if rows.is_empty() {
        password::verify(None, request.password.expose())?;
        let event = failure(context, None)
            .claimed_by(name)
            .detail("reason", "unknown_account");
        return refuse(app, vec![event], ApiError::unauthorized(INVALID)).await;
    }
    let mut right = Vec::new();
    let mut wrong = Vec::new();
    for row in rows {
        let hash = Some(row.password_hash.as_str()).filter(|hash| !hash.is_empty());
        match password::verify(hash, request.password.expose())? {
            true => right.push(row),
            false => wrong.push(row),
        }
    }
    if right.is_empty() {
        let events = wrong
            .iter()
            .map(|row| failure(context, Some(row)).detail("reason", "wrong_password"));
        return refuse(app, events.collect(), ApiError::unauthorized(INVALID)).await;
    }
    Ok(right)
}

/// The accounts of a sign-in that goes on, if it was not ended and the chosen one may sign in.
async fn resume(app: &App, state: &SignInState, chosen: &ObjectId) -> Result<Vec<AccountRow>, ApiError> {
    let batch = (
        store::find_accounts(&state.ids()),
        sign_ins::find_revoked(state.sid.as_str()),
    );
    let (rows, revoked) = app.db()?.run(batch).await?;
    let account = pick(&rows, chosen)?;
    if account.organization_disabled {
        return Err(ApiError::forbidden("organization_disabled", "Organization is disabled"));
    }
    if !account.is_active {
        return Err(ApiError::forbidden("account_disabled", "Account is disabled"));
    }
    if !revoked.is_empty() || !state.is_current(&rows) {
        return Err(ApiError::unauthorized(INVALID_SESSION));
    }
    Ok(rows.into_iter().filter(|row| row.is_active).collect())
}

fn pick<'a>(rows: &'a [AccountRow], chosen: &ObjectId) -> Result<&'a AccountRow, ApiError> {
    let account = rows.iter().find(|row| row.id == *chosen && row.deleted_at.is_none());
    account.ok_or_else(|| ApiError::unauthorized("User not found"))
}

/// Goes on after a factor was given. There may be another.
async fn go_on(
    app: &App,
    context: &RequestContext,
    state: SignInState,
    factor: Factor,
    chosen: &ObjectId,
) -> Result<LoginAnswer, ApiError> {
    let state = state.with(factor, chosen);
    let rows = resume(app, &state, chosen).await?;
    let account = pick(&rows, chosen)?;
    if factor == Factor::Mail {
        let event = context
            .event(Action::VerifyOtp, Resource::Auth)
            .by(&account.id, &account.username)
            .within(&account.organization_id);
        app.db()?.run(audit::record(&event)).await?;
    }
    finish::proceed(app, context, &state, &rows, account).await
}

/// A sign-in that failed, to an account if there is one of that name.
fn failure(context: &RequestContext, account: Option<&AccountRow>) -> Event {
    let event = context.event(Action::LoginFailed, Resource::Auth).failed(401, INVALID);
    match account {
        Some(account) => event
            .by(&account.id, &account.username)
            .within(&account.organization_id)
            .on(&account.id),
        None => event,
    }
}

async fn refuse<T>(app: &App, events: Vec<Event>, error: ApiError) -> Result<T, ApiError> {
    let entries: Vec<_> = events.iter().map(audit::record).collect();
    app.db()?.run(entries).await?;
    alerts::soon(app);
    Err(error)
}
